package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/telemetry"
	"github.com/trueup/trueup/services/assembly"
)

// topics notes what is published, in order.
type topics struct {
	order    []string
	outcomes []event.Outcome
	dead     []kafka.Dead
	retries  []kafka.Retry
	breakers []event.BreakerState
	refuse   string // "outcomes", "dead" or "retry" cannot be published
}

var errAway = errors.New("kafka is away")

func (k *topics) PublishOutcomes(_ context.Context, list []event.Outcome) error {
	if k.refuse == "outcomes" {
		return errAway
	}
	k.order = append(k.order, "outcomes")
	k.outcomes = append(k.outcomes, list...)
	return nil
}

func (k *topics) PublishDead(_ context.Context, list []kafka.Dead) error {
	if k.refuse == "dead" {
		return errAway
	}
	k.order = append(k.order, "dead")
	k.dead = append(k.dead, list...)
	return nil
}

func (k *topics) PublishRetry(_ context.Context, list []kafka.Retry) error {
	if k.refuse == "retry" {
		return errAway
	}
	if len(list) > 0 {
		k.order = append(k.order, "retry")
	}
	k.retries = append(k.retries, list...)
	return nil
}

func (k *topics) PublishBreaker(_ context.Context, s event.BreakerState) error {
	if k.refuse == "breaker" {
		return errAway
	}
	k.order = append(k.order, "breaker")
	k.breakers = append(k.breakers, s)
	return nil
}

// repairer settles everything with one result.
type repairer struct {
	result event.Result
	err    error
}

func (r repairer) Repair(_ context.Context, findings []event.Finding) ([]event.Outcome, error) {
	var out []event.Outcome
	for _, f := range findings {
		out = append(out, event.Outcome{FindingID: f.ID, Pair: f.Pair, Run: f.Run, Key: f.Key, Result: r.result, Class: "refused", Reason: "a constraint", Attempts: 5})
	}
	return out, r.err
}

func message(id, pair string, offset int64) kafka.Message {
	return kafka.Message{
		Finding: event.Finding{ID: id, Pair: pair, Key: event.Key{{Column: "id", Type: canonical.Type{Kind: canonical.Int}, Value: row.Value(id)}}},
		Topic:   "t.findings", Partition: 3, Offset: offset,
	}
}

func newHandler(k *topics, pairs map[string]fix.Fixer) (*handler, *telemetry.Readiness) {
	readiness := telemetry.NewReadiness()
	observer := observer{log: zerolog.Nop(), readiness: readiness, metrics: telemetry.NewFixer(telemetry.NewMetrics("fixer", "test", ""))}
	return &handler{
		pairs: pairs, publisher: k, breakers: newBreakers(assembly.File{}, nil, zerolog.Nop()), observer: observer,
		stripes: func() int { return 1 },
	}, readiness
}

func TestEveryMessageHasAnOutcomeOrIsDead(t *testing.T) {
	var k topics
	h, _ := newHandler(&k, map[string]fix.Fixer{"orders": repairer{result: event.Repaired}, "items": repairer{result: event.Dead}})
	garbage := kafka.Message{DecodeErr: errors.New("no protobuf"), Offset: 3, Record: event.Record{Value: []byte("??")}}
	batch := []kafka.Message{message("1", "orders", 1), message("2", "items", 2), garbage, message("4", "nobody's", 4)}
	if err := h.Handle(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	results := map[string]event.Result{}
	for _, o := range k.outcomes {
		results[o.FindingID] = o.Result
	}
	if len(k.outcomes) != 3 || results["1"] != event.Repaired || results["2"] != event.Dead || results["4"] != event.Dead {
		t.Errorf("outcomes %v", results)
	}
	classes := map[int64]string{}
	for _, d := range k.dead {
		classes[d.Message.Offset] = d.Class
	}
	if len(classes) != 3 || classes[2] != "refused" || classes[3] != classUndecodable || classes[4] != fix.ClassUnknownPair {
		t.Errorf("dead %v", classes)
	}
	if k.order[len(k.order)-1] != "outcomes" {
		t.Errorf("published %v: outcomes must not point to dead letters that are not there yet", k.order)
	}
}

func TestABatchIsNotDoneWhileSomethingIsNotDurable(t *testing.T) {
	for _, refuse := range []string{"outcomes", "dead"} {
		k := topics{refuse: refuse}
		h, _ := newHandler(&k, map[string]fix.Fixer{"orders": repairer{result: event.Dead}})
		if err := h.Handle(t.Context(), []kafka.Message{message("1", "orders", 1)}); !errors.Is(err, errAway) {
			t.Errorf("without %s: %v", refuse, err)
		}
	}
	k := topics{refuse: "dead"}
	h, _ := newHandler(&k, nil)
	if err := h.Handle(t.Context(), []kafka.Message{{DecodeErr: errors.New("garbage")}}); !errors.Is(err, errAway) {
		t.Errorf("garbage was dropped: %v", err)
	}
}

func TestARepairThatCannotBeMadeShowsInReadinessUntilItCan(t *testing.T) {
	var k topics
	denied := errors.New("INSERT command denied; grant the user INSERT")
	h, readiness := newHandler(&k, map[string]fix.Fixer{"orders": repairer{result: event.Repaired, err: denied}})
	if err := h.Handle(t.Context(), []kafka.Message{message("1", "orders", 1)}); !errors.Is(err, denied) {
		t.Errorf("got %v", err)
	}
	if ready, all := readiness.Conditions(); ready || all[0].Name != repairs || all[0].Detail != denied.Error() {
		t.Errorf("%v %+v", ready, all)
	}
	h.pairs = map[string]fix.Fixer{"orders": repairer{result: event.Repaired}}
	if err := h.Handle(t.Context(), []kafka.Message{message("1", "orders", 1)}); err != nil {
		t.Fatal(err)
	}
	if ready, _ := readiness.Conditions(); !ready {
		t.Error("not ready although repairs are made")
	}
}

func TestAStopIsNoFault(t *testing.T) {
	var k topics
	h, readiness := newHandler(&k, map[string]fix.Fixer{"orders": repairer{err: context.Canceled}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Handle(ctx, []kafka.Message{message("1", "orders", 1)}); err == nil {
		t.Error("no error")
	}
	if ready, all := readiness.Conditions(); !ready {
		t.Errorf("%+v", all)
	}
}

func TestFindingsThatShareAnIDAreBuriedAsTheMessagesTheyCameIn(t *testing.T) {
	var k topics
	h, _ := newHandler(&k, map[string]fix.Fixer{"orders": repairer{result: event.Dead}})
	one, other := message("1", "orders", 1), message("2", "orders", 2)
	one.Finding.ID, other.Finding.ID = "same", "same"
	if err := h.Handle(t.Context(), []kafka.Message{one, other}); err != nil {
		t.Fatal(err)
	}
	var offsets []int64
	for _, d := range k.dead {
		offsets = append(offsets, d.Message.Offset)
	}
	slices.Sort(offsets)
	if !slices.Equal(offsets, []int64{1, 2}) {
		t.Errorf("buried the messages at %v", offsets)
	}
}

// crowd is a Fixer whose calls wait for each other: it hangs when they come one
// after the other.
type crowd struct{ all sync.WaitGroup }

func (c *crowd) Repair(_ context.Context, findings []event.Finding) ([]event.Outcome, error) {
	c.all.Done() // panics when there are more calls than were expected
	c.all.Wait()
	return repairer{result: event.Repaired}.Repair(context.Background(), findings)
}

func TestABatchIsSpreadOverAsManyTransactionsAsItMayHave(t *testing.T) {
	var k topics
	together := &crowd{}
	together.all.Add(3)
	h, _ := newHandler(&k, map[string]fix.Fixer{"orders": together})
	h.stripes = func() int { return 3 }
	var batch []kafka.Message
	for i := range 100 {
		batch = append(batch, message(strconv.Itoa(i), "orders", int64(i)))
	}
	if err := h.Handle(t.Context(), batch); err != nil || len(k.outcomes) != 100 {
		t.Errorf("%d outcomes, %v", len(k.outcomes), err)
	}
}

func TestPartitionsShareTheBudgetOfTheCopy(t *testing.T) {
	file := assembly.File{
		Governor: assembly.Governor{Source: assembly.Budget{Concurrency: 4}, Target: assembly.Budget{Concurrency: 12}},
		Pairs:    []assembly.Pair{{Authority: "source"}},
	}
	for partitions, want := range map[int]int{0: 12, 1: 12, 5: 2, 12: 1, 40: 1} {
		if got := (&fixer{file: file}).stripes(partitions); got != want {
			t.Errorf("%d partitions: %d stripes, want %d", partitions, got, want)
		}
	}
	file.Pairs[0].Authority = "target"
	if got := (&fixer{file: file}).stripes(1); got != 4 {
		t.Errorf("%d stripes for a copy at the source, want 4", got)
	}
}
