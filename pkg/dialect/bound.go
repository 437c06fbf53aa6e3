package dialect

import "strings"

// Fit says how a key value of the other side stands to the values a column can
// hold. Where a server would refuse such a value, a look-up must find nothing
// and a range must still cut at the right place.
type Fit uint8

// The fits.
const (
	// Fits is a value the column's type can express.
	Fits Fit = iota
	// Below and Above sort before and after all that the column can hold.
	Below
	Above
	// Between lies between two values the column can hold; Term.Value is then
	// the lower of the two.
	Between
	// Foreign is a value no row of the column can have, with no place in the
	// column's order that is known here.
	Foreign
)

// Term sets one key column against its value in a bound.
type Term struct {
	// Column is the column's SQL.
	Column string
	// Value returns the value's SQL. It is called once for every place, in the
	// order of the text, so that a dialect with positional arguments can add
	// one each time.
	Value func() string
	Fit   Fit
}

// Greater spells that the key is greater than the bound, column by column, for
// servers (MySQL, MariaDB) that answer a comparison of row values by a scan.
// The leading comparison is implied by the rest; it gives the range its start.
func Greater(bound []Term) string { return spell(bound, " > ", " >= ", " > ") }

// NotGreater spells that the key is not greater than the bound.
func NotGreater(bound []Term) string { return spell(bound, " < ", " <= ", " <= ") }

func spell(bound []Term, strict, loose, last string) string {
	t := bound[0]
	switch {
	case t.Fit == Below && strict == " > ", t.Fit == Above && strict == " < ":
		return "TRUE"
	case t.Fit == Below, t.Fit == Above:
		return "FALSE"
	case len(bound) == 1, t.Fit == Between:
		return t.Column + last + t.Value()
	}
	var sql strings.Builder
	sql.WriteString(t.Column + loose + t.Value())
	sql.WriteString(" AND (" + t.Column + strict + t.Value())
	sql.WriteString(" OR " + t.Column + " = " + t.Value())
	sql.WriteString(" AND (" + spell(bound[1:], strict, loose, last) + "))")
	return sql.String()
}
