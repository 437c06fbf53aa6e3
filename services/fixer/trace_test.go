package main

import (
	"context"
	"testing"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/kafka"
)

// traced is a Fixer whose outcomes have trace contexts of their own.
type traced struct{ fix.Fixer }

func (f traced) Repair(ctx context.Context, findings []event.Finding) ([]event.Outcome, error) {
	for i := range findings {
		findings[i].TraceParent = "repair of " + findings[i].ID
	}
	outcomes, err := f.Fixer.Repair(ctx, findings)
	for i := range outcomes {
		outcomes[i].TraceParent = "repair of " + outcomes[i].FindingID
	}
	return outcomes, err
}

// TestWhatIsPutOffOrDeadContinuesTheTraceOfItsRepair, and not that of the message it
// came in: the next repair stands below the last.
func TestWhatIsPutOffOrDeadContinuesTheTraceOfItsRepair(t *testing.T) {
	var k topics
	h, _ := newHandler(&k, map[string]fix.Fixer{"orders": traced{repairer{result: event.Dead}}})
	if err := h.Handle(t.Context(), []kafka.Message{message("1", "orders", 1)}); err != nil {
		t.Fatal(err)
	}
	if len(k.dead) != 1 || k.dead[0].TraceParent != "repair of 1" || k.outcomes[0].TraceParent != "repair of 1" {
		t.Errorf("dead %+v, outcomes %+v", k.dead, k.outcomes)
	}
	put := later{publisher: &k, origins: &origins{}}
	if _, err := put.PutOff(t.Context(), []fix.Waiting{{Outcome: event.Outcome{TraceParent: "repair of 2"}}}); err != nil {
		t.Fatal(err)
	}
	if len(k.retries) != 1 || k.retries[0].TraceParent != "repair of 2" {
		t.Errorf("put off %+v", k.retries)
	}
}
