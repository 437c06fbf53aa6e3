package fix_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
)

// roundSteps is a Tracer that notes the steps of rounds as they end.
type roundSteps struct{ ended []string }

func (s *roundSteps) Step(_ context.Context, step string, of iter.Seq[string]) func(error) {
	return func(err error) {
		s.ended = append(s.ended, fmt.Sprintf("%s of %d, failed %t", step, len(slices.Collect(of)), err != nil))
	}
}

// TestRoundsAreTracedStepByStep: every step that began ends, also one that fails.
func TestRoundsAreTracedStepByStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.authority.put(record(1, "a", "1"))
		b.authority.put(record(2, "b", "2"))
		b.copy.put(record(2, "b", "2"))
		failed := false
		b.copy.at = func(_ context.Context, step string, _ []row.Key) error {
			if step == "commit" && !failed {
				failed = true
				return &fix.Error{Fault: fix.Transient, Err: errors.New("connection lost")}
			}
			return nil
		}
		followed := &roundSteps{}
		b.config.Tracer = followed
		wantOutcome(t, b.repair(t, 1, 2)["f1"], event.Repaired, event.Insert)
		want := []string{
			"lock of 2, failed false", "read authority of 2, failed false", "write of 1, failed false", "commit of 1, failed true",
			"lock of 1, failed false", "read authority of 1, failed false", "write of 1, failed false", "commit of 1, failed false",
			"read authority again of 1, failed false",
		}
		if !slices.Equal(followed.ended, want) {
			t.Errorf("steps\n%q, want\n%q", followed.ended, want)
		}
	})
}
