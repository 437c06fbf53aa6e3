package governor

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// notes is an Observer that remembers.
type notes struct {
	mu   sync.Mutex
	list []string
}

func (n *notes) add(s string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, s)
}

func (n *notes) Paused(name, reason string)           { n.add("paused " + name + ": " + reason) }
func (n *notes) Resumed(name string, _ time.Duration) { n.add("resumed " + name) }
func (n *notes) Lost(_ string, s Signal, err error)   { n.add("lost " + s.Name + ": " + err.Error()) }
func (n *notes) Found(_ string, s Signal)             { n.add("found " + s.Name) }

func newGovernor(t *testing.T, c Config) *Governor {
	t.Helper()
	c.Name, c.Use, c.Most = "target reads", Reads, 4
	g, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// begin starts a governor on a watcher with one signal.
func begin(ctx context.Context, t *testing.T, s Signal, probe Probe, observer Observer) (*Governor, *Watcher) {
	t.Helper()
	w := NewWatcher("target", observer)
	if err := w.Add(s, probe); err != nil {
		t.Fatal(err)
	}
	if probe != nil {
		w.Measure(ctx)
	}
	g := newGovernor(t, Config{Observer: observer})
	if err := g.Start(w); err != nil {
		t.Fatal(err)
	}
	go w.Run(ctx)
	go g.Run(ctx)
	return g, w
}

func TestNothingIsAdmittedBeforeTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGovernor(t, Config{Fixed: true})
		admitted := false
		go func() {
			if _, err := g.Acquire(t.Context()); err == nil {
				admitted = true
			}
		}()
		synctest.Wait()
		if admitted || g.Status().State != Starting {
			t.Errorf("admitted %v, %+v", admitted, g.Status())
		}
		if err := g.Start(nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !admitted || g.Status().Workers != 4 {
			t.Errorf("admitted %v, %+v", admitted, g.Status())
		}
	})
}

func TestAPauseStopsDispatchingAndCancelsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var value atomic.Int64
		seen := &notes{}
		g, _ := begin(ctx, t, Signal{Name: "canary", Unit: "ms", Limit: 25}, func(context.Context) (float64, error) { return float64(value.Load()), nil }, seen)
		release, err := g.Acquire(ctx)
		if err != nil {
			t.Fatal(err)
		}
		value.Store(41)
		time.Sleep(3 * time.Second)
		s := g.Status()
		if s.State != Paused || s.Reason != "canary 41 ms ≥ 25 ms on target" || s.Workers != 0 || s.Running != 1 {
			t.Errorf("%+v", s)
		}
		release()
		waiting, stop := context.WithTimeout(ctx, time.Second)
		if _, err := g.Acquire(waiting); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a place was given in a pause: %v", err)
		}
		stop()
		value.Store(1)
		if release, err = g.Acquire(ctx); err != nil { // waits for the calm
			t.Fatal(err)
		}
		release()
		if s := g.Status(); s.State != Running || s.Workers != 1 || s.PausedFor < 20*time.Second || s.PausedFor > 40*time.Second {
			t.Errorf("%+v", s)
		}
		time.Sleep(10 * time.Second)
		if s := g.Status(); s.Workers != 4 {
			t.Errorf("%+v", s)
		}
		cancel()
		synctest.Wait()
		if want := []string{"paused target reads: canary 41 ms ≥ 25 ms on target", "resumed target reads"}; !slices.Equal(seen.list, want) {
			t.Errorf("observed %q", seen.list)
		}
	})
}

func TestAProbeThatDoesNotComeBackIsSlowBeforeItDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var stuck atomic.Bool
		probe := func(ctx context.Context) (float64, error) {
			if stuck.Load() {
				<-ctx.Done()
				return 0, ctx.Err()
			}
			return 1, nil
		}
		g, _ := begin(ctx, t, Signal{Name: "canary", Unit: "ms", Limit: 25, Latency: true}, probe, nil)
		stuck.Store(true)
		time.Sleep(2100 * time.Millisecond)
		if s := g.Status(); s.State != Paused || !strings.HasPrefix(s.Reason, "canary 1000 ms ≥ 25 ms") {
			t.Errorf("%+v", s)
		}
		cancel()
	})
}

func TestALostSignalIsToldOnceAndFoundOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var lost atomic.Bool
		seen := &notes{}
		g, _ := begin(ctx, t, Signal{Name: "threads", Limit: 9}, func(context.Context) (float64, error) {
			if lost.Load() {
				return 0, errors.New("connection refused")
			}
			return 1, nil
		}, seen)
		lost.Store(true)
		time.Sleep(time.Minute)
		if s := g.Status(); s.State != Running || !s.Signals[0].Stale || s.Signals[0].Err == nil {
			t.Errorf("%+v", s)
		}
		lost.Store(false)
		time.Sleep(time.Minute)
		cancel()
		synctest.Wait()
		if want := []string{"lost threads: connection refused", "found threads"}; !slices.Equal(seen.list, want) {
			t.Errorf("observed %q", seen.list)
		}
	})
}

func TestWritesObeySignalsThatReadsDoNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := NewWatcher("target", nil)
		if err := w.Add(Signal{Name: "replica_lag", Unit: "s", Limit: 10, For: Writes}, func(context.Context) (float64, error) { return 60, nil }); err != nil {
			t.Fatal(err)
		}
		w.Measure(ctx)
		reads := newGovernor(t, Config{})
		writes, err := New(Config{Name: "target writes", Use: Writes, Most: 4})
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range []*Governor{reads, writes} {
			if err := g.Start(w); err != nil {
				t.Fatal(err)
			}
		}
		if r, w := reads.Status(), writes.Status(); r.State != Running || len(r.Signals) != 0 || w.State != Paused {
			t.Errorf("reads %+v, writes %+v", r, w)
		}
		cancel()
	})
}

func TestAPassiveSignalCountsWhileThereIsWorkToObserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		g, w := begin(ctx, t, Signal{Name: "per_row", Unit: "µs", Limit: 10, Passive: true}, nil, nil)
		if s := g.Status(); s.State != Running || len(s.Signals) != 0 {
			t.Errorf("%+v", s)
		}
		w.Observe("per_row", 30)
		w.Observe("nobody's", 1e9)
		if s := g.Status(); s.State != Paused {
			t.Errorf("%+v", s)
		}
		time.Sleep(35 * time.Second) // paused, there is nothing to observe
		if s := g.Status(); s.State != Running {
			t.Errorf("%+v", s)
		}
		cancel()
	})
}

func TestAPauseByHandEndsByItselfOrByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		g := newGovernor(t, Config{Fixed: true})
		if err := g.Start(nil); err != nil {
			t.Fatal(err)
		}
		go g.Run(ctx)
		if err := g.Pause("release", time.Now().Add(10*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if s := g.Status(); s.State != Paused || !strings.Contains(s.Reason, "by hand until 2000-01-01T00:10:00Z: release") {
			t.Errorf("%+v", s)
		}
		time.Sleep(10*time.Minute + 2*time.Second)
		if s := g.Status(); s.State != Running || s.Workers != 4 {
			t.Errorf("%+v", s)
		}
		if err := g.Pause("again", time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		g.Resume()
		if s := g.Status(); s.State != Running {
			t.Errorf("%+v", s)
		}
		for _, until := range []time.Time{{}, time.Now(), time.Now().Add(8 * 24 * time.Hour)} {
			if err := g.Pause("for ever", until); err == nil {
				t.Errorf("a pause until %v was accepted", until)
			}
		}
		cancel()
	})
}

// hourly begins at each full hour.
type hourly struct{}

func (hourly) Next(t time.Time) time.Time { return t.Truncate(time.Hour).Add(time.Hour) }

func TestAScheduledPauseComesAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		g := newGovernor(t, Config{Fixed: true, Windows: []Window{{Starts: hourly{}, For: 10 * time.Minute}}})
		if err := g.Start(nil); err != nil { // midnight, in a window
			t.Fatal(err)
		}
		go g.Run(ctx)
		for _, c := range []struct {
			wait time.Duration
			want string
		}{{5 * time.Minute, Paused}, {6 * time.Minute, Running}, {48 * time.Minute, Running}, {2 * time.Minute, Paused}, {10 * time.Minute, Running}} {
			time.Sleep(c.wait)
			if s := g.Status(); s.State != c.want {
				t.Errorf("at %s: %+v", time.Now().Format(time.TimeOnly), s)
			}
		}
		cancel()
	})
}

func TestBelowOneWorkerAPlaceRestsAfterUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		g, _ := begin(ctx, t, Signal{Name: "threads", Limit: 100, Cores: 2}, func(context.Context) (float64, error) { return 1.1, nil }, nil)
		began, work := time.Now(), time.Duration(0)
		for time.Since(began) < time.Minute {
			release, err := g.Acquire(ctx)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
			work += 100 * time.Millisecond
			release()
		}
		if share := work.Seconds() / time.Since(began).Seconds(); math.Abs(g.Share()-0.4) > rounding || share < 0.38 || share > 0.42 {
			t.Errorf("worked %.2f of the time at a share of %v", share, g.Share())
		}
		cancel()
		time.Sleep(maxRest)
	})
}

// A statement that takes next to no time is not for nothing.
func TestHowManyStatementsComeIsBoundedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		g, _ := begin(ctx, t, Signal{Name: "threads", Limit: 100, Cores: 2}, func(context.Context) (float64, error) { return 9, nil }, nil)
		began, statements := time.Now(), 0.0
		for ; time.Since(began) < time.Minute; statements++ {
			release, err := g.Acquire(ctx)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(perStatement / 20)
			release()
		}
		if most := time.Since(began).Seconds() * leastRoom / perStatement.Seconds(); statements > 1.1*most {
			t.Errorf("%v statements in a minute where there is no room, want %v at most", statements, most)
		}
		cancel()
		time.Sleep(maxRest)
	})
}

func TestRangesAreShorterTheLessRoomThereIs(t *testing.T) {
	for others, want := range map[float64]float64{0: 1, 0.4: 1, 0.9: 0.6, 1.1: 0.4 * 0.8 * 0.8, 9: leastRoom * briefest} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			g, _ := begin(ctx, t, Signal{Name: "threads", Limit: 100, Cores: 2}, func(context.Context) (float64, error) { return others, nil }, nil)
			if size := g.Size(); math.Abs(size-want) > rounding {
				t.Errorf("%v of 2 cores are busy: ranges of %v of their size, not %v", others, size, want)
			}
			cancel()
			synctest.Wait()
		})
	}
}

func TestAShrunkBudgetAdmitsAgainOnlyWhenEnoughHaveEnded(t *testing.T) {
	b, err := NewBudget("source", 3)
	if err != nil {
		t.Fatal(err)
	}
	var releases []func()
	for range 3 {
		release, err := b.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		releases = append(releases, release)
	}
	b.SetLimit(1)
	got := make(chan func())
	go func() {
		release, err := b.Acquire(t.Context())
		if err != nil {
			t.Error(err)
		}
		got <- release
	}()
	releases[0]()
	releases[1]()
	select {
	case <-got:
		t.Error("admitted while one runs of one")
	case <-time.After(20 * time.Millisecond):
	}
	releases[2]()
	(<-got)()
	if s := b.Stats(); s.InUse != 0 || s.Limit != 1 {
		t.Errorf("%+v", s)
	}
}

func TestAnAddressSaysWhetherThereMayBeLoad(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	probe := HTTP(server.Client(), server.URL+"/?token=s3cret")
	if v, err := probe(t.Context()); v != 0 || err != nil {
		t.Errorf("%v, %v", v, err)
	}
	status = http.StatusTooManyRequests
	if v, err := probe(t.Context()); v < veryBad || err != nil {
		t.Errorf("%v, %v", v, err)
	}
	server.Close()
	if _, err := probe(t.Context()); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("no answer: %v", err)
	}
}

func TestSignalsThatMeanNothingAreRefused(t *testing.T) {
	ok := func(context.Context) (float64, error) { return 0, nil }
	for name, add := range map[string]error{
		"no limit":            NewWatcher("x", nil).Add(Signal{Name: "a"}, ok),
		"no name":             NewWatcher("x", nil).Add(Signal{Limit: 1}, ok),
		"nothing measures it": NewWatcher("x", nil).Add(Signal{Name: "a", Limit: 1}, nil),
		"measured twice":      NewWatcher("x", nil).Add(Signal{Name: "a", Limit: 1, Passive: true}, ok),
	} {
		if add == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestASampleOfWhoIsAtWorkIsSeveralLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		others := func(context.Context) (float64, error) { return []float64{0, 12, 12}[asked.Add(1)-1], nil }
		w := NewWatcher("target", nil)
		if err := w.Add(Signal{Name: "threads", Limit: 10, Cores: 2}, others); err != nil {
			t.Fatal(err)
		}
		w.Measure(t.Context())
		g := newGovernor(t, Config{})
		if err := g.Start(w); err != nil {
			t.Fatal(err)
		}
		if s := g.Status(); asked.Load() != looks || s.Share >= 1 {
			t.Errorf("%d looks, %+v", asked.Load(), s)
		}
		if s := g.Status(); s.State != Running { // a moment is not yet an overload
			t.Errorf("%+v", s)
		}
	})
}

// What a process itself asks of a server must not pass for somebody else's work, also
// where two of its watchers ask one server.
func TestLooksMeetNoOtherProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const takes = 5 * time.Millisecond
		var running, met, asked atomic.Int64
		probe := func(context.Context) (float64, error) {
			running.Add(1)
			time.Sleep(takes)
			return float64(running.Add(-1)), nil
		}
		count := func(context.Context) (Sessions, error) {
			asked.Add(1)
			met.Add(running.Add(1) - 1)
			time.Sleep(takes)
			met.Add(running.Add(-1))
			return Sessions{Own: 1}, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var all sync.WaitGroup
		for i := range 2 {
			w := NewWatcher("target", nil)
			w.Phase = float64(i+1) / 3
			for _, err := range []error{
				w.Add(Signal{Name: "canary", Limit: 25}, probe),
				w.AddCount(Signal{Name: "threads", Limit: 10, Cores: 2}, count),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			all.Go(func() {
				w.Measure(ctx)
				w.Run(ctx)
			})
		}
		all.Wait()
		if asked.Load() < 50 || met.Load() != 0 {
			t.Errorf("%d looks met %d other probes", asked.Load(), met.Load())
		}
	})
}

// Of questions that come at once the last ones wait for the first, and so does whatever
// others ask just then.
func TestWhatIsMeasuredComesOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const takes = 10 * time.Millisecond
		var running, met, asked atomic.Int64
		probe := func(context.Context) (float64, error) {
			asked.Add(1)
			met.Add(running.Add(1) - 1)
			time.Sleep(takes)
			running.Add(-1)
			return 0, nil
		}
		count := func(ctx context.Context) (Sessions, error) {
			_, err := probe(ctx)
			return Sessions{}, err
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var all sync.WaitGroup
		for i := range 2 {
			w := NewWatcher("target", nil)
			w.Phase = float64(i+1) / 3
			errs := []error{w.AddCount(Signal{Name: "threads", Limit: 10, Cores: 2}, count)}
			for _, name := range []string{"canary", "locks", "lag", "http"} {
				errs = append(errs, w.Add(Signal{Name: name, Limit: 25}, probe))
			}
			for _, name := range []string{"history", "connections"} {
				errs = append(errs, w.Add(Signal{Name: name, Limit: 25, Every: 5 * time.Second}, probe))
			}
			for _, err := range errs {
				if err != nil {
					t.Fatal(err)
				}
			}
			all.Go(func() { w.Run(ctx) })
		}
		all.Wait()
		if asked.Load() < 2*(3+4)*55 || met.Load() != 0 {
			t.Errorf("%d were asked, %d of them while another was", asked.Load(), met.Load())
		}
	})
}
