package fix_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
)

func TestAFindingOfAnOlderEpochIsOnlyLookedAt(t *testing.T) {
	b := damaged(4)
	b.config.Epoch = 5
	b.copy.at = func(_ context.Context, step string, _ []row.Key) error {
		if step == "begin" {
			t.Error("rows were locked")
		}
		return nil
	}
	got := b.repair(t, 0, 1, 2, 3, 77)
	for _, id := range []string{"f0", "f1", "f2"} {
		wantOutcome(t, got[id], event.Held, event.NoAction)
		if got[id].Class != fix.ClassStaleEpoch || !strings.Contains(got[id].Reason, "stale epoch") {
			t.Errorf("%s: class %q, reason %q", id, got[id].Class, got[id].Reason)
		}
	}
	wantOutcome(t, got["f3"], event.AlreadyEqual, event.NoAction)
	wantOutcome(t, got["f77"], event.Vanished, event.NoAction)
	if b.copy.writes != 0 {
		t.Errorf("%d writes", b.copy.writes)
	}
}

func TestAFindingOfAnUnknownEpochIsHeldUntouched(t *testing.T) {
	b := damaged(4)
	b.config.Epoch = 0
	b.hook(func(_ context.Context, step string, _ []row.Key) error {
		t.Errorf("%s: a database was asked", step)
		return nil
	})
	for _, o := range b.repair(t, 0, 1, 2, 3) {
		wantOutcome(t, o, event.Held, event.NoAction)
		if o.Class != fix.ClassEpochUnknown {
			t.Errorf("class %q", o.Class)
		}
	}
}

func TestAStaleFindingFindsItsKeyRepairedByAFreshOne(t *testing.T) {
	b := damaged(2)
	stale, fresh := finding(1), finding(1)
	stale.ID, stale.Epoch = "stale", 0
	outcomes, err := b.repairer(t).Repair(t.Context(), []event.Finding{stale, fresh})
	if err != nil {
		t.Fatal(err)
	}
	got := byFinding(outcomes)
	wantOutcome(t, got["f1"], event.Repaired, event.Update)
	wantOutcome(t, got["stale"], event.AlreadyEqual, event.NoAction)
}

func TestAKeyThatIsNotThePairsIsDead(t *testing.T) {
	spoil := map[string]func(*event.Finding){
		"has 0 columns":  func(f *event.Finding) { f.Key = nil },
		"has 2 columns":  func(f *event.Finding) { f.Key = append(f.Key, f.Key[0]) },
		`is "order_id"`:  func(f *event.Finding) { f.Key[0].Column = "order_id" },
		"of type text":   func(f *event.Finding) { f.Key[0].Type.Kind = canonical.Text },
		"canonical text": func(f *event.Finding) { f.Key[0].Value = row.Value("abc") },
		"canonical":      func(f *event.Finding) { f.Key[0].Value = nil },
		"hold the":       func(f *event.Finding) { f.Key[0].Value = row.Value("007") },
		"does not hold":  func(f *event.Finding) { f.Key[0].Value = row.Value("") },
	}
	for reason, change := range spoil {
		b := damaged(8)
		f := finding(1)
		change(&f)
		outcomes, err := b.repairer(t).Repair(t.Context(), []event.Finding{f, finding(2)})
		if err != nil || len(outcomes) != 2 {
			t.Fatalf("%d outcomes, %v", len(outcomes), err)
		}
		got := byFinding(outcomes)
		wantOutcome(t, got["f1"], event.Dead, event.NoAction)
		if got["f1"].Class != fix.ClassBadKey || !strings.Contains(got["f1"].Reason, reason) {
			t.Errorf("class %q, reason %q, want … %s …", got["f1"].Class, got["f1"].Reason, reason)
		}
		wantOutcome(t, got["f2"], event.Repaired, event.Delete)
		if b.copy.writes != 1 {
			t.Errorf("%d writes", b.copy.writes)
		}
	}
}

func TestAFindingOfAnotherPairIsDead(t *testing.T) {
	b := damaged(4)
	f := finding(1)
	f.Pair = "customers"
	outcomes, err := b.repairer(t).Repair(t.Context(), []event.Finding{f})
	if err != nil || len(outcomes) != 1 || outcomes[0].Class != fix.ClassUnknownPair {
		t.Errorf("%v, %v", outcomes, err)
	}
}

func TestADryRunSaysWhatItWouldDoAndWritesNothing(t *testing.T) {
	b := damaged(4)
	b.config.DryRun = true
	var script []string
	b.config.Script = func(s string) { script = append(script, s) }
	b.copy.at = func(_ context.Context, step string, _ []row.Key) error {
		if step != "read" {
			t.Errorf("a dry run got to %q", step)
		}
		return nil
	}
	got := b.repair(t, 0, 0, 1, 2, 3)
	for id, want := range map[string]event.Action{"f0": event.Insert, "f1": event.Update, "f2": event.Delete} {
		wantOutcome(t, got[id], event.Repaired, want)
		if !got[id].DryRun {
			t.Errorf("%s is not marked as of a dry run", id)
		}
	}
	wantOutcome(t, got["f3"], event.AlreadyEqual, event.NoAction)
	if want := "[insert 0 [] update 1 [1] delete 2 []]"; fmt.Sprint(script) != want {
		t.Errorf("script %v, want %s", script, want)
	}
	if b.copy.writes != 0 {
		t.Errorf("%d writes", b.copy.writes)
	}
}

func TestWhatTheGateHoldsIsNotWritten(t *testing.T) {
	b := damaged(8)
	b.config.Gate = noDeletes{}
	got := b.repair(t, 0, 1, 2, 3, 4, 5, 6, 7)
	for _, id := range []string{"f2", "f6"} {
		wantOutcome(t, got[id], event.Held, event.NoAction)
		if got[id].Class != fix.ClassBreaker || got[id].Reason != "no deletes" {
			t.Errorf("class %q, reason %q", got[id].Class, got[id].Reason)
		}
	}
	wantOutcome(t, got["f1"], event.Repaired, event.Update)
	if b.copy.get(2) == nil {
		t.Error("row 2 was deleted past the gate")
	}
}

type noDeletes struct{}

func (noDeletes) Admit(a event.Action) string {
	if a == event.Delete {
		return "no deletes"
	}
	return ""
}

func (noDeletes) Settle(event.Action, bool) {}
