package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/services/assembly"
)

// news is a follower that learns something while it is awaited.
type news func() error

func (n news) Await(context.Context, time.Time) error { return n() }

func nothingNew() error { return nil }

// oneDelete are the breakers of a pair that allows one delete.
func oneDelete() *breakers {
	limit := "1"
	pairs := []assembly.Pair{{Name: "orders", Breaker: assembly.Breaker{Deletes: &limit}}}
	b := newBreakers(assembly.File{Pairs: pairs}, func(event.BreakerState) {}, zerolog.Nop())
	b.states, b.outcomes = news(nothingNew), news(nothingNew)
	return b
}

// deletes is a Fixer that deletes what its breaker admits.
type deletes struct {
	breaker *fix.Breaker
	gone    map[string]bool
}

func (d deletes) Repair(_ context.Context, findings []event.Finding) ([]event.Outcome, error) {
	var out []event.Outcome
	for _, f := range findings {
		o := event.Outcome{FindingID: f.ID, Pair: f.Pair, Run: f.Run, Key: f.Key, Result: event.Repaired, Action: event.Delete}
		if d.gone[f.ID] {
			o.Result, o.Action = event.Vanished, event.NoAction
		} else if reason := d.breaker.Admit(event.Delete); reason != "" {
			o.Result, o.Action, o.Class, o.Reason = event.Held, event.NoAction, fix.ClassBreaker, reason
		} else {
			d.breaker.Settle(event.Delete, true)
			d.gone[f.ID] = true
		}
		out = append(out, o)
	}
	return out, nil
}

func handlerOf(b *breakers, k *topics) *handler {
	h, _ := newHandler(k, map[string]fix.Fixer{"orders": deletes{b.pairs["orders"], map[string]bool{}}})
	h.breakers = b
	return h
}

func results(list []event.Outcome) (out []event.Result) {
	for _, o := range list {
		out = append(out, o.Result)
	}
	return out
}

func TestATripIsDurableBeforeWhatItHolds(t *testing.T) {
	b, k := oneDelete(), &topics{}
	batch := []kafka.Message{message("1", "orders", 1), message("2", "orders", 2)}
	h := handlerOf(b, k)
	if err := h.Handle(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if want := []string{"outcomes", "breaker", "outcomes"}; !slices.Equal(k.order, want) {
		t.Errorf("published %v, want %v", k.order, want)
	}
	if got := results(k.outcomes); !slices.Equal(got, []event.Result{event.Repaired, event.Held}) {
		t.Errorf("outcomes %v", got)
	}
	if err := h.Handle(t.Context(), batch); err != nil || len(k.breakers) != 1 {
		t.Errorf("%d trips published, %v", len(k.breakers), err)
	}
}

func TestNothingIsHeldByATripThatNobodyElseKnows(t *testing.T) {
	b, k := oneDelete(), &topics{refuse: "breaker"}
	batch := []kafka.Message{message("1", "orders", 1), message("2", "orders", 2)}
	if err := handlerOf(b, k).Handle(t.Context(), batch); !errors.Is(err, errAway) {
		t.Errorf("handled with %v", err)
	}
	if got := results(k.outcomes); !slices.Equal(got, []event.Result{event.Repaired}) {
		t.Errorf("outcomes %v", got)
	}
}

// TestAReleaseThatComesWhileRowsAreHeldHasThemRepaired: the release looks for
// held findings before these outcomes are published, and would not find them.
func TestAReleaseThatComesWhileRowsAreHeldHasThemRepaired(t *testing.T) {
	b, k := oneDelete(), &topics{}
	released := false
	b.states = news(func() error {
		if !released {
			released = true
			return b.learn(record(t, event.BreakerState{Pair: "orders", Number: 1, Released: time.Now()}))
		}
		return nil
	})
	batch := []kafka.Message{message("1", "orders", 1), message("2", "orders", 2)}
	if err := handlerOf(b, k).Handle(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if got := results(k.outcomes); !slices.Equal(got, []event.Result{event.Repaired, event.Vanished, event.Repaired}) {
		t.Errorf("outcomes %v", got)
	}
}

func record(t *testing.T, s event.BreakerState) event.Record {
	t.Helper()
	r, err := event.Encoder{ContentType: event.Protobuf}.BreakerState(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheRepairsOfOthersCount(t *testing.T) {
	b := oneDelete()
	r, err := event.Encoder{ContentType: event.Protobuf}.Outcome(event.Outcome{
		FindingID: "f", Pair: "orders", Key: message("1", "orders", 1).Finding.Key, Result: event.Repaired, Action: event.Delete, At: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []event.Record{{Value: []byte("garbage")}, r} {
		if err := b.count(r); err != nil {
			t.Fatal(err)
		}
	}
	if b.pairs["orders"].Admit(event.Delete) == "" {
		t.Error("a second delete is admitted")
	}
}

func TestATripOfAnotherHoldsHereAsWell(t *testing.T) {
	b := oneDelete()
	for _, r := range []event.Record{
		record(t, event.BreakerState{Pair: "unheard of", Tripped: true}),
		record(t, event.BreakerState{Pair: "orders", Tripped: true, Reason: "too many"}),
		{Key: record(t, event.BreakerState{Pair: "orders", Tripped: true}).Key},
		{Key: []byte("orders"), Value: []byte("a position")},
	} {
		if err := b.learn(r); err != nil {
			t.Fatal(err)
		}
	}
	if reason := b.pairs["orders"].Admit(event.Insert); reason != "too many" {
		t.Errorf("held for the reason %q", reason)
	}
	if err := b.learn(event.Record{Key: event.StateKey(event.StateBreaker, "x"), Value: []byte("garbage")}); err == nil {
		t.Error("a state that cannot be read was passed over")
	}
}

// TestNothingIsCountedWhereNothingIsLimited: a fixer that has no limits is ready
// although it does not read what the others did.
func TestNothingIsCountedWhereNothingIsLimited(t *testing.T) {
	unlimited, dozen := "off", "12"
	for deletes, reads := range map[string]bool{unlimited: false, dozen: true} {
		f := &fixer{
			service: assembly.NewService("fixer", io.Discard), breakers: &breakers{states: news(nothingNew)},
			file: assembly.File{
				Kafka: kafka.Config{Brokers: []string{"127.0.0.1:1"}},
				Pairs: []assembly.Pair{{Name: "orders", Breaker: assembly.Breaker{Share: &unlimited, Deletes: &deletes, PerMinute: &unlimited}}},
			},
		}
		var err error
		if f.publisher, err = kafka.NewPublisher(f.file.Kafka, zerolog.Nop(), kafka.Unobserved{}); err != nil {
			t.Fatal(err)
		}
		if err := f.followOutcomes(); err != nil || (f.breakers.outcomes != nil) != reads {
			t.Fatalf("deletes %s: reads outcomes %v, %v", deletes, f.breakers.outcomes != nil, err)
		}
		var want error
		if reads {
			want = errAway
			f.breakers.outcomes = news(func() error { return errAway })
		}
		if err := f.breakers.ready(t.Context()); !errors.Is(err, want) {
			t.Errorf("deletes %s: ready with %v, want %v", deletes, err, want)
		}
	}
}

// asked is a follower that notes how old the knowledge may be that it is asked for.
type asked []time.Duration

func (a *asked) Await(_ context.Context, moment time.Time) error {
	*a = append(*a, time.Since(moment))
	return nil
}

// TestNearALimitABatchBeginsWithEverythingCounted that others have told of: far from
// one with what they told of a moment ago.
func TestNearALimitABatchBeginsWithEverythingCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := assembly.File{Kafka: kafka.Config{Partitions: 5}, Fixer: assembly.Fixer{BatchKeys: 300}}
		near := nearLimit * 2 * 5 * 300
		limit, off := fmt.Sprint(near+3), "off"
		file.Pairs = []assembly.Pair{{Name: "orders", Breaker: assembly.Breaker{Deletes: &limit, Share: &off, PerMinute: &off}}, {Name: "items"}}
		b := newBreakers(file, func(event.BreakerState) {}, zerolog.Nop())
		var knows asked
		b.states, b.outcomes = news(nothingNew), &knows
		h := handlerOf(b, &topics{})
		for i := range int64(5) {
			id := fmt.Sprint(i)
			if err := h.Handle(t.Context(), []kafka.Message{message(id, "orders", i)}); err != nil {
				t.Fatal(err)
			}
		}
		if want := []time.Duration{staleCount, staleCount, staleCount, staleCount, 0}; !slices.Equal(knows, want) {
			t.Errorf("batches began with counts as old as %v, want %v", knows, want)
		}
		b.outcomes = news(func() error { return errAway })
		if err := h.Handle(t.Context(), []kafka.Message{message("6", "orders", 6)}); !errors.Is(err, errAway) {
			t.Errorf("repaired without knowing what others did: %v", err)
		}
	})
}
