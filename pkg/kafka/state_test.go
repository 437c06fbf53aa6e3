package kafka

import (
	"testing"

	"github.com/trueup/trueup/pkg/event"
)

func TestAReplacedWriterDoesNotOverwriteItsSuccessor(t *testing.T) {
	encoder := Config{}.WithDefaults().encoder()
	apply := func(s states, generation uint64, run string) {
		t.Helper()
		r, err := encoder.PairState(event.PairState{Pair: "p", Generation: generation, Authority: event.Source, Run: run})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.apply(r); err != nil {
			t.Fatal(err)
		}
	}
	s := states{}
	apply(s, 1, "old")
	apply(s, 2, "new")
	apply(s, 2, "newer")
	apply(s, 1, "stale")
	if s["p"].Run != "newer" {
		t.Errorf("got %+v", s["p"])
	}
	if err := s.apply(event.Record{Key: []byte("p")}); err != nil || len(s) != 0 {
		t.Errorf("a record without a value left %v, %v", s, err)
	}
	if err := s.apply(event.Record{Key: []byte("p"), Value: []byte("garbage")}); err == nil {
		t.Error("garbage was passed over")
	}
}

func TestHealthShowsTheOldestTroubleUntilAllIsWell(t *testing.T) {
	var told []bool
	h := newHealth("not tried", func(ok bool) { told = append(told, ok) })
	if ok, reason, _ := h.now(); ok || reason != "not tried" {
		t.Errorf("at first %t %q", ok, reason)
	}
	h.fail("a", "first")
	h.fail("b", "second")
	h.fail("a", "first again")
	if ok, reason, _ := h.now(); ok || reason != "first again" {
		t.Errorf("got %t %q", ok, reason)
	}
	h.heal("a")
	if ok, reason, _ := h.now(); ok || reason != "second" {
		t.Errorf("got %t %q", ok, reason)
	}
	h.heal("b")
	h.heal("b")
	h.fail("c", "third")
	if len(told) != 2 || !told[0] || told[1] {
		t.Errorf("told %v", told)
	}
}
