package schedule

import (
	"context"
	"time"
)

// Job is something to start by schedule.
type Job struct {
	Spec Spec
	// Last is when it was started last, by an earlier process; zero when it never
	// was. Times missed since then are made up for by one start.
	Last time.Time
	// Run returns when the job is done. What it returns is its own business:
	// a job that failed is started again at its next time.
	Run func(context.Context)
}

// checkEvery bounds how long Serve sleeps without a look at the clock, so that
// a clock that was set, or a machine that slept, delays a start by a minute at
// most.
const checkEvery = time.Minute

// Serve runs the jobs at their times, one at a time, until ctx ends; the job
// that is running then is waited for. A job whose time passes, once or many
// times, while it or another one runs is started once afterwards. When several
// are due the one that is due the longest goes first, and among equals the one
// that stands first in the list.
func Serve(ctx context.Context, jobs ...Job) {
	due := make([]time.Time, len(jobs))
	now := time.Now()
	for i, job := range jobs {
		due[i] = job.Spec.Next(now)
		if missed := job.Spec.Next(job.Last); !job.Last.IsZero() && missed.Before(due[i]) {
			due[i] = missed
		}
	}
	for {
		next := earliest(due)
		if next < 0 {
			<-ctx.Done()
			return
		}
		if !sleepUntil(ctx, due[next]) {
			return
		}
		// Counted from the start, not from the time it was due: all the times
		// missed until now are made up for by this one run, those that pass
		// during it by the one after.
		due[next] = jobs[next].Spec.Next(time.Now())
		jobs[next].Run(ctx)
	}
}

func earliest(due []time.Time) int {
	found := -1
	for i, at := range due {
		if !at.IsZero() && (found < 0 || at.Before(due[found])) {
			found = i
		}
	}
	return found
}

// sleepUntil returns false when ctx ended first.
func sleepUntil(ctx context.Context, at time.Time) bool {
	for {
		if ctx.Err() != nil {
			return false
		}
		// Round strips the monotonic reading: the wall clock decides.
		wait := at.Sub(time.Now().Round(0))
		if wait <= 0 {
			return true
		}
		timer := time.NewTimer(min(wait, checkEvery))
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
	}
}
