package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
)

// Changed says what is no longer as it was when the view was made, held against
// the table as its server describes it now. What is left out gives the view's
// rows no other meaning: columns that are not compared, an integer or a text
// that was widened, defaults, other indexes. Nothing is returned when all that
// matters is the same.
//
// A table that is another one under the same name, dropped and created anew, is
// told by its Identity. MySQL gives a table a new one whenever it is rebuilt, so
// there a difference only counts when no other change of the table explains it.
func (v *View) Changed(now *Table) []string {
	var changes []string
	columns := slices.Clone(v.Columns)
	for _, f := range v.Fixed {
		columns = append(columns, f.ViewColumn)
	}
	for _, c := range columns {
		was, known := v.Table.Column(c.Name)
		if !known {
			continue // a constant
		}
		if change := columnChange(was, now); change != "" && !slices.Contains(changes, change) {
			changes = append(changes, change)
		}
	}
	if v.lostKey(now) {
		changes = append(changes, "its unique key over "+strings.Join(v.keyNames(), ", ")+" is gone")
	}
	if len(changes) == 0 && v.Table.replacedBy(now) {
		changes = append(changes, fmt.Sprintf("it was created anew or rebuilt (its identity was %s and is %s)", v.Table.Identity, now.Identity))
	}
	return changes
}

func columnChange(was Column, now *Table) string {
	is, there := now.Column(was.Name)
	switch {
	case !there:
		return "column " + was.Name + " is gone"
	case !sameMeaning(was, is):
		return fmt.Sprintf("column %s was %s and is %s", was.Name, was.words(), is.words())
	default:
		return ""
	}
}

// sameMeaning says whether a column still holds the same values, spelled and
// ordered in the same way, perhaps more of them.
func sameMeaning(was, is Column) bool {
	if is.Type != was.Type || is.Charset != was.Charset || is.Collation != was.Collation || is.Nullable && !was.Nullable {
		return false
	}
	if is.Native == was.Native {
		return true
	}
	switch was.Type.Kind {
	case canonical.Int:
		return true
	case canonical.Text, canonical.Bytes:
		return asGiven[was.Base] && asGiven[is.Base]
	default:
		return false
	}
}

// asGiven types hold a value as it was given, whatever length they declare.
// The others fill it up or take words from a list.
var asGiven = map[string]bool{
	"varchar": true, "text": true, "tinytext": true, "mediumtext": true, "longtext": true,
	"varbinary": true, "blob": true, "tinyblob": true, "mediumblob": true, "longblob": true, "bytea": true,
}

// words is the column's type as messages show it.
func (c Column) words() string {
	out := c.Native
	if c.Collation != "" {
		out += " collate " + c.Collation
	}
	if c.Nullable {
		return out + " null"
	}
	return out + " not null"
}

func (v *View) keyNames() []string {
	var names []string
	for _, c := range v.KeyColumns() {
		names = append(names, c.Name)
	}
	return names
}

// lostKey says whether no unique key that made the view's rows distinct is left.
func (v *View) lostKey(now *Table) bool {
	names := slices.Sorted(slices.Values(v.keyNames()))
	had := false
	for _, k := range v.Table.Keys {
		if !slices.Equal(slices.Sorted(slices.Values(v.unfixed(k))), names) {
			continue
		}
		if slices.ContainsFunc(now.Keys, func(other UniqueKey) bool { return slices.Equal(other.Columns, k.Columns) }) {
			return false
		}
		had = true
	}
	return had
}

// replacedBy says whether now is another table than t under the same name.
func (t *Table) replacedBy(now *Table) bool {
	if t.Identity == "" || now.Identity == "" || t.Identity == now.Identity {
		return false
	}
	return t.Engine == "postgres" || t.definition() == now.definition()
}

// definition is what an ALTER TABLE may have changed, for comparison.
func (t *Table) definition() string {
	var b strings.Builder
	for _, c := range t.Columns {
		fmt.Fprintf(&b, "%q %s %t %t %t\n", c.Name, c.words(), c.Generated, c.Identity, c.HasDefault)
	}
	fmt.Fprintf(&b, "%v %q", t.Keys, t.Indexes)
	return b.String()
}
