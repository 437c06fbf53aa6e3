package dialecttest

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Crossing is a column of MySQL or MariaDB held against one of PostgreSQL.
type Crossing struct {
	MySQL    string
	Postgres string
	Rule     canonical.Rule
	// Values draws values that both columns can hold, given to the two engines
	// in the two forms, MySQL's first.
	Values Domain
	Forms  [2]Form
	// OnlyMySQL and OnlyPostgres draw values that the other column must refuse.
	OnlyMySQL    Domain
	OnlyPostgres Domain
}

// crossing is the suite of two engines; index 0 is MySQL, 1 is PostgreSQL.
type crossing struct {
	sides   [2]*suite
	columns [2][]column
	list    []Crossing
}

// ExerciseCrossings gives two engines the same random rows and holds their
// texts, digests and writes against each other. The statements come first, on
// PostgreSQL: types that the columns use.
func ExerciseCrossings(t *testing.T, mysqlDSN, postgresDSN string, before []string, list []Crossing) {
	x := &crossing{sides: [2]*suite{open(t, mysqlDSN), open(t, postgresDSN)}, list: list}
	x.sides[1].exec(t, before...)
	r, n := random(t)
	for _, c := range list {
		x.columns[0] = append(x.columns[0], column{Type: c.MySQL})
		x.columns[1] = append(x.columns[1], column{Type: c.Postgres})
	}
	x.unify(t)

	var views [2]*schema.View
	var rows [2][]row.Row
	plain := make([][]spelled, n)
	for i := range plain {
		for _, c := range list {
			plain[i] = append(plain[i], spelled{plain: c.Values(r), null: r.IntN(10) == 0})
		}
	}
	for i, s := range x.sides {
		views[i] = s.wide(t, "crossing_source", x.columns[i])
		s.fill(t, views[i], x.formed(plain, i))
		rows[i] = s.rows(t, views[i], row.Range{})
	}
	t.Run("both engines read the same texts", func(t *testing.T) { x.checkTexts(t, views, rows) })
	t.Run("both engines have the same digests", func(t *testing.T) { x.checkDigests(t, r, views, rows) })
	t.Run("rows survive being written on the other engine", func(t *testing.T) { x.checkWrites(t, rows) })
	t.Run("what the other engine cannot hold it refuses", func(t *testing.T) { x.checkForeign(t, r) })
}

// unify sets the types to compare in, as a pair would.
func (x *crossing) unify(t *testing.T) {
	t.Helper()
	mysql := x.sides[0].wide(t, "crossing_types", x.columns[0])
	postgres := x.sides[1].wide(t, "crossing_types", x.columns[1])
	for i, c := range x.list {
		as, err := c.Rule.Unify(mysql.Columns[i+1].Type, postgres.Columns[i+1].Type)
		if err != nil {
			t.Fatalf("%s and %s: %v", c.MySQL, c.Postgres, err)
		}
		x.columns[0][i].As, x.columns[1][i].As = as, as
	}
}

// formed is the rows in the forms of one side.
func (x *crossing) formed(plain [][]spelled, side int) [][]spelled {
	out := make([][]spelled, len(plain))
	for i, values := range plain {
		for p, v := range values {
			v.form = x.list[p].Forms[side]
			out[i] = append(out[i], v)
		}
	}
	return out
}

// checkTexts compares the rows read, and what each server says of its own.
func (x *crossing) checkTexts(t *testing.T, views [2]*schema.View, rows [2][]row.Row) {
	t.Helper()
	for i, a := range rows[0] {
		b := rows[1][i]
		for p := range a {
			as := views[0].Columns[p].As
			if !x.same(as, a[p], b[p]) {
				t.Errorf("%s is %s, %s is %s", views[0].Columns[p].Native, show(a[p:p+1]), views[1].Columns[p].Native, show(b[p:p+1]))
			}
		}
	}
	for i, s := range x.sides {
		s.checkTexts(t, views[i], rows[i])
	}
}

// same is equality of texts, but for JSON.
func (x *crossing) same(as canonical.Type, a, b row.Value) bool {
	if as.Kind == canonical.JSON {
		return canonical.Equal(as, canonical.Rule{}, a, b)
	}
	return sameRow(row.Row{a}, row.Row{b})
}

// checkDigests takes the columns whose texts are exact on both sides.
func (x *crossing) checkDigests(t *testing.T, r *rand.Rand, views [2]*schema.View, rows [2][]row.Row) {
	t.Helper()
	var parts [2]*schema.View
	var kept []int
	for i, v := range views {
		parts[i] = &schema.View{Table: v.Table, Key: v.Key}
	}
	for p := range views[0].Columns {
		_, mysql := x.sides[0].d.DigestText(views[0].Columns[p])
		_, postgres := x.sides[1].d.DigestText(views[1].Columns[p])
		if mysql && postgres {
			kept = append(kept, p)
			parts[0].Columns = append(parts[0].Columns, views[0].Columns[p])
			parts[1].Columns = append(parts[1].Columns, views[1].Columns[p])
		}
	}
	for i, s := range x.sides {
		s.checkDigests(t, r, parts[i], picked(rows[i], kept))
	}
	if a, b := x.sides[0].digest(t, parts[0], row.Range{}), x.sides[1].digest(t, parts[1], row.Range{}); a != b {
		t.Errorf("the digest of the same rows is %+v in MySQL and %+v in PostgreSQL", a, b)
	}
}

// checkWrites inserts what one side reads on the other, by its dialect.
func (x *crossing) checkWrites(t *testing.T, rows [2][]row.Row) {
	t.Helper()
	for i, s := range x.sides {
		written := s.wide(t, "crossing_written", x.columns[i])
		must(t, s.write(t, func(ctx context.Context, tx *database.Tx) error { return tx.Insert(ctx, written, rows[1-i]) }))
		s.sameValues(t, "inserted", written, rows[1-i])
	}
}

// checkForeign reads values that one side alone has, and tries to write them on
// the other: a refusal is the row's fault, and nothing is stored in its place.
func (x *crossing) checkForeign(t *testing.T, r *rand.Rand) {
	t.Helper()
	for i, s := range x.sides {
		home, copied := s.wide(t, "crossing_foreign", x.columns[i]), x.sides[1-i].wide(t, "crossing_refused", x.columns[1-i])
		foreign := x.formed(x.foreign(r, i), i)
		s.fill(t, home, foreign)
		for _, values := range s.rows(t, home, row.Range{}) {
			err := x.sides[1-i].write(t, func(ctx context.Context, tx *database.Tx) error {
				return tx.Insert(ctx, copied, []row.Row{values})
			})
			if class := database.ClassOf(err); class != dialect.ClassRow {
				t.Errorf("%s takes %s: class %d, %v", x.sides[1-i].d.Engine(), showValues(home, values), class, err)
			}
		}
	}
}

// foreign draws rows that have one value each, which the other side must refuse.
func (x *crossing) foreign(r *rand.Rand, side int) [][]spelled {
	var out [][]spelled
	for p, c := range x.list {
		values := []Domain{c.OnlyMySQL, c.OnlyPostgres}[side]
		if values == nil {
			continue
		}
		for range 3 {
			line := make([]spelled, len(x.list))
			for i := range line {
				line[i].null = true
			}
			line[p] = spelled{plain: values(r)}
			out = append(out, line)
		}
	}
	return out
}

// showValues is what of a row is not NULL, with the columns' types.
func showValues(v *schema.View, r row.Row) string {
	out := ""
	for p, value := range r[1:] {
		if !value.IsNull() {
			out += v.Columns[p+1].Native + " " + string(value) + " "
		}
	}
	return out
}
