package event

import (
	"errors"
	"strings"
	"testing"
)

var encoder = Encoder{ContentType: Protobuf}

func decided(t *testing.T, list ...Decision) *Decisions {
	t.Helper()
	var d Decisions
	for _, one := range list {
		r, err := encoder.Decision(one)
		if err != nil {
			t.Fatal(err)
		}
		if pair, err := d.Apply(r); err != nil || pair != one.Pair {
			t.Fatalf("pair %q, %v", pair, err)
		}
	}
	return &d
}

func TestTheNewestDecisionCountsInWhateverOrderTheyAreTold(t *testing.T) {
	first, second := Decision{Pair: "p", Epoch: 1, Authority: Source}, Decision{Pair: "p", Epoch: 2, Authority: Target}
	for _, d := range []*Decisions{decided(t, first, second), decided(t, second, first), decided(t, second, first, second, first)} {
		if announced, err := d.Check(second); !announced || err != nil {
			t.Errorf("the present decision: %t, %v", announced, err)
		}
		if announced, err := d.Check(Decision{Pair: "p", Epoch: 3, Authority: Source}); announced || err != nil {
			t.Errorf("a new decision: %t, %v", announced, err)
		}
		_, err := d.Check(first)
		e, ok := errors.AsType[*SupersededError](err)
		if !ok || e.Present.Epoch != 2 || e.Present.Authority != Target || !strings.Contains(err.Error(), "epoch 2") {
			t.Errorf("a decision that has passed: %v", err)
		}
	}
	if announced, err := new(Decisions).Check(first); announced || err != nil {
		t.Errorf("the first of all: %t, %v", announced, err)
	}
}

func TestAnEpochWithTwoAuthoritiesServesNobody(t *testing.T) {
	source, target := Decision{Pair: "p", Epoch: 2, Authority: Source}, Decision{Pair: "p", Epoch: 2, Authority: Target}
	if _, err := decided(t, source).Check(target); err == nil {
		t.Error("a contradiction is no error")
	}
	d := decided(t, source, target)
	for _, mine := range []Decision{source, target} {
		_, err := d.Check(mine)
		if _, ok := errors.AsType[*DisputedError](err); !ok || !strings.Contains(err.Error(), "epoch 3") {
			t.Errorf("the %s: %v", mine.Authority, err)
		}
	}
	next := Decision{Pair: "p", Epoch: 3, Authority: Target}
	if announced, err := decided(t, source, target, next).Check(next); !announced || err != nil {
		t.Errorf("the next epoch does not settle it: %t, %v", announced, err)
	}
}

func TestDecisionsPassOverOtherRecordsAndNotOverBadOnes(t *testing.T) {
	var d Decisions
	for _, r := range []Record{
		{Key: StateKey(StatePosition, "p"), Value: []byte("?")},
		{Key: StateKey(StateBreaker, "p"), Value: []byte("?")},
		{Key: StateKey(StateEpoch, "1/source/p")},
	} {
		if pair, err := d.Apply(r); pair != "" || err != nil {
			t.Errorf("%s: %q, %v", r.Key, pair, err)
		}
	}
	if _, err := d.Apply(Record{Key: StateKey(StateEpoch, "1/source/p"), Value: []byte("?")}); err == nil {
		t.Error("a decision that cannot be read was passed over")
	}
}
