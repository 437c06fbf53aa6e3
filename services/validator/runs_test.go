package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schedule"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// stage is a process: a conductor whose runs read ten times, a minute each, and
// keep their position after every read.
type stage struct {
	*conductor
	t     *testing.T
	begun time.Time

	mu   sync.Mutex
	said []string
	end  context.CancelFunc
	done sync.WaitGroup
}

const reads = 10

// play starts a process that knows what the topic holds.
func play(t *testing.T, k *topic, p assembly.Pair) *stage {
	s := &stage{t: t, begun: time.Now()}
	s.conductor = newConductor(p, newStates(k, k.known()), zerolog.Nop(), s.compare)
	ctx, end := context.WithCancel(context.WithoutCancel(t.Context()))
	s.end = end
	jobs := s.jobs()
	s.done.Go(func() { s.serve(ctx) })
	s.done.Go(func() { schedule.Serve(ctx, jobs...) })
	t.Cleanup(s.kill)
	return s
}

// kill ends the process.
func (s *stage) kill() {
	s.end()
	s.done.Wait()
}

func (s *stage) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, fmt.Sprintf(format, args...))
}

func (s *stage) compare(ctx context.Context, run performance) {
	name := checkpointName(s.pair.Name, run.mode)
	position, err := s.states.Load(ctx, name)
	if err != nil {
		s.t.Error(err)
	}
	s.say("%s from %d at %v", run.mode, len(position), time.Since(s.begun))
	s.started(validate.Start{Rows: reads, Done: int64(len(position))})
	for len(position) < reads {
		if err := s.admit(ctx); err != nil || ctx.Err() != nil {
			s.say("%s ended at %d: %v", run.mode, len(position), context.Cause(ctx))
			return
		}
		time.Sleep(time.Minute) // what is being read is finished
		position = append(position, 'x')
		s.scanned(1)
		if err := s.states.Save(context.WithoutCancel(ctx), name, position); err != nil {
			s.t.Error(err)
		}
	}
	if err := s.states.Save(ctx, name, nil); err != nil {
		s.t.Error(err)
	}
	s.say("%s complete at %v", run.mode, time.Since(s.begun))
}

func (s *stage) heard(want ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.said, want) {
		s.t.Errorf("said\n  %s\nwant\n  %s", strings.Join(s.said, "\n  "), strings.Join(want, "\n  "))
	}
}

func (s *stage) phase(want string) {
	s.t.Helper()
	if got := s.status(time.Now()); got.GetPhase() != want {
		s.t.Errorf("after %v the phase is %s, want %s: %v", time.Since(s.begun), got.GetPhase(), want, got)
	}
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// now is the topic as it is if its writer dies at this moment.
func (k *topic) now() *topic {
	k.mu.Lock()
	defer k.mu.Unlock()
	return &topic{records: slices.Clone(k.records)}
}

func by(who, why string) event.Order { return event.Order{Who: who, Why: why, At: time.Now()} }

func TestAPausedRunRestsAndGoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(t, new(topic), orders)
		s.phase("idle")
		s.must(s.ask(t.Context(), validate.Full))
		time.Sleep(3*time.Minute + time.Second)
		s.phase("running")
		s.must(s.pause(t.Context(), by("ann", "backup")))
		time.Sleep(time.Hour)
		status := s.status(time.Now())
		if status.GetPhase() != "paused" || status.GetOrder().GetWho() != "ann" || status.GetOrder().GetWhy() != "backup" || status.GetRun().GetRowsScanned() != 4 {
			t.Errorf("%v", status)
		}
		s.must(s.proceed(t.Context()))
		time.Sleep(5 * time.Minute)
		s.phase("running")
		time.Sleep(10 * time.Minute)
		s.phase("complete")
		s.heard("full from 0 at 0s", "full complete at 1h9m1s")
	})
}

func TestAPauseOutlivesTheProcessAndSaysWhose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k topic
		first := play(t, &k, orders)
		first.must(first.ask(t.Context(), validate.Reverse))
		time.Sleep(3*time.Minute + time.Second)
		first.must(first.pause(t.Context(), by("ann", "backup")))
		time.Sleep(time.Hour)
		first.kill()

		second := play(t, &k, orders)
		time.Sleep(24 * time.Hour)
		second.heard()
		if o := second.status(time.Now()).GetOrder(); o.GetWho() != "ann" || o.GetWhy() != "backup" {
			t.Errorf("the pause is %v", o)
		}
		second.must(second.proceed(t.Context()))
		time.Sleep(time.Hour)
		second.heard("reverse from 4 at 24h0m0s", "reverse complete at 24h6m0s")
		second.phase("complete")
	})
}

func TestAPauseEndsByItselfAlsoWhileNobodyRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k topic
		o := by("ann", "backup")
		o.Until = o.At.Add(2 * time.Hour)
		first := play(t, &k, orders)
		first.must(first.ask(t.Context(), validate.Full))
		synctest.Wait() // it has begun: its first step is finished, paused or not
		first.must(first.pause(t.Context(), o))
		time.Sleep(time.Hour)
		first.kill()
		second := play(t, &k, orders)
		time.Sleep(90 * time.Minute)
		third := play(t, &k, orders)
		third.phase("complete")
		second.heard("full from 1 at 1h0m0s", "full complete at 1h9m0s")
	})
}

func TestAStoppedRunDoesNotGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k topic
		s := play(t, &k, orders)
		s.must(s.ask(t.Context(), validate.Full))
		s.must(s.ask(t.Context(), validate.Reverse))
		time.Sleep(3*time.Minute + time.Second)
		s.must(s.stop(t.Context(), by("ann", "wrong filter")))
		time.Sleep(time.Hour)
		status := s.status(time.Now())
		if status.GetPhase() != "stopped" || status.GetOrder().GetWho() != "ann" || len(status.GetPending()) != 0 {
			t.Errorf("%v", status)
		}
		s.heard("full from 0 at 0s", "full ended at 4: stopped by ann: wrong filter")
		s.kill()
		next := play(t, &k, orders)
		time.Sleep(time.Hour)
		next.phase("stopped")
		next.heard()
		if err := next.proceed(t.Context()); err == nil {
			t.Error("a stopped run was resumed")
		}
		next.must(next.ask(t.Context(), validate.Full))
		time.Sleep(time.Hour)
		next.heard("full from 0 at 1h0m0s", "full complete at 1h10m0s")
	})
}

// TestAStopForgetsWhatIsDueAsWellAsWhatWasAskedFor, or another run would begin the
// moment after somebody said that none should.
func TestAStopForgetsWhatIsDueAsWellAsWhatWasAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := orders
		p.Schedule.Full = "5 * * * *"
		s := play(t, new(topic), p)
		s.must(s.ask(t.Context(), validate.Reverse))
		time.Sleep(6 * time.Minute) // the full run is due
		s.must(s.ask(t.Context(), validate.Count))
		time.Sleep(time.Minute + time.Second)
		s.must(s.stop(t.Context(), by("ann", "wrong filter")))
		time.Sleep(50 * time.Minute)
		s.heard("reverse from 0 at 0s", "reverse ended at 8: stopped by ann: wrong filter")
	})
}

func TestWhatWasAskedForIsNotForgottenByACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k topic
		first := play(t, &k, orders)
		first.must(first.ask(t.Context(), validate.Full))
		first.must(first.ask(t.Context(), validate.Reverse))
		synctest.Wait()
		crashed := k.now() // before the run's first position
		first.kill()
		second := play(t, crashed, orders)
		time.Sleep(5*time.Minute + time.Second)
		crashed = crashed.now()
		second.kill()
		third := play(t, crashed, orders)
		time.Sleep(time.Hour)
		second.heard("full from 0 at 0s", "full ended at 6: context canceled")
		third.heard("full from 5 at 0s", "full complete at 5m0s", "reverse from 0 at 5m0s", "reverse complete at 15m0s")
	})
}

func TestRunsOfAPairFollowEachOtherAndAreMadeUpForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := orders
		p.Schedule = assembly.Schedule{Full: "*/30 * * * *", Reverse: "35 * * * *", Count: "@every 4h"}
		s := play(t, new(topic), p)
		time.Sleep(30*time.Minute + 30*time.Second)
		s.must(s.pause(t.Context(), by("ann", "")))
		time.Sleep(2 * time.Hour) // 4 full and 2 reverse runs fall due
		s.must(s.proceed(t.Context()))
		time.Sleep(25 * time.Minute)
		s.heard("full from 0 at 30m0s", "full complete at 2h39m30s", "reverse from 0 at 2h39m30s", "reverse complete at 2h49m30s", "full from 0 at 2h49m30s")
	})
}

func TestARunThatWasDueWhileNoProcessRanIsMadeUpForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := orders
		p.Schedule.Full = "0 * * * *"
		var k topic
		first := play(t, &k, p)
		time.Sleep(90 * time.Minute)
		first.kill()
		time.Sleep(5 * time.Hour)
		second := play(t, &k, p)
		time.Sleep(20 * time.Minute)
		second.heard("full from 0 at 0s", "full complete at 10m0s")
	})
}

func TestRunsRestOutsideTheirWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock begins at midnight UTC
		p := orders
		p.Schedule = assembly.Schedule{Full: "58 0 * * *", Only: "01:00-01:05"}
		s := play(t, new(topic), p)
		time.Sleep(59 * time.Minute)
		s.phase("pending")
		time.Sleep(10 * time.Minute)
		s.phase("running")
		if why := s.status(time.Now()).GetWaitsFor(); !strings.Contains(why, "01:00-01:05") {
			t.Errorf("it waits for %q", why)
		}
		asked := time.Now()
		if err := s.admitEndless(t.Context()); err != nil || time.Since(asked) > 0 {
			t.Errorf("a run without an end waited for %v: %v", time.Since(asked), err)
		}
		time.Sleep(24 * time.Hour)
		s.heard("full from 0 at 1h0m0s", "full complete at 25h5m0s")
	})
}

func TestOrdersThatMakeNoSenseAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := play(t, new(topic), orders)
		ctx := t.Context()
		if s.proceed(ctx) == nil || s.stop(ctx, by("ann", "")) == nil {
			t.Error("there is nothing to resume or stop")
		}
		s.must(s.ask(ctx, validate.Full))
		if err := s.ask(ctx, validate.Full); err == nil || !strings.Contains(err.Error(), "already") {
			t.Errorf("asked twice: %v", err)
		}
		s.must(s.pause(ctx, by("ann", "backup")))
		if err := s.ask(ctx, validate.Reverse); err == nil || !strings.Contains(err.Error(), "paused by ann: backup") {
			t.Errorf("asked while paused: %v", err)
		}
	})
}

func TestAnOrderThatIsNotDurableChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k topic
		s := play(t, &k, orders)
		k.err = errors.New("kafka is away")
		if err := s.pause(t.Context(), by("ann", "")); !errors.Is(err, k.err) {
			t.Errorf("got %v", err)
		}
		if err := s.ask(t.Context(), validate.Full); !errors.Is(err, k.err) {
			t.Errorf("got %v", err)
		}
		time.Sleep(time.Hour)
		s.phase("idle")
		s.heard()
	})
}

func TestRecordsOfOlderVersionsAreUnderstood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for phase, c := range map[string]struct {
			position string
			want     string
			heard    []string
		}{
			"idle":    {"", "complete", nil},
			"running": {"xxx", "complete", []string{"full from 3 at 0s", "full complete at 7m0s"}},
		} {
			k := &topic{records: []event.PairState{{
				Pair: "orders", Generation: 1, Epoch: 1, Authority: event.Source, Run: "r", Mode: "full", Position: []byte(c.position), Phase: phase,
			}}}
			s := play(t, k, orders)
			time.Sleep(time.Hour)
			s.phase(c.want)
			s.heard(c.heard...)
			s.kill()
		}
	})
}

func TestAFailedRunWaitsToBeResumed(t *testing.T) {
	for position, want := range map[string]string{"": "full from 0 at 1h0m0s", "xx": "full from 2 at 1h0m0s"} {
		synctest.Test(t, func(t *testing.T) {
			s := play(t, new(topic), orders)
			fail := true
			s.perform = func(ctx context.Context, run performance) {
				if !fail {
					s.compare(ctx, run)
					return
				}
				if fail = false; position != "" { // what follows could not be read
					s.must(s.states.Save(ctx, checkpointName("orders", run.mode), []byte(position)))
				}
			}
			s.must(s.ask(t.Context(), validate.Full))
			time.Sleep(time.Hour)
			s.phase("interrupted")
			s.must(s.proceed(t.Context()))
			time.Sleep(time.Hour)
			s.phase("complete")
			if s.said[0] != want {
				t.Errorf("%q, want %q", s.said, want)
			}
		})
	}
}
