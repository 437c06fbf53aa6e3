package validate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// events is a feed in memory. Marks are numbers of events.
type events struct {
	queue chan Change

	mu   sync.Mutex
	sent int
	done int
}

func newEvents() *events { return &events{queue: make(chan Change, 100_000)} }

func (e *events) changed(ids ...int) {
	for _, id := range ids {
		e.send(Change{Keys: []row.Key{{row.Value(strconv.Itoa(id))}}})
	}
}

func (e *events) send(c Change) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sent++
	c.Mark, c.At = e.sent, time.Now()
	e.queue <- c
}

func (e *events) Next(ctx context.Context) (Change, error) {
	select {
	case c := <-e.queue:
		return c, nil
	case <-ctx.Done():
		return Change{}, ctx.Err()
	}
}

func (e *events) Done(mark any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.done = mark.(int) //nolint:forcetypeassert // send gives no other
}

func (e *events) dealtWith() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.done
}

func newTriggeredBench(t *testing.T) (*tracked, *events, ByTrigger) {
	t.Helper()
	b := &tracked{bench: newBench(t, newTable(), newTable(), schema.Merge)}
	b.config.CheckpointEvery = time.Millisecond
	b.run.Confirm = 100 * time.Millisecond
	b.ports.Observer = warner{tracked: b}
	feed := newEvents()
	return b, feed, ByTrigger{Feed: feed, Settle: time.Second, Pending: 4000}
}

func (b *tracked) triggered(by ByTrigger, script func()) error {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	validator := b.validator()
	go func() { done <- validator.Triggered(ctx, b.run, by) }()
	script()
	cancel()
	return <-done
}

func TestEventsOfBothSidesLeadToFindings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, feed, by := newTriggeredBench(t)
		_ = b.triggered(by, func() {
			b.authority.put(order(1, "a", 1))
			b.replica.put(order(1, "a", 1))
			b.authority.put(order(2, "a", 1)) // never arrives
			b.replica.put(order(3, "a", 1))   // deleted at the authority alone, or written at the copy
			feed.changed(1, 2, 3)
			time.Sleep(5 * time.Second)
		})
		b.want("base_missing 3", "target_missing 2")
		if feed.dealtWith() != 3 {
			t.Errorf("%d of 3 events are dealt with", feed.dealtWith())
		}
	})
}

func TestTheNewestCommitStandsForTheEventsThatHaveNone(t *testing.T) {
	p := newPending(10, nil)
	for n, at := range []time.Time{time.Unix(5, 0), time.Unix(3, 0), {}} {
		p.add(Change{Mark: n, At: at}, time.Now())
	}
	if p.mark.mark != 2 || !p.mark.at.Equal(time.Unix(5, 0)) {
		t.Errorf("%+v", p.mark)
	}
}

func TestAnEventIsLookedAtAsSoonAsItHasSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, feed, by := newTriggeredBench(t)
		_ = b.triggered(by, func() {
			b.authority.put(order(1, "a", 1))
			b.replica.put(order(1, "a", 1))
			time.Sleep(10 * time.Millisecond)
			feed.changed(1)
			time.Sleep(by.Settle + by.Settle/(generations-1))
			if feed.dealtWith() != 1 {
				t.Error("the event is not dealt with, though it has settled, and all that were gathered with it")
			}
		})
	})
}

func TestAnEventIsNotDealtWithBeforeItsFindingIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, feed, by := newTriggeredBench(t)
		refused := errors.New("no broker")
		b.published.before = func(int) error { return refused }
		err := b.triggered(by, func() {
			b.authority.put(order(1, "a", 1))
			feed.changed(1)
			time.Sleep(5 * time.Second)
		})
		if !errors.Is(err, refused) || feed.dealtWith() != 0 {
			t.Errorf("ended with %v, %d events dealt with", err, feed.dealtWith())
		}
	})
}

func TestAnEventIsNotDealtWithWhileTheCopyCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, feed, by := newTriggeredBench(t)
		away := errors.New("connection reset")
		b.replica.before = func(string, int) error { return away }
		err := b.triggered(by, func() {
			feed.changed(1)
			time.Sleep(5 * time.Second)
		})
		if !errors.Is(err, away) || feed.dealtWith() != 0 {
			t.Errorf("ended with %v, %d events dealt with", err, feed.dealtWith())
		}
	})
}

func TestEventsOfOneRowAreOneLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, feed, by := newTriggeredBench(t)
		_ = b.triggered(by, func() {
			time.Sleep(10 * time.Millisecond)
			for range 1000 {
				feed.changed(1)
			}
			time.Sleep(5 * time.Second)
			b.authority.mu.Lock()
			defer b.authority.mu.Unlock()
			if n := len(b.authority.reads); n > 2 {
				t.Errorf("%d reads for one row: %v", n, b.authority.reads)
			}
			if feed.dealtWith() != 1000 {
				t.Errorf("%d events are dealt with", feed.dealtWith())
			}
		})
	})
}

func TestTooManyKeysBecomeARangeAndNoneIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, feed, by := newTriggeredBench(t)
		by.Pending = 400
		for id := 1; id <= 20_000; id++ {
			b.authority.put(order(id, "x", id))
			if id%5000 != 0 {
				b.replica.put(order(id, "x", id))
			}
		}
		_ = b.triggered(by, func() {
			for id := 4000; id <= 16_000; id++ {
				feed.changed(id)
			}
			time.Sleep(20 * time.Second)
		})
		// 20000 lies outside the range: nothing said that it changed.
		b.want("target_missing 10000", "target_missing 15000", "target_missing 5000")
		if !b.warned("the range that holds them is compared instead") {
			t.Errorf("not said: %q", b.warnings)
		}
		if feed.dealtWith() != 12_001 {
			t.Errorf("%d events are dealt with", feed.dealtWith())
		}
	})
}

func TestATruncatedTableIsComparedWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, feed, by := newTriggeredBench(t)
		for id := 1; id <= 3; id++ {
			b.replica.put(order(id, "x", id))
		}
		_ = b.triggered(by, func() {
			feed.send(Change{All: true})
			time.Sleep(10 * time.Second)
		})
		b.want("base_missing 1", "base_missing 2", "base_missing 3")
	})
}

func TestARowThatChangesWhileItIsLookedAtIsLookedAtAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, feed, by := newTriggeredBench(t)
		b.run.Confirm = 3 * time.Second
		_ = b.triggered(by, func() {
			b.authority.put(order(1, "a", 1))
			feed.changed(1)
			time.Sleep(3 * time.Second)
			b.authority.put(order(1, "b", 1)) // of which no event comes
			time.Sleep(20 * time.Second)
		})
		b.want("target_missing 1")
	})
}

func TestPendingKeysOfOtherTypesSpillToTheWholeTable(t *testing.T) {
	columns := []schema.ViewColumn{testColumns[1]}
	p := newPending(2, columns)
	for i := range 4 {
		p.add(Change{Keys: []row.Key{{row.Value(fmt.Sprint("k", i))}}}, time.Now())
	}
	if p.dirty == nil || p.dirty.After != nil || p.dirty.Through != nil || !slices.Equal([]int{len(p.keys)}, []int{0}) {
		t.Errorf("%+v", p)
	}
}

// TestAStreamEndsWhenARangeCannotBeRead and not only with the next event: whoever
// starts it anew must come to know.
func TestAStreamEndsWhenARangeCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, feed, by := newTriggeredBench(t)
		denied := errors.New("no such table")
		b.authority.before = func(op string, _ int) error {
			if op == "boundary" {
				return denied
			}
			return nil
		}
		b.replica.before = b.authority.before
		ended := make(chan error, 1)
		validator := b.validator()
		go func() { ended <- validator.Triggered(t.Context(), b.run, by) }()
		feed.send(Change{All: true})
		select {
		case err := <-ended:
			if !errors.Is(err, denied) || feed.dealtWith() != 0 {
				t.Errorf("ended with %v, %d events dealt with", err, feed.dealtWith())
			}
		case <-time.After(time.Hour):
			t.Fatal("it goes on, and looks at nothing")
		}
	})
}
