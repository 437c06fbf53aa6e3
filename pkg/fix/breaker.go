package fix

import (
	"fmt"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/event"
)

// Breaker stops the repairs of one pair when there are more than its limits
// allow, until somebody releases it. It is the Gate of every Repairer of the
// pair in one process, which together never pass a limit: a repair is counted
// when it is admitted. Those of other processes are counted when their outcomes
// are read (Count), so that several processes may pass a limit by what they had
// in hand at that moment. Near says when to read them before anything is taken in hand.
//
// That it has tripped outlives the process by way of its state (Pending, Learn).
// What it has counted is in the topic of outcomes. It is safe for concurrent use.
type Breaker struct {
	cfg BreakerConfig

	mu sync.Mutex
	// rows is about how many the table has.
	rows int64
	// state is the present one. Its Number counts the releases.
	state event.BreakerState
	// pending: the state is known to nobody else yet.
	pending     bool
	day, minute *window
	// begun are the repairs that were admitted and are not yet made.
	begun tally
	// told are the last writes that Count was told of.
	told recall
}

// BreakerConfig is what a Breaker works with.
type BreakerConfig struct {
	Pair   string
	Limits Limits
	// Rows is about how many rows the table has; see SetRows.
	Rows int64
	// WayOut ends the sentence that says why a repair is held: what to do.
	WayOut string
	// Changed is told each time the breaker trips or is released, also by
	// another process; nil for nobody. It must not block.
	Changed func(event.BreakerState)
}

// Slots of the windows: a day is counted to 5 minutes, a minute to the second.
const (
	daySlots    = 288
	minuteSlots = 60
)

// NewBreaker returns a breaker that is closed: repairs pass.
func NewBreaker(c BreakerConfig) *Breaker {
	if c.Changed == nil {
		c.Changed = func(event.BreakerState) {}
	}
	return &Breaker{
		cfg: c, rows: c.Rows, state: event.BreakerState{Pair: c.Pair},
		day: newWindow(BreakerSpan, daySlots), minute: newWindow(time.Minute, minuteSlots),
	}
}

// Admit implements Gate.
func (b *Breaker) Admit(a event.Action) (reason string) {
	b.mu.Lock()
	if b.state.Tripped {
		defer b.mu.Unlock()
		return b.state.Reason
	}
	now := time.Now()
	next := one(a)
	if reason = b.met(next, now); reason == "" {
		b.begun.add(next)
		b.mu.Unlock()
		return ""
	}
	b.state.Tripped, b.state.Reason, b.state.At = true, reason, now
	b.pending = true
	state := b.state
	b.mu.Unlock()
	b.cfg.Changed(state)
	return reason
}

// Near says whether so many more repairs, of whatever kind, might pass a limit.
// Where everything is held already, nothing is near.
func (b *Breaker) Near(repairs int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.state.Tripped && b.met(tally{all: repairs, changes: repairs, deletes: repairs}, time.Now()) != ""
}

// met says which limit the next repairs would pass; "" when none.
func (b *Breaker) met(next tally, now time.Time) string {
	day, minute := b.day.sum(now), b.minute.sum(now)
	for _, count := range []*tally{&day, &minute} {
		count.add(b.begun)
	}
	for _, check := range []struct {
		name, what  string
		limit       Bound
		count, more int64
		within      time.Duration
	}{
		{"share", "rows of the copy were changed or deleted", b.cfg.Limits.Share, day.changes, next.changes, BreakerSpan},
		{"deletes", "rows of the copy were deleted", b.cfg.Limits.Deletes, day.deletes, next.deletes, BreakerSpan},
		{"per_minute", "rows were repaired", b.cfg.Limits.PerMinute, minute.all, next.all, time.Minute},
	} {
		if allowed := check.limit.of(b.rows); check.more > 0 && check.count+check.more > allowed {
			return fmt.Sprintf("breaker: %d %s within %v, and %s allows %d%s; %s",
				check.count, check.what, check.within, check.name, allowed, check.limit.explain(b.rows), b.cfg.WayOut)
		}
	}
	return ""
}

// Settle implements Gate.
func (b *Breaker) Settle(a event.Action, made bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.begun.subtract(one(a))
	if made {
		now := time.Now()
		b.count(a, now, now)
	}
}

// Count takes in an outcome of another process, or of an earlier life of this one.
func (b *Breaker) Count(o event.Outcome) {
	if o.Result != event.Repaired || o.DryRun {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if o.At.After(b.state.Released) && !b.told.again(o) {
		b.count(o.Action, o.At, time.Now())
	}
}

func (b *Breaker) count(a event.Action, at, now time.Time) {
	b.day.add(at, now, one(a))
	b.minute.add(at, now, one(a))
}

// Learn takes in a state that some process has made durable. In whatever order
// states come, the same one counts in the end (event.BreakerState): a trip that
// did not know of a release does not outlive it.
func (b *Breaker) Learn(s event.BreakerState) {
	b.mu.Lock()
	known := b.state
	if s.Number == known.Number && s.Tripped == known.Tripped {
		b.pending = false
	}
	if !s.Newer(known) {
		b.mu.Unlock()
		return
	}
	b.state, b.pending = s, false
	if s.Number > known.Number {
		b.day.clear()
		b.minute.clear()
	}
	b.mu.Unlock()
	if s.Tripped != known.Tripped {
		b.cfg.Changed(s)
	}
}

// Pending returns the state to be made durable, if it is not yet. What is held
// by a trip is to be told only after the trip itself.
func (b *Breaker) Pending() (event.BreakerState, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state, b.pending
}

// Tripped says whether repairs are held.
func (b *Breaker) Tripped() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state.Tripped
}

// SetRows says about how many rows the table has now.
func (b *Breaker) SetRows(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows = n
}
