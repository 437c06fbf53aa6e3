package governor

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Watcher measures the signals of one database and tells them to its
// governors. It is safe for concurrent use.
type Watcher struct {
	// Phase, from 0 to 1, is when it measures among other watchers of the same server,
	// which have others. It is set before the first Measure.
	Phase float64

	name     string
	observer Observer

	mu       sync.Mutex
	signals  []*watched
	governed []*Governor
}

type watched struct {
	gauge *gauge
	probe func(context.Context) (look, error) // nil for a passive signal
	looks int                                 // that a sample is the mean of
	told  bool                                // that it is lost
}

// NewWatcher returns a Watcher without signals for the database of that name;
// the observer may be nil.
func NewWatcher(name string, observer Observer) *Watcher {
	if observer == nil {
		observer = NopObserver{}
	}
	return &Watcher{name: name, observer: observer}
}

// Add adds a signal and what measures it, nil for a passive one. Signals are
// added before the first Measure or Run.
func (w *Watcher) Add(s Signal, probe Probe) error {
	if probe == nil {
		return w.add(s, nil)
	}
	return w.add(s, func(ctx context.Context) (look, error) {
		value, err := probe(ctx)
		return look{value: value}, err
	})
}

// AddCount is Add for a signal with Cores that is measured by a Count.
func (w *Watcher) AddCount(s Signal, count Count) error {
	return w.add(s, func(ctx context.Context) (look, error) {
		n, err := count(ctx)
		return lookAt(n), err
	})
}

func (w *Watcher) add(s Signal, probe func(context.Context) (look, error)) error {
	s = s.withDefaults()
	if err := s.validate(); err != nil {
		return err
	}
	if (probe == nil) != s.Passive {
		return errors.New("the signal " + s.Name + " is either measured or observed")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	added := &watched{gauge: newGauge(s), probe: probe, looks: 1}
	if s.Cores > 0 {
		added.looks = looks
	}
	w.signals = append(w.signals, added)
	return nil
}

// Change gives a signal another limit and another number of cores, as when another
// host has taken over; one that is not watched is ignored.
func (w *Watcher) Change(signal string, limit, cores float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.signals {
		if s.gauge.signal.Name == signal && limit > 0 {
			s.gauge.signal.Limit, s.gauge.signal.Cores = limit, cores
		}
	}
}

// Observe takes a sample of a passive signal; one that is not watched is
// ignored.
func (w *Watcher) Observe(signal string, value float64) {
	for _, s := range w.list() {
		if s.probe == nil && s.gauge.signal.Name == signal {
			w.sample(s, nil, look{value: value})
		}
	}
}

// A busy server has moments of rest: with half of two cores busy, every third look
// finds nobody at work. And one that stands still for a moment has everybody at work. So
// one sample of a signal that counts who is at work is the mean of several looks, which
// are far apart beside what statements take: a fifth of the time between two samples, and
// firstApart when somebody waits to begin.
const (
	looks      = 3
	firstApart = 50 * time.Millisecond
)

// Measure takes a sample of every signal, all at the same time, so that
// governors have something to go by when they begin.
func (w *Watcher) Measure(ctx context.Context) {
	w.each(func(s *watched) { w.measure(ctx, s, firstApart) })
}

// Run measures until ctx ends. What it measures comes at moments of its own: of several
// questions at once the last ones, and with them what others ask just then, wait for the
// first; once a second that is seen in every hundredth wait of others. And a count is of
// several figures, which servers give one after the other: a probe that ends between two
// of them passes for somebody else's work.
func (w *Watcher) Run(ctx context.Context) {
	first := w.moments()
	w.each(func(s *watched) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(first[s]):
		}
		pulse := time.NewTicker(s.gauge.signal.Every)
		defer pulse.Stop()
		for {
			w.measure(ctx, s, s.gauge.signal.Every/5)
			select {
			case <-ctx.Done():
				return
			case <-pulse.C:
			}
		}
	})
}

// moments are when each signal is measured first: counts begin with a second, and the
// others come in the part of it in which counts do not look.
func (w *Watcher) moments() map[*watched]time.Duration {
	const free = 2 * DefaultEvery / 5
	first, single := map[*watched]time.Duration{}, []*watched(nil)
	for _, s := range w.list() {
		switch {
		case s.looks > 1:
			first[s] = DefaultEvery
		case s.probe != nil:
			single = append(single, s)
		}
	}
	for i, s := range single {
		first[s] = DefaultEvery - free + time.Duration((float64(i)+w.Phase)/float64(len(single))*float64(free))
	}
	return first
}

func (w *Watcher) each(do func(*watched)) {
	var all sync.WaitGroup
	for _, s := range w.list() {
		if s.probe != nil {
			all.Go(func() { do(s) })
		}
	}
	all.Wait()
}

func (w *Watcher) list() []*watched {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.signals)
}

// measure takes one sample, of looks that are so far apart where it is several.
func (w *Watcher) measure(ctx context.Context, s *watched, apart time.Duration) {
	seen := make([]look, 0, s.looks)
	for wait := w.before(s, apart); ; wait = apart {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		l, err := w.look(ctx, s)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			w.sample(s, err)
			return
		}
		if seen = append(seen, l); len(seen) == s.looks {
			w.sample(s, nil, seen...)
			return
		}
	}
}

// before is how long the first of several looks waits.
func (w *Watcher) before(s *watched, apart time.Duration) time.Duration {
	if s.looks == 1 {
		return 0
	}
	return time.Duration(w.Phase * float64(apart))
}

// look asks once. While a latency is still being measured, the time so far is a
// sample too where it is past the limit: a server that does not answer would be seen
// to be slow only when it answers.
func (w *Watcher) look(ctx context.Context, s *watched) (look, error) {
	asked, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	type answer struct {
		look
		err error
	}
	answers := make(chan answer, 1)
	began := time.Now()
	go func() {
		l, err := s.probe(asked)
		answers <- answer{l, err}
	}()
	pulse := time.NewTicker(s.gauge.signal.Every)
	defer pulse.Stop()
	for {
		select {
		case a := <-answers:
			return a.look, a.err
		case <-pulse.C:
			if so := milliseconds(time.Since(began)); s.gauge.signal.Latency && so >= s.gauge.signal.Limit {
				w.sample(s, nil, look{value: so})
			}
		}
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// sample notes what was measured and has the governors look.
func (w *Watcher) sample(s *watched, err error, seen ...look) {
	now := time.Now()
	w.mu.Lock()
	if err != nil {
		s.gauge.miss(err)
	} else {
		s.gauge.observe(now, seen...)
	}
	governed := slices.Clone(w.governed)
	w.mu.Unlock()
	for _, g := range governed {
		g.consider(now)
	}
}

// govern has a governor told from now on.
func (w *Watcher) govern(g *Governor) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.governed = append(w.governed, g)
}

// readings are the signals that speak for a use, and tells the observer which
// were lost and found.
func (w *Watcher) readings(now time.Time, use Use) []Reading {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Reading
	for _, s := range w.signals {
		r, known := s.gauge.reading(now)
		if !known || s.gauge.signal.For&use == 0 {
			continue
		}
		r.On = w.name
		if r.Stale != s.told {
			s.told = r.Stale
			w.tell(r)
		}
		out = append(out, r)
	}
	return out
}

func (w *Watcher) tell(r Reading) {
	if r.Stale {
		w.observer.Lost(w.name, r.Signal, r.Err)
	} else {
		w.observer.Found(w.name, r.Signal)
	}
}
