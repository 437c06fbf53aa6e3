package main

import (
	"context"
	"errors"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

func TestWhoeverTakesOverOutranksARecordThatIsStillToCome(t *testing.T) {
	var k topic
	follows := orders
	follows.Schedule.Incremental = "@every 1s"
	claimed := func() *states {
		s := newStates(&k, k.known())
		if err := s.claim(t.Context(), follows); err != nil {
			t.Fatal(err)
		}
		return s
	}
	old := claimed() // which has written nothing else when it is cut off
	successor := claimed()
	for _, s := range []*states{successor, old} {
		begin(t, s, orders, validate.Full, true)
		save(t, s, validate.Full, map[bool]string{true: "the old one's", false: "the successor's"}[s == old])
		p := s.progressOf(follows, validate.Incremental)
		if err := p.Save(t.Context(), []byte(map[bool]string{true: "the old one's", false: "the successor's"}[s == old]), time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
	}
	for key, state := range k.known() {
		if string(state.Position) != "the successor's" {
			t.Errorf("%s: position %q", key, state.Position)
		}
	}
	if got := k.known(); len(got) != 2 {
		t.Errorf("keys %v", got)
	}
}

func TestARunOfOnceLeavesTheServicesRecordAlone(t *testing.T) {
	var k topic
	service := newStates(&k, nil)
	begin(t, service, orders, validate.Full, true)
	save(t, service, validate.Full, "half")

	once := onceStates(&k, k.known())
	begin(t, once, orders, validate.Full, true)
	if got := load(t, once, validate.Full); got != "" {
		t.Errorf("it goes on with the service's run, at %q", got)
	}
	save(t, once, validate.Full, "a bit")
	pause := event.Order{Who: "ann", At: time.Unix(5, 0)}
	if err := service.order(t.Context(), orders, func(s *event.PairState) error { s.Pause = pause; return nil }); err != nil {
		t.Fatal(err)
	}
	save(t, once, validate.Full, "more")

	known := k.known()
	if got := known["orders"]; string(got.Position) != "half" || got.Pause != pause {
		t.Errorf("the service's record: %+v", got)
	}
	// The next one goes on with what the last one left, and keeps to the pause.
	again := onceStates(&k, known)
	begin(t, again, orders, validate.Full, true)
	if got := load(t, again, validate.Full); got != "more" || again.of("orders").Pause != pause {
		t.Errorf("position %q, %+v", got, again.of("orders").Pause)
	}
	if mode, interrupted := newStates(&k, known).interrupted("orders"); !interrupted || mode != validate.Full {
		t.Error("the service's run is forgotten")
	}
}

func TestAPauseOfARunOfOnceEndsWithIt(t *testing.T) {
	var k topic
	once := onceStates(&k, nil)
	err := once.order(t.Context(), orders, func(s *event.PairState) error {
		s.Pause, s.Pending = event.Order{Who: "ann", At: time.Unix(5, 0)}, []string{"full"}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := once.of("orders").Pause; got.Who != "ann" {
		t.Errorf("it does not rest: %+v", got)
	}
	if next := onceStates(&k, k.known()).of("orders"); next.Pause != (event.Order{}) || len(next.Pending) != 0 {
		t.Errorf("the next one is begun with %+v", next)
	}
}

// readToItsEnd is a topic that was read to its end.
type readToItsEnd struct{}

func (readToItsEnd) Await(context.Context, time.Time) error { return nil }

func TestARecordOfAValidatorThatWasReplacedIsNotLeftTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var k topic
		old := newStates(&k, nil)
		begin(t, old, orders, validate.Full, true)
		save(t, old, validate.Full, "a")
		mine := newStates(&k, k.known())
		begin(t, mine, orders, validate.Full, true)
		save(t, mine, validate.Full, "c")
		f := newFence([]assembly.Pair{orders}, zerolog.Nop())
		f.state = readToItsEnd{}
		go f.hold(ctx, mine)
		synctest.Wait()
		tell := func(s event.PairState) {
			t.Helper()
			r, err := event.Encoder{ContentType: event.Protobuf}.PairState(s)
			if err == nil {
				err = f.learn(r)
			}
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		tell(k.records[1]) // its own
		if len(k.records) != 2 {
			t.Fatalf("%d records", len(k.records))
		}
		save(t, old, validate.Full, "b")
		tell(k.records[2])
		if len(k.records) != 4 || string(k.records[3].Position) != "c" || k.records[3].Generation != 2 {
			t.Errorf("records %+v", k.records)
		}
		cancel()
		synctest.Wait()
		tell(k.records[2])
		if len(k.records) != 4 {
			t.Error("a process that does not lead writes")
		}
	})
}

func TestNothingIsPublishedByAProcessThatDoesNotLead(t *testing.T) {
	var k led
	var published topic
	lost := errors.New("another leads")
	k = led{publisher: struct {
		statePublisher
		findingPublisher
	}{&published, noFindings{t}}, leads: func() error { return lost }}
	if err := k.Publish(t.Context(), make([]event.Finding, 1)); !errors.Is(err, lost) {
		t.Errorf("findings: %v", err)
	}
	if err := newStates(k, nil).claim(t.Context(), orders); !errors.Is(err, lost) || len(published.records) != 0 {
		t.Errorf("states: %v, %v", err, published.records)
	}
}

type (
	findingPublisher interface {
		PublishFindings(ctx context.Context, found []event.Finding) error
	}
	noFindings struct{ t *testing.T }
)

func (n noFindings) PublishFindings(context.Context, []event.Finding) error {
	n.t.Error("findings were published")
	return nil
}

func TestWhatAReplacedValidatorSaysOfChangesTakesNothingBack(t *testing.T) {
	k := &verdictTopic{}
	s := standingsOf(k, zerolog.Nop())
	at := time.Now().Add(-time.Minute)
	say := func(generation uint64, until, said time.Time) {
		t.Helper()
		r, err := event.Encoder{ContentType: event.Protobuf}.PairState(event.PairState{
			Pair: assembly.IncrementalState + "orders", Generation: generation, Authority: event.Source, Watermark: until, At: said,
		})
		if err == nil {
			err = s.learn(r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	say(7, at, at)
	say(8, time.Time{}, at.Add(time.Second)) // has taken over
	say(8, at.Add(10*time.Second), at.Add(11*time.Second))
	say(7, at.Add(2*time.Second), at.Add(20*time.Second)) // was frozen
	until := map[string]time.Time{}
	for _, p := range s.board.Snapshot(time.Now(), time.Time{}) {
		for _, w := range p.Verified {
			until[p.Pair] = w.Until.Truncate(time.Microsecond)
		}
	}
	if want := map[string]time.Time{"orders": at.Add(10 * time.Second).Truncate(time.Microsecond)}; !maps.EqualFunc(until, want, time.Time.Equal) {
		t.Errorf("verified until %v, want %v", until, want)
	}
}
