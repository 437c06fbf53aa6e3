package fix_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
)

// The scripted interleavings: what others do while a repair is between two of
// its steps. Each ends with the replicator having caught up.

func TestANewerVersionThatCameBeforeTheLockIsKept(t *testing.T) {
	b := newBench()
	b.authority.put(record(1, "v1", "1"))
	b.copy.put(record(1, "junk", "1"))
	b.copy.at = once("begin", 1, func() error { // between finding and lock
		b.authority.put(record(1, "v2", "1"))
		b.copy.replicate(1, record(1, "v2", "1"))
		return nil
	})
	wantOutcome(t, b.repair(t, 1)["f1"], event.AlreadyEqual, event.NoAction)
	b.wantEqual(t)
}

func TestTheAuthorityIsReadAfterTheLock(t *testing.T) {
	b := newBench()
	b.authority.put(record(1, "v1", "1"))
	b.copy.put(record(1, "junk", "1"))
	b.copy.at = once("locked", 1, func() error {
		b.authority.put(record(1, "v2", "1"))
		return nil
	})
	wantOutcome(t, b.repair(t, 1)["f1"], event.Repaired, event.Update)
	if b.copy.writes != 1 {
		t.Errorf("%d writes, want 1: the version read before the lock was written first", b.copy.writes)
	}
	b.wantEqual(t)
}

func TestAReplicatorWaitsForAHeldRowAndItsNewerVersionWins(t *testing.T) {
	b := newBench()
	b.authority.put(record(1, "v1", "1"))
	b.copy.put(record(1, "junk", "1"))
	b.authority.at = once("looked", 1, func() error {
		b.authority.put(record(1, "v2", "1"))
		if b.copy.replicate(1, record(1, "v2", "1")) {
			t.Error("the row was written while the repair held it")
		}
		return nil
	})
	got := b.repair(t, 1)["f1"]
	wantOutcome(t, got, event.Repaired, event.Update)
	if got.Attempts != 2 {
		t.Errorf("%d attempts; the row changed meanwhile and wanted a second round", got.Attempts)
	}
	b.copy.replicate(1, record(1, "v2", "1"))
	b.wantEqual(t)
}

func TestARowThatIsDeletedBetweenReadAndInsertDoesNotComeBack(t *testing.T) {
	b := newBench()
	b.authority.put(record(1, "v1", "1"))
	b.authority.at = once("looked", 1, func() error {
		b.copy.replicate(1, record(1, "v1", "1"))
		b.authority.remove(1)
		b.copy.replicate(1, nil)
		return nil
	})
	wantOutcome(t, b.repair(t, 1)["f1"], event.Repaired, event.Delete)
	b.wantEqual(t)
}

func TestARowThatIsDeletedAndInsertedAgainEndsAsItIs(t *testing.T) {
	b := newBench()
	b.authority.put(record(1, "v1", "1"))
	b.copy.put(record(1, "junk", "1"))
	b.copy.at = once("begin", 1, func() error {
		b.authority.remove(1)
		b.copy.replicate(1, nil)
		return nil
	})
	b.authority.at = once("looked", 1, func() error {
		b.authority.put(record(1, "v2", "1"))
		b.copy.replicate(1, record(1, "v2", "1"))
		return nil
	})
	wantOutcome(t, b.repair(t, 1)["f1"], event.Vanished, event.NoAction)
	b.wantEqual(t)
}

func TestAnInsertThatAnotherWriterWonStartsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.authority.put(record(1, "v1", "1"))
		b.authority.at = once("looked", 1, func() error {
			b.copy.replicate(1, record(1, "v1", "1"))
			return nil
		})
		wantOutcome(t, b.repair(t, 1)["f1"], event.AlreadyEqual, event.NoAction)
		b.wantEqual(t)
	})
}

func TestARowThatMovesInEveryRoundEndsInTheLastOne(t *testing.T) {
	b := newBench()
	b.config.MaxRounds = 3
	version := 0
	next := func(context.Context, string, []row.Key) error {
		version++
		b.authority.put(record(1, fmt.Sprint("v", version), "1"))
		return nil
	}
	_ = next(nil, "", nil)
	b.copy.put(record(1, "junk", "1"))
	b.copy.at = func(ctx context.Context, step string, keys []row.Key) error {
		if step != "committed" {
			return nil
		}
		return next(ctx, step, keys)
	}
	o := b.repair(t, 1)["f1"]
	wantOutcome(t, o, event.Repaired, event.Update)
	if o.Class != fix.ClassStillChanging || o.Attempts != 3 {
		t.Errorf("class %q after %d attempts", o.Class, o.Attempts)
	}
}

// A row that flickers is absent in the copy in every round, and no lock holds
// it: an insert wants another round, however many there were.
func TestAnInsertIsNeverTheLastRound(t *testing.T) {
	versions := map[string]row.Row{"deleted": nil, "changed": record(1, "v2", "1")}
	for name, final := range versions {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench()
				b.config.MaxRounds = 1
				b.authority.put(record(1, "v1", "1"))
				b.copy.at = once("applied", 1, func() error { // the insert is not seen yet
					if b.authority.remove(1); final != nil {
						b.authority.put(final)
					}
					return nil
				})
				o := b.repair(t, 1)["f1"]
				if final == nil {
					wantOutcome(t, o, event.Repaired, event.Delete)
				} else {
					wantOutcome(t, o, event.Repaired, event.Update)
				}
				b.wantEqual(t)
			})
		})
	}
}

// TestAnyInterleavingConverges runs two fixers, an application and a
// replicator in orders drawn at random, step by step, over a few keys that are
// inserted, changed and deleted all the time. Once the replicator has caught
// up, both sides must agree, whatever the order was.
func TestAnyInterleavingConverges(t *testing.T) {
	runs := 3000
	if testing.Short() {
		runs = 300
	}
	for seed := range runs {
		synctest.Test(t, func(t *testing.T) { newPlay(uint64(seed)).run(t) })
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}

const (
	playKeys     = 3
	playVersions = 9
)

// play is one such run.
type play struct {
	*bench
	random   *rand.Rand
	versions int
	log      []func() bool // what the replicator has still to do, in order

	mu     sync.Mutex
	parked []chan struct{}
	active int
}

func newPlay(seed uint64) *play {
	p := &play{bench: newBench(), random: rand.New(rand.NewPCG(seed, 1))}
	for id := range playKeys {
		if p.random.IntN(2) == 0 {
			p.authority.put(record(id, "v0", "1"))
		}
		if p.random.IntN(2) == 0 {
			p.copy.put(record(id, "junk", "1"))
		}
	}
	p.config.MaxRounds = 1 + p.random.IntN(3)
	p.config.BatchKeys = 1 + p.random.IntN(playKeys)
	p.hook(p.park)
	return p
}

// park holds a fixer until it is its turn.
func (p *play) park(context.Context, string, []row.Key) error {
	turn := make(chan struct{})
	p.mu.Lock()
	p.parked = append(p.parked, turn)
	p.mu.Unlock()
	<-turn
	return nil
}

func (p *play) run(t *testing.T) {
	p.active = 2
	for range 2 {
		r := p.repairer(t)
		go func() {
			findings := damagedFindings(playKeys)
			outcomes, err := r.Repair(context.Background(), findings)
			if err != nil || len(outcomes) != playKeys {
				t.Errorf("%d outcomes, %v", len(outcomes), err)
			}
			p.mu.Lock()
			p.active--
			p.mu.Unlock()
		}()
	}
	for p.turn() {
	}
	for len(p.log) > 0 {
		p.replicate()
	}
	p.wantEqual(t)
}

// turn lets one of the actors do one step; false when both fixers are done.
func (p *play) turn() bool {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.active == 0:
		return false
	case p.random.IntN(3) == 0 && p.versions < playVersions:
		p.write()
	case p.random.IntN(2) == 0 && len(p.log) > 0:
		p.replicate()
	case len(p.parked) == 0: // all wait for a timer
		p.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
		p.mu.Lock()
	default:
		i := p.random.IntN(len(p.parked))
		close(p.parked[i])
		p.parked = append(p.parked[:i], p.parked[i+1:]...)
	}
	return true
}

// write is the application's step: a new version of some row.
func (p *play) write() {
	p.versions++
	id := p.random.IntN(playKeys)
	var version row.Row
	if p.authority.get(id) == nil || p.random.IntN(2) == 0 {
		version = record(id, fmt.Sprint("v", p.versions), "1")
		p.authority.put(version)
	} else {
		p.authority.remove(id)
	}
	p.log = append(p.log, func() bool { return p.copy.replicate(id, version) })
}

// replicate is the replicator's step; it waits at a row that is held.
func (p *play) replicate() {
	if p.log[0]() {
		p.log = p.log[1:]
	}
}
