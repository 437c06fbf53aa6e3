package main

import (
	"context"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/standing"
	"github.com/trueup/trueup/pkg/validate"
	controlv1 "github.com/trueup/trueup/proto/trueup/control/v1"
)

// progressed is how far the present or last run of this process is.
type progressed struct {
	performance
	began time.Time
	// before are the rows that an earlier process has done.
	before, done, total int64
	resumed             bool
}

// started notes what a run is about to do.
func (c *conductor) started(s validate.Start) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last.before, c.last.done, c.last.total, c.last.resumed = s.Done, s.Done, s.Rows, s.Resumed
}

// scanned notes rows that are done.
func (c *conductor) scanned(rows int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last.done += rows
}

// ended keeps the end of a run that counts by time, which keeps no position.
func (c *conductor) ended(ctx context.Context, v validate.Verdict) error {
	if v.Windows == nil || !v.Complete {
		return nil
	}
	return c.states.Save(ctx, checkpointName(c.pair.Name, validate.Count), nil)
}

// status is how the pair stands.
func (c *conductor) status(now time.Time) *controlv1.Pair {
	state := c.states.of(c.pair.Name)
	why, _ := c.rest(now, false)
	next := c.nextStart(now)
	c.mu.Lock()
	defer c.mu.Unlock()
	out := &controlv1.Pair{Name: c.pair.Name, Authority: c.pair.Side().String(), Epoch: c.pair.Epoch, NextStart: timestamp(next)}
	waiting := c.waiting()
	for _, mode := range waiting {
		out.Pending = append(out.Pending, mode.String())
	}
	out.Run = c.runOf(state, now)
	interrupted := c.current == nil && state.Phase == event.PhaseRunning
	out.Phase = "idle"
	switch {
	case state.Pause.Stands(now):
		out.Phase, out.Order = "paused", orderOf(state.Pause)
	case c.current != nil:
		out.Phase, out.WaitsFor = "running", why
	case len(waiting) > 0, interrupted && c.resume:
		out.Phase, out.WaitsFor = "pending", why
	case state.Phase == event.PhaseStopped:
		out.Phase, out.Order = "stopped", orderOf(state.Stopped)
	case interrupted:
		out.Phase = "interrupted"
	case state.Run != "":
		out.Phase = "complete"
	}
	return out
}

// runOf is the present run, or else the last one. The lock is held.
func (c *conductor) runOf(state event.PairState, now time.Time) *controlv1.Run {
	if state.Run == "" {
		return nil
	}
	out := &controlv1.Run{Id: state.Run, Mode: state.Mode, Began: timestamp(state.Began[state.Mode])}
	if p := c.last; p.id == state.Run {
		out.RowsScanned, out.RowsEstimated, out.Resumed = p.done, p.total, p.resumed
		if c.current != nil {
			out.Remaining = p.remaining(now)
		}
	}
	return out
}

// remaining is how long the rest takes at the pace so far; nil where that says
// nothing yet.
func (p progressed) remaining(now time.Time) *durationpb.Duration {
	took, done := now.Sub(p.began), p.done-p.before
	if done <= 0 || p.total <= p.done || took < time.Second {
		return nil
	}
	return durationpb.New(time.Duration(float64(took) * float64(p.total-p.done) / float64(done)).Round(time.Second))
}

// nextStart is when a run starts by schedule next; zero for never.
func (c *conductor) nextStart(now time.Time) time.Time {
	var first time.Time
	for _, job := range c.jobs() {
		if at := job.Spec.Next(now); !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// latest are the last verdicts of each mode.
func latest(all []event.Verdict) []*controlv1.Verdict {
	var out []*controlv1.Verdict
	for _, v := range slices.Backward(all) {
		if !slices.ContainsFunc(out, func(o *controlv1.Verdict) bool { return o.GetMode() == v.Mode }) {
			out = append(out, verdictWire(v))
		}
	}
	return out
}

func verdictWire(v event.Verdict) *controlv1.Verdict {
	return &controlv1.Verdict{
		Pair: v.Pair, Run: v.Run, Mode: v.Mode, Method: v.Method, Complete: v.Complete, Clean: v.Clean,
		SourceRows: v.SourceRows, TargetRows: v.TargetRows, TargetMissing: v.TargetMissing, NotEqual: v.NotEqual, BaseMissing: v.BaseMissing,
		Undecided: v.Undecided, Unreadable: v.Unreadable, Reason: v.Reason, Began: timestamp(v.Began), Ended: timestamp(v.Ended),
		Epoch: v.Epoch, Authority: v.Authority, Covers: v.Covers.String(), Config: v.Config,
	}
}

func standingWire(s standing.Pair) *controlv1.Standing {
	out := &controlv1.Standing{
		Line: s.Line, Known: s.Known, AsOf: timestamp(s.AsOf), Open: int64(s.Open), AtLeast: s.AtLeast, Oldest: timestamp(s.Oldest),
		Kinds: map[string]int64{}, HeldUp: map[string]int64{},
	}
	for kind, n := range s.Kinds {
		out.Kinds[kind] = int64(n)
	}
	for why, n := range map[string]int{"put_off": s.PutOff, "hot": s.Hot, "held": s.Held, "dead": s.Dead, "undone": s.Undone} {
		if n > 0 {
			out.HeldUp[why] = int64(n)
		}
	}
	for _, w := range s.Verified {
		out.Verified = append(out.Verified, &controlv1.Watermark{
			Mode: w.Mode, Since: timestamp(w.Since), Until: timestamp(w.Until), Held: w.Held,
			Behind: durationpb.New(time.Duration(w.BehindSeconds * float64(time.Second))),
		})
	}
	return out
}

func orderOf(o event.Order) *controlv1.Order {
	return &controlv1.Order{Who: o.Who, Why: o.Why, At: timestamp(o.At), Until: timestamp(o.Until)}
}

// timestamp is a moment on the wire; nil for the zero time.
func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
