package dialect

import (
	"slices"
	"strings"

	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// InsertScript spells the insertion of a row for a person to read, or to run
// after the statements of Setup(false), which fix time zone and encoding.
// Values are literals. Columns the server computes are left out, as in Insert.
func InsertScript(d Dialect, v *schema.View, r row.Row) string {
	own, err := Own(v, r)
	if err != nil {
		return unwritten(d, v, r, err)
	}
	var columns, values []string
	override := ""
	for i, c := range v.Columns {
		if c.Generated {
			continue
		}
		if c.AlwaysIdentity {
			override = " OVERRIDING SYSTEM VALUE"
		}
		columns = append(columns, d.Quote(c.Name))
		values = append(values, d.Literal(c, own[i]))
	}
	return "INSERT INTO " + d.TableName(v.Table.Name) + " (" + strings.Join(columns, ", ") + ")" + override +
		" VALUES (" + strings.Join(values, ", ") + ");"
}

// UpdateScript is InsertScript's counterpart for Update. It is empty when no
// position can be written.
func UpdateScript(d Dialect, v *schema.View, r row.Row, positions []int) string {
	own, err := Own(v, r, positions...)
	if err != nil {
		return unwritten(d, v, r, err)
	}
	var sets []string
	for _, p := range positions {
		if c := v.Columns[p]; !c.Generated {
			sets = append(sets, d.Quote(c.Name)+" = "+d.Literal(c, own[p]))
		}
	}
	if len(sets) == 0 {
		return ""
	}
	for _, c := range Kept(v, positions) {
		sets = append(sets, d.Quote(c.Name)+" = "+d.Quote(c.Name))
	}
	return "UPDATE " + d.TableName(v.Table.Name) + " SET " + strings.Join(sets, ", ") +
		" WHERE " + keyScript(d, v, r.Key(v.Key)) + ";"
}

// DeleteScript is InsertScript's counterpart for Delete.
func DeleteScript(d Dialect, v *schema.View, key row.Key) string {
	return "DELETE FROM " + d.TableName(v.Table.Name) + " WHERE " + keyScript(d, v, key) + ";"
}

// unwritten is a comment in place of a statement that cannot be spelled. A line
// feed in the key would end it.
func unwritten(d Dialect, v *schema.View, r row.Row, err error) string {
	return strings.ReplaceAll("-- not repairable, "+keyScript(d, v, r.Key(v.Key))+": "+err.Error(), "\n", " ")
}

func keyScript(d Dialect, v *schema.View, key row.Key) string {
	terms := make([]string, 0, len(key)+1)
	for i, c := range v.KeyColumns() {
		terms = append(terms, d.Quote(c.Name)+" = "+d.Literal(c, key[i]))
	}
	for _, f := range v.Fixed {
		terms = append(terms, d.Quote(f.Name)+" = "+d.Literal(f.ViewColumn, f.Value))
	}
	if v.Where != "" {
		terms = append(terms, "("+v.Where+")")
	}
	return strings.Join(terms, " AND ")
}

// Kept returns the columns that an update of the given positions must set to
// themselves, since the server would otherwise stamp them: a repair changes
// what differs and nothing else.
func Kept(v *schema.View, positions []int) []schema.Column {
	var kept []schema.Column
	for _, c := range v.Table.Columns {
		written := slices.ContainsFunc(positions, func(p int) bool { return v.Columns[p].Name == c.Name })
		if c.OnUpdate && !written {
			kept = append(kept, c)
		}
	}
	return kept
}
