package fix

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/trueup/trueup/pkg/event"
)

// Epochs knows what was decided about authorities in the whole installation. It
// is safe for concurrent use.
type Epochs interface {
	// Check returns nil while the decision is the present one, and an
	// *event.SupersededError when there is a newer one. Any other error means
	// that it is not known at the moment.
	Check(d event.Decision) error
	// Await returns nil once everything that was decided before the call is known.
	Await(ctx context.Context) error
}

// abreast makes sure that a finding of an epoch that is unknown here is held
// only if nobody announced that epoch, and not because the news is on its way.
func (r *Repairer) abreast(ctx context.Context, findings []event.Finding) error {
	newer := func(f event.Finding) bool { return f.Epoch > r.cfg.Epoch }
	if r.cfg.Epochs == nil || !slices.ContainsFunc(findings, newer) {
		return nil
	}
	if err := r.cfg.Epochs.Await(ctx); err != nil {
		return &Error{Fault: Transient, Err: fmt.Errorf("learn the pair's authority: %w", err)}
	}
	return nil
}

// authorised returns an error when the repairer may not write: because it acts
// on a decision that is not the present one, or does not know whether it is.
func (r *Repairer) authorised() error {
	if r.cfg.Epochs == nil {
		return nil
	}
	err := r.cfg.Epochs.Check(event.Decision{Pair: r.cfg.Pair.Name, Epoch: r.cfg.Epoch, Authority: r.cfg.Side})
	if _, superseded := errors.AsType[*event.SupersededError](err); err != nil && !superseded {
		return &Error{Fault: Transient, Err: fmt.Errorf("make sure of the pair's authority: %w", err)}
	}
	return err
}

// dismiss is what a repairer that may not write does with findings. Those of an
// epoch that has passed are held, as any other repairer would in the end.
// Those of the present epoch are for one that knows it, and left for it.
func (s *session) dismiss(findings []event.Finding, err error) ([]event.Outcome, error) {
	e, superseded := errors.AsType[*event.SupersededError](err)
	if !superseded {
		return nil, err
	}
	left := 0
	for i := range findings {
		f := &findings[i]
		switch res, refused := s.r.unusable(f); {
		case refused:
			s.tell(*f, 1, res)
		case f.Epoch < e.Present.Epoch:
			s.tell(*f, 1, result{result: event.Held, class: ClassStaleEpoch, reason: fmt.Sprintf("stale epoch: found under epoch %d; %v", f.Epoch, e)})
		default:
			left++
		}
	}
	if left == 0 {
		return s.outcomes, nil
	}
	return s.outcomes, fmt.Errorf("%d findings wait for a fixer that knows the present epoch: %w", left, err)
}
