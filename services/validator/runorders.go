package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"connectrpc.com/connect"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/validate"
)

// refused is an order that makes no sense as things stand.
func refused(code connect.Code, format string, args ...any) error {
	return connect.NewError(code, fmt.Errorf(format, args...))
}

// ask has a run of a mode begin when those before it are over.
func (c *conductor) ask(ctx context.Context, mode validate.Mode) error {
	defer c.tell()
	return c.states.order(ctx, c.pair, func(s *event.PairState) error {
		if s.Pause.Stands(time.Now()) {
			return refused(connect.CodeFailedPrecondition, "%s is paused %s; resume it first", c.pair.Name, s.Pause)
		}
		if run := c.running(); run != nil && run.mode == mode || slices.Contains(s.Pending, mode.String()) {
			return refused(connect.CodeAlreadyExists, "a %s run of %s is under way or waits for its turn already; ask for its status, or stop it", mode, c.pair.Name)
		}
		s.Pending = append(s.Pending, mode.String())
		return nil
	})
}

// pause has the pair's runs rest. A later order takes the place of an earlier one.
func (c *conductor) pause(ctx context.Context, o event.Order) error {
	defer c.tell()
	return c.states.order(ctx, c.pair, func(s *event.PairState) error {
		s.Pause = o
		return nil
	})
}

// proceed ends a pause, and goes on with a run that was interrupted.
func (c *conductor) proceed(ctx context.Context) error {
	defer c.tell()
	err := c.states.order(ctx, c.pair, func(s *event.PairState) error {
		switch {
		case s.Pause.Stands(time.Now()):
			s.Pause = event.Order{}
			return nil
		case c.running() != nil || len(s.Position) == 0 && s.Phase != event.PhaseRunning:
			return refused(connect.CodeFailedPrecondition, "%s is neither paused nor interrupted; there is nothing to resume", c.pair.Name)
		case len(s.Position) > 0:
			return errUnchanged
		case !slices.Contains(s.Pending, s.Mode): // it ended before it had read anything
			s.Pending = append(s.Pending, s.Mode)
		}
		return nil
	})
	if err == nil {
		c.mu.Lock()
		c.resume = true
		c.mu.Unlock()
	}
	return err
}

// stop ends the run under way, or gives up the one that was interrupted, and
// forgets those that wait for their turn.
func (c *conductor) stop(ctx context.Context, o event.Order) error {
	defer c.tell()
	run := c.running()
	err := c.states.order(ctx, c.pair, func(s *event.PairState) error {
		waited := c.forgetDue() || len(s.Pending) > 0
		s.Pending = nil
		switch {
		case run != nil && (s.Run != run.id || s.Phase != event.PhaseRunning):
			return refused(connect.CodeAborted, "the run of %s ended meanwhile; ask for its status", c.pair.Name)
		case run != nil || len(s.Position) > 0:
			s.Position, s.Phase, s.Stopped = nil, event.PhaseStopped, o
		case !waited:
			return refused(connect.CodeFailedPrecondition, "no run of %s is under way or waits; there is nothing to stop", c.pair.Name)
		}
		return nil
	})
	if err == nil && run != nil {
		run.stop(&stoppedError{o})
	}
	return err
}

// running is the run under way; nil for none.
func (c *conductor) running() *current {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current
}

// forgetDue forgets what is due by schedule, and says whether there was anything.
func (c *conductor) forgetDue() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	waited := len(c.due) > 0
	c.due = nil
	return waited
}

// stoppedError ends a run that somebody stopped.
type stoppedError struct{ order event.Order }

// Error says who and why.
func (e *stoppedError) Error() string { return "stopped " + e.order.String() }
