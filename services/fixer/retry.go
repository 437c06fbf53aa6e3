package main

import (
	"context"
	"time"

	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/telemetry"
)

// later puts findings off by way of the retry topic; it is the Retries of
// package fix.
type later struct {
	publisher publisher
	origins   *origins
	// delay is the same for all, so that the messages of a partition are due in
	// the order in which they stand.
	delay time.Duration
	// patience is how long a row may wait for another that it refers to.
	patience time.Duration
}

// PutOff implements fix.Retries. A row that somebody holds is tried for as long
// as that takes; one that refers to another is not, since that may never come.
func (l later) PutOff(ctx context.Context, waiting []fix.Waiting) (over []fix.Waiting, err error) {
	now := time.Now()
	var retries []kafka.Retry
	for _, w := range waiting {
		m := l.origins.of(w.Finding)
		w.Outcome.Attempts += m.Attempts()
		if w.Outcome.Class == fix.ClassReference && now.Sub(m.WaitingSince(now)) >= l.patience {
			over = append(over, w)
			continue
		}
		retries = append(retries, kafka.Retry{
			Dead:      kafka.Dead{Message: m, Class: w.Outcome.Class, Reason: w.Outcome.Reason, Attempts: w.Outcome.Attempts, TraceParent: w.Outcome.TraceParent},
			NotBefore: now.Add(l.delay),
		})
	}
	return over, l.publisher.PublishRetry(ctx, retries)
}

// quiet is the observer of the group of retries: the metric of a member's health
// is about the group of findings, and /readyz tells of both.
type quiet struct{ *telemetry.Group }

func (quiet) GroupHealthy(bool) {}

// due hands over messages of the retry topic when their time has come. None waits
// for longer than the delay: whoever put it off may have a clock that is ahead.
type due struct {
	kafka.Handler
	delay time.Duration
}

// Handle implements kafka.Handler.
func (d due) Handle(ctx context.Context, batch []kafka.Message) error {
	began := time.Now()
	for len(batch) > 0 {
		now, rest, wait := whatIsDue(batch, time.Now(), began.Add(d.delay))
		if len(now) == 0 {
			if err := pause(ctx, wait); err != nil {
				return err
			}
			continue
		}
		if err := d.Handler.Handle(ctx, now); err != nil {
			return err
		}
		batch = rest
	}
	return nil
}

// whatIsDue divides messages in those whose time has come, which is no later than
// latest, and the rest, the first of which is due after wait.
func whatIsDue(batch []kafka.Message, at, latest time.Time) (now, rest []kafka.Message, wait time.Duration) {
	for _, m := range batch {
		left := min(m.NotBefore().Sub(at), latest.Sub(at))
		if left <= 0 {
			now = append(now, m)
			continue
		}
		if rest = append(rest, m); wait == 0 || left < wait {
			wait = left
		}
	}
	return now, rest, wait
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
