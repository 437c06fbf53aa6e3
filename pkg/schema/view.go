package schema

import (
	"slices"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
)

// ViewColumn is one column of a view: the table's column and the type the
// pair compares it in.
type ViewColumn struct {
	Column
	As canonical.Type
	// Translation, when set, stands between the column's own values, which are
	// of its own Type, and those of As.
	Translation canonical.Translation
	// Constant is the canonical text that stands for the column in every row,
	// where the table has no such column but the other side has; nil else. The
	// column cannot be written then, and is Generated.
	Constant row.Value
}

// Own is the column as its table holds it, before any translation.
func (c ViewColumn) Own() ViewColumn {
	if c.Translation != nil {
		c.As, c.Translation = c.Type, nil
	}
	return c
}

// charBytes is the most bytes of UTF-8 that a character takes.
const charBytes = 4

// DigestsLong says whether the column can hold a value of more than
// canonical.Long bytes, of which a digest holds the MD5.
func (c ViewColumn) DigestsLong() bool {
	if c.Constant != nil {
		return len(c.Constant) > canonical.Long
	}
	unit := int64(charBytes)
	switch c.Type.Kind {
	case canonical.Text, canonical.JSON:
		if !c.As.Free() {
			return false
		}
	case canonical.Bytes:
		if c.As.Kind == canonical.Bytes {
			unit = 1
		} else if !c.As.Free() {
			return false
		}
	default:
		return false
	}
	return c.Length == 0 || c.Length*unit > canonical.Long
}

// View is one side of a pair as it is read and written: a table, the mapped
// columns, the key among them, and the row filter. The two views of a pair
// have the same columns in the same order, so a row of one can be held
// against a row of the other, value by value.
type View struct {
	Table   *Table
	Columns []ViewColumn
	// Key holds the positions of the key columns in Columns, in key order.
	Key []int
	// Where is the row filter in the engine's own SQL, empty for all rows. It
	// is the user's text and stands in parentheses wherever it is used.
	Where string
	// Fixed are columns that have one value in every row of the view. Rows with
	// another value belong to other pairs, and are neither read nor written.
	Fixed []Fixed
	// Within and Outside choose rows by other views of the table: those that
	// are in one of the former, and in none of the latter.
	Within, Outside []*View
}

// Fixed is a column and the value all rows of a view have there.
type Fixed struct {
	ViewColumn
	Value row.Value
}

// OfKey is the view of the same rows with the key's columns alone.
func (v *View) OfKey() *View {
	out := *v
	out.Columns, out.Key = v.KeyColumns(), nil
	for i := range out.Columns {
		out.Key = append(out.Key, i)
	}
	return &out
}

// KeyIndex is the unique index that delivers the rows in key order, and whether
// there is one. Columns that are the same in all rows do not count.
func (v *View) KeyIndex() (UniqueKey, bool) {
	for _, k := range v.Table.Keys {
		if slices.Equal(v.unfixed(k), v.keyNames()) {
			return k, true
		}
	}
	return UniqueKey{}, false
}

// unfixed are the columns of an index that differ within the view.
func (v *View) unfixed(k UniqueKey) []string {
	return slices.DeleteFunc(slices.Clone(k.Columns), func(name string) bool {
		return slices.ContainsFunc(v.Fixed, func(f Fixed) bool { return f.Name == name })
	})
}

// Filter says in words which rows of the table the view has; empty for all.
func (v *View) Filter() string {
	var terms []string
	for _, f := range v.Fixed {
		terms = append(terms, f.Name+" = "+string(f.Value))
	}
	if v.Where != "" {
		terms = append(terms, v.Where)
	}
	return strings.Join(terms, " and ")
}

// KeyColumns returns the columns of the key in key order.
func (v *View) KeyColumns() []ViewColumn {
	out := make([]ViewColumn, len(v.Key))
	for i, p := range v.Key {
		out[i] = v.Columns[p]
	}
	return out
}

// Types returns the types the columns are compared in.
func (v *View) Types() []canonical.Type {
	out := make([]canonical.Type, len(v.Columns))
	for i, c := range v.Columns {
		out[i] = c.As
	}
	return out
}

// IsKey says whether the column at position p belongs to the key.
func (v *View) IsKey(p int) bool {
	for _, k := range v.Key {
		if k == p {
			return true
		}
	}
	return false
}
