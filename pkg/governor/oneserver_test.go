package governor

import (
	"context"
	"testing"
	"time"
)

// oneServer is both sides of pairs on one server, whose ranges are a statement on each.
type oneServer struct {
	*server
	source, target *Governor
	inTurn         bool // one statement after the other where there is no room for two
}

// pairs starts governors of both sides that share the server's budget, and as many
// workers as the budget has statements.
func (s *server) pairs(ctx context.Context, t *testing.T, workers int, inTurn bool) {
	t.Helper()
	both := &oneServer{server: s, inTurn: inTurn}
	for name, at := range map[string]**Governor{"source reads": &both.source, "target reads": &both.target} {
		var err error
		if *at, err = New(Config{Name: name, Use: Reads, Most: workers, Observer: s}); err != nil {
			t.Fatal(err)
		}
	}
	sharing := NewSharing(Alone{}, "", map[string][]*Governor{"source": {both.source}, "target": {both.target}})
	both.source.Halve(workers)
	both.target.Halve(workers)
	for i, g := range []*Governor{both.source, both.target} {
		w := NewWatcher(g.config.Name, s)
		w.Phase = float64(i+1) / 3
		for _, err := range []error{
			w.Add(Signal{Name: "canary", Unit: "ms", Limit: 25, Latency: true}, s.canary),
			w.AddCount(Signal{Name: "threads", Limit: 2*s.cores + 6, Cores: s.cores}, s.count),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		go func() {
			w.Measure(ctx)
			if err := g.Start(w); err != nil {
				t.Error(err)
			}
			go w.Run(ctx)
			g.Run(ctx)
		}()
	}
	go func() { _ = sharing.Run(ctx) }() // it returns nil
	for range workers {
		go both.work(ctx)
	}
}

func (b *oneServer) size() float64 { return min(b.source.Size(), b.target.Size()) }

func (b *oneServer) work(ctx context.Context) {
	for ctx.Err() == nil {
		if b.inTurn && b.size() < 1 {
			b.ask(ctx, b.source)
			b.ask(ctx, b.target)
		} else {
			b.ask(ctx, b.source, b.target)
		}
	}
}

// ask takes places and runs a statement in each at the same time.
func (b *oneServer) ask(ctx context.Context, governors ...*Governor) {
	var jobs []*job
	for _, g := range governors {
		release, err := g.Acquire(ctx)
		if err != nil {
			return
		}
		defer release()
	}
	for range governors {
		jobs = append(jobs, b.submit(&job{left: work * b.size(), govern: true}))
	}
	for _, j := range jobs {
		select {
		case <-j.done:
		case <-ctx.Done():
			return
		}
	}
}

func TestAForegroundHardlyNoticesBothSidesOnItsServer(t *testing.T) {
	const d = 8 * time.Minute // of shorter times the slowest hundredth is a matter of chance
	for _, cores := range []float64{2, 4, 16} {
		load := steady(cores / 2)
		alone := simulate(t, cores, load, d, nil)
		with := simulate(t, cores, load, d, func(ctx context.Context, s *server) { s.pairs(ctx, t, 6, true) })
		before, after, could := alone.p99(time.Minute, d), with.p99(time.Minute, d), oracle(t, cores, 6, load, d)
		t.Logf("%v cores: p99 %v alone, %v with %.0f core seconds of work; the oracle does %.0f; %d flips", cores, before, after, with.worked, could, len(with.flips))
		if float64(after) > 1.25*float64(before) {
			t.Errorf("%v cores: p99 %v, alone %v", cores, after, before)
		}
		if with.worked < could/5 { // chance makes it a quarter to a third on 2 cores
			t.Errorf("%v cores: %.0f core seconds of work, the oracle does %.0f", cores, with.worked, could)
		}
	}
}

func TestAfterAnOverloadBothSidesOfOneServerWorkAgain(t *testing.T) {
	const up, down, d = time.Minute, 2 * time.Minute, 4 * time.Minute
	for _, cores := range []float64{2, 4} {
		load := step(up, down, 0.2*cores, 1.1*cores)
		s := simulate(t, cores, load, d, func(ctx context.Context, s *server) { s.pairs(ctx, t, 6, true) })
		could := oracle(t, cores, 6, load, d)
		t.Logf("%v cores: paused after %v, resumed at %v, %d flips, %.0f core seconds of work, the oracle does %.0f",
			cores, s.first.Sub(s.began.Add(up)), s.last.Sub(s.began), len(s.flips), s.worked, could)
		if late := s.first.Sub(s.began.Add(up)); late < 0 || late > 3*time.Second {
			t.Errorf("%v cores: paused %v after the step", cores, late)
		}
		if n := s.mostFlips(); n > 2*4 {
			t.Errorf("%v cores: %d changes of two governors within a minute", cores, n)
		}
		if s.worked < could/2 {
			t.Errorf("%v cores: %.0f core seconds of work, the oracle does %.0f", cores, s.worked, could)
		}
	}
}

// Two databases on one server are no reason to ask for twice as much of it.
func TestBothSidesOnOneServerHaveOneBudget(t *testing.T) {
	over := 0
	s := simulate(t, 64, steady(0), time.Minute, func(ctx context.Context, s *server) {
		s.pairs(ctx, t, 6, true)
		go s.countGoverned(ctx, &over)
	})
	if over != 6 || s.worked < 0.9*6*60 {
		t.Errorf("%d statements at once and %.0f core seconds of work, with a budget of 6", over, s.worked)
	}
}
