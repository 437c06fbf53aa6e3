package mysql

import (
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// selected is a column as AppendValue reads it. MySQL prints a FLOAT with six
// digits; as a DOUBLE none is lost. Nor is a text of a character set with holes.
func (d Dialect) selected(c schema.ViewColumn) string {
	name := d.Quote(c.Name)
	switch c.Type.Kind {
	case canonical.Float32, canonical.Float64:
		return "(" + name + " + 0e0)"
	case canonical.Text:
		if holed(c.Column) {
			return utf8Text(name, c.Column)
		}
		return name
	default:
		return name
	}
}

func (d Dialect) selectList(v *schema.View) string {
	list := make([]string, len(v.Columns))
	for i, c := range v.Columns {
		list[i] = d.selected(c)
	}
	return strings.Join(list, ", ")
}

func (d Dialect) keyList(v *schema.View) string {
	list := make([]string, len(v.Key))
	for i, c := range v.KeyColumns() {
		list[i] = d.Quote(c.Name)
	}
	return strings.Join(list, ", ")
}

// from is the table with the key's index.
func (d Dialect) from(v *schema.View) string { return d.TableName(v.Table.Name) + d.hint(v) }

// filter is the user's condition. The line feed ends a comment in it.
func filter(v *schema.View) []string {
	if v.Where == "" {
		return nil
	}
	return []string{"(" + v.Where + "\n)"}
}

// Boundary implements dialect.Dialect. The n keys are read from the index; the
// outer query picks the last and notices when there are fewer. The names k0, k1
// and so on meet no column, since ORDER BY goes by position.
func (d Dialect) Boundary(v *schema.View, after row.Key, n int) dialect.Query {
	var s statement
	aliased, aliases, positions := d.aliasedKey(v)
	whole := len(v.Key) == 1 && v.KeyColumns()[0].Type.Kind == canonical.Int
	if whole { // the cheap way, for types whose MAX comes back as it went in
		s.write("SELECT MAX(", aliases, ") FROM (")
	} else {
		s.write("SELECT ", aliases, " FROM (SELECT ", aliases, ", ROW_NUMBER() OVER (ORDER BY ", aliases, ") AS n FROM (")
	}
	s.write("SELECT ", aliased, " FROM ", d.from(v))
	s.where(d.rangeConditions(&s, v, row.Range{After: after}))
	s.write(" ORDER BY ", positions, " LIMIT ", itoa(n), ") AS k")
	if whole {
		s.write(" HAVING COUNT(*) = ", itoa(n))
	} else {
		s.write(") AS r WHERE n = ", itoa(n))
	}
	return s.query()
}

// aliasedKey is the key's columns with the names k0, k1 …, those names, and
// the columns' positions.
func (d Dialect) aliasedKey(v *schema.View) (aliased, aliases, positions string) {
	var columns, names, numbers []string
	for i, c := range v.KeyColumns() {
		name := "k" + itoa(i)
		columns = append(columns, d.Quote(c.Name)+" AS "+name)
		names = append(names, name)
		numbers = append(numbers, itoa(i+1))
	}
	return strings.Join(columns, ", "), strings.Join(names, ", "), strings.Join(numbers, ", ")
}

// Rows implements dialect.Dialect.
func (d Dialect) Rows(v *schema.View, r row.Range) dialect.Query {
	var s statement
	s.write("SELECT ", d.selectList(v), " FROM ", d.from(v))
	s.where(d.rangeConditions(&s, v, r))
	s.write(" ORDER BY ", d.keyList(v))
	return s.query()
}

// Lookup implements dialect.Dialect.
func (d Dialect) Lookup(v *schema.View, keys []row.Key) dialect.Query {
	var s statement
	s.write("SELECT ", d.selectList(v), " FROM ", d.from(v))
	s.where(append(d.keyConditions(&s, v, keys), filter(v)...))
	return s.query()
}

// Lock implements dialect.Dialect.
func (d Dialect) Lock(v *schema.View, keys []row.Key) dialect.Query {
	q := d.Lookup(v, keys)
	q.SQL += " ORDER BY " + d.keyList(v) + " FOR UPDATE SKIP LOCKED"
	return q
}

// Count implements dialect.Dialect.
func (d Dialect) Count(v *schema.View) dialect.Query {
	var s statement
	s.write("SELECT COUNT(*) FROM ", d.TableName(v.Table.Name))
	s.where(filter(v))
	return s.query()
}
