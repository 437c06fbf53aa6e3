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
	name := d.name(c)
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

// Boundary implements dialect.Dialect. The offset counts from the key before,
// so n entries of the index are walked and the last is sent; a query around
// them would keep all of them first, at six times the cost. The names k0, k1
// and so on meet no column, since ORDER BY goes by position.
func (d Dialect) Boundary(v *schema.View, after row.Key, n int) dialect.Query {
	var s statement
	aliased, positions := d.aliasedKey(v)
	s.write("SELECT ", aliased, " FROM ", d.from(v))
	s.where(d.rangeConditions(&s, v, row.Range{After: after}))
	s.write(" ORDER BY ", positions, " LIMIT ", itoa(n-1), ", 1")
	return s.query()
}

// aliasedKey is the key's columns with the names k0, k1 …, and their positions.
func (d Dialect) aliasedKey(v *schema.View) (aliased, positions string) {
	var columns, numbers []string
	for i, c := range v.KeyColumns() {
		columns = append(columns, d.Quote(c.Name)+" AS k"+itoa(i))
		numbers = append(numbers, itoa(i+1))
	}
	return strings.Join(columns, ", "), strings.Join(numbers, ", ")
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
	s.where(append(d.keyConditions(&s, v, keys), d.filter(&s, v)...))
	return s.query()
}

// Lock implements dialect.Dialect.
func (d Dialect) Lock(v *schema.View, keys []row.Key) dialect.Query {
	q := d.Lookup(v, keys)
	q.SQL += " ORDER BY " + d.keyList(v) + " FOR UPDATE SKIP LOCKED"
	if d.mariadb { // which fails instead of skipping where no wait is allowed, see lockWait
		q.SQL = "SET STATEMENT innodb_lock_wait_timeout = 1 FOR " + q.SQL
	}
	return q
}

// Count implements dialect.Dialect.
func (d Dialect) Count(v *schema.View) dialect.Query {
	var s statement
	s.write("SELECT COUNT(*) FROM ", d.TableName(v.Table.Name))
	s.where(d.filter(&s, v))
	return s.query()
}
