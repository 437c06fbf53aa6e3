package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/kafka"
)

func circleOf(t *testing.T, c kafka.Config) *kafka.Circle {
	t.Helper()
	circle, err := kafka.NewCircle(c, kafka.CircleConfig{
		Group: c.Prefix + ".governor", Protocol: "test", SessionTimeout: governor.SessionTimeout, RoundTimeout: governor.RoundTimeout,
	})
	if err != nil {
		t.Fatal(err)
	}
	return circle
}

// partner is a process with a governor that shares a budget of six statements.
type partner struct {
	governor *governor.Governor
	gate     *gate
	stop     func()
}

func newPartner(t *testing.T, c kafka.Config) *partner {
	t.Helper()
	p := &partner{gate: &gate{}}
	var err error
	if p.governor, err = governor.New(governor.Config{Name: "source reads", Use: governor.Reads, Most: 6, Fixed: true}); err != nil {
		t.Fatal(err)
	}
	sharing := governor.NewSharing(circleOf(t, c.WithDialer(p.gate)), "", map[string][]*governor.Governor{"source": {p.governor}})
	if err := p.governor.Start(nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = sharing.Run(ctx) }() // it returns nil
	p.stop = func() { cancel(); <-done }
	t.Cleanup(p.stop)
	return p
}

// work takes places and gives them back until the test ends.
func (p *partner) work(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			release, err := p.governor.Acquire(ctx)
			if err != nil {
				return
			}
			<-time.After(time.Millisecond)
			release()
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
}

func workers(of ...*partner) string {
	var parts []int
	for _, p := range of {
		parts = append(parts, p.governor.Status().Workers)
	}
	return fmt.Sprint(parts)
}

func TestProcessesShareABudgetThroughABroker(t *testing.T) {
	t.Parallel()
	c := kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t)}
	a, b := newPartner(t, c), newPartner(t, c)
	expect := func(when, want string) {
		t.Helper()
		began := time.Now()
		eventually(t, when+": "+want, func() bool { return workers(a, b) == want })
		t.Logf("%s: %s after %v", when, want, time.Since(began).Round(10*time.Millisecond))
	}
	a.work(t)
	expect("one works", "[6 0]")
	b.work(t)
	expect("both work", "[3 3]")
	b.gate.close()
	expect("one has lost Kafka, and the other knows", "[6 0]")
	if s := b.governor.Status(); s.State != governor.Paused {
		t.Errorf("%+v", s)
	}
	b.gate.open()
	expect("it is back", "[3 3]")
	began := time.Now()
	a.stop()
	eventually(t, "the rest has it all", func() bool { return b.governor.Status().Workers == 6 })
	if took := time.Since(began); took > governor.SessionTimeout/2 {
		t.Errorf("a farewell was noticed after %v", took)
	}
}

func TestEveryoneIsToldHisPartAndOnePersonDivides(t *testing.T) {
	t.Parallel()
	c := kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t)}
	type told struct {
		everyone map[string][]byte
		part     []byte
		err      error
	}
	circles, answers := []*kafka.Circle{circleOf(t, c), circleOf(t, c), circleOf(t, c)}, make(chan told)
	round := func(circle *kafka.Circle, said string) {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		for {
			everyone, err := circle.Join(ctx, []byte(said))
			if err != nil {
				answers <- told{err: err}
				return
			}
			parts := map[string][]byte{}
			for member, said := range everyone {
				parts[member] = append([]byte("part of "), said...)
			}
			if everyone == nil {
				parts = nil
			}
			part, err := circle.Sync(ctx, parts)
			if err == nil {
				err = circle.Beat(ctx)
			}
			if e, ok := errors.AsType[interface {
				error
				Again() bool
			}](err); ok && e.Again() { // another came in between
				continue
			}
			answers <- told{everyone, part, err}
			return
		}
	}
	// All at once, so that they meet in one round or in a few.
	for i, circle := range circles {
		go round(circle, fmt.Sprint("process ", i))
	}
	var parts []string
	for range circles {
		a := <-answers
		if a.err != nil {
			t.Fatal(a.err)
		}
		parts = append(parts, string(a.part))
	}
	slices.Sort(parts)
	if want := []string{"part of process 0", "part of process 1", "part of process 2"}; !slices.Equal(parts, want) {
		t.Errorf("parts %q", parts)
	}
	for _, circle := range circles {
		if err := circle.Leave(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
