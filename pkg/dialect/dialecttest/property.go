package dialecttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Property is one column type and where its random values come from.
type Property struct {
	// Type is the column's type in DDL.
	Type string
	// As is the type to compare in where that is not the column's own.
	As canonical.Kind
	// Values draws plain values, which the server is given in the form.
	Values Domain
	Form   Form
	// Same is the server's own judgement of two values, in SQL about {a} and
	// {b}; empty for the engine's equality that knows NULL.
	Same string
	// Finer says that this judgement may tell apart what is equal (JSON kept as
	// text), so that only what it calls equal counts.
	Finer bool
	// Keyless types cannot be a key, or not without a prefix.
	Keyless bool
}

// The number of random rows, and the seed that draws them, can be given in the
// environment: many rows for a search, a seed to see a failure again.
const (
	rowsVariable = "TRUEUP_PROPERTY_N"
	seedVariable = "TRUEUP_PROPERTY_SEED"
	defaultRows  = 40
)

func setting(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s is no number: %v", variable, err)
	}
	return n
}

// random is a generator whose seed is in the log.
func random(t *testing.T) (*rand.Rand, int) {
	t.Helper()
	seed := setting(t, seedVariable, rand.Uint64())
	n := setting(t, rowsVariable, defaultRows)
	t.Logf("%s=%d %s=%d", seedVariable, seed, rowsVariable, n)
	return rand.New(rand.NewPCG(seed, 0)), int(n)
}

// ExerciseProperties fills a table that has a column of every type with random
// rows, and holds what the dialect makes of them against the server's own word.
func ExerciseProperties(t *testing.T, dsn string, before []string, properties []Property) {
	s := open(t, dsn)
	s.exec(t, before...)
	r, n := random(t)
	columns := make([]column, len(properties))
	for i, p := range properties {
		columns[i] = column{Type: p.Type, As: canonical.Type{Kind: p.As}}
	}
	source := s.wide(t, "property_source", columns)
	s.fill(t, source, plainRows(r, n, properties))
	rows := s.rows(t, source, row.Range{})

	t.Run("the server's texts are the texts read", func(t *testing.T) { s.checkTexts(t, source, rows) })
	t.Run("digests are those of the rows read", func(t *testing.T) { s.checkDigests(t, r, source, rows) })
	t.Run("texts are equal where the server calls values equal", func(t *testing.T) { s.checkEquality(t, source, rows, properties) })
	t.Run("keys find their rows", func(t *testing.T) { s.checkKeys(t, r, n, properties) })
	t.Run("rows survive being written", func(t *testing.T) { s.checkWrites(t, r, rows, columns) })
}

// spelled is a random value in the form the server is to be given it.
type spelled struct {
	form  Form
	plain string
	null  bool
}

// plainRows draws n rows; about one value in ten is NULL.
func plainRows(r *rand.Rand, n int, properties []Property) [][]spelled {
	rows := make([][]spelled, n)
	for i := range rows {
		for _, p := range properties {
			rows[i] = append(rows[i], spelled{form: p.Form, plain: p.Values(r), null: r.IntN(10) == 0})
		}
	}
	return rows
}

// column is one column of a wide table.
type column struct {
	Type string
	As   canonical.Type
}

// wide makes a table with an integer key and a column for each type: c0, c1 …
func (s *suite) wide(t *testing.T, name string, columns []column) *schema.View {
	t.Helper()
	ddl := []string{"id int NOT NULL PRIMARY KEY"}
	for i, c := range columns {
		ddl = append(ddl, "c"+strconv.Itoa(i)+" "+c.Type+" NULL")
	}
	s.exec(t, "CREATE TABLE "+name+" ("+strings.Join(ddl, ", ")+")")
	v := s.view(t, name, "id")
	for i, c := range columns {
		described := &v.Columns[i+1]
		if described.Type.Kind == canonical.Unsupported {
			t.Fatalf("%s is not supported: %s", c.Type, described.Reason)
		}
		if c.As.Kind != canonical.Unsupported {
			described.As = c.As
		}
	}
	return v
}

// fill inserts rows by the server's own literals, with the ids 0, 1 …, in a
// session whose time zone is not the one in which values are read.
func (s *suite) fill(t *testing.T, v *schema.View, rows [][]spelled) {
	t.Helper()
	statements := []string{s.oddZone()}
	for id, values := range rows {
		literals := []string{strconv.Itoa(id)}
		for _, value := range values {
			literals = append(literals, s.spell(value))
		}
		statements = append(statements, "INSERT INTO "+s.d.TableName(v.Table.Name)+" VALUES ("+strings.Join(literals, ", ")+")")
	}
	s.exec(t, statements...)
}

// checkTexts asks the server for the text of every value as a digest frames it.
func (s *suite) checkTexts(t *testing.T, v *schema.View, rows []row.Row) {
	t.Helper()
	for p, c := range v.Columns {
		expr, exact := s.d.DigestText(c)
		if expr == "" {
			t.Errorf("%s as %s has no text on the server", c.Native, c.As)
			continue
		}
		texts := s.ask(t, fmt.Sprintf("SELECT %s FROM %s ORDER BY id", s.asText(expr), s.d.TableName(v.Table.Name)))
		seen := map[string]row.Value{}
		for i, r := range rows {
			server := texts[i][0]
			if server.IsNull() != r[p].IsNull() || exact && string(server) != string(r[p]) {
				t.Errorf("row %d: %s as %s is %s, the server's text is %s", i, c.Native, c.As, show(row.Row{r[p]}), show(row.Row{server}))
				continue
			}
			other, found := seen[string(server)]
			if found && !server.IsNull() && !canonical.Equal(c.As, canonical.Rule{}, other, r[p]) {
				t.Errorf("%s as %s: %s and %s have one text on the server, %s", c.Native, c.As, other, r[p], server)
			}
			if !server.IsNull() {
				seen[string(server)] = r[p]
			}
		}
	}
}

// checkDigests compares digests of everything, of single rows, and of random
// ranges with those of the rows read, for the columns whose texts are exact.
func (s *suite) checkDigests(t *testing.T, r *rand.Rand, v *schema.View, rows []row.Row) {
	t.Helper()
	exact, kept := s.exactPart(v, rows)
	s.sameDigest(t, exact, kept, -1, len(rows)-1)
	for range 10 {
		after := r.IntN(len(rows)) - 1
		s.sameDigest(t, exact, kept, after, after+1+r.IntN(len(rows)-after-1))
	}
}

// exactPart is the view and its rows without the columns that have only an
// inexact text.
func (s *suite) exactPart(v *schema.View, rows []row.Row) (*schema.View, []row.Row) {
	part := &schema.View{Table: v.Table, Key: v.Key}
	var kept []int
	for p, c := range v.Columns {
		if _, exact := s.d.DigestText(c); exact {
			part.Columns = append(part.Columns, c)
			kept = append(kept, p)
		}
	}
	return part, picked(rows, kept)
}

func picked(rows []row.Row, positions []int) []row.Row {
	out := make([]row.Row, len(rows))
	for i, r := range rows {
		for _, p := range positions {
			out[i] = append(out[i], r[p])
		}
	}
	return out
}

// sameDigest compares the digest of the rows after one id and through another.
func (s *suite) sameDigest(t *testing.T, v *schema.View, rows []row.Row, after, through int) {
	t.Helper()
	r := row.Range{After: key(strconv.Itoa(after)), Through: key(strconv.Itoa(through))}
	if got, want := s.digest(t, v, r), canonical.Digest(v.Types(), rows[after+1:through+1]...); got != want {
		t.Errorf("the digest of %s is %+v, want %+v", r, got, want)
	}
}

// checkEquality compares every value with every other, and has the server do so.
func (s *suite) checkEquality(t *testing.T, v *schema.View, rows []row.Row, properties []Property) {
	t.Helper()
	table := s.d.TableName(v.Table.Name)
	for i, p := range properties {
		c := v.Columns[i+1]
		same := p.Same
		if same == "" {
			same = s.equality()
		}
		name := s.d.Quote(c.Name)
		same = strings.NewReplacer("{a}", "a."+name, "{b}", "b."+name).Replace(same)
		server := map[[2]string]bool{}
		for _, pair := range s.ask(t, fmt.Sprintf("SELECT %s, %s FROM %s AS a JOIN %s AS b ON a.id < b.id WHERE %s AND a.%s IS NOT NULL AND b.%s IS NOT NULL",
			s.asText("a.id"), s.asText("b.id"), table, table, same, name, name)) {
			server[[2]string{string(pair[0]), string(pair[1])}] = true
		}
		for x, a := range rows {
			for _, b := range rows[x+1:] {
				if a[i+1].IsNull() || b[i+1].IsNull() {
					continue
				}
				judged := server[[2]string{string(a[0]), string(b[0])}]
				if equal := canonical.Equal(c.As, canonical.Rule{}, a[i+1], b[i+1]); equal != judged && (judged || !p.Finer) {
					t.Errorf("%s as %s: %q and %q: equal here %v, on the server %v", c.Native, c.As, a[i+1], b[i+1], equal, judged)
				}
			}
		}
	}
}

// checkWrites inserts the rows, updates each to another's values, and runs them
// as a script: what is read back is what was read, and its digest the same.
func (s *suite) checkWrites(t *testing.T, r *rand.Rand, rows []row.Row, columns []column) {
	t.Helper()
	written := s.wide(t, "property_written", columns)
	must(t, s.write(t, func(ctx context.Context, tx *database.Tx) error { return tx.Insert(ctx, written, rows) }))
	s.sameValues(t, "inserted", written, rows)
	s.checkDigests(t, r, written, rows)

	moved := make([]row.Row, len(rows))
	positions := make([]int, len(columns))
	for i := range positions {
		positions[i] = i + 1
	}
	for i, from := range r.Perm(len(rows)) {
		moved[i] = append(row.Row{rows[i][0]}, rows[from][1:]...)
	}
	must(t, s.write(t, func(ctx context.Context, tx *database.Tx) error {
		n, err := tx.UpdateAll(ctx, written, moved, positions)
		if err == nil && n != int64(len(moved)) {
			t.Errorf("updated %d of %d rows", n, len(moved))
		}
		return err
	}))
	s.sameValues(t, "updated", written, moved)

	scripted := s.wide(t, "property_scripted", columns)
	var script []string
	for _, m := range rows {
		script = append(script, dialect.InsertScript(s.d, scripted, m))
	}
	s.exec(t, script...)
	s.sameValues(t, "scripted", scripted, rows)
}

// sameValues reads the view and names the columns that differ.
func (s *suite) sameValues(t *testing.T, how string, v *schema.View, want []row.Row) {
	t.Helper()
	got := s.rows(t, v, row.Range{})
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows, want %d", how, len(got), len(want))
	}
	for p, c := range v.Columns {
		for i := range want {
			a, b := got[i][p], want[i][p]
			if !canonical.Equal(c.As, canonical.Rule{}, a, b) {
				t.Errorf("%s: %s as %s is %s, want %s", how, c.Native, c.As, show(row.Row{a}), show(row.Row{b}))
			}
		}
	}
}
