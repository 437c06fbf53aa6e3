package postgres

import (
	"slices"
	"strings"

	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Holders implements dialect.Dialect. The values are cast as a write casts them,
// so that they are held against the table as they would be stored.
func (d Dialect) Holders(v *schema.View, unique []int, rows []row.Row) dialect.Query {
	var s statement
	var arrays, names, terms, columns []string
	for _, p := range unique {
		c := v.Columns[p]
		values := make([]row.Value, len(rows))
		for i, r := range rows {
			values[i] = writeValue(c, r[p])
		}
		arrays = append(arrays, s.arg(array(values), "text[]"))
		names = append(names, givenColumn("c", p))
		terms = append(terms, d.Quote(c.Name)+" = "+given+"."+givenColumn("c", p)+"::"+stored(c.Column))
	}
	ordinal := givenColumn("n", 0)
	for _, c := range v.KeyColumns() {
		columns = append(columns, selected(d.Quote(c.Name), c))
	}
	outside := "0"
	if inside := d.filter(&s, v); len(inside) > 0 {
		outside = "CASE WHEN " + strings.Join(inside, " AND ") + " THEN 0 ELSE 1 END"
	}
	s.write("SELECT (", given, ".", ordinal, " - 1)::bigint, (", outside, ")::bigint, ", strings.Join(columns, ", "),
		" FROM unnest(", strings.Join(arrays, ", "), ") WITH ORDINALITY AS ", given,
		"(", strings.Join(append(slices.Clone(names), ordinal), ", "), ") JOIN ", d.TableName(v.Table.Name), " ON ", strings.Join(terms, " AND "))
	return s.query()
}

// stored is the type a value has once it is in the column, with its length and
// digits: rounding may make it equal to another one.
func stored(c schema.Column) string {
	switch c.Base {
	case "citext":
		return "citext"
	case "numeric", "timestamp", "timestamptz", "time", "timetz":
		return c.Native
	default:
		return castType(c)
	}
}
