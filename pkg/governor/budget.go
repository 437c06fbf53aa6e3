// Package governor decides how much load may be put on a database now.
//
// Budget is its first and simplest law: a fixed number of statements at a
// time. Whatever reads or writes asks Acquire first, so a law that looks at the
// database's health takes Budget's place without touching its callers.
package governor

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Budget admits a fixed number of statements to one database at a time. It is
// safe for concurrent use.
type Budget struct {
	name  string
	slots chan struct{}

	waiting  atomic.Int64
	admitted atomic.Int64
	waited   atomic.Int64 // nanoseconds
}

// NewBudget returns a budget of the given number of statements for the
// database of that name, which stands in errors.
func NewBudget(name string, statements int) (*Budget, error) {
	if statements < 1 {
		return nil, fmt.Errorf("the budget of %s is %d statements; it must be at least 1", name, statements)
	}
	return &Budget{name: name, slots: make(chan struct{}, statements)}, nil
}

// Acquire waits until a statement may run and returns the function that gives
// the place back; calling it more than once does no harm. When the context
// ends first, nothing was acquired.
func (b *Budget) Acquire(ctx context.Context) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, b.refused(ctx)
	}
	select {
	case b.slots <- struct{}{}:
	default:
		if err := b.wait(ctx); err != nil {
			return nil, err
		}
	}
	b.admitted.Add(1)
	return sync.OnceFunc(func() { <-b.slots }), nil
}

func (b *Budget) wait(ctx context.Context) error {
	since := time.Now()
	b.waiting.Add(1)
	defer func() {
		b.waiting.Add(-1)
		b.waited.Add(int64(time.Since(since)))
	}()
	select {
	case b.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return b.refused(ctx)
	}
}

func (b *Budget) refused(ctx context.Context) error {
	return fmt.Errorf("wait for a place in the budget of %s: %w", b.name, context.Cause(ctx))
}

// Stats is how a budget is used.
type Stats struct {
	// Limit is the number of statements admitted at a time, InUse how many run
	// now, Waiting how many wait.
	Limit, InUse, Waiting int
	// Admitted counts statements since the start; Waited is the time callers
	// spent waiting, summed over all of them.
	Admitted int64
	Waited   time.Duration
}

// Stats returns a reading of the budget.
func (b *Budget) Stats() Stats {
	return Stats{
		Limit:    cap(b.slots),
		InUse:    len(b.slots),
		Waiting:  int(b.waiting.Load()),
		Admitted: b.admitted.Load(),
		Waited:   time.Duration(b.waited.Load()),
	}
}
