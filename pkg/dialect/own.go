package dialect

import (
	"fmt"

	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// UntranslatableError is a value that its column's rule has no counterpart for
// on the side that is to be written. It holds nothing of the value.
type UntranslatableError struct {
	Column string
	Err    error
}

// Error names the column.
func (e *UntranslatableError) Error() string { return fmt.Sprintf("column %s: %v", e.Column, e.Err) }

// Unwrap returns the rule's error.
func (e *UntranslatableError) Unwrap() error { return e.Err }

// Own returns the row with the values at the given positions, or at all when
// none is given, as the view's table holds them: those that were translated when
// they were read are translated back. The row is left as it is.
func Own(v *schema.View, r row.Row, positions ...int) (row.Row, error) {
	if len(positions) == 0 {
		for p := range v.Columns {
			positions = append(positions, p)
		}
	}
	out := r
	for _, p := range positions {
		c := &v.Columns[p]
		if c.Translation == nil || c.Generated || r[p].IsNull() {
			continue
		}
		value, err := c.Translation.Own(r[p])
		if err != nil {
			return nil, &UntranslatableError{Column: c.Name, Err: err}
		}
		if &out[0] == &r[0] {
			out = append(row.Row(nil), r...)
		}
		out[p] = value
	}
	return out, nil
}
