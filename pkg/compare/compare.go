// Package compare decides whether two rows agree. It is pure: rows come in
// through cursors or by value, differences go out, and an error of a cursor
// stays an error. Absence is only ever concluded from two cursors that were
// read to their end.
package compare

import (
	"bytes"
	"crypto/sha256"
	"strconv"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Comparer holds what comparing the rows of a pair needs. It keeps no state
// between calls and is safe for concurrent use.
type Comparer struct {
	types []canonical.Type
	rules []canonical.Rule
	key   []int
}

// New returns a Comparer for the rows of a view; both views of a pair have the
// same columns in the same types, so either will do. rules stand beside the
// view's columns; nil compares every column exactly.
func New(view *schema.View, rules []canonical.Rule) *Comparer {
	if rules == nil {
		rules = make([]canonical.Rule, len(view.Columns))
	}
	return &Comparer{types: view.Types(), rules: rules, key: view.Key}
}

// Rows compares the authority's row with the copy's; a nil row is one that a
// completed read did not return. The kind is KindUnknown when they agree, and
// the columns are the positions that differ when it is NotEqual.
func (c *Comparer) Rows(authority, replica row.Row) (event.Kind, []int) {
	switch {
	case authority == nil && replica == nil:
		return event.KindUnknown, nil
	case replica == nil:
		return event.TargetMissing, nil
	case authority == nil:
		return event.BaseMissing, nil
	}
	columns := c.columns(authority, replica)
	if len(columns) == 0 {
		return event.KindUnknown, nil
	}
	return event.NotEqual, columns
}

// Key returns the key of a row; it shares the row's memory.
func (c *Comparer) Key(r row.Row) row.Key { return r.Key(c.key) }

// columns returns the positions that differ. Equal texts are equal under every
// rule, so the rules are only asked about texts that are not.
func (c *Comparer) columns(a, b row.Row) []int {
	var differ []int
	for i := range c.types {
		if (a[i] == nil) == (b[i] == nil) && bytes.Equal(a[i], b[i]) {
			continue
		}
		if !canonical.Equal(c.types[i], c.rules[i], a[i], b[i]) {
			differ = append(differ, i)
		}
	}
	return differ
}

// sameKey says whether two rows have the same key, byte for byte: rules relax
// the comparison of rows, never which rows are held against each other.
func (c *Comparer) sameKey(a, b row.Row) bool {
	for _, p := range c.key {
		if !bytes.Equal(a[p], b[p]) {
			return false
		}
	}
	return true
}

// appendID appends the ID of the row's key (see row.Key) without building the key.
func (c *Comparer) appendID(dst []byte, r row.Row) []byte {
	for _, p := range c.key {
		dst = appendFramed(dst, r[p])
	}
	return dst
}

// Witness is what is kept of a row to tell later whether it is still the same:
// a digest of all its values, or the fact that there was no row. Two different
// rows share one only if SHA-256, cut to 128 bits, collides.
type Witness struct {
	present bool
	sum     [16]byte
}

// WitnessOf takes the witness of a row; nil is the absence of one.
func WitnessOf(r row.Row) Witness {
	if r == nil {
		return Witness{}
	}
	var frame []byte
	for _, v := range r {
		if v == nil {
			frame = append(frame, '~')
			continue
		}
		frame = appendFramed(frame, v)
	}
	sum := sha256.Sum256(frame)
	return Witness{present: true, sum: [16]byte(sum[:16])}
}

func appendFramed(dst []byte, v row.Value) []byte {
	dst = strconv.AppendInt(dst, int64(len(v)), 10)
	dst = append(dst, ':')
	return append(dst, v...)
}
