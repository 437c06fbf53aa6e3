package canary

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/trueup/trueup/pkg/event"
)

// watchEvery is how often the topics are read: what a stage's time may be off by.
const watchEvery = 100 * time.Millisecond

// settleOutcomes is how long after an outcome that says nothing of a repair one
// that does is waited for: the same row may have been found twice.
const settleOutcomes = 3 * time.Second

// watcher holds what the topics say against what was planted. It is pure.
type watcher struct {
	kind   event.Kind
	epoch  uint64
	column string
	run    string
	since  time.Time

	found   map[string]event.Finding
	finding *event.Finding
	// outcome is the repair, or else what ends the hope for one; idle is one
	// after which another may come.
	outcome, idle *event.Outcome
	idleSince     time.Time
}

// note takes what was read now.
func (w *watcher) note(findings []event.Finding, outcomes []event.Outcome, now time.Time) {
	for _, f := range findings {
		if !w.mine(f) {
			continue
		}
		if w.finding == nil {
			w.finding = &f
		}
		w.found[f.ID] = f
	}
	for _, o := range outcomes {
		f, known := w.found[o.FindingID]
		switch {
		case !known || w.outcome != nil:
		case o.Result == event.AlreadyEqual, o.Result == event.Vanished:
			w.idle, w.idleSince = &o, now
		default:
			w.outcome, w.finding = &o, &f
		}
	}
}

// mine says whether a finding is about what was planted.
func (w *watcher) mine(f event.Finding) bool {
	return f.Kind == w.kind && f.Epoch == w.epoch &&
		(w.column == "" || slices.Contains(f.Columns, w.column)) &&
		(f.Run == w.run || !f.DetectedAt.Before(w.since))
}

// hopeless says why no repair will come; empty while one may.
func hopeless(o event.Outcome) string {
	switch {
	case o.DryRun:
		return "the fixer is in a dry run (fixer.dry_run): its outcome says what it would have done, and it wrote nothing"
	case o.Result == event.Repaired:
		return ""
	default:
		return fmt.Sprintf("the finding is %s (%s): %s", o.Result, o.Class, o.Reason)
	}
}

// await watches until the row is equal again, or what is missing is clear. It
// returns an error when it could not look.
func (c *Canary) await(ctx context.Context, r *Report) error {
	limited, cancel := context.WithTimeoutCause(ctx, c.Timeout, errTimeout)
	defer cancel()
	if c.Ask != nil {
		if err := c.Ask(limited, r.Key); err != nil {
			return fmt.Errorf("ask a validator to look at the row: %w", err)
		}
		r.Asked = true
	}
	w := &watcher{
		kind: c.Kind, epoch: c.Epoch, column: r.Column, run: c.Run, since: r.At.Add(-c.Skew), found: map[string]event.Finding{},
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var blind error // the last look failed
	for {
		ended, err := c.advance(limited, w, r)
		if ended {
			return nil
		}
		if limited.Err() == nil {
			blind = err
		}
		select {
		case <-tick.C:
		case <-limited.Done():
			return c.timedOut(ctx, w, r, blind)
		}
	}
}

// advance looks once. It returns true when the report is complete.
func (c *Canary) advance(ctx context.Context, w *watcher, r *Report) (bool, error) {
	findings, outcomes, err := c.Topics.Read(ctx)
	if err != nil {
		return false, err
	}
	w.note(findings, outcomes, time.Now())
	r.Finding, r.Outcome = w.finding, w.outcome
	if _, known := r.Reached[Found]; !known && w.finding != nil {
		c.reach(r, Found)
	}
	switch {
	case w.outcome == nil && w.idle != nil && time.Since(w.idleSince) > settleOutcomes:
		r.Outcome, r.Missed = w.idle, Repaired
		r.Reason = fmt.Sprintf("the fixer found both sides alike (%s): somebody else wrote to the row first", w.idle.Result)
		return true, nil
	case w.outcome == nil:
		return false, nil
	}
	if why := hopeless(*w.outcome); why != "" {
		r.Missed, r.Reason = Repaired, why
		return true, nil
	}
	if _, known := r.Reached[Repaired]; !known {
		c.reach(r, Repaired)
	}
	authority, replica, err := c.look(ctx, r.Key.Values())
	if err != nil {
		return false, err
	}
	if kind, _ := c.comparer().Rows(authority, replica); kind != event.KindUnknown {
		return false, nil
	}
	c.reach(r, Equal)
	return true, nil
}

// timedOut says which stage is missing, or why that is not known.
func (c *Canary) timedOut(ctx context.Context, w *watcher, r *Report, blind error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted: %w", context.Cause(ctx))
	}
	if blind != nil {
		return fmt.Errorf("look at what became of the row: %w", blind)
	}
	_, repaired := r.Reached[Repaired]
	switch {
	case w.finding == nil && r.Asked:
		r.Missed, r.Reason = Found, fmt.Sprintf("no finding within %v: does a validator run with this file, in which the pair has a canary, and is the pair not paused? Its log and /readyz tell what holds it", c.Timeout)
	case w.finding == nil:
		r.Missed, r.Reason = Found, fmt.Sprintf("no finding within %v: do the validator and what writes the copy's change events run? Or is no run due so soon?", c.Timeout)
	case !repaired:
		r.Missed, r.Reason = Repaired, fmt.Sprintf("no outcome of the finding within %v: does a fixer run, and what do its log and /readyz say? A paused governor lets findings wait", c.Timeout)
	default:
		r.Missed, r.Reason = Equal, fmt.Sprintf("a fixer repaired the row, and it is not equal %v after it was planted: somebody else writes to it", c.Timeout)
	}
	return nil
}
