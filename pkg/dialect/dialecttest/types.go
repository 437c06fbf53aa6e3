package dialecttest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// exerciseType follows values from the server's own literals to canonical
// texts, digests, and by arguments and by a script into tables of the same type.
func (s *suite) exerciseType(t *testing.T, c Case) {
	source := s.typeTable(t, c, "type_source")
	var want []row.Row
	var load []string
	for i, v := range c.Values {
		id := strconv.Itoa(i)
		load = append(load, fmt.Sprintf("INSERT INTO type_source (id, v) VALUES (%s, %s)", id, v[0]))
		want = append(want, row.Row{row.Value(id), row.Value(v[1])})
	}
	want = append(want, row.Row{row.Value(strconv.Itoa(len(c.Values))), nil})
	s.exec(t, append(load, fmt.Sprintf("INSERT INTO type_source (id, v) VALUES (%d, NULL)", len(c.Values)))...)
	if got := source.Columns[1].Type.Kind; got != c.Kind {
		t.Fatalf("described as %s (%s), want %s", got, source.Columns[1].Reason, c.Kind)
	}
	s.sameRows(t, "read", source, want)
	s.sameDigests(t, c, source, want)

	written := s.typeTable(t, c, "type_written")
	must(t, s.write(t, func(ctx context.Context, tx *database.Tx) error { return tx.Insert(ctx, written, want) }))
	s.sameRows(t, "inserted", written, want)
	for _, r := range want {
		updated := row.Row{r[0], want[0][1]}
		must(t, s.write(t, func(ctx context.Context, tx *database.Tx) error {
			_, err := tx.Update(ctx, written, updated, []int{1})
			return err
		}))
		must(t, s.write(t, func(ctx context.Context, tx *database.Tx) error {
			_, err := tx.Update(ctx, written, r, []int{1})
			return err
		}))
	}
	s.sameRows(t, "updated", written, want)
	s.exec(t, "UPDATE type_written SET v = NULL")
	must(t, s.write(t, func(ctx context.Context, tx *database.Tx) error {
		n, err := tx.UpdateAll(ctx, written, want, []int{1})
		if err == nil && n != int64(len(want)) {
			err = fmt.Errorf("updated %d of %d rows", n, len(want))
		}
		return err
	}))
	s.sameRows(t, "updated together", written, want)

	scripted := s.typeTable(t, c, "type_scripted")
	for _, r := range want {
		s.exec(t, dialect.InsertScript(s.d, scripted, r))
	}
	s.sameRows(t, "scripted", scripted, want)
	if a, b := s.digest(t, source, row.Range{}), s.digest(t, written, row.Range{}); a != b {
		t.Errorf("the digest of equal rows differs: %+v and %+v", a, b)
	}
}

// exerciseKey walks a table whose key is of the type, and finds each row.
func (s *suite) exerciseKey(t *testing.T, c Case) {
	s.exec(t, "DROP TABLE IF EXISTS type_key", "CREATE TABLE type_key (v "+c.Type+" NOT NULL PRIMARY KEY, n int)")
	v := s.view(t, "type_key", "v")
	if c.As != canonical.Unsupported {
		v.Columns[0].As = canonical.Type{Kind: c.As}
	}
	for i, value := range c.Values {
		s.exec(t, fmt.Sprintf("INSERT INTO type_key (v, n) VALUES (%s, %d)", value[0], i))
	}
	all := s.rows(t, v, row.Range{})
	for _, n := range []int{1, 2, 1000} {
		s.walk(t, v, all, n)
	}
	var keys []row.Key
	for _, r := range all {
		keys = append(keys, r.Key(v.Key))
		found, err := s.db.Lookup(t.Context(), v, keys[len(keys)-1:])
		must(t, err)
		if len(found) != 1 || !sameRow(found[0], r) {
			t.Errorf("looked up %s and found %v", show(r), found)
		}
	}
	found, err := s.db.Lookup(t.Context(), v, keys)
	must(t, err)
	if len(found) != len(c.Values) {
		t.Errorf("looked up %d keys and found %d", len(keys), len(found))
	}
	if n := s.deleted(t, v, keys...); n != int64(len(keys)) {
		t.Errorf("deleted %d rows by %d keys", n, len(keys))
	}
}

// typeTable makes a table with the case's type and returns its view.
func (s *suite) typeTable(t *testing.T, c Case, name string) *schema.View {
	t.Helper()
	s.exec(t, "DROP TABLE IF EXISTS "+name,
		"CREATE TABLE "+name+" (id int NOT NULL PRIMARY KEY, v "+c.Type+" NULL)")
	v := s.view(t, name, "id")
	if c.As != canonical.Unsupported {
		v.Columns[1].As = canonical.Type{Kind: c.As}
	}
	return v
}

func (s *suite) sameRows(t *testing.T, how string, v *schema.View, want []row.Row) {
	t.Helper()
	got := s.rows(t, v, row.Range{})
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows, want %d", how, len(got), len(want))
	}
	for i := range want {
		if !sameRow(got[i], want[i]) {
			t.Errorf("%s: got %s, want %s", how, show(got[i]), show(want[i]))
		}
	}
}

func (s *suite) sameDigests(t *testing.T, c Case, v *schema.View, rows []row.Row) {
	t.Helper()
	expr, exact := s.d.DigestText(v.Columns[1])
	if expr == "" || exact == c.Inexact {
		t.Fatalf("digest text %q, exact %v, want exact %v", expr, exact, !c.Inexact)
	}
	if want := canonical.Digest(v.Types(), rows...); exact && s.digest(t, v, row.Range{}) != want {
		t.Errorf("the digest of all is %+v, want %+v", s.digest(t, v, row.Range{}), want)
	}
	seen := map[string]string{}
	for _, r := range rows {
		one := row.Range{Through: row.Key{r[0]}}
		if id, _ := strconv.Atoi(string(r[0])); id > 0 {
			one.After = key(strconv.Itoa(id - 1))
		}
		got := s.digest(t, v, one)
		if want := canonical.Digest(v.Types(), r); exact && got != want {
			t.Errorf("the digest of %s is %+v, want %+v", show(r), got, want)
		}
		if again := s.digest(t, v, one); again != got {
			t.Errorf("the digest of %s is now %+v, now %+v", show(r), got, again)
		}
		if other, ok := seen[got.Sum]; ok || got.Sum == "" {
			t.Errorf("%s has the digest %q, as has %s", show(r), got.Sum, other)
		}
		seen[got.Sum] = show(r)
	}
}

func (s *suite) exerciseRefused(t *testing.T, types []string) {
	for i, refused := range types {
		name := "refused_" + strconv.Itoa(i)
		s.exec(t, "CREATE TABLE "+name+" (id int NOT NULL PRIMARY KEY, v "+refused+")")
		c := s.view(t, name, "id").Columns[1]
		base, _, _ := strings.Cut(refused, "(")
		if c.Type.Kind != canonical.Unsupported || !strings.Contains(c.Reason, base) {
			t.Errorf("%s is %s for the reason %q", refused, c.Type, c.Reason)
		}
		if expr, _ := s.d.DigestText(c); expr != "" {
			t.Errorf("%s has the digest text %s", refused, expr)
		}
	}
}
