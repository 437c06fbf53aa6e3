package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/row"
)

// shelf is topics of two partitions, what is published to them among it.
type shelf struct {
	topics     map[string][2][]event.Record
	findings   []event.Finding
	failsAfter int // so many findings, when positive
	released   time.Time
}

func (s *shelf) Partitions(string) ([]int32, error) { return []int32{0, 1}, nil }
func (s *shelf) Close() error                       { return nil }

func (s *shelf) Span(_ context.Context, topic string, p int32, _ time.Time) (from, to int64, err error) {
	return 0, int64(len(s.topics[topic][p])), nil
}

func (s *shelf) Read(_ context.Context, topic string, p int32, from, to int64, apply func(event.Record) error) error {
	for _, r := range s.topics[topic][p][from:to] {
		if err := apply(r); err != nil {
			return err
		}
	}
	return nil
}

func (s *shelf) add(t testing.TB, topic string, p int, r event.Record, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	records := s.topics[topic]
	records[p] = append(records[p], r)
	s.topics[topic] = records
}

var protobuf = event.Encoder{ContentType: event.Protobuf}

// shelved is what release works with, closed to the outside.
type shelved struct {
	*shelf
	t *testing.T
}

func (s shelved) PublishBreaker(_ context.Context, b event.BreakerState) error {
	r, err := protobuf.BreakerState(b)
	s.add(s.t, "trueup.state", 0, r, err)
	s.released = time.Now()
	return nil
}

func (s shelved) PublishFindings(_ context.Context, findings []event.Finding) error {
	if time.Since(s.released) < settleHeld {
		s.t.Error("findings were published before fixers can be sure to know of the release")
	}
	for _, f := range findings {
		if s.failsAfter > 0 && len(s.findings) == s.failsAfter {
			return errors.New("kafka is away")
		}
		s.findings = append(s.findings, f)
	}
	return nil
}

func (s shelved) Close(context.Context) error { return nil }

func outcome(id int, o event.Outcome) event.Outcome {
	o.FindingID, o.Pair, o.Attempts, o.At = fmt.Sprint("f", id), "orders", 1, time.Unix(int64(id), 0).UTC()
	o.Key = event.Key{{Column: "id", Type: canonical.Type{Kind: canonical.Int}, Value: row.Value(fmt.Sprint(id))}}
	return o
}

var (
	heldByBreaker = event.Outcome{Result: event.Held, Class: fix.ClassBreaker, Kind: event.NotEqual, Run: "r1", Epoch: 3}
	heldOtherwise = event.Outcome{Result: event.Held, Class: fix.ClassStaleEpoch, Kind: event.NotEqual, Run: "r1"}
	repaired      = event.Outcome{Result: event.Repaired, Action: event.Update, Kind: event.NotEqual, Run: "r1"}
)

// tripped is a shelf with a pair that has tripped, and some outcomes.
func tripped(t *testing.T) *shelf {
	s := &shelf{topics: map[string][2][]event.Record{}}
	r, err := protobuf.BreakerState(event.BreakerState{Pair: "orders", Tripped: true, Reason: "too many"})
	s.add(t, "trueup.state", 0, r, err)
	s.add(t, "trueup.state", 0, event.Record{Key: []byte("orders"), Value: []byte("a position")}, nil)
	tell := func(id int, list ...event.Outcome) {
		for _, o := range list {
			r, err := protobuf.Outcome(outcome(id, o))
			s.add(t, "trueup.outcomes", id%2, r, err)
		}
	}
	dry, later := repaired, heldByBreaker
	dry.DryRun, later.Run = true, "r2"
	tell(1, heldByBreaker)                          // held
	tell(2, repaired, heldByBreaker)                // held
	tell(3, heldByBreaker, repaired)                // repaired since
	tell(4, heldOtherwise)                          // by something else
	tell(5, heldByBreaker, heldByBreaker, dry)      // held, whatever a dry run says
	tell(6, heldByBreaker, later)                   // held, of another run
	tell(7, heldByBreaker, repaired, heldByBreaker) // held again
	s.add(t, "trueup.outcomes", 1, event.Record{Value: []byte("garbage")}, nil)
	another := outcome(8, heldByBreaker)
	another.Pair = "items"
	r, err = protobuf.Outcome(another)
	s.add(t, "trueup.outcomes", 0, r, err)
	return s
}

func (s *shelf) release(t *testing.T, o releaseOptions) (stdout string, err error) {
	t.Helper()
	o.since = releaseSince
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		r := &releaser{
			app: &app{stdout: &out}, options: o, scanner: s, publisher: shelved{s, t}, pairs: map[string]*int{"orders": new(int)},
			topics: kafka.Config{}.Topics(),
		}
		err = r.release(t.Context())
	})
	return out.String(), err
}

func (s *shelf) ids() (ids string) {
	for _, f := range s.findings {
		ids += " " + f.ID
	}
	return ids
}

func TestReleasePublishesTheFindingsWhoseLastOutcomeIsHeld(t *testing.T) {
	s := tripped(t)
	out, err := s.release(t, releaseOptions{})
	if err != nil || !strings.Contains(out, "orders: released") || !strings.Contains(out, "orders: 5 held findings published again") {
		t.Errorf("%v: %s", err, out)
	}
	if s.ids() != " f2 f6 f1 f5 f7" {
		t.Errorf("published%s", s.ids())
	}
	want := event.Finding{ID: "f2", Kind: event.NotEqual, Pair: "orders", Run: "r1", Epoch: 3}
	got := s.findings[0]
	got.Key = nil
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("published %+v, want %+v", got, want)
	}
	state, err := event.DecodeBreakerState(s.topics["trueup.state"][0][2])
	if err != nil || state.Tripped || state.Number != 1 || state.Released.IsZero() {
		t.Errorf("%v: the state is %+v", err, state)
	}
}

func TestReleaseOfOneRunLeavesTheOthers(t *testing.T) {
	s := tripped(t)
	if _, err := s.release(t, releaseOptions{run: "r2"}); err != nil || s.ids() != " f6" {
		t.Errorf("%v: published%s", err, s.ids())
	}
}

func TestADryReleaseChangesNothing(t *testing.T) {
	s := tripped(t)
	out, err := s.release(t, releaseOptions{dryRun: true})
	if err != nil || !strings.Contains(out, "would be released") || !strings.Contains(out, "too many") || !strings.Contains(out, "5 held findings would be") {
		t.Errorf("%v: %s", err, out)
	}
	if len(s.findings) > 0 || len(s.topics["trueup.state"][0]) != 2 {
		t.Errorf("published%s and %d states", s.ids(), len(s.topics["trueup.state"][0])-2)
	}
}

func TestAReleaseThatWasKilledHalfwayIsBroughtToItsEndByAnother(t *testing.T) {
	s := tripped(t)
	s.failsAfter = 2
	if out, err := s.release(t, releaseOptions{}); err == nil || !strings.Contains(err.Error(), "run release again") {
		t.Fatalf("%v: %s", err, out)
	}
	s.failsAfter, s.findings = 0, nil
	out, err := s.release(t, releaseOptions{})
	if err != nil || !strings.Contains(out, "has not tripped") || len(s.findings) != 5 {
		t.Errorf("%v: published%s\n%s", err, s.ids(), out)
	}
	if len(s.topics["trueup.state"][0]) != 3 {
		t.Error("it was released twice")
	}
}

func TestReleaseSaysWhatItWants(t *testing.T) {
	for args, want := range map[string]string{
		"release":                           "want the name of one pair",
		"release orders items":              "want the name of one pair",
		"release orders":                    "--config is missing",
		"release orders --since 0s":         "--since 0s",
		"release orders --config nowhere.y": "nowhere.y",
	} {
		if status, _, stderr := trueup(t, strings.Fields(args)...); status != statusTrouble || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, %s", args, status, stderr)
		}
	}
}
