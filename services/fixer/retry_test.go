package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/kafka"
)

// waiter has every finding wait for the same reason.
type waiter struct{ class string }

func (w waiter) Repair(_ context.Context, findings []event.Finding) ([]event.Outcome, error) {
	var later fix.Later
	for _, f := range findings {
		later.Findings = append(later.Findings, fix.Waiting{Finding: f, Outcome: event.Outcome{
			FindingID: f.ID, Pair: f.Pair, Run: f.Run, Key: f.Key, Result: event.Dead, Class: w.class, Reason: "not yet", Attempts: 3,
		}})
	}
	return nil, &later
}

func TestAFindingThatHasToWaitIsPutOffAndNeitherLostNorDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k topics
		h, readiness := newHandler(&k, map[string]fix.Fixer{"orders": waiter{fix.ClassBusy}, "items": repairer{result: event.Repaired}})
		h.delay, h.patience = 5*time.Second, time.Minute
		if err := h.Handle(t.Context(), []kafka.Message{message("1", "orders", 1), message("2", "items", 2)}); err != nil {
			t.Fatal(err)
		}
		if len(k.retries) != 1 || len(k.dead) != 0 || len(k.outcomes) != 1 || k.retries[0].Message.Offset != 1 {
			t.Fatalf("put off %v, dead %v, outcomes %v", k.retries, k.dead, k.outcomes)
		}
		if r := k.retries[0]; !r.NotBefore.Equal(time.Now().Add(5*time.Second)) || r.Class != fix.ClassBusy || r.Attempts != 3 {
			t.Errorf("%+v", r)
		}
		if ready, _ := readiness.Conditions(); !ready {
			t.Error("a row that waits makes the service not ready")
		}
	})
}

func TestABatchIsNotDoneBeforeWhatIsPutOffIsDurable(t *testing.T) {
	k := topics{refuse: "retry"}
	h, _ := newHandler(&k, map[string]fix.Fixer{"orders": waiter{fix.ClassBusy}})
	if err := h.Handle(t.Context(), []kafka.Message{message("1", "orders", 1)}); !errors.Is(err, errAway) {
		t.Errorf("got %v", err)
	}
}

func TestARowThatRefersToAnotherIsGivenUpAfterAWhileAndALockedOneIsNot(t *testing.T) {
	for class, given := range map[string]bool{fix.ClassReference: true, fix.ClassBusy: false} {
		var k topics
		h, _ := newHandler(&k, map[string]fix.Fixer{"orders": waiter{class}})
		h.patience = time.Minute
		m := message("1", "orders", 1)
		m.Record.Headers = map[string]string{
			kafka.HeaderWaitingSince: time.Now().Add(-2 * time.Minute).Format(time.RFC3339Nano), kafka.HeaderAttempts: "40",
		}
		if err := h.Handle(t.Context(), []kafka.Message{m}); err != nil {
			t.Fatal(err)
		}
		if dead := len(k.dead) == 1 && len(k.outcomes) == 1; dead != given || len(k.retries) == 1 == given {
			t.Errorf("%s: dead %v, put off %v", class, k.dead, k.retries)
		}
		if given && (k.dead[0].Attempts != 43 || k.outcomes[0].Result != event.Dead || k.outcomes[0].Class != class) {
			t.Errorf("%+v %+v", k.dead[0], k.outcomes[0])
		}
	}
}

// arrivals notes when messages are handed over.
type arrivals struct {
	start time.Time
	at    map[int64]time.Duration
}

func (a *arrivals) Handle(_ context.Context, batch []kafka.Message) error {
	for _, m := range batch {
		a.at[m.Offset] = time.Since(a.start)
	}
	return nil
}

func TestMessagesAreHandedOverWhenTheirTimeHasComeAndNotBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &arrivals{start: time.Now(), at: map[int64]time.Duration{}}
		var batch []kafka.Message
		wants := []time.Duration{0, 3 * time.Second, time.Second, 3 * time.Second}
		for i, want := range wants {
			m := message("1", "orders", int64(i))
			m.Record.Headers = map[string]string{kafka.HeaderNotBefore: a.start.Add(want).Format(time.RFC3339Nano)}
			batch = append(batch, m)
		}
		if err := (due{a, 5 * time.Second}).Handle(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		for i, want := range wants {
			if a.at[int64(i)] != want {
				t.Errorf("message %d came after %v, want %v", i, a.at[int64(i)], want)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		batch[0].Record.Headers[kafka.HeaderNotBefore] = time.Now().Add(time.Hour).Format(time.RFC3339Nano)
		if err := (due{a, 5 * time.Second}).Handle(ctx, batch[:1]); err == nil {
			t.Error("a message that was not handed over counts as done")
		}
	})
}

// TestAWaitIsNoLongerThanTheDelayWhateverTheClockOfWhoPutOff: one that is ahead by
// a day would hold up its partition for a day.
func TestAWaitIsNoLongerThanTheDelayWhateverTheClockOfWhoPutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &arrivals{start: time.Now(), at: map[int64]time.Duration{}}
		m := message("1", "orders", 1)
		m.Record.Headers = map[string]string{kafka.HeaderNotBefore: a.start.Add(24 * time.Hour).Format(time.RFC3339Nano)}
		if err := (due{a, 5 * time.Second}).Handle(t.Context(), []kafka.Message{m}); err != nil || a.at[1] != 5*time.Second {
			t.Errorf("it came after %v, %v", a.at[1], err)
		}
	})
}
