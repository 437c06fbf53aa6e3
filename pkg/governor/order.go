package governor

import (
	"errors"
	"fmt"
	"time"
)

// Window is a stretch of time in which nothing is admitted, again and again.
type Window struct {
	// Starts says when it begins; a schedule.Spec does.
	Starts interface {
		Next(after time.Time) time.Time
	}
	// For is how long it lasts.
	For time.Duration
}

// until is the end of the window that now lies in; false outside.
func (w Window) until(now time.Time) (time.Time, bool) {
	now = now.Round(0) // the wall clock decides
	start := w.Starts.Next(now.Add(-w.For))
	return start.Add(w.For), !start.IsZero() && !start.After(now)
}

// order is a pause by hand.
type order struct {
	reason string
	until  time.Time
}

// ordered is why nothing is to be admitted whatever the signals say; empty when
// nobody ordered that.
func ordered(now time.Time, o order, windows []Window) string {
	if o.until.After(now) {
		return fmt.Sprintf("paused by hand until %s: %s", o.until.UTC().Format(time.RFC3339), o.reason)
	}
	for _, w := range windows {
		if until, inside := w.until(now); inside {
			return "scheduled pause until " + until.UTC().Format(time.RFC3339)
		}
	}
	return ""
}

// maxPause bounds a pause by hand: one that was forgotten ends by itself.
const maxPause = 7 * 24 * time.Hour

// Pause admits nothing until a moment, which must come, or until Resume. A later call
// replaces an earlier one. A moment that was counted from time.Now comes when it was
// meant to, whatever is done to the wall clock meanwhile.
func (g *Governor) Pause(reason string, until time.Time) error {
	now := time.Now()
	if !until.After(now) || until.Sub(now) > maxPause {
		return fmt.Errorf("pause %s until %s: choose a time within the next %v", g.config.Name, until.Format(time.RFC3339), maxPause)
	}
	if reason == "" {
		return errors.New("a pause needs a reason, for those who find it")
	}
	g.mu.Lock()
	g.order = order{reason: reason, until: until}
	g.mu.Unlock()
	g.consider(now)
	return nil
}

// Resume ends a pause by hand. Whether work goes on then is up to the signals.
func (g *Governor) Resume() {
	g.mu.Lock()
	g.order = order{}
	g.mu.Unlock()
	g.consider(time.Now())
}
