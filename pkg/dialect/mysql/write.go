package mysql

import (
	"math"
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Insert implements dialect.Dialect.
func (d Dialect) Insert(v *schema.View, rows []row.Row) dialect.Query {
	var s statement
	var names, marks []string
	for _, c := range v.Columns {
		if !c.Generated {
			names = append(names, d.Quote(c.Name))
			marks = append(marks, "?")
		}
	}
	s.write("INSERT INTO ", d.TableName(v.Table.Name), " (", strings.Join(names, ", "), ") VALUES ")
	line := "(" + strings.Join(marks, ", ") + ")"
	for i, r := range rows {
		if i > 0 {
			s.write(", ")
		}
		s.write(line)
		for p, c := range v.Columns {
			if !c.Generated {
				s.args = append(s.args, writeValue(c, r[p]))
			}
		}
	}
	return s.query()
}

// Update implements dialect.Dialect.
func (d Dialect) Update(v *schema.View, r row.Row, positions []int) dialect.Query {
	var s statement
	var sets []string
	for _, p := range positions {
		if c := v.Columns[p]; !c.Generated {
			sets = append(sets, d.Quote(c.Name)+" = "+s.arg("?", writeValue(c, r[p])))
		}
	}
	for _, c := range dialect.Kept(v, positions) {
		sets = append(sets, d.Quote(c.Name)+" = "+d.Quote(c.Name))
	}
	if len(sets) == 0 { // nothing can be written: touch nothing, and count the row
		key := d.Quote(v.KeyColumns()[0].Name)
		sets = []string{key + " = " + key}
	}
	s.write("UPDATE ", d.TableName(v.Table.Name), " SET ", strings.Join(sets, ", "))
	s.where(append(d.keyConditions(&s, v, []row.Key{r.Key(v.Key)}), filter(v)...))
	return s.query()
}

// Delete implements dialect.Dialect.
func (d Dialect) Delete(v *schema.View, keys []row.Key) dialect.Query {
	var s statement
	s.write("DELETE FROM ", d.TableName(v.Table.Name))
	s.where(append(d.keyConditions(&s, v, keys), filter(v)...))
	return s.query()
}

// writeValue is a value as an argument for the column. What the column cannot
// hold goes to the server as text, which refuses it by the column's name.
func writeValue(c schema.ViewColumn, v row.Value) any {
	if v.IsNull() {
		return null(c)
	}
	text := string(v)
	switch c.Type.Kind {
	case canonical.Bool, canonical.Int:
		_, arg, _ := wholeValue(text)
		return arg
	case canonical.Float32, canonical.Float64:
		return floatValue(c, text)
	case canonical.Bytes:
		_, arg, _ := bytesValue(c, v)
		return arg
	case canonical.Bits:
		if n, err := strconv.ParseUint(text, 2, 64); err == nil {
			return n
		}
		return text
	default:
		return text
	}
}

// null is NULL, except for a TIMESTAMP NOT NULL: servers without
// explicit_defaults_for_timestamp would store the present time and say nothing.
func null(c schema.ViewColumn) any {
	if c.Base == "timestamp" && !c.Nullable {
		return "NULL"
	}
	return nil
}

func floatValue(c schema.ViewColumn, text string) any {
	bits := 64
	if c.Type.Kind == canonical.Float32 {
		bits = 32
	}
	f, err := strconv.ParseFloat(text, bits)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return text
	}
	return f
}
