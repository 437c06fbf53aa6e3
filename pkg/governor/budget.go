package governor

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Budget bounds how many statements run at a time; who comes first is served
// first. It is safe for concurrent use.
type Budget struct {
	name string

	mu       sync.Mutex
	limit    int
	inUse    int
	queue    []*waiter
	peak     int // of places in use or waited for, since somebody asked
	admitted int64
	waited   time.Duration
}

type waiter struct {
	since   time.Time
	granted chan struct{}
}

// NewBudget returns a budget of so many statements, at least 1, under a name for errors.
func NewBudget(name string, statements int) (*Budget, error) {
	if statements < 1 {
		return nil, fmt.Errorf("the budget of %s is %d statements; it must be at least 1", name, statements)
	}
	return &Budget{name: name, limit: statements}, nil
}

// Acquire waits for a place and returns the function that gives it back, which
// may be called more than once. An error says that ctx ended first.
func (b *Budget) Acquire(ctx context.Context) (release func(), err error) {
	if ctx.Err() != nil {
		return nil, b.refused(ctx)
	}
	if w := b.enter(); w != nil {
		select {
		case <-w.granted:
		case <-ctx.Done():
			b.leave(w)
			return nil, b.refused(ctx)
		}
	}
	return sync.OnceFunc(b.release), nil
}

func (b *Budget) enter() *waiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.peak = max(b.peak, b.inUse+len(b.queue)+1)
	if b.inUse < b.limit && len(b.queue) == 0 {
		b.inUse++
		b.admitted++
		return nil
	}
	w := &waiter{since: time.Now(), granted: make(chan struct{})}
	b.queue = append(b.queue, w)
	return w
}

func (b *Budget) leave(w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.queue, w)
	if i < 0 {
		b.inUse--
		b.admitted--
		b.grant()
		return
	}
	b.queue = slices.Delete(b.queue, i, i+1)
	b.waited += time.Since(w.since)
}

func (b *Budget) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inUse--
	b.grant()
}

func (b *Budget) grant() {
	for b.inUse < b.limit && len(b.queue) > 0 {
		w := b.queue[0]
		b.queue = b.queue[1:]
		b.inUse++
		b.admitted++
		b.waited += time.Since(w.since)
		close(w.granted)
	}
}

// SetLimit changes how many statements are admitted at a time; 0 admits none.
// What runs is not touched: a smaller limit counts once enough have ended.
func (b *Budget) SetLimit(statements int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limit = max(statements, 0)
	b.grant()
}

func (b *Budget) refused(ctx context.Context) error {
	return fmt.Errorf("wait for a place in the budget of %s: %w", b.name, context.Cause(ctx))
}

// asked is the largest number of places that were in use or waited for at once since it
// was called last.
func (b *Budget) asked() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	peak := b.peak
	b.peak = b.inUse + len(b.queue)
	return peak
}

// Stats are the figures of a Budget.
type Stats struct {
	// Limit is the number of statements admitted at a time, InUse how many run
	// now, Waiting how many wait.
	Limit, InUse, Waiting int
	// Admitted counts statements since the start; Waited is the time callers
	// spent waiting, summed over all of them.
	Admitted int64
	Waited   time.Duration
}

// Stats returns how the budget stands.
func (b *Budget) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Stats{Limit: b.limit, InUse: b.inUse, Waiting: len(b.queue), Admitted: b.admitted, Waited: b.waited}
}
