package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// topic is a state topic in memory: what is published last counts.
type topic struct {
	mu      sync.Mutex
	records []event.PairState
	err     error
}

func (k *topic) PublishState(_ context.Context, s event.PairState) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err == nil {
		k.records = append(k.records, s)
	}
	return k.err
}

// known is what a reader of the topic sees.
func (k *topic) known() map[string]event.PairState {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := map[string]event.PairState{}
	for _, r := range k.records {
		if r.Generation >= out[r.Pair].Generation {
			out[r.Pair] = r
		}
	}
	return out
}

var orders = assembly.Pair{Name: "orders", Authority: "source", Epoch: 1}

func save(t *testing.T, s *states, mode validate.Mode, position string) {
	t.Helper()
	if err := s.Save(t.Context(), checkpointName("orders", mode), []byte(position)); err != nil {
		t.Fatal(err)
	}
}

func begin(t *testing.T, s *states, p assembly.Pair, mode validate.Mode, resume bool) string {
	t.Helper()
	id, err := s.begin(t.Context(), p, mode, resume)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func load(t *testing.T, s *states, mode validate.Mode) string {
	t.Helper()
	position, err := s.Load(t.Context(), checkpointName("orders", mode))
	if err != nil {
		t.Fatal(err)
	}
	return string(position)
}

func TestAnInterruptedRunIsFoundAndGoesOnUnderItsName(t *testing.T) {
	var k topic
	first := newStates(&k, nil)
	run := begin(t, first, orders, validate.Full, true)
	save(t, first, validate.Full, "half")

	second := newStates(&k, k.known())
	mode, interrupted := second.interrupted("orders")
	if !interrupted || mode != validate.Full {
		t.Fatalf("interrupted: %v, %v", mode, interrupted)
	}
	if again := begin(t, second, orders, mode, true); again != run {
		t.Errorf("the run is called %s, was %s", again, run)
	}
	if got := load(t, second, mode); got != "half" {
		t.Errorf("position %q", got)
	}
	save(t, second, mode, "")
	if _, interrupted := newStates(&k, k.known()).interrupted("orders"); interrupted {
		t.Error("a run that ended is taken for interrupted")
	}
}

func TestAProcessThatWasReplacedCannotOverwriteItsSuccessor(t *testing.T) {
	var k topic
	old := newStates(&k, nil)
	begin(t, old, orders, validate.Full, true)
	save(t, old, validate.Full, "a")
	successor := newStates(&k, k.known())
	begin(t, successor, orders, validate.Full, true)
	save(t, successor, validate.Full, "c")
	save(t, old, validate.Full, "b")
	if got := string(k.known()["orders"].Position); got != "c" {
		t.Errorf("position %q, want the successor's", got)
	}
}

func TestARunStartsAnewUnlessItMayAndCanResume(t *testing.T) {
	target := assembly.Pair{Name: "orders", Authority: "target", Epoch: 1}
	later := assembly.Pair{Name: "orders", Authority: "source", Epoch: 2}
	cases := map[string]struct {
		pair   assembly.Pair
		mode   validate.Mode
		resume bool
	}{
		"by schedule":         {orders, validate.Full, false},
		"in another mode":     {orders, validate.Reverse, true},
		"under another side":  {target, validate.Full, true},
		"under another epoch": {later, validate.Full, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var k topic
			s := newStates(&k, nil)
			run := begin(t, s, orders, validate.Full, true)
			save(t, s, validate.Full, "half")
			if begin(t, s, c.pair, c.mode, c.resume) == run {
				t.Error("the run resumes")
			}
			if got := load(t, s, c.mode); got != "" {
				t.Errorf("position %q", got)
			}
			save(t, s, c.mode, "x")
			last := k.records[len(k.records)-1]
			if last.Epoch != c.pair.Epoch || last.Authority != c.pair.Side() || last.Mode != c.mode.String() {
				t.Errorf("published %+v", last)
			}
		})
	}
}

func TestAPositionThatIsNotDurableIsNotKept(t *testing.T) {
	var k topic
	s := newStates(&k, nil)
	begin(t, s, orders, validate.Full, true)
	save(t, s, validate.Full, "a")
	k.err = errors.New("kafka is away")
	if err := s.Save(t.Context(), checkpointName("orders", validate.Full), []byte("b")); !errors.Is(err, k.err) {
		t.Errorf("got %v", err)
	}
	if got := load(t, s, validate.Full); got != "a" {
		t.Errorf("position %q", got)
	}
}

func TestPhasesTellWhetherARunIsUnderWay(t *testing.T) {
	var k topic
	s := newStates(&k, nil)
	begin(t, s, orders, validate.Full, true)
	save(t, s, validate.Full, "a")
	save(t, s, validate.Full, "")
	var phases []string
	for _, r := range k.records {
		phases = append(phases, r.Phase)
	}
	if !slices.Equal(phases, []string{event.PhaseRunning, event.PhaseComplete}) {
		t.Errorf("phases %v", phases)
	}
}

func TestAPositionWithoutARunIsRefused(t *testing.T) {
	s := newStates(&topic{}, nil)
	if _, err := s.Load(t.Context(), "full/orders"); err == nil {
		t.Error("Load: no error")
	}
	if err := s.Save(t.Context(), "full/orders", []byte("x")); err == nil {
		t.Error("Save: no error")
	}
}

func TestPairsWithSlashesKeepTheirOwnPositions(t *testing.T) {
	s := newStates(&topic{}, nil)
	pair := assembly.Pair{Name: "a/b", Authority: "source", Epoch: 1}
	begin(t, s, pair, validate.Reverse, true)
	if err := s.Save(t.Context(), checkpointName("a/b", validate.Reverse), []byte("x")); err != nil {
		t.Fatal(err)
	}
	if mode, ok := s.interrupted("a/b"); !ok || mode != validate.Reverse {
		t.Errorf("%v %v", mode, ok)
	}
}
