package kafkatest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
)

// Exercise holds what this project needs of a broker. The configuration's
// topics must not exist yet.
func Exercise(t *testing.T, c kafka.Config) {
	admin, err := kafka.NewAdmin(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := admin.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "trueup topics create") {
		t.Errorf("missing topics: got %v, want an error that names the way out", err)
	}
	for range 2 { // creating again is harmless
		lines, err := admin.Create(t.Context())
		if err != nil || len(lines) != 6 {
			t.Fatalf("created %q, %v", lines, err)
		}
	}
	if err := admin.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Run("findings", func(t *testing.T) { exerciseFindings(t, c) })
	t.Run("state", func(t *testing.T) { exerciseState(t, c, admin) })
	t.Run("decisions", func(t *testing.T) { exerciseDecisions(t, c) })
}

func exerciseFindings(t *testing.T, c kafka.Config) {
	const n = 5000
	p := Publisher(t, c)
	if err := p.PublishFindings(t.Context(), Findings("orders", n)); err != nil {
		t.Fatal(err)
	}
	if ok, reason, _ := p.Healthy(); !ok {
		t.Errorf("unhealthy after publishing: %s", reason)
	}
	group := c.Topics().Findings + ".fixer"
	got := NewCollector()
	member, stop := Member(t, c, kafka.GroupConfig{Group: group}, got)
	got.Await(t, n)
	if ok, reason, _ := member.Healthy(); !ok {
		t.Errorf("the member is unhealthy while reading: %s", reason)
	}
	stop()
	if d := got.Doubled(); d != 0 {
		t.Errorf("%d findings came twice", d)
	}
	if lag := TotalLag(t, c, group); lag != 0 {
		t.Errorf("lag %d after the member left", lag)
	}
}

func exerciseState(t *testing.T, c kafka.Config, admin *kafka.Admin) {
	p := Publisher(t, c)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if states, _, err := admin.ReadState(t.Context()); err != nil || len(states) != 0 {
		t.Fatalf("an empty topic gave %v, %v", states, err)
	}
	for _, s := range []event.PairState{
		{Pair: "orders", Generation: 1, Authority: event.Source, Run: "a", At: at},
		{Pair: "orders", Generation: 2, Authority: event.Target, Run: "b", At: at},
		{Pair: "orders", Generation: 1, Authority: event.Source, Run: "stale", At: at},
		{Pair: "items", Generation: 1, Authority: event.Source, Run: "c", At: at},
	} {
		if err := p.PublishState(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	states, _, err := admin.ReadState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(states) != 2 || states["orders"].Run != "b" || states["items"].Run != "c" {
		t.Errorf("got %+v, want orders of generation 2 and items", states)
	}
}

func exerciseDecisions(t *testing.T, c kafka.Config) {
	var decisions event.Decisions // read when Await says that nothing is applied meanwhile
	f, err := kafka.FollowState(c, zerolog.New(zerolog.NewTestWriter(t)), func(r event.Record) error {
		_, err := decisions.Apply(r)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = f.Run(ctx) }() // it returns nil
	defer func() { cancel(); <-done }()
	d := event.Decision{Pair: "orders", Epoch: 7, Authority: event.Target, At: time.Now()}
	if err := Publisher(t, c).PublishDecision(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if err := f.Await(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if announced, err := decisions.Check(d); !announced || err != nil {
		t.Errorf("the decision is not there: %t, %v", announced, err)
	}
}
