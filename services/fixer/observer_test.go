package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/kafka"
)

func TestAFindingOfAPairNobodyKnowsIsLogged(t *testing.T) {
	var k topics
	h, _ := newHandler(&k, nil)
	var log bytes.Buffer
	h.observer.log = zerolog.New(&log)
	if err := h.Handle(t.Context(), []kafka.Message{message("1", "nobody's", 1)}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), fix.ClassUnknownPair) {
		t.Errorf("the log says %q", log.String())
	}
}

func TestADatabaseThatIsAwayShowsInReadinessUntilItAnswers(t *testing.T) {
	var k topics
	h, readiness := newHandler(&k, nil)
	away := &fix.Error{Fault: fix.Transient, Err: errors.New("lock the copy's rows: connection refused")}

	h.observer.Waiting("orders", away, 100*time.Millisecond)
	if ready, all := readiness.Conditions(); !ready {
		t.Errorf("not ready after a moment's fault: %+v", all)
	}
	h.observer.Waiting("orders", away, 2*time.Second)
	ready, all := readiness.Conditions()
	if ready || len(all) != 1 || !strings.Contains(all[0].Name, "orders") || !strings.Contains(all[0].Detail, "connection refused") {
		t.Errorf("ready %v, conditions %+v", ready, all)
	}
	h.observer.Batch("items", 1, time.Millisecond)
	if ready, _ := readiness.Conditions(); ready {
		t.Error("another pair's repair made this one ready")
	}
	h.observer.Batch("orders", 1, time.Millisecond)
	if ready, all := readiness.Conditions(); !ready {
		t.Errorf("not ready although the pair is repaired again: %+v", all)
	}
}

// Rows that others hold keep nobody from repairing the rest.
func TestHeldRowsDoNotMakeTheFixerUnready(t *testing.T) {
	var k topics
	h, readiness := newHandler(&k, nil)
	for _, err := range []error{errors.New("rows are held"), &fix.Error{Fault: fix.Contention, Err: errors.New("deadlock")}} {
		h.observer.Waiting("orders", err, time.Minute)
		if ready, all := readiness.Conditions(); !ready {
			t.Errorf("%v: %+v", err, all)
		}
	}
}

// stopped waits for its database until the partition is let go.
type stopped struct {
	waiting func()
	stop    context.CancelFunc
}

func (s stopped) Repair(ctx context.Context, _ []event.Finding) ([]event.Outcome, error) {
	s.waiting()
	s.stop()
	return nil, ctx.Err()
}

func TestAPartitionLetGoNoLongerCountsAsWaiting(t *testing.T) {
	var k topics
	h, readiness := newHandler(&k, nil)
	ctx, stop := context.WithCancel(t.Context())
	h.pairs = map[string]fix.Fixer{"orders": stopped{stop: stop, waiting: func() {
		h.observer.Waiting("orders", &fix.Error{Fault: fix.Transient, Err: errors.New("away")}, time.Minute)
		if ready, _ := readiness.Conditions(); ready {
			t.Error("ready while the pair waits for its database")
		}
	}}}
	if err := h.Handle(ctx, []kafka.Message{message("1", "orders", 1)}); err == nil {
		t.Error("a batch that was let go counts as done")
	}
	if ready, all := readiness.Conditions(); !ready {
		t.Errorf("still waiting for a partition of another member: %+v", all)
	}
}
