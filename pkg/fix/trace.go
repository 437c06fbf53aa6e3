package fix

import (
	"context"
	"iter"
)

// The steps of a round, as a Tracer is told of them.
const (
	// StepLock includes the wait for leave to write.
	StepLock   = "lock"
	StepRead   = "read authority"
	StepWrite  = "write"
	StepCommit = "commit"
	StepReread = "read authority again"
)

// Tracer follows the steps of rounds. It is asked a few times a transaction, from
// several goroutines, and must not block.
type Tracer interface {
	// Step begins a step over rows that findings name, whose trace contexts of gives;
	// the function it returns ends the step, with the error it ended with.
	Step(ctx context.Context, step string, of iter.Seq[string]) (end func(error))
}

// untraced ends a step that nobody follows.
func untraced(error) {}

// step begins a step over the rows of jobs.
func (s *session) step(ctx context.Context, step string, jobs []*job) (end func(error)) {
	if s.r.cfg.Tracer == nil {
		return untraced
	}
	return s.r.cfg.Tracer.Step(ctx, step, func(yield func(string) bool) {
		for _, j := range jobs {
			for i := range j.findings {
				if !yield(j.findings[i].TraceParent) {
					return
				}
			}
		}
	})
}

// writing is step over the rows that are written.
func (s *session) writing(ctx context.Context, step string, writes []write) (end func(error)) {
	if s.r.cfg.Tracer == nil {
		return untraced
	}
	return s.step(ctx, step, jobsOf(writes))
}

func jobsOf(writes []write) []*job {
	jobs := make([]*job, len(writes))
	for i, w := range writes {
		jobs[i] = w.job
	}
	return jobs
}
