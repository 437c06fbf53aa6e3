package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/schedule"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// conductor has the runs of one pair follow each other: the one that was
// interrupted, those that were asked for, those that are due by schedule. What
// was asked for stands in the pair's record, and what is due follows from when a
// run of the mode was begun last, so that a crash forgets neither.
type conductor struct {
	pair   assembly.Pair
	states *states
	log    zerolog.Logger
	// window is when runs that end may work.
	window schedule.Window
	// perform runs one run to its end.
	perform func(ctx context.Context, run performance)

	mu sync.Mutex
	// resume says that the interrupted run goes on next.
	resume bool
	// due are the modes that are due by schedule, each once.
	due     []validate.Mode
	current *current
	last    progressed
	// resting is why runs that end, and those that do not, wait, as it was logged.
	resting [2]string
	// changed is closed, and made anew, whenever anything of this or of the
	// pair's record is another.
	changed chan struct{}
}

// performance is a run that begins.
type performance struct {
	id   string
	mode validate.Mode
}

// current is the run under way.
type current struct {
	performance
	stop context.CancelCauseFunc
}

func newConductor(p assembly.Pair, s *states, log zerolog.Logger, perform func(context.Context, performance)) *conductor {
	window, _ := schedule.ParseWindow(p.Schedule.Only, p.Schedule.Zone) // checked when the configuration was read
	_, interrupted := s.interrupted(p.Name)
	return &conductor{
		pair: p, states: s, log: log.With().Str("pair", p.Name).Logger(), window: window, perform: perform, resume: interrupted, changed: make(chan struct{}),
	}
}

// tell wakes everybody who waits for something to change.
func (c *conductor) tell() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.changed)
	c.changed = make(chan struct{})
}

// rest is why nothing may be begun now, and until when: zero for until somebody
// says so. Empty when there is no reason.
func (c *conductor) rest(now time.Time, endless bool) (why string, until time.Time) {
	if pause := c.states.of(c.pair.Name).Pause; pause.Stands(now) {
		return "paused " + pause.String(), pause.Until
	}
	if open, opens := c.window.Open(now); !open && !endless {
		return fmt.Sprintf("runs of this pair work only at %s", c.window), opens
	}
	return "", time.Time{}
}

// admit waits while a run that ends has to rest; it is validate.Run.Admit.
func (c *conductor) admit(ctx context.Context) error { return c.await(ctx, false) }

// admitEndless is admit for runs without an end, which keep no window.
func (c *conductor) admitEndless(ctx context.Context) error { return c.await(ctx, true) }

func (c *conductor) await(ctx context.Context, endless bool) error {
	for {
		changed := c.change()
		why, until := c.rest(time.Now(), endless)
		c.say(why, endless)
		if why == "" {
			return nil
		}
		if !awaitChange(ctx, changed, until) {
			return context.Cause(ctx)
		}
	}
}

// say logs when a run comes to rest, and when it goes on.
func (c *conductor) say(why string, endless bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	said := &c.resting[0]
	if endless {
		said = &c.resting[1]
	}
	if *said == why {
		return
	}
	*said = why
	line := c.log.Info().Bool("endless", endless)
	if why == "" {
		line.Msg("runs go on")
		return
	}
	line.Str("why", why).Msg("runs rest: nothing more is read, what is being read is finished")
}

func (c *conductor) change() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// lookAgain bounds a wait for a moment: a clock that was set delays by as much.
const lookAgain = time.Minute

// awaitChange returns true when something changed or a moment, unless zero, may
// have come, and false when ctx ended.
func awaitChange(ctx context.Context, changed <-chan struct{}, until time.Time) bool {
	var alarm <-chan time.Time
	if !until.IsZero() {
		// Round strips the monotonic reading: the wall clock decides.
		timer := time.NewTimer(min(max(until.Sub(time.Now().Round(0)), 0), lookAgain))
		defer timer.Stop()
		alarm = timer.C
	}
	select {
	case <-changed:
	case <-alarm:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// serve performs what comes up until ctx ends.
func (c *conductor) serve(ctx context.Context) {
	for ctx.Err() == nil {
		changed := c.change()
		why, until := c.rest(time.Now(), false)
		mode, resume, found := c.next()
		if why == "" && found {
			if c.start(ctx, mode, resume) != nil {
				return
			}
			continue
		}
		if !found {
			until = time.Time{}
		}
		if !awaitChange(ctx, changed, until) {
			return
		}
	}
}

// next is the run that comes next.
func (c *conductor) next() (mode validate.Mode, resume, found bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if mode, interrupted := c.states.interrupted(c.pair.Name); c.resume && interrupted {
		return mode, true, true
	}
	if waiting := c.waiting(); len(waiting) > 0 {
		return waiting[0], false, true
	}
	return 0, false, false
}

// waiting are the modes that wait for their turn, those that were asked for
// first. The lock is held.
func (c *conductor) waiting() []validate.Mode {
	var all []validate.Mode
	for _, name := range c.states.of(c.pair.Name).Pending {
		if mode, err := validate.ParseMode(name); err == nil {
			all = append(all, mode)
		}
	}
	for _, mode := range c.due {
		if !slices.Contains(all, mode) {
			all = append(all, mode)
		}
	}
	return all
}

// start performs a run to its end. An error says that ctx ended before.
func (c *conductor) start(ctx context.Context, mode validate.Mode, resume bool) error {
	id, err := c.states.begin(ctx, c.pair, mode, resume)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	run := performance{id: id, mode: mode}
	c.mu.Lock()
	c.resume = false
	c.due = slices.DeleteFunc(c.due, func(m validate.Mode) bool { return m == mode })
	c.current = &current{run, stop}
	c.last = progressed{performance: run, began: time.Now()}
	c.mu.Unlock()
	c.tell()
	c.perform(ctx, run)
	c.mu.Lock()
	c.current = nil
	c.mu.Unlock()
	c.tell()
	return nil
}

// fallDue notes that a run is due by schedule. One that is due already, or goes
// on meanwhile, is made up for once.
func (c *conductor) fallDue(mode validate.Mode) {
	c.mu.Lock()
	if !slices.Contains(c.due, mode) {
		c.due = append(c.due, mode)
	}
	c.mu.Unlock()
	c.tell()
}

// jobs are the scheduled runs of the pair. The expressions were checked when the
// configuration was read.
func (c *conductor) jobs() []schedule.Job {
	var jobs []schedule.Job
	began := c.states.of(c.pair.Name).Began
	for _, mode := range []validate.Mode{validate.Full, validate.Reverse, validate.Count} {
		if spec, err := schedule.Parse(c.pair.Schedule.Of(mode.String()), c.pair.Schedule.Zone); err == nil {
			jobs = append(jobs, schedule.Job{Spec: spec, Last: began[mode.String()], Run: func(context.Context) { c.fallDue(mode) }})
		}
	}
	return jobs
}
