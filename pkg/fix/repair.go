package fix

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schema"
)

// Repairer repairs the copy of one pair. It is safe for concurrent use; it
// keeps nothing between calls but a guess of how large rows are.
type Repairer struct {
	cfg  Config
	from *schema.View // the authority's
	to   *schema.View // the copy's
	// keeps: the copy stores what it is given, so that nothing need be read back.
	keeps bool
	// uniques are the copy's unique keys that its rows can be looked up by.
	uniques []unique
	// portrait is what outcomes tell of the copy's rows.
	portrait *portrait
	size     *sizer
}

// Repair settles findings: each gets exactly one outcome, those that name the
// same key the same one. What may pass by itself is tried again until ctx
// ends; rows that someone else holds are tried again until they are free, and
// keep no other row waiting.
//
// Rows that stand in the way of others, having their unique values, are repaired
// as well. Those that no finding names have an outcome each beside the others.
//
// An error means that some findings are not settled: ctx ended, or the work
// cannot go on as things are (a missing privilege, a table that changed, a
// limit). The outcomes that come with it are true and the other findings are
// as they were; giving all of them to Repair again is always right. A *Later
// says that nothing is wrong but that they had better wait a while.
func (r *Repairer) Repair(ctx context.Context, findings []event.Finding) ([]event.Outcome, error) {
	s := &session{r: r, start: time.Now(), patience: firstPatience, outcomes: make([]event.Outcome, 0, len(findings))}
	defer s.leaveGate()
	if err := r.abreast(ctx, findings); err != nil {
		return nil, err
	}
	if err := r.authorised(); err != nil {
		return s.dismiss(findings, err)
	}
	repair, look := s.intake(findings)
	if err := s.drain(ctx, repair, s.attempt); err != nil {
		return s.outcomes, err
	}
	// Those that are only looked at come last: a finding of an older epoch
	// about a key that was just repaired then finds it equal.
	if err := s.drain(ctx, look, s.look); err != nil {
		return s.outcomes, err
	}
	if len(s.waiting) > 0 {
		return s.outcomes, &Later{Findings: s.waiting}
	}
	return s.outcomes, nil
}

// step works on a batch of jobs: it settles them or leaves them for the next pass.
type step func(ctx context.Context, jobs []*job) error

// drain passes over the jobs until all are settled.
func (s *session) drain(ctx context.Context, jobs []*job, do step) error {
	pace := newPace()
	for len(jobs) > 0 {
		err := s.pass(ctx, jobs, do)
		s.putOff(jobs)
		left := unsettled(slices.Concat(jobs, s.begun()))
		if len(left) == 0 {
			return nil
		}
		if err := s.goOn(ctx, err, len(left)); err != nil {
			return err
		}
		if len(left) < len(jobs) {
			pace.progress()
		}
		s.wait(ctx, err, pace.delay(err, left))
		jobs = left
	}
	return nil
}

// goOn says why the open keys are given up; nil when they are tried again.
func (s *session) goOn(ctx context.Context, err error, open int) error {
	name := s.r.cfg.Pair.Name
	if ctx.Err() != nil {
		return fmt.Errorf("repair %s: stopped with %d keys open: %w", name, open, context.Cause(ctx))
	}
	if fault := FaultOf(err); err != nil && fault != Transient && fault != Contention && fault != Locked {
		return fmt.Errorf("repair %s: %w", name, err)
	}
	return nil
}

// wait tells the observer why, and sleeps; less when ctx ends.
func (s *session) wait(ctx context.Context, why error, d time.Duration) {
	if d == 0 {
		return
	}
	if why == nil {
		why = errHeld
	}
	s.r.cfg.Observer.Waiting(s.r.cfg.Pair.Name, why, d)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// pass goes over the jobs once, batch by batch. What ends it early is an error
// that the next batch would meet as well; contention is not one.
func (s *session) pass(ctx context.Context, jobs []*job, do step) error {
	var contention error
	for len(jobs) > 0 {
		n := s.batchLength(jobs)
		start := time.Now()
		var err error
		if batch := unsettled(jobs[:n]); len(batch) > 0 { // some may have been settled on account of others
			err = s.split(ctx, batch, do)
		}
		switch {
		case err == nil:
			s.r.cfg.Observer.Batch(s.r.cfg.Pair.Name, n, time.Since(start))
		case FaultOf(err) == Contention:
			contention = err
		case FaultOf(err) == Locked:
			for _, j := range unsettled(jobs) {
				j.busy++
			}
			return err
		default:
			return err
		}
		jobs = jobs[n:]
	}
	return contention
}

// batchLength is the number of jobs for the next batch: up to the sizer's number,
// in batches as even as they can be, and a job that is to stand alone does. Even
// ones hold rows for less time, and statements of one length are prepared once.
func (s *session) batchLength(jobs []*job) int {
	limit := evenly(len(jobs), s.r.size.keys())
	for i, j := range jobs[:limit] {
		if j.alone {
			return max(i, 1)
		}
	}
	return limit
}

// evenly is the size of the first of as few batches as n need, of at most so many.
func evenly(n, most int) int {
	batches := (n + most - 1) / most
	return (n + batches - 1) / batches
}

// split works on a batch, and on its halves when one of its rows may be what
// fails it, down to that row.
func (s *session) split(ctx context.Context, jobs []*job, do step) error {
	err := do(ctx, jobs)
	if err == nil {
		return nil
	}
	fault := FaultOf(err)
	if fault == Transient || fault == Permanent || fault == Locked {
		return err
	}
	if left := unsettled(jobs); len(left) > 1 {
		return s.halves(ctx, left, do)
	}
	return s.blame(jobs, fault, err)
}

func (s *session) halves(ctx context.Context, jobs []*job, do step) error {
	middle := len(jobs) / 2
	first := s.split(ctx, jobs[:middle], do)
	if first != nil && FaultOf(first) != Contention {
		return first
	}
	if second := s.split(ctx, jobs[middle:], do); second != nil {
		return second
	}
	return first
}

// blame takes note of what one job met on its own. Rows are refused for good
// only after some tries, since what stands in their way may go away.
func (s *session) blame(jobs []*job, fault Fault, err error) error {
	for _, j := range unsettled(jobs) { // one at most
		j.alone = true
		class, refused := classes[fault]
		if !refused {
			j.busy++
			return err
		}
		res := result{result: event.Dead, class: class, reason: ReasonOf(err)}
		if fault == Reference && s.r.cfg.PutOff && j.wrote.Action == event.NoAction { // what is begun is not put off
			s.later(j, res)
			continue
		}
		if j.refused++; j.refused >= s.r.cfg.MaxRefusals || fault == Limit {
			s.settle(j, res)
		}
	}
	return nil
}

// classes are the outcomes' classes of what a copy refuses.
var classes = map[Fault]string{RowRefused: ClassRefused, Duplicate: ClassDuplicate, Reference: ClassReference, Limit: ClassLimit}
