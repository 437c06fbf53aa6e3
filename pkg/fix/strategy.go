package fix

import (
	"fmt"

	"github.com/trueup/trueup/pkg/event"
)

// Strategy says what a finding allows to be done about its row. Whatever the
// strategy, both sides are read again first, and only mapped columns written.
type Strategy uint8

// The strategies.
const (
	// Unified takes a finding for a hint where to look: the row is inserted,
	// updated or deleted as the fresh reads say.
	Unified Strategy = iota
	// Merged inserts or updates for target_missing and neq alike, and deletes
	// for base_missing alone.
	Merged
	// PerKind inserts for target_missing, updates for neq and deletes for
	// base_missing.
	PerKind
)

var strategies = map[Strategy]string{Unified: "unified", Merged: "merged", PerKind: "per_kind"}

// String is the strategy's name in configuration.
func (s Strategy) String() string { return strategies[s] }

// ParseStrategy reads the name of a strategy; empty is Unified.
func ParseStrategy(name string) (Strategy, error) {
	if name == "" {
		return Unified, nil
	}
	for s, n := range strategies {
		if n == name {
			return s, nil
		}
	}
	return Unified, fmt.Errorf("%q is no strategy; say unified, merged or per_kind", name)
}

// allows says whether findings of the given kinds allow the action. A row that
// no finding names, and that stands in the way of one that is repaired, has none.
func (s Strategy) allows(a event.Action, kinds []event.Kind) bool {
	switch s {
	case Merged:
		if len(kinds) == 0 {
			return a != event.Delete
		}
		for _, k := range kinds {
			if (a == event.Delete) == (k == event.BaseMissing) && k != event.KindUnknown {
				return true
			}
		}
		return false
	case PerKind:
		for _, k := range kinds {
			if a == actionOf[k] {
				return true
			}
		}
		return false
	default:
		return true
	}
}

var actionOf = map[event.Kind]event.Action{
	event.TargetMissing: event.Insert, event.NotEqual: event.Update, event.BaseMissing: event.Delete,
}

// withhold says why the change is not made although the row differs; the zero
// result when it is. A repair that has begun is brought to its end: what an
// earlier round wrote may be what is to be put right.
func (s *session) withhold(j *job, c Change) result {
	if j.wrote.Action != event.NoAction {
		return result{}
	}
	if res := s.r.otherKind(j, c); res.reason != "" {
		return res
	}
	if reason := s.admit(j, c.Action); reason != "" {
		return result{result: event.Held, class: ClassBreaker, reason: reason}
	}
	return result{}
}

// otherKind is the result when the strategy does not allow the change.
func (r *Repairer) otherKind(j *job, c Change) result {
	var kinds []event.Kind
	for _, f := range j.findings {
		kinds = append(kinds, f.Kind)
	}
	if !r.cfg.Strategy.allows(c.Action, kinds) {
		return result{result: event.Held, class: ClassOtherKind, reason: fmt.Sprintf(
			"what the row needs by now (%s) strategy %s leaves to a finding of that kind; the next run reports it", c.Action, r.cfg.Strategy)}
	}
	return result{}
}
