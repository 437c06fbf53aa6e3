package validate

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/schema"
)

func TestMomentOfASecondLook(t *testing.T) {
	seen := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return seen.Add(time.Duration(seconds) * time.Second) }
	measured := delay{least: 2 * time.Second, most: time.Minute, measured: true}
	for _, test := range []struct {
		name         string
		delay        delay
		applied, now time.Time
		want         moment
	}{
		{"nothing is measured", delay{least: time.Second, most: time.Minute}, time.Time{}, at(2), ripe},
		{"nothing is known yet", measured, time.Time{}, at(2), early},
		{"the copy is behind the read", measured, at(-1), at(2), early},
		{"the copy is exactly there", measured, at(0), at(2), ripe},
		{"the copy is past it", measured, at(1), at(2), ripe},
		{"the longest wait is over", measured, at(-1), at(60), overdue},
		{"the longest wait is over and the copy is there", measured, at(3), at(70), ripe},
	} {
		if got := test.delay.moment(seen, test.applied, test.now); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

func TestPatienceIsTwiceTheWaitWithinBounds(t *testing.T) {
	d := delay{least: 2 * time.Second, most: 30 * time.Second}
	for waited, want := range map[time.Duration]time.Duration{
		0: 2 * time.Second, 2 * time.Second: 4 * time.Second, 10 * time.Second: 20 * time.Second, 20 * time.Second: 30 * time.Second,
	} {
		if got := d.patience(waited); got != want {
			t.Errorf("patience after %s is %s, want %s", waited, got, want)
		}
	}
}

// follower is a copy whose delay the test sets.
type follower struct {
	mu     sync.Mutex
	behind time.Duration
	err    error
}

func (f *follower) set(behind time.Duration, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.behind, f.err = behind, err
}

func (f *follower) Applied(context.Context) (time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Add(-f.behind), f.err
}

type warnings struct {
	NopObserver
	mu    sync.Mutex
	texts []string
}

func (w *warnings) Warn(_, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.texts = append(w.texts, text)
}

// lateBench has one row whose change has yet to arrive, and one that is damaged.
func lateBench(t *testing.T, arrives time.Duration, f Follower) *bench {
	a, c := newTable(orders(1, 20)...), newTable(orders(1, 20)...)
	a.put(order(7, "new", 1))
	c.put(order(12, "damaged", 1))
	time.AfterFunc(arrives, func() { c.put(order(7, "new", 1)) })
	b := newBench(t, a, c, schema.Merge)
	b.run.Confirm, b.run.Follower = 2*time.Second, f
	return b
}

func TestASecondLookWaitsForACopyThatIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The change arrives long after the least wait, as the measure says.
		f := &follower{behind: 20 * time.Second}
		b := lateBench(t, 19*time.Second, f)
		began := time.Now()
		v := b.verdict()
		equalSets(t, b.published.list(), []string{"neq 12"})
		if !v.Complete || v.Open != 0 || v.Behind != 20*time.Second {
			t.Errorf("verdict %+v", v)
		}
		if took := time.Since(began); took < 20*time.Second || took > 22*time.Second {
			t.Errorf("took %s, and the copy is 20s behind", took)
		}
	})
}

func TestACopyThatKeepsUpIsNotWaitedForBeyondTheLeast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := lateBench(t, time.Second, &follower{behind: 100 * time.Millisecond})
		began := time.Now()
		v := b.verdict()
		equalSets(t, b.published.list(), []string{"neq 12"})
		if took := time.Since(began); took < 2*time.Second || took > 3*time.Second || !v.Complete {
			t.Errorf("took %s, verdict %+v", took, v)
		}
	})
}

func TestACopyThatDoesNotFollowLeavesRowsOpen(t *testing.T) {
	for name, f := range map[string]*follower{
		"behind for ever": {behind: time.Hour},
		"not measurable":  {err: errors.New("replication is stopped")},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := lateBench(t, 30*time.Second, f)
			observed := &warnings{}
			b.ports.Observer = observed
			began := time.Now()
			v := b.verdict()
			// The row that arrived meanwhile is settled, the other one unknown.
			if len(b.published.list()) != 0 || !v.Complete || v.Clean || v.Open != 1 || v.Late != 1 {
				t.Errorf("%s: verdict %+v, findings %q", name, v, b.published.list())
			}
			if !strings.Contains(v.Reason, "did not follow within 1m0s") {
				t.Errorf("%s: reason %q", name, v.Reason)
			}
			if f.err != nil && !strings.Contains(v.Reason, f.err.Error()) {
				t.Errorf("%s: reason %q does not say why", name, v.Reason)
			}
			if took := time.Since(began); took < time.Minute || took > 62*time.Second {
				t.Errorf("%s: took %s", name, took)
			}
			if len(observed.texts) != 1 {
				t.Errorf("%s: warned %q, want it once", name, observed.texts)
			}
		})
	}
}

func TestAMeasureThatFailsForAWhileDelaysAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &follower{err: errors.New("connection lost")}
		b := lateBench(t, time.Second, f)
		time.AfterFunc(10*time.Second, func() { f.set(0, nil) })
		began := time.Now()
		v := b.verdict()
		equalSets(t, b.published.list(), []string{"neq 12"})
		if took := time.Since(began); !v.Complete || v.Open != 0 || took < 10*time.Second || took > 11*time.Second {
			t.Errorf("took %s, verdict %+v", took, v)
		}
	})
}

// Nothing measures the delay here. One change arrives within the least wait and
// shows that there is one; the other takes longer than that.
func TestRowsSeenToArriveLateMakeTheRunWaitLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := lateBench(t, 3*time.Second, nil)
		a, c := b.authority, b.replica
		a.put(order(3, "quick", 1))
		time.AfterFunc(time.Second, func() { c.put(order(3, "quick", 1)) })
		began := time.Now()
		v := b.verdict()
		equalSets(t, b.published.list(), []string{"neq 12"})
		// 2s, of which one row took less; 4s, in which another arrived; 8s.
		if took := time.Since(began); !v.Complete || took < 8*time.Second || took > 9*time.Second {
			t.Errorf("took %s, verdict %+v", took, v)
		}
	})
}

func TestDamageAtRestIsReportedAfterTheLeastWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, c := newTable(orders(1, 20)...), newTable(orders(1, 18)...)
		b := newBench(t, a, c, schema.Merge)
		b.run.Confirm = 2 * time.Second
		began := time.Now()
		b.verdict()
		if took := time.Since(began); len(b.published.list()) != 2 || took > 3*time.Second {
			t.Errorf("%q after %s", b.published.list(), took)
		}
	})
}
