package postgres

import (
	"strings"

	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// selected is a column as AppendValue reads it. The blanks that pad a char(n)
// are no part of its value; as text they are gone.
func selected(name string, c schema.ViewColumn) string {
	if c.Base == "char" {
		return name + "::text"
	}
	return name
}

func (d Dialect) selectList(v *schema.View) string {
	list := make([]string, len(v.Columns))
	for i, c := range v.Columns {
		list[i] = selected(d.name(c), c)
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

// Boundary implements dialect.Dialect. The offset counts from the key before,
// so n entries of the index are walked and the last is sent; a window over
// them would keep all of them first, at five times the cost. The names k0, k1
// and so on meet no column, since ORDER BY goes by position.
func (d Dialect) Boundary(v *schema.View, after row.Key, n int) dialect.Query {
	var s statement
	var columns, texts, positions []string
	for i, c := range v.KeyColumns() {
		alias := "k" + itoa(i)
		columns = append(columns, d.Quote(c.Name)+" AS "+alias)
		texts = append(texts, selected(alias, c))
		positions = append(positions, itoa(i+1))
	}
	s.write("SELECT ", strings.Join(texts, ", "), " FROM (SELECT ", strings.Join(columns, ", "), " FROM ", d.TableName(v.Table.Name))
	s.where(d.rangeConditions(&s, v, row.Range{After: after}))
	s.write(" ORDER BY ", strings.Join(positions, ", "), " OFFSET ", s.arg(itoa(n-1), "bigint"), " LIMIT 1) AS k")
	return s.query()
}

// Rows implements dialect.Dialect.
func (d Dialect) Rows(v *schema.View, r row.Range) dialect.Query {
	var s statement
	s.write("SELECT ", d.selectList(v), " FROM ", d.TableName(v.Table.Name))
	s.where(d.rangeConditions(&s, v, r))
	s.write(" ORDER BY ", d.keyList(v))
	return s.rows(v)
}

// Lookup implements dialect.Dialect.
func (d Dialect) Lookup(v *schema.View, keys []row.Key) dialect.Query {
	var s statement
	s.write("SELECT ", d.selectList(v), " FROM ", d.TableName(v.Table.Name))
	s.where(append(d.keyConditions(&s, v, keys), d.filter(&s, v)...))
	return s.rows(v)
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
	s.write("SELECT count(*) FROM ", d.TableName(v.Table.Name))
	s.where(d.filter(&s, v))
	return s.query()
}
