package report

import "math/rand/v2"

// Sample keeps at most Limit of the items it is given, each with the same
// chance (reservoir sampling, Vitter's algorithm R).
type Sample[T any] struct {
	Limit int
	items []T
	seen  int64
}

// Add gives the sample another item.
func (s *Sample[T]) Add(item T) {
	s.seen++
	if len(s.items) < s.Limit {
		s.items = append(s.items, item)
		return
	}
	if i := rand.Int64N(s.seen); i < int64(s.Limit) {
		s.items[i] = item
	}
}

// Items are those kept, in no order.
func (s *Sample[T]) Items() []T { return s.items }

// Seen is the number of items given.
func (s *Sample[T]) Seen() int64 { return s.seen }
