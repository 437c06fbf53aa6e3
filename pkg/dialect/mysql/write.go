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
		for p := range v.Columns {
			if c := &v.Columns[p]; !c.Generated {
				s.args = append(s.args, writeValue(c, r[p]))
			}
		}
	}
	return s.query()
}

// updateRows bounds the rows of one update on MariaDB: the round trip is paid
// for by then, and the server goes through half of the keys for each value.
const updateRows = 3 * padStep

// UpdateRows implements dialect.Dialect. MySQL derives the types of arguments
// inside expressions by rules of its own since 8.0.22, so there the values are
// only ever assigned to their columns directly, row by row.
func (d Dialect) UpdateRows() int {
	if d.mariadb {
		return updateRows
	}
	return 1
}

// Update implements dialect.Dialect.
//
// Several rows whose values for a column are texts and numbers mixed are not
// written together: one of them holds what a column of numbers cannot, and
// next to it all would be texts, which some columns (BIT, YEAR) read
// differently and others round. The statement then matches no row, and the
// caller, who counts the rows, writes them one by one.
func (d Dialect) Update(v *schema.View, rows []row.Row, positions []int) dialect.Query {
	var s statement
	rows = padded(rows)
	if len(rows) > 1 && mixed(v, rows, positions) {
		key := d.Quote(v.KeyColumns()[0].Name)
		s.write("UPDATE ", d.TableName(v.Table.Name), " SET ", key, " = ", key, " WHERE 1 = 0")
		return s.query()
	}
	var sets []string
	for _, p := range positions {
		if c := v.Columns[p]; !c.Generated {
			sets = append(sets, d.Quote(c.Name)+" = "+d.newValue(&s, v, rows, p))
		}
	}
	for _, c := range dialect.Kept(v, positions) {
		sets = append(sets, d.Quote(c.Name)+" = "+d.Quote(c.Name))
	}
	if len(sets) == 0 { // nothing can be written: touch nothing, and count the rows
		key := d.Quote(v.KeyColumns()[0].Name)
		sets = []string{key + " = " + key}
	}
	s.write("UPDATE ", d.TableName(v.Table.Name), " SET ", strings.Join(sets, ", "))
	s.where(append(d.keyConditions(&s, v, keysOf(v, rows)), d.filter(&s, v)...))
	return s.query()
}

// newValue is what the column at position p is set to: of several rows, that of
// the row whose key matches. The statement's own condition is the union of
// these matches, so every row that is written meets one. There is no ELSE,
// since the column's type would turn a value that it refuses into NULL.
func (d Dialect) newValue(s *statement, v *schema.View, rows []row.Row, p int) string {
	if len(rows) == 1 {
		return s.arg("?", writeValue(&v.Columns[p], rows[0][p]))
	}
	var sql strings.Builder
	sql.WriteString("CASE")
	columns, one := v.KeyColumns(), make([]row.Key, 1)
	for _, r := range rows {
		one[0] = r.Key(v.Key)
		sql.WriteString(" WHEN " + strings.Join(d.oneOfKeys(s, columns, one), " AND "))
		sql.WriteString(" THEN " + s.arg("?", writeValue(&v.Columns[p], r[p])))
	}
	return sql.String() + " END"
}

// mixed says whether a column is given texts in some rows and numbers in others.
func mixed(v *schema.View, rows []row.Row, positions []int) bool {
	for _, p := range positions {
		texts, numbers := false, false
		for _, r := range rows {
			switch writeValue(&v.Columns[p], r[p]).(type) {
			case string:
				texts = true
			case int64, uint64, float64:
				numbers = true
			}
		}
		if texts && numbers {
			return true
		}
	}
	return false
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

// writeValue is a value as an argument for the column. What the column cannot
// hold goes to the server as text, which refuses it by the column's name.
func writeValue(c *schema.ViewColumn, v row.Value) any {
	if v.IsNull() {
		return null(c)
	}
	if c.Type.Kind == canonical.Bool || c.Type.Kind == canonical.Int {
		if c.Base == "year" {
			return yearValue(v)
		}
		_, arg, _ := wholeValue(v)
		return arg
	}
	text := string(v)
	switch c.Type.Kind {
	case canonical.Float32, canonical.Float64:
		return floatValue(c, text)
	case canonical.Bytes:
		_, arg, _ := bytesValue(c, v)
		return arg
	case canonical.Bits:
		return bitsValue(*c, text)
	default:
		return memberValue(*c, text)
	}
}

// null is NULL, except for a TIMESTAMP NOT NULL: servers without
// explicit_defaults_for_timestamp would store the present time and say nothing.
func null(c *schema.ViewColumn) any {
	if c.Base == "timestamp" && !c.Nullable {
		return "NULL"
	}
	return nil
}

func floatValue(c *schema.ViewColumn, text string) any {
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
