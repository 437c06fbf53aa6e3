package schema

import "github.com/trueup/trueup/pkg/canonical"

// ViewColumn is one column of a view: the table's column and the type the
// pair compares it in.
type ViewColumn struct {
	Column
	As canonical.Type
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
