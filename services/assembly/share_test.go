package assembly

import (
	"context"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/kafka"
)

// alone starts governors that share without Kafka.
func alone(ctx context.Context, t *testing.T, source, target Budget, change func(*Governors)) *Governors {
	t.Helper()
	never := false
	source.Adapt, target.Adapt = &never, &never
	g, err := NewGovernors(File{Governor: Governor{Source: source, Target: target}}, zerolog.Nop(), nil, governor.Reads, governor.Writes)
	if err != nil {
		t.Fatal(err)
	}
	run, err := g.Share(kafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = run(ctx) }() // it returns nil
	change(g)
	for _, one := range g.list {
		if err := one.Start(nil); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// parts has governors share without Kafka, all of them work, and returns how many
// statements each of those is admitted in the end.
func parts(t *testing.T, source, target Budget, change func(*Governors), work ...governed) map[governed]int {
	t.Helper()
	admitted := map[governed]int{}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		g := alone(ctx, t, source, target, change)
		for _, which := range work {
			go func() {
				for {
					release, err := g.list[which].Acquire(ctx)
					if err != nil {
						return
					}
					time.Sleep(100 * time.Millisecond)
					release()
				}
			}()
		}
		time.Sleep(10 * time.Second)
		for _, which := range work {
			admitted[which] = g.list[which].Status().Workers
		}
		cancel()
		time.Sleep(time.Second)
		synctest.Wait()
	})
	return admitted
}

func TestOneProcessDividesABudgetBetweenItsReadsAndWrites(t *testing.T) {
	reads, writes := governed{event.Target, governor.Reads}, governed{event.Target, governor.Writes}
	sourceReads := governed{event.Source, governor.Reads}
	apart := func(*Governors) {}
	together := func(g *Governors) {
		for _, one := range g.list {
			one.Halve(min(g.budget(event.Source).Concurrency, g.budget(event.Target).Concurrency))
		}
	}
	for name, c := range map[string]struct {
		source, target Budget
		change         func(*Governors)
		want           map[governed]int
	}{
		"two servers":           {Budget{Concurrency: 6}, Budget{Concurrency: 6}, apart, map[governed]int{sourceReads: 6, reads: 3, writes: 3}},
		"one server":            {Budget{Concurrency: 8}, Budget{Concurrency: 8}, together, map[governed]int{sourceReads: 4, reads: 2, writes: 2}},
		"one server, compared":  {Budget{Concurrency: 6}, Budget{Concurrency: 9}, together, map[governed]int{sourceReads: 3, reads: 3}},
		"one of three on each":  {Budget{Concurrency: 7, Processes: 3}, Budget{Concurrency: 12, Processes: 3}, apart, map[governed]int{sourceReads: 2, reads: 2, writes: 2}},
		"one of two, of both":   {Budget{Concurrency: 8, Processes: 2}, Budget{Concurrency: 8, Processes: 2}, together, map[governed]int{sourceReads: 2, writes: 2}},
		"one of as many as may": {Budget{Concurrency: 6, Processes: 6}, Budget{Concurrency: 6, Processes: 1}, apart, map[governed]int{sourceReads: 1, reads: 6}},
	} {
		work := slices.Collect(maps.Keys(c.want))
		if got := parts(t, c.source, c.target, c.change, work...); !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestAStatedNumberOfProcessesTakesNoKafka(t *testing.T) {
	for name, c := range map[string]struct {
		source, target int // processes, as configured
		shared         bool
	}{
		"both stated": {source: 2, target: 3},
		"one stated":  {source: 2, shared: true},
		"neither":     {shared: true},
	} {
		g, err := NewGovernors(File{Governor: Governor{
			Source: Budget{Concurrency: 7, Processes: c.source},
			Target: Budget{Concurrency: 7, Processes: c.target},
		}}, zerolog.Nop(), nil, governor.Reads)
		if err != nil {
			t.Fatal(err)
		}
		// Who shares through a broker minds how that one is spoken to.
		if _, err := g.Share(kafka.Config{Brokers: []string{"x:1"}, Version: "none"}); (err != nil) != c.shared {
			t.Errorf("%s: %v", name, err)
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

func TestOneServerWithoutRoomForTwoStatementsIsAskedInTurn(t *testing.T) {
	for name, c := range map[string]struct {
		concurrency int
		oneServer   bool
		inTurn      bool
	}{
		"one statement on two servers": {1, false, false},
		"one statement on one server":  {1, true, true},
		"two statements on one server": {2, true, false},
	} {
		never := false
		budget := Budget{Concurrency: c.concurrency, Adapt: &never}
		g, err := NewGovernors(File{Governor: Governor{Source: budget, Target: budget}}, zerolog.Nop(), nil, governor.Reads)
		if err != nil {
			t.Fatal(err)
		}
		if g.oneServer.Store(c.oneServer); c.oneServer {
			for _, one := range g.list {
				one.Halve(c.concurrency)
			}
		}
		if got := (pacer{g}).InTurn(); got != c.inTurn {
			t.Errorf("%s: in turn %v", name, got)
		}
	}
}

// Who repairs needs a place of either side. Waiting for the first, he is given his part
// of the other meanwhile.
func TestWhoWaitsForOneSideHasHisPartOfTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		g := alone(ctx, t, Budget{Concurrency: 4}, Budget{Concurrency: 4}, func(*Governors) {})
		if err := g.Of(event.Source, governor.Reads).Pause("by hand", time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		refused := make(chan error, 1)
		go func() {
			_, err := g.Admission(event.Source)(ctx)
			refused <- err
		}()
		time.Sleep(5 * time.Second)
		if s := g.Of(event.Target, governor.Writes).Status(); s.Most != 4 {
			t.Errorf("while the source is paused: %+v", s)
		}
		cancel()
		if err := <-refused; err == nil {
			t.Error("admitted beside a pause")
		}
		time.Sleep(time.Second)
		synctest.Wait()
	})
}
