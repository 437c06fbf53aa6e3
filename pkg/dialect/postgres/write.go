package postgres

import (
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Insert implements dialect.Dialect. Each column is one argument, an array, so
// that neither the number of rows nor that of columns runs into the protocol's
// limit of 65,535 arguments.
func (d Dialect) Insert(v *schema.View, rows []row.Row) dialect.Query {
	var s statement
	var names, values, arrays, aliases []string
	override := ""
	for p, c := range v.Columns {
		if c.Generated {
			continue
		}
		if c.AlwaysIdentity {
			override = "OVERRIDING SYSTEM VALUE "
		}
		column := make([]row.Value, len(rows))
		for i, r := range rows {
			column[i] = writeValue(c, r[p])
		}
		alias := "c" + itoa(p)
		names = append(names, d.Quote(c.Name))
		values = append(values, "u."+alias+"::"+castType(c.Column))
		arrays = append(arrays, s.arg(array(column), "text[]"))
		aliases = append(aliases, alias)
	}
	s.write("INSERT INTO ", d.TableName(v.Table.Name), " (", strings.Join(names, ", "), ") ", override,
		"SELECT ", strings.Join(values, ", "),
		" FROM unnest(", strings.Join(arrays, ", "), ") AS u(", strings.Join(aliases, ", "), ")")
	return s.query()
}

// Update implements dialect.Dialect.
func (d Dialect) Update(v *schema.View, r row.Row, positions []int) dialect.Query {
	var s statement
	var sets []string
	for _, p := range positions {
		c := v.Columns[p]
		if c.Generated {
			continue
		}
		var arg any
		if value := writeValue(c, r[p]); !value.IsNull() {
			arg = string(value)
		}
		sets = append(sets, d.Quote(c.Name)+" = "+s.arg(arg, castType(c.Column)))
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

// writeValue is a value in PostgreSQL's own text. What the column cannot hold
// goes as it is to the server, which refuses it.
func writeValue(c schema.ViewColumn, v row.Value) row.Value {
	if v.IsNull() || c.Type.Kind != canonical.Bytes {
		return v
	}
	text, _ := bytesValue(c, v)
	return row.Value(text)
}
