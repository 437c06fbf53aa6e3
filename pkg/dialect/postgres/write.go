package postgres

import (
	"slices"
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

// updateRows bounds the rows of one update: like those of a look-up, since each
// row is found among all that the keys match.
const updateRows = 500

// UpdateRows implements dialect.Dialect.
func (Dialect) UpdateRows() int { return updateRows }

// given is the name of the relation of new values, and givenColumn that of its
// columns. No table of a user's has such names, so that their own stand for
// themselves in the key's conditions and in the filter.
const given = `"trueup given"`

func givenColumn(kind string, i int) string { return `"trueup ` + kind + itoa(i) + `"` }

// Update implements dialect.Dialect. The key conditions alone find the rows,
// through the index; each is then set against its new values by its exact key.
func (d Dialect) Update(v *schema.View, rows []row.Row, positions []int) dialect.Query {
	var s statement
	var sets, arrays, names, pairs []string
	give := func(name string, values []row.Value) {
		arrays = append(arrays, s.arg(array(values), "text[]"))
		names = append(names, name)
	}
	rows = slices.DeleteFunc(slices.Clone(rows), func(r row.Row) bool {
		return len(possible(v.KeyColumns(), []row.Key{r.Key(v.Key)})) == 0
	})
	keys := keysOf(v, rows)
	for i, c := range v.KeyColumns() {
		matches := d.matches(c, keys, i)
		exact := matches[len(matches)-1]
		give(givenColumn("k", i), exact.values[:len(keys)])
		pairs = append(pairs, exact.expr+" = "+given+"."+givenColumn("k", i)+"::"+exact.as)
	}
	for _, p := range positions {
		c := v.Columns[p]
		if c.Generated {
			continue
		}
		values := make([]row.Value, len(rows))
		for i, r := range rows {
			values[i] = writeValue(c, r[p])
		}
		give(givenColumn("c", p), values)
		sets = append(sets, d.Quote(c.Name)+" = "+given+"."+givenColumn("c", p)+"::"+castType(c.Column))
	}
	if len(sets) == 0 { // nothing can be written: touch nothing, and count the rows
		key := d.Quote(v.KeyColumns()[0].Name)
		sets = []string{key + " = " + key}
	}
	s.write("UPDATE ", d.TableName(v.Table.Name), " SET ", strings.Join(sets, ", "),
		" FROM unnest(", strings.Join(arrays, ", "), ") AS ", given, "(", strings.Join(names, ", "), ")")
	s.where(slices.Concat(d.keyConditions(&s, v, keys), pairs, d.filter(&s, v)))
	return s.query()
}

func keysOf(v *schema.View, rows []row.Row) []row.Key {
	keys := make([]row.Key, len(rows))
	for i, r := range rows {
		keys[i] = r.Key(v.Key)
	}
	return keys
}

// Delete implements dialect.Dialect.
func (d Dialect) Delete(v *schema.View, keys []row.Key) dialect.Query {
	var s statement
	s.write("DELETE FROM ", d.TableName(v.Table.Name))
	s.where(append(d.keyConditions(&s, v, keys), d.filter(&s, v)...))
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
