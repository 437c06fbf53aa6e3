package governor

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A probe that hangs is given up, and counts as one that failed.
func TestAHardLimitWhoseProbeHangsPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var stuck atomic.Bool
		g, _ := begin(ctx, t, Signal{Name: "connections", Unit: "%", Limit: 85, Hard: true}, func(ctx context.Context) (float64, error) {
			if stuck.Load() {
				<-ctx.Done()
				return 0, ctx.Err()
			}
			return 10, nil
		}, nil)
		time.Sleep(5 * time.Second)
		stuck.Store(true)
		time.Sleep(6 * time.Second)
		if s := g.Status(); s.State != Paused || !strings.HasPrefix(s.Reason, "connections on target is not known since") {
			t.Errorf("while it hangs: %+v", s)
		}
		time.Sleep(patience)
		if s := g.Status(); s.State != Paused || !strings.Contains(s.Reason, context.DeadlineExceeded.Error()) {
			t.Errorf("given up: %+v", s)
		}
		stuck.Store(false)
		time.Sleep(patience + shortDwell + 5*time.Second)
		if s := g.Status(); s.State != Running {
			t.Errorf("it answers again: %+v", s)
		}
		cancel()
	})
}

// A server that restarts answers nothing for a while, and then slowly.
func TestARestartOfTheServerNeitherSpeedsUpNorPausesForEver(t *testing.T) {
	var during, after Status
	s := simulate(t, 8, steady(2), 4*time.Minute, func(ctx context.Context, s *server) {
		g := s.governed(ctx, t, "target", 6)
		go func() {
			time.Sleep(30 * time.Second)
			before := g.Status().Workers
			s.setLost(errors.New("connection refused"))
			time.Sleep(20 * time.Second)
			if during = g.Status(); during.Workers > before {
				t.Errorf("%d workers before the restart, %d in it", before, during.Workers)
			}
			s.setCores(1) // its caches are empty
			s.setLost(nil)
			time.Sleep(10 * time.Second)
			during = g.Status()
			s.setCores(8)
			time.Sleep(2 * time.Minute)
			after = g.Status()
		}()
	})
	if during.State != Paused || after.State != Running || after.Workers < 2 {
		t.Errorf("slow: %+v\nwell: %+v", during, after)
	}
	if n := s.mostFlips(); n > 4 {
		t.Errorf("%d changes within a minute", n)
	}
}

// The host that takes over has a quarter of the cores, which is asked for only now
// and then.
func TestAFailoverToASlowerHostIsLivedWith(t *testing.T) {
	const d, over = 8 * time.Minute, 2 * time.Minute
	play := func(governed bool) *server {
		return simulate(t, 16, steady(2), d, func(ctx context.Context, s *server) {
			var g *Governor
			if governed {
				g = s.governed(ctx, t, "target", 8)
			}
			go func() {
				time.Sleep(over)
				s.setLost(errors.New("the server is gone"))
				time.Sleep(5 * time.Second)
				s.setCores(4)
				s.setLost(nil)
				time.Sleep(15 * time.Second)
				if governed {
					g.watcher.Change("threads", 2*4+6, 4)
					g.watcher.Change("nobody's", 1, 1)
				}
			}()
		})
	}
	alone, with := play(false), play(true)
	before, after := alone.p99(over+2*time.Minute, d), with.p99(over+2*time.Minute, d)
	t.Logf("p99 on the slower host %v alone, %v with trueup, %d changes within a minute at most, %.0f core seconds of work", before, after, with.mostFlips(), with.worked)
	if n := with.mostFlips(); n > 4 {
		t.Errorf("%d changes within a minute", n)
	}
	if float64(after) > 1.25*float64(before) {
		t.Errorf("p99 on the slower host %v, alone %v", after, before)
	}
}

// stalling is a circle in which a process stands still once, as one does that is
// stopped or whose machine sleeps.
type stalling struct {
	Alone
	still time.Duration
	beats int
}

func (s *stalling) Beat(context.Context) error {
	if s.beats++; s.beats == 3 {
		time.Sleep(s.still)
	}
	return nil
}

// Who stood still for longer than its part was good for, and not for so long that it
// was taken for dead, asks for a part anew.
func TestAProcessThatStoodStillGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		g := newGovernor(t, Config{Fixed: true})
		sharing := NewSharing(&stalling{still: lease + beat}, "", map[string][]*Governor{"target": {g}})
		if err := g.Start(nil); err != nil {
			t.Fatal(err)
		}
		go func() { _ = sharing.Run(ctx) }() // it returns nil
		release, err := g.Acquire(ctx)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(3*eager + lease + beat/2)
		if s := g.Status(); s.State != Paused {
			t.Errorf("while it stands still: %+v", s)
		}
		time.Sleep(2 * beat)
		if s := g.Status(); s.State != Running || s.Workers != 4 {
			t.Errorf("afterwards: %+v", s)
		}
		release()
		cancel()
		synctest.Wait()
	})
}
