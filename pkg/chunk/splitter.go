// Package chunk cuts a table into ranges of keys: where the next range ends,
// how many rows it should hold, and how a position among ranges is written
// down. It decides; whoever uses it does the reading.
package chunk

import (
	"bytes"
	"context"
	"fmt"

	"github.com/trueup/trueup/pkg/row"
)

// Boundary answers with the n-th key after the given one (nil: from the start)
// in key order, or with nil when fewer than n rows are left.
type Boundary func(ctx context.Context, after row.Key, n int) (row.Key, error)

// Splitter walks key indexes and hands out ranges that follow each other
// without a gap. The first one handed out from the start of a table is open
// below and the last one open above, so that together they hold every key
// there can be, not only those one side knows.
//
// It is not safe for concurrent use; the ranges it hands out are independent.
type Splitter struct {
	boundaries []Boundary
	after      row.Key
	done       bool
}

// NewSplitter returns a Splitter that starts behind the key after (nil: at the
// start of the table). The first boundary is asked until it knows no more
// keys, then the next one goes on from there, and the last range is open above
// when none knows more. Naming the other side second keeps the last range from
// holding everything that side has beyond the first side's last key.
func NewSplitter(after row.Key, boundaries ...Boundary) *Splitter {
	return &Splitter{boundaries: boundaries, after: after}
}

// Next returns the next range of about n rows; false after the last one. After
// an error it may be called again and asks the same question.
func (s *Splitter) Next(ctx context.Context, n int) (row.Range, bool, error) {
	if s.done {
		return row.Range{}, false, nil
	}
	for len(s.boundaries) > 0 {
		through, err := s.boundaries[0](ctx, s.after, max(n, 1))
		if err != nil {
			return row.Range{}, false, fmt.Errorf("find the end of the range after %s: %w", start(s.after), err)
		}
		if through == nil {
			s.boundaries = s.boundaries[1:]
			continue
		}
		if SameKey(through, s.after) {
			// Going on would hand out the same empty range for ever.
			return row.Range{}, false, fmt.Errorf("find the end of the range after %s: "+
				"the database answered with the same key; is the key unique, and does its index agree with the table?", start(s.after))
		}
		r := row.Range{After: s.after, Through: through}
		s.after = through
		return r, true, nil
	}
	s.done = true
	return row.Range{After: s.after}, true, nil
}

// Around returns the next range of about n rows as the other boundaries cut it,
// for when the first cannot be asked about it; false when none of them can tell
// where it ends. The range after it is Next's again.
func (s *Splitter) Around(ctx context.Context, n int) (row.Range, bool, error) {
	for _, boundary := range s.boundaries[min(1, len(s.boundaries)):] {
		through, err := boundary(ctx, s.after, max(n, 1))
		if err != nil {
			return row.Range{}, false, fmt.Errorf("find the end of the range after %s: %w", start(s.after), err)
		}
		if through != nil && !SameKey(through, s.after) {
			r := row.Range{After: s.after, Through: through}
			s.after = through
			return r, true, nil
		}
	}
	return row.Range{}, false, nil
}

// Rest is what has not been handed out; it is meaningless after the last range.
func (s *Splitter) Rest() row.Range { return row.Range{After: s.after} }

// SameKey says whether two keys hold the same values; no key (nil) is the same
// only as no key.
func SameKey(a, b row.Key) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return (a == nil) == (b == nil)
}

func start(after row.Key) string {
	if after == nil {
		return "the start"
	}
	return after.String()
}
