package mysql

import (
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Holders implements dialect.Dialect. Every row has a statement of its own, each
// answered from the unique index, and the server decides what it calls equal.
func (d Dialect) Holders(v *schema.View, unique []int, rows []row.Row) dialect.Query {
	var s statement
	columns := make([]string, len(v.Key))
	for i, c := range v.KeyColumns() {
		columns[i] = d.selected(c)
	}
	for i, r := range rows {
		if i > 0 {
			s.write(" UNION ALL ")
		}
		s.write("SELECT ", itoa(i), ", ")
		if inside := d.filter(&s, v); len(inside) > 0 {
			s.write("CASE WHEN ", strings.Join(inside, " AND "), " THEN 0 ELSE 1 END")
		} else {
			s.write("0")
		}
		s.write(", ", strings.Join(columns, ", "), " FROM ", d.TableName(v.Table.Name))
		s.where(d.meets(&s, v, unique, r))
	}
	return s.query()
}

// meets holds for the row that has r's values in the columns of a unique key.
func (d Dialect) meets(s *statement, v *schema.View, unique []int, r row.Row) []string {
	var terms []string
	for _, p := range unique {
		c := &v.Columns[p]
		if c.Type.Kind == canonical.Text || c.Type.Kind == canonical.Bytes {
			expr, arg, fit := keyValue(c, r[p])
			if fit != dialect.Fits {
				return []string{"FALSE"}
			}
			terms = append(terms, d.Quote(c.Name)+" = "+s.arg(expr, arg))
			continue
		}
		// What the column would store, which may be rounded to what it holds.
		expr := "?"
		switch c.Base {
		case "decimal":
			expr = "CAST(? AS " + c.Native + ")"
			expr = strings.ReplaceAll(expr, " unsigned", "")
			expr = strings.ReplaceAll(expr, " zerofill", "")
		case "date":
			expr = "CAST(? AS DATE)"
		case "time":
			expr = "CAST(? AS TIME(" + itoa(max(c.Precision, 0)) + "))"
		case "datetime", "timestamp":
			expr = "CAST(? AS DATETIME(" + itoa(max(c.Precision, 0)) + "))"
		}
		terms = append(terms, d.Quote(c.Name)+" = "+s.arg(expr, writeValue(c, r[p])))
	}
	return terms
}

// Advance implements dialect.Dialect: AUTO_INCREMENT follows what is inserted.
func (Dialect) Advance(*schema.View, []row.Row) (dialect.Query, bool) { return dialect.Query{}, false }
