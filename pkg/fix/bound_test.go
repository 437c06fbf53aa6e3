package fix_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
)

// An authority is silent for minutes, as while somebody alters the table there.
func TestRowsAreNotHeldAgainAndAgainForAnAuthorityThatIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.authority.put(record(1, "right", "1"))
		b.copy.put(record(1, "wrong", "1"))
		speaks := time.Now().Add(3 * time.Minute)
		var held time.Duration
		b.authority.at = atEach(func(ctx context.Context, step string) error {
			begun, holding := time.Now(), b.copy.locked() > 0
			defer func() {
				if holding {
					held += time.Since(begun)
				}
			}()
			if step != "lookup" || !begun.Before(speaks) {
				return nil
			}
			select {
			case <-time.After(time.Until(speaks)):
				return nil
			case <-ctx.Done():
				return &fix.Error{Fault: fix.Transient, Err: ctx.Err()}
			}
		})
		wantOutcome(t, b.repair(t, 1)["f1"], event.Repaired, event.Update)
		if held > time.Second {
			t.Errorf("rows were held for %v", held)
		}
		b.wantEqual(t)
	})
}

// An authority always takes some seconds, which is longer than it is given at first.
func TestAnAuthorityThatIsAlwaysSlowIsGivenTheTimeItTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.authority.put(record(1, "right", "1"))
		b.copy.put(record(1, "wrong", "1"))
		b.authority.at = atEach(func(ctx context.Context, step string) error {
			if step != "lookup" {
				return nil
			}
			select {
			case <-time.After(4 * time.Second):
				return nil
			case <-ctx.Done():
				return &fix.Error{Fault: fix.Transient, Err: ctx.Err()}
			}
		})
		wantOutcome(t, b.repair(t, 1)["f1"], event.Repaired, event.Update)
		b.wantEqual(t)
	})
}

// A table that is locked as a whole is met by a batch of one row as well.
func TestATableThatIsLockedIsWaitedForAndItsBatchesAreNotDivided(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		var ids []int
		for id := range 100 {
			b.authority.put(record(id, "right", "1"))
			b.copy.put(record(id, "wrong", "1"))
			ids = append(ids, id)
		}
		free, asked := time.Now().Add(10*time.Second), 0
		b.copy.at = atEach(func(_ context.Context, step string) error {
			if step != "begin" || !time.Now().Before(free) {
				return nil
			}
			asked++
			return &fix.Error{Fault: fix.Locked, Err: errors.New("the table is altered")}
		})
		for _, o := range b.repair(t, ids...) {
			wantOutcome(t, o, event.Repaired, event.Update)
		}
		if asked > 30 { // twice a second in the long run, after shorter waits
			t.Errorf("the table was asked %d times for its rows within ten seconds", asked)
		}
		b.wantEqual(t)
	})
}

func TestTheRowsOfATableThatIsLockedForLongArePutOffTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.config.PutOff = true
		var findings []event.Finding
		for id := range 100 {
			findings = append(findings, finding(id))
		}
		b.copy.at = atEach(func(_ context.Context, step string) error {
			if step == "begin" {
				return &fix.Error{Fault: fix.Locked, Err: errors.New("the table is altered")}
			}
			return nil
		})
		start := time.Now()
		outcomes, err := b.repairer(t).Repair(t.Context(), findings)
		later, waits := errors.AsType[*fix.Later](err)
		if !waits || len(later.Findings) != len(findings) || later.Findings[0].Outcome.Class != fix.ClassBusy || len(outcomes) != 0 {
			t.Fatalf("%d outcomes, %v", len(outcomes), err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("the others of the partition waited for %v", took)
		}
	})
}

// atEach is a hook of all steps.
func atEach(act func(ctx context.Context, step string) error) func(context.Context, string, []row.Key) error {
	return func(ctx context.Context, step string, _ []row.Key) error { return act(ctx, step) }
}
