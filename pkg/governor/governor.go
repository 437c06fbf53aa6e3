// Package governor decides how much load may be put on a database now.
//
// A Watcher measures signals of the database, each against its limit. A
// Governor admits statements by them: a gate pauses and resumes with
// hysteresis, a sizer moves the number of workers, and below one worker the
// part of the time it works. It stops admitting and never cancels what runs.
//
//	signal.go    what is measured; smoothing; when a signal is stale
//	watch.go     measuring
//	gate.go      when to pause and when to go on: pure
//	sizer.go     how much to admit: pure
//	order.go     pauses by hand and by the clock
//	governor.go  both decisions applied to a budget
//	budget.go    the places
//	share.go     what each of several processes may use of one database: pure
//	sharing.go   being told so, as one of them
//	lease.go     for how long that counts
//	part.go      a governor that has a part of a budget
//	status.go    what is going on, for people and metrics
package governor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Config is what a Governor works with.
type Config struct {
	// Name is the database and the use in words: "source reads".
	Name string
	// Use says which signals count; Reads or Writes.
	Use Use
	// Most is the largest number of statements at a time.
	Most int
	// Processes is the number of processes, this one included, that share Most
	// and what others leave of the database evenly; 0 means one. See NewSharing
	// for processes whose number is not known.
	Processes int
	// Fixed admits that many whatever the signals say; pauses by hand and by
	// the clock remain.
	Fixed bool
	// Windows are the pauses by the clock.
	Windows []Window
	// Observer may be nil.
	Observer Observer
}

// Observer is told what changes. Calls must not block, nor call back.
type Observer interface {
	// Paused comes when a governor stops admitting, and Resumed when it goes on.
	Paused(governor, reason string)
	Resumed(governor string, after time.Duration)
	// Lost comes when a signal cannot be measured any more, Found when it can again.
	Lost(database string, signal Signal, err error)
	Found(database string, signal Signal)
}

// NopObserver ignores everything.
type NopObserver struct{}

// Paused does nothing.
func (NopObserver) Paused(string, string) {}

// Resumed does nothing.
func (NopObserver) Resumed(string, time.Duration) {}

// Lost does nothing.
func (NopObserver) Lost(string, Signal, error) {}

// Found does nothing.
func (NopObserver) Found(string, Signal) {}

// Governor admits reads of a database, or writes to it. It admits nothing until
// Start. It is safe for concurrent use.
type Governor struct {
	config Config
	budget *Budget

	mu      sync.Mutex
	watcher *Watcher // nil when fixed, or before Start
	started bool
	gate    gate
	sizer   sizer
	order   order
	paused  time.Duration // in pauses that are over
	// allowed is the number of statements at once of which part is a part; less than
	// one is one for that part of the time.
	allowed float64
	part    part
}

// New returns a Governor that has not started.
func New(c Config) (*Governor, error) {
	if c.Observer == nil {
		c.Observer = NopObserver{}
	}
	for _, w := range c.Windows {
		if w.Starts == nil || w.For <= 0 {
			return nil, fmt.Errorf("a scheduled pause of %s has no start or no length", c.Name)
		}
	}
	budget, err := NewBudget(c.Name, c.Most)
	if err != nil {
		return nil, err
	}
	budget.SetLimit(0)
	own := float64(c.Most / max(c.Processes, 1))
	if own < 1 {
		return nil, fmt.Errorf("%d processes cannot share %d statements of %s at once; at least one each", c.Processes, c.Most, c.Name)
	}
	return &Governor{
		config: c, budget: budget, part: part{statements: own, told: true}, allowed: own, sizer: newSizer(c.Most, own),
	}, nil
}

// Start begins to admit by the signals of a watcher, which has measured them
// once; nil when the governor is fixed.
func (g *Governor) Start(w *Watcher) error {
	if (w == nil) != g.config.Fixed {
		return errors.New("a governor goes by the signals of a watcher unless it is fixed")
	}
	now := time.Now()
	g.mu.Lock()
	if g.started {
		g.mu.Unlock()
		return fmt.Errorf("the governor of %s was started before", g.config.Name)
	}
	g.watcher, g.started = w, true
	if w != nil {
		g.sizer.first(now, w.readings(now, g.config.Use))
	}
	g.mu.Unlock()
	if w != nil {
		w.govern(g)
	}
	g.consider(now)
	return nil
}

// lookEvery is how often a governor looks at the clock: pauses end, and signals
// grow stale, without a sample.
const lookEvery = time.Second

// Run keeps an eye on the clock until ctx ends.
func (g *Governor) Run(ctx context.Context) {
	pulse := time.NewTicker(lookEvery)
	defer pulse.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pulse.C:
			g.consider(time.Now())
		}
	}
}

// consider decides anew.
func (g *Governor) consider(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.started {
		return
	}
	var readings []Reading
	if g.watcher != nil {
		readings = g.watcher.readings(now, g.config.Use)
	}
	since := g.gate.changed
	changed := g.gate.step(now, readings, cmp.Or(ordered(now, g.order, g.config.Windows), g.part.unknown))
	switch {
	case changed && g.gate.paused:
		g.config.Observer.Paused(g.config.Name, g.gate.reason)
	case changed:
		g.paused += now.Sub(since)
		g.config.Observer.Resumed(g.config.Name, now.Sub(since))
		if g.watcher != nil {
			g.sizer.restart(now, readings)
		}
	case !g.gate.paused && g.watcher != nil:
		g.sizer.step(now, readings)
	}
	if g.gate.paused || g.part.statements <= 0 {
		g.budget.SetLimit(0)
	} else {
		g.budget.SetLimit(g.sizer.level.workers())
	}
}

// maxRest bounds the rest after one statement, so that a long one does not
// leave its place empty for minutes.
const maxRest = 10 * time.Second

// perStatement is what a statement counts for beside its own time, however short it is: it
// is read and answered, and wakes threads of the server, of who asks and of the broker, each
// of which may take a core from somebody. On two cores half busy, where there is least room,
// a statement of 2.4 ms comes to about 1.4 ms of a core, of which reading rows is 0.3 ms.
const perStatement = 2 * time.Millisecond

// Acquire waits until a statement may run and returns the function that gives
// the place back. Below one worker the place stays taken for a while after
// that, so that the worker works only its share of the time, perStatement included.
func (g *Governor) Acquire(ctx context.Context) (release func(), err error) {
	g.Announce()
	leave, err := g.budget.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	return sync.OnceFunc(func() {
		rest := time.Duration(float64(time.Since(began)+perStatement) * (1/g.Share() - 1))
		if rest <= 0 {
			leave()
			return
		}
		time.AfterFunc(min(rest, maxRest), leave)
	}), nil
}

// Share is the part of the time that a worker works now, 1 when there is one or more.
func (g *Governor) Share() float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sizer.share()
}

const (
	// roomy is the share of the time down to which ranges have just that share of their
	// usual size. Below it they are shorter still, down to briefest of that: what others
	// wait for is how long one statement takes a core, but each has its cost too. By
	// trial on the model, MariaDB and PostgreSQL: without the square the model's foreground
	// waits longer, and with a fifth those of the servers do, while fewer rows are examined.
	roomy    = 0.5
	briefest = 0.6
)

// Size is the part of its usual size that a range should have now.
func (g *Governor) Size() float64 {
	share := g.Share()
	lack := min(share/roomy, 1)
	return share * max(lack*lack, briefest)
}
