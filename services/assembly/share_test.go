package assembly

import (
	"testing"
	"testing/synctest"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/lifecycle"
)

func TestAStatedNumberOfProcessesTakesNoKafka(t *testing.T) {
	never := false
	for name, c := range map[string]struct {
		source, target int // processes, as configured
		statements     int // of the source, before anybody was asked
		shared         bool
	}{
		"both stated":      {source: 2, target: 3, statements: 3},
		"one stated":       {source: 2, statements: 3, shared: true},
		"neither":          {statements: 0, shared: true},
		"one for each all": {source: 6, target: 1, statements: 1},
	} {
		file := File{Governor: Governor{
			Source: Budget{Concurrency: 7, Processes: c.source, Adapt: &never},
			Target: Budget{Concurrency: 7, Processes: c.target, Adapt: &never},
		}}
		g, err := NewGovernors(file, zerolog.Nop(), nil, governor.Reads)
		if err != nil {
			t.Fatal(err)
		}
		// There is no broker, and only who shares through one minds.
		if err := g.Share(kafka.Config{Brokers: []string{"x:1"}, Version: "none"}, &lifecycle.Group{}); (err != nil) != c.shared {
			t.Errorf("%s: %v", name, err)
		}
		if g, err = NewGovernors(file, zerolog.Nop(), nil, governor.Reads); err != nil {
			t.Fatal(err)
		}
		if err := g.Share(kafka.Config{Brokers: []string{"x:1"}}, &lifecycle.Group{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		one := g.Of(event.Source, governor.Reads)
		if err := one.Start(nil); err != nil {
			t.Fatal(err)
		}
		if s := one.Status(); s.Workers != c.statements {
			t.Errorf("%s: %d statements at once, want %d", name, s.Workers, c.statements)
		}
	}
}

func TestRepairsOfBothDirectionsTakeTheSourcesPlaceFirst(t *testing.T) {
	for _, authority := range []event.Side{event.Source, event.Target} {
		synctest.Test(t, func(t *testing.T) {
			never := false
			budget := Budget{Concurrency: 1, Processes: 1, Adapt: &never}
			g, err := NewGovernors(File{Governor: Governor{Source: budget, Target: budget}}, zerolog.Nop(), nil, governor.Reads, governor.Writes)
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range g.list {
				if err := one.Start(nil); err != nil {
					t.Fatal(err)
				}
			}
			uses := map[event.Side]governor.Use{authority: governor.Reads, authority.Other(): governor.Writes}
			source, target := g.Of(event.Source, uses[event.Source]), g.Of(event.Target, uses[event.Target])
			leave, err := source.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan func(), 1)
			go func() {
				release, err := g.Admission(authority)(t.Context())
				if err != nil {
					t.Error(err)
				}
				done <- release
			}()
			synctest.Wait()
			if n := target.Status().Running; n != 0 {
				t.Errorf("authority %s: %d places of the target are taken by who waits for the source", authority, n)
			}
			leave()
			release := <-done
			if s, d := source.Status().Running, target.Status().Running; s != 1 || d != 1 {
				t.Errorf("authority %s: %d and %d places taken", authority, s, d)
			}
			release()
		})
	}
}
