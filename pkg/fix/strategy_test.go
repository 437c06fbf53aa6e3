package fix_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
)

func TestAStrategySaysWhatAFindingAllows(t *testing.T) {
	insert, update, remove := "insert", "update", "delete"
	for _, c := range []struct {
		strategy fix.Strategy
		kind     event.Kind
		allowed  map[string]bool
	}{
		{fix.Unified, event.TargetMissing, map[string]bool{insert: true, update: true, remove: true}},
		{fix.Unified, event.KindUnknown, map[string]bool{insert: true, update: true, remove: true}},
		{fix.Merged, event.TargetMissing, map[string]bool{insert: true, update: true}},
		{fix.Merged, event.NotEqual, map[string]bool{insert: true, update: true}},
		{fix.Merged, event.BaseMissing, map[string]bool{remove: true}},
		{fix.PerKind, event.TargetMissing, map[string]bool{insert: true}},
		{fix.PerKind, event.NotEqual, map[string]bool{update: true}},
		{fix.PerKind, event.BaseMissing, map[string]bool{remove: true}},
	} {
		for action := range map[string]bool{insert: true, update: true, remove: true} {
			for _, dry := range []bool{false, true} {
				b := newBench()
				b.config.Strategy, b.config.DryRun = c.strategy, dry
				if action != remove {
					b.authority.put(record(1, "right", "1"))
				}
				if action != insert {
					b.copy.put(record(1, "wrong", "1"))
				}
				f := finding(1)
				f.Kind = c.kind
				outcomes, err := b.repairer(t).Repair(t.Context(), []event.Finding{f})
				if err != nil || len(outcomes) != 1 {
					t.Fatal(outcomes, err)
				}
				o := outcomes[0]
				what := fmt.Sprintf("%s, a finding %s, dry %v: %s", c.strategy, c.kind, dry, action)
				if c.allowed[action] != (o.Result == event.Repaired && o.Action.String() == action) {
					t.Errorf("%s: %s (%s)", what, o.Result, o.Action)
				}
				if !c.allowed[action] && (o.Result != event.Held || o.Class != fix.ClassOtherKind || b.copy.writes > 0) {
					t.Errorf("%s: %s, class %s, %d writes", what, o.Result, o.Class, b.copy.writes)
				}
			}
		}
	}
}

func TestWhatARepairBeganItEndsWhateverTheStrategy(t *testing.T) {
	b := newBench()
	b.config.Strategy = fix.PerKind
	b.authority.put(record(1, "v1", "1"))
	b.copy.at = once("committed", 1, func() error { // inserted, and deleted at the authority meanwhile
		b.authority.remove(1)
		return nil
	})
	f := finding(1)
	f.Kind = event.TargetMissing
	if _, err := b.repairer(t).Repair(t.Context(), []event.Finding{f}); err != nil {
		t.Fatal(err)
	}
	b.wantEqual(t)
}

func TestARowThatIsHeldForLongIsPutOffAndTheOthersAreRepaired(t *testing.T) {
	b := newBench()
	b.config.PutOff = true
	for id := range 3 {
		b.authority.put(record(id, "right", "1"))
		b.copy.put(record(id, "wrong", "1"))
	}
	defer b.copy.seize(1)()
	outcomes, err := b.repairer(t).Repair(t.Context(), []event.Finding{finding(0), finding(1), finding(2)})
	later, waits := errors.AsType[*fix.Later](err)
	if !waits || len(later.Findings) != 1 || later.Findings[0].Finding.ID != "f1" || later.Findings[0].Outcome.Class != fix.ClassBusy {
		t.Fatalf("%v", err)
	}
	if len(outcomes) != 2 || outcomes[0].Result != event.Repaired || outcomes[1].Result != event.Repaired {
		t.Errorf("%+v", outcomes)
	}
}

func TestARowWhoseParentIsMissingWaitsOrIsGivenUp(t *testing.T) {
	for _, putOff := range []bool{true, false} {
		b := newBench()
		b.config.PutOff = putOff
		b.authority.put(record(1, "child", "1"))
		b.copy.at = at("apply", func(int) error { return &fix.Error{Fault: fix.Reference, Reason: "no parent"} })
		outcomes, err := b.repairer(t).Repair(t.Context(), []event.Finding{finding(1)})
		later, waits := errors.AsType[*fix.Later](err)
		switch {
		case putOff && (!waits || later.Findings[0].Outcome.Class != fix.ClassReference || len(outcomes) != 0):
			t.Errorf("put off: %v, %v", outcomes, err)
		case !putOff && (err != nil || outcomes[0].Result != event.Dead || outcomes[0].Class != fix.ClassReference):
			t.Errorf("given up: %v, %v", outcomes, err)
		}
	}
}

// TestWhatIsWrittenIsToldThoughTheRowThenWaitsForAnother: a repair that nobody is
// told of cannot be undone.
func TestWhatIsWrittenIsToldThoughTheRowThenWaitsForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.config.PutOff = true
		b.authority.put(record(1, "child of a", "1"))
		b.copy.put(record(1, "orphan", "1"))
		reads := 0
		b.authority.at = at("lookup", func(int) error {
			if reads++; reads == 2 { // after the first commit
				b.authority.put(record(1, "child of b", "1"))
			}
			return nil
		})
		writes := 0
		b.copy.at = at("apply", func(int) error {
			if writes++; writes > 1 {
				return &fix.Error{Fault: fix.Reference, Reason: "no parent"}
			}
			return nil
		})
		outcomes, err := b.repairer(t).Repair(t.Context(), []event.Finding{finding(1)})
		if err != nil || len(outcomes) != 1 || len(outcomes[0].Writes) != 1 || string(b.copy.get(1)[colName]) != "child of a" {
			t.Errorf("%+v, %v", outcomes, err)
		}
	})
}

func TestABatchThatHoldsRowsForTooLongBecomesSmaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.config.LockBudget = 5 * time.Millisecond
		b.authority.at = at("lookup", func(n int) error { time.Sleep(time.Duration(n) * time.Millisecond); return nil })
		var ids []int
		for id := range 60 {
			b.authority.put(record(id, "right", "1"))
			b.copy.put(record(id, "wrong", "1"))
			ids = append(ids, id)
		}
		largest := 0
		b.copy.at = at("apply", func(n int) error { largest = max(largest, n); return nil })
		b.repair(t, ids...)
		b.wantEqual(t)
		if largest > 8 {
			t.Errorf("rows were held %d at once, each of which takes a fifth of the time that is allowed", largest)
		}
	})
}

// at calls act with the number of keys at each step of that name.
func at(step string, act func(keys int) error) func(context.Context, string, []row.Key) error {
	return func(_ context.Context, name string, keys []row.Key) error {
		if name == step {
			return act(len(keys))
		}
		return nil
	}
}
