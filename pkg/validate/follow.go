package validate

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/event"
)

// Follower measures how far the copy has followed the authority.
type Follower interface {
	// Applied is a moment by this machine's clock: everything the authority
	// had committed by then has reached the copy. It errs towards the past. An
	// error says nothing about the copy.
	Applied(ctx context.Context) (time.Time, error)
}

// followEvery is the time between two measurements while suspects wait: a
// fraction of the shortest wait that makes sense, at the cost of a statement or
// two that touch no table.
const followEvery = 250 * time.Millisecond

// delay decides when a suspect is looked at again.
//
// Where replication is measured, the second look comes when the copy has
// applied everything that the authority held when it was read, and not before
// the least wait. A copy that does not get there within the longest wait leaves
// its suspects open: nothing is known of them.
//
// Where it is not, the wait is the least one at first, and what the run itself
// sees makes it longer: see patience.
type delay struct {
	least, most time.Duration
	measured    bool
}

// moment is how the second look at a suspect stands.
type moment uint8

const (
	early   moment = iota // the copy may still be on its way
	ripe                  // what differs now is a difference
	overdue               // waited for too long: equal rows can be settled, others cannot
)

// moment judges a suspect whose least wait is over.
func (d delay) moment(seen, applied, now time.Time) moment {
	switch {
	case !d.measured, !applied.Before(seen):
		return ripe
	case now.Sub(seen) >= d.most:
		return overdue
	default:
		return early
	}
}

// patience is how long a difference must last to be a finding, after a copy was
// seen to catch up with a change only after it had been waited for that long.
// Twice as long, because rows that need longer than the first to arrive are on
// their way as well.
func (d delay) patience(waited time.Duration) time.Duration {
	return max(d.least, min(2*waited, d.most))
}

// bound is the longest wait, in words.
func (d delay) bound() string {
	if d.most >= streamPatience {
		return "for as long as it takes"
	}
	return fmt.Sprintf("up to %s (confirm_max)", d.most)
}

// lag is what a run learns about replication.
type lag struct {
	delay delay

	mu       sync.Mutex
	patience time.Duration
	// worst is the largest delay measured, and trouble why the last attempt to
	// measure failed.
	worst   time.Duration
	trouble error
	// late counts the suspects left open since the copy did not follow in time.
	late   int64
	warned bool
}

func newLag(d delay) *lag { return &lag{delay: d, patience: d.least} }

// caughtUp notes that the copy came to hold what the authority held all along.
func (l *lag) caughtUp(waited time.Duration) {
	if l.delay.measured {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.patience = max(l.patience, l.delay.patience(waited))
}

// forget halves what was learnt beyond the least wait.
func (l *lag) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.patience = max(l.patience/2, l.delay.least)
}

// lasting is how long a difference must last.
func (l *lag) lasting() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.patience
}

func (l *lag) leftOpen(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.late += int64(n)
}

// measure notes a measurement; warn is what an operator should know now, once.
func (l *lag) measure(behind time.Duration, err error) (warn string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trouble = err
	if err == nil {
		l.worst = max(l.worst, behind)
	}
	switch {
	case l.warned:
		return ""
	case err != nil:
		l.warned = true
		return fmt.Sprintf("how far the copy has followed cannot be measured now; what differs waits for it, %s: %v", l.delay.bound(), err)
	case behind > l.delay.most:
		l.warned = true
		return fmt.Sprintf("the copy is %s behind; what differs is looked at again for up to %s (confirm_max) and stays open then", round(behind), l.delay.most)
	default:
		return ""
	}
}

// reason says why suspects stay open that the copy did not follow in time for;
// empty when there are none.
func (l *lag) reason() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.late == 0 {
		return ""
	}
	state := fmt.Sprintf("it was up to %s behind", round(l.worst))
	if l.trouble != nil {
		state = l.trouble.Error()
	}
	return fmt.Sprintf("%d rows stay open since the copy did not follow within %s (%s); compare again when replication has caught up, or give confirm_max more time",
		l.late, l.delay.most, state)
}

func (l *lag) figures() (worst time.Duration, late int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.worst, l.late
}

// round leaves out digits of a duration that nobody reads.
func round(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}

// follow measures replication for as long as suspects wait for it.
func (r *run) follow(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !r.suspects.waits() {
			continue
		}
		asked := time.Now()
		applied, err := read(ctx, r, r.spec.Follower.Applied, event.Source, event.Target)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			r.suspects.follow(applied)
		}
		if warn := r.lag.measure(asked.Sub(applied), err); warn != "" {
			r.observer.Warn(r.spec.Pair.Name, warn)
		}
	}
}
