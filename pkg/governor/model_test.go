package governor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// server is a database as a queue: cores shared by everything that is at work
// there, a foreground that arrives at its own rate whatever happens, and work
// that asks a governor. It moves in steps of tick.
type server struct {
	cores float64
	// inOrder has each core do one job after the other, as a system does whose time slices
	// are longer than the statements: what waits to begin is not at work for the server.
	inOrder bool
	tick    time.Duration
	load    func(at time.Duration) float64 // of the foreground, in cores
	dice    *rand.Rand
	began   time.Time

	mu     sync.Mutex
	jobs   []*job
	busy   []float64   // cores that the foreground kept busy, tick by tick
	crowd  float64     // the foreground's statements at work, on average over the last tick
	own    float64     // the others at work
	lost   error       // what probes meet, nil when they work
	waits  []wait      // of the foreground
	asked  float64     // jobs of anybody so far
	worked float64     // core seconds of governed work done
	flips  []time.Time // when governors paused or resumed
	first  time.Time   // when they paused first
	last   time.Time   // when they resumed last
}

type job struct {
	left    float64 // core seconds
	began   time.Time
	ended   time.Time // or as long as it was at work
	done    chan struct{}
	fore    bool
	govern  bool
	started float64
}

type wait struct{ at, took time.Duration }

const (
	tick = 5 * time.Millisecond
	// service is a foreground statement, work a range, point the canary; in core
	// seconds.
	service, work, point = 0.01, 0.25, 0.0005
)

func newServer(cores float64, load func(time.Duration) float64) *server {
	return &server{cores: cores, tick: tick, load: load, dice: rand.New(rand.NewPCG(7, 11)), began: time.Now()}
}

func (s *server) submit(j *job) *job {
	j.began, j.done, j.started = time.Now(), make(chan struct{}), j.left
	s.mu.Lock()
	s.jobs = append(s.jobs, j)
	s.asked++
	s.mu.Unlock()
	return j
}

// run moves the server for a time.
func (s *server) run(d time.Duration) {
	pulse := time.NewTicker(s.tick)
	defer pulse.Stop()
	for end := time.Now().Add(d); time.Now().Before(end); <-pulse.C {
		at := time.Since(s.began)
		s.advance()
		for range s.arrivals(s.loadAt(at) * s.tick.Seconds() / service) {
			s.submit(&job{left: s.dice.ExpFloat64() * service, fore: true})
		}
	}
}

// arrivals draws from a Poisson distribution.
func (s *server) arrivals(mean float64) int {
	limit, n, p := math.Exp(-mean), 0, 1.0
	for {
		if p *= s.dice.Float64(); p <= limit {
			return n
		}
		n++
	}
}

// advance has done what was to be done in the tick up to now. Within it jobs end when
// they do, and what they leave others have: rounding up to ticks would add half a tick
// to each. What came at this very moment waits for the next tick.
func (s *server) advance() {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	var active []*job
	for _, j := range s.jobs {
		if j.began.Before(now) {
			active = append(active, j)
		}
	}
	fore, crowd, own := 0.0, 0.0, 0.0 // core seconds of the foreground, its jobs times seconds, others' jobs
	for left := s.tick.Seconds(); left > 0 && len(active) > 0; {
		running := active
		if s.inOrder {
			running = active[:min(len(active), int(s.cores))]
		}
		share := min(1, s.cores/float64(len(running)))
		first := slices.MinFunc(running, func(a, b *job) int { return cmp.Compare(a.left, b.left) })
		span, n := min(left, first.left/share), 0.0
		for _, j := range running {
			if j.left -= span * share; j == first && span < left {
				j.left = 0
			}
			if j.fore {
				n++
			}
		}
		for _, j := range running {
			j.ended = now.Add(-time.Duration((left - span) * float64(time.Second)))
		}
		left, fore, crowd, own = left-span, fore+span*share*n, crowd+span*n, own+span*(float64(len(running))-n)
		active = slices.DeleteFunc(active, func(j *job) bool { return j.left <= 0 })
	}
	s.busy = append(s.busy, fore/s.tick.Seconds())
	s.crowd, s.own = crowd/s.tick.Seconds(), own/s.tick.Seconds()
	s.finish()
}

// finish ends the jobs that are done.
func (s *server) finish() {
	left := s.jobs[:0]
	for _, j := range s.jobs {
		if j.left > 0 {
			left = append(left, j)
			continue
		}
		close(j.done)
		if j.fore {
			s.waits = append(s.waits, wait{j.began.Sub(s.began), j.ended.Sub(j.began)})
		}
		if j.govern {
			s.worked += j.started
		}
	}
	clear(s.jobs[len(left):])
	s.jobs = left
}

func (s *server) loadAt(at time.Duration) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.load(at)
}

func (s *server) setLoad(load func(time.Duration) float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.load = load
}

func (s *server) setCores(cores float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cores = cores
}

func (s *server) setLost(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = err
}

func (s *server) isLost() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// canary is a point read.
func (s *server) canary(ctx context.Context) (float64, error) {
	if err := s.isLost(); err != nil {
		return 0, err
	}
	j := s.submit(&job{left: point})
	select {
	case <-j.done:
		return milliseconds(time.Since(j.began)), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// count is how many of the foreground's statements and of others are at work. Where they
// are served in order who asks waits for his turn.
func (s *server) count(ctx context.Context) (n Sessions, err error) {
	s.mu.Lock()
	n, err = Sessions{Others: s.crowd, Own: s.own, Statements: s.asked}, s.lost
	s.mu.Unlock()
	if s.inOrder && err == nil {
		began := time.Now()
		_, err = s.canary(ctx)
		n.Reached = time.Since(began)
	}
	return n, err
}

// governed starts a governor with n workers that have work without end.
func (s *server) governed(ctx context.Context, t *testing.T, name string, workers int) *Governor {
	t.Helper()
	w := NewWatcher(name, s)
	w.Phase = 1.0 / 3
	for _, add := range []error{
		w.Add(Signal{Name: "canary", Unit: "ms", Limit: 25, Latency: true}, s.canary),
		w.AddCount(Signal{Name: "threads", Limit: 2*s.cores + 6, Cores: s.cores}, s.count),
	} {
		if add != nil {
			t.Fatal(add)
		}
	}
	return s.start(ctx, t, w, Config{Name: name, Use: Reads, Most: workers, Observer: s})
}

func (s *server) start(ctx context.Context, t *testing.T, w *Watcher, c Config) *Governor {
	t.Helper()
	g, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if w != nil {
			w.Measure(ctx)
		}
		if err := g.Start(w); err != nil {
			t.Error(err)
		}
		if w != nil {
			go w.Run(ctx)
		}
		g.Run(ctx)
	}()
	for range c.Most {
		go s.worker(ctx, g)
	}
	return g
}

func (s *server) worker(ctx context.Context, g *Governor) {
	for {
		release, err := g.Acquire(ctx)
		if err != nil {
			return
		}
		j := s.submit(&job{left: work * g.Size(), govern: true})
		select {
		case <-j.done:
		case <-ctx.Done():
		}
		release()
	}
}

// countGoverned keeps, until ctx ends, the most statements of governors at once.
func (s *server) countGoverned(ctx context.Context, most *int) {
	for ; ctx.Err() == nil; time.Sleep(tick) {
		s.mu.Lock()
		n := 0
		for _, j := range s.jobs {
			if j.govern {
				n++
			}
		}
		s.mu.Unlock()
		*most = max(*most, n)
	}
}

func (s *server) Paused(string, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.first.IsZero() {
		s.first = now
	}
	s.flips = append(s.flips, now)
}

func (s *server) Resumed(string, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = time.Now()
	s.flips = append(s.flips, s.last)
}

func (s *server) Lost(string, Signal, error) {}
func (s *server) Found(string, Signal)       {}

// p99 of the foreground's statements that arrived in a stretch of time.
func (s *server) p99(from, until time.Duration) time.Duration {
	var took []time.Duration
	for _, w := range s.waits {
		if w.at >= from && w.at < until {
			took = append(took, w.took)
		}
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}

// mostFlips is the largest number of changes within a minute.
func (s *server) mostFlips() int {
	most := 0
	for i, from := range s.flips {
		n := 0
		for _, at := range s.flips[i:] {
			if at.Sub(from) < time.Minute {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// oracle is the work, in core seconds, that workers could do who know what the
// foreground is about to do and fill no more than three quarters of the cores.
func oracle(t *testing.T, cores float64, workers int, load func(time.Duration) float64, d time.Duration) float64 {
	sum, span := 0.0, int(time.Second/tick)
	for second := range slices.Chunk(simulate(t, cores, load, d, nil).busy, span) {
		fore := 0.0
		for _, b := range second {
			fore += b / float64(span)
		}
		sum += min(float64(workers), max(0, ours*cores-fore))
	}
	return sum
}

// simulate runs a server in a bubble, with governors or without.
func simulate(t *testing.T, cores float64, load func(time.Duration) float64, d time.Duration, setup func(context.Context, *server)) *server {
	t.Helper()
	var s *server
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s = newServer(cores, load)
		if setup != nil {
			setup(ctx, s)
		}
		s.run(d)
		cancel()
		synctest.Wait()       // a canary that is just being sent is a job too
		for len(s.jobs) > 0 { // what runs is never cancelled
			time.Sleep(tick)
			s.advance()
		}
		time.Sleep(leaveTimeout) // who is cut off gives up its farewell
		synctest.Wait()
	})
	return s
}

func steady(cores float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return cores }
}

func step(from, until time.Duration, low, high float64) func(time.Duration) float64 {
	return func(at time.Duration) float64 {
		if at >= from && at < until {
			return high
		}
		return low
	}
}

func TestAnIdleDatabaseIsWorkedOnAtFullSpeed(t *testing.T) {
	const d = 2 * time.Minute
	for _, cores := range []float64{2, 16} {
		governed := simulate(t, cores, steady(0), d, func(ctx context.Context, s *server) { s.governed(ctx, t, "target", 6) })
		free := simulate(t, cores, steady(0), d, func(ctx context.Context, s *server) {
			s.start(ctx, t, nil, Config{Name: "target", Use: Reads, Most: 6, Fixed: true})
		})
		if governed.worked < 0.95*free.worked || len(governed.flips) != 0 {
			t.Errorf("%v cores: %.0f core seconds of %.0f without signals, %d flips", cores, governed.worked, free.worked, len(governed.flips))
		}
	}
}

func TestASteadyForegroundHardlyNotices(t *testing.T) {
	const d = 8 * time.Minute // of shorter times the slowest hundredth is a matter of chance
	for _, cores := range []float64{2, 4, 16} {
		load := steady(cores / 2)
		alone := simulate(t, cores, load, d, nil)
		with := simulate(t, cores, load, d, func(ctx context.Context, s *server) { s.governed(ctx, t, "target", 6) })
		before, after := alone.p99(time.Minute, d), with.p99(time.Minute, d)
		could := oracle(t, cores, 6, load, d)
		t.Logf("%v cores: p99 %v alone, %v with %.0f core seconds of work; the oracle does %.0f; %d flips", cores, before, after, with.worked, could, len(with.flips))
		if float64(after) > 1.25*float64(before) {
			t.Errorf("%v cores: p99 %v, alone %v", cores, after, before)
		}
		if with.worked < could/3 {
			t.Errorf("%v cores: %.0f core seconds of work, the oracle does %.0f", cores, with.worked, could)
		}
	}
}

// What waits to begin is no session at work, and is part of the load all the same.
func TestAForegroundThatIsServedInOrderHardlyNotices(t *testing.T) {
	const d = 8 * time.Minute // of shorter times the slowest hundredth is a matter of chance
	for _, cores := range []float64{2, 4} {
		load := steady(cores / 2)
		inOrder := func(with bool) *server {
			return simulate(t, cores, load, d, func(ctx context.Context, s *server) {
				s.inOrder, s.tick = true, time.Millisecond // a look waits for as long as it does
				if !with {
					return
				}
				w := NewWatcher("target", s)
				w.Phase = 1.0 / 3
				if err := w.AddCount(Signal{Name: "threads", Limit: 2*s.cores + 6, Cores: s.cores}, s.count); err != nil {
					t.Error(err)
				}
				s.start(ctx, t, w, Config{Name: "target", Use: Reads, Most: 6, Observer: s})
			})
		}
		alone, with, could := inOrder(false), inOrder(true), oracle(t, cores, 6, load, d)
		before, after := alone.p99(time.Minute, d), with.p99(time.Minute, d)
		t.Logf("%v cores: p99 %v alone, %v with %.0f core seconds of work; the oracle does %.0f; %d flips", cores, before, after, with.worked, could, len(with.flips))
		if float64(after) > 1.25*float64(before) {
			t.Errorf("%v cores: p99 %v, alone %v", cores, after, before)
		}
		if with.worked < could/3 {
			t.Errorf("%v cores: %.0f core seconds of work, the oracle does %.0f", cores, with.worked, could)
		}
	}
}

func TestAStepToOverloadPausesAtOnceAndItsEndResumes(t *testing.T) {
	const up, down, d = time.Minute, 2 * time.Minute, 5 * time.Minute
	for _, cores := range []float64{2, 4} {
		load := step(up, down, 0.2*cores, 1.1*cores)
		s := simulate(t, cores, load, d, func(ctx context.Context, s *server) { s.governed(ctx, t, "target", 6) })
		could := oracle(t, cores, 6, load, d)
		t.Logf("%v cores: paused after %v, resumed at %v, %d flips, %.0f core seconds of work, the oracle does %.0f",
			cores, s.first.Sub(s.began.Add(up)), s.last.Sub(s.began), len(s.flips), s.worked, could)
		if late := s.first.Sub(s.began.Add(up)); late < 0 || late > 3*time.Second {
			t.Errorf("%v cores: paused %v after the step", cores, late)
		}
		if n := s.mostFlips(); n > 4 {
			t.Errorf("%v cores: %d changes within a minute", cores, n)
		}
		if s.worked < could/2 {
			t.Errorf("%v cores: %.0f core seconds of work, the oracle does %.0f", cores, s.worked, could)
		}
	}
}

func TestCalmResumesWithinAMinute(t *testing.T) {
	// An overload that is over at once, as when a bad query is killed.
	const up, down, d = time.Minute, 70 * time.Second, 4 * time.Minute
	s := simulate(t, 8, step(up, down, 1, 10), d, func(ctx context.Context, s *server) { s.governed(ctx, t, "target", 6) })
	if back := s.last.Sub(s.began.Add(down)); len(s.flips) != 2 || back > time.Minute {
		t.Errorf("%d flips, resumed %v after the end", len(s.flips), back)
	}
}

func TestALastingShiftIsLivedWithNotFlappedAt(t *testing.T) {
	const d = 6 * time.Minute
	load := step(time.Minute, d, 1, 11) // of 16 cores: up to 69 %
	s := simulate(t, 16, load, d, func(ctx context.Context, s *server) { s.governed(ctx, t, "target", 12) })
	could := oracle(t, 16, 12, load, d)
	t.Logf("%d flips, %.0f core seconds of work, the oracle does %.0f", len(s.flips), s.worked, could)
	if n := s.mostFlips(); n > 4 {
		t.Errorf("%d changes within a minute", n)
	}
	if s.worked < could/2 {
		t.Errorf("%.0f core seconds of work, the oracle does %.0f", s.worked, could)
	}
}

func TestOwnLoadAloneDoesNotPause(t *testing.T) {
	s := simulate(t, 1, steady(0), 5*time.Minute, func(ctx context.Context, s *server) { s.governed(ctx, t, "target", 32) })
	t.Logf("%.0f core seconds of work", s.worked)
	if len(s.flips) != 0 || s.worked < 0.8*300 {
		t.Errorf("%d flips, %.0f core seconds of work of 300", len(s.flips), s.worked)
	}
}

func TestTwoValidatorsDoNotFight(t *testing.T) {
	const d = 5 * time.Minute
	load := step(2*time.Minute, 3*time.Minute, 2, 8.5)
	s := simulate(t, 8, load, d, func(ctx context.Context, s *server) {
		s.governed(ctx, t, "one", 6)
		s.governed(ctx, t, "two", 6)
	})
	could := oracle(t, 8, 12, load, d)
	t.Logf("%d flips, %.0f core seconds of work, the oracle does %.0f", len(s.flips), s.worked, could)
	if n := s.mostFlips(); n > 8 {
		t.Errorf("%d changes within a minute of two governors", n)
	}
	if s.worked < could/2 {
		t.Errorf("%.0f core seconds of work, the oracle does %.0f", s.worked, could)
	}
}

func TestWhoCannotSeeDoesNotSpeedUp(t *testing.T) {
	var held, at []int
	s := simulate(t, 8, steady(3.9), 2*time.Minute, func(ctx context.Context, s *server) {
		g := s.governed(ctx, t, "target", 6)
		go func() {
			time.Sleep(30 * time.Second)
			s.setLost(errors.New("no privilege any more"))
			time.Sleep(10 * time.Second)
			held = append(held, g.Status().Workers)
			s.setLoad(steady(0))
			time.Sleep(time.Minute)
			held = append(held, g.Status().Workers)
			s.setLost(nil)
			time.Sleep(19 * time.Second)
			at = append(at, g.Status().Workers)
		}()
	})
	if len(s.flips) != 0 || held[0] > 3 || held[1] != held[0] || at[0] <= held[0] {
		t.Errorf("%d flips, %v workers while blind, %v after", len(s.flips), held, at)
	}
}

func ExampleSignal_Show() {
	fmt.Println(Signal{Unit: "ms"}.Show(41.23), Signal{Unit: "ms"}.Show(25), Signal{}.Show(0.5))
	// Output: 41.2 ms 25 ms 0.50
}
