package fix

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/event"
)

// Fixer settles the findings of one pair; *Repairer is one.
type Fixer interface {
	Repair(ctx context.Context, findings []event.Finding) ([]event.Outcome, error)
}

// Outcomes makes outcomes durable; nil means that all of them are.
type Outcomes interface {
	Publish(ctx context.Context, outcomes []event.Outcome) error
}

// DeadLetter is a finding that a person has to see, with its outcome, whose
// Class, Reason and Attempts say why.
type DeadLetter struct {
	Finding event.Finding
	Outcome event.Outcome
}

// DeadLetters makes dead letters durable; nil means that all of them are.
type DeadLetters interface {
	Bury(ctx context.Context, letters []DeadLetter) error
}

// Retries makes findings durable that are to come again after a while, but for
// those that have waited long enough, which it returns.
type Retries interface {
	PutOff(ctx context.Context, waiting []Waiting) (over []Waiting, err error)
}

// Dispatcher hands a batch of findings of any pairs to their Fixers and makes
// what became of them durable.
type Dispatcher struct {
	// Pairs are the Fixers by the name of their pair. The map is not changed
	// while the Dispatcher is in use; a new epoch is a new Dispatcher.
	Pairs    map[string]Fixer
	Outcomes Outcomes
	Dead     DeadLetters
	// Retries is needed where Config.PutOff is set.
	Retries Retries
	// Stripes is how many transactions at once the findings of one pair are spread
	// over; 0 means 1. Those of one key stay together.
	Stripes int
	// Observer hears of findings that belong to no pair; nil for none. The
	// Fixers tell theirs about all others.
	Observer Observer
}

// Dispatch returns nil only when every finding has an outcome or is put off, and
// all of that is durable; whoever carries the findings may then forget them. After
// an error it gives the same findings again: those already repaired are then
// found equal. Pairs are repaired at the same time, and an error of one does
// not keep the others' outcomes from being published.
func (d *Dispatcher) Dispatch(ctx context.Context, findings []event.Finding) error {
	groups, outcomes := d.group(findings)
	results := make([][]event.Outcome, len(groups))
	failures := make([]error, len(groups))
	var all sync.WaitGroup
	for i, g := range groups {
		all.Go(func() { results[i], failures[i] = g.fixer.Repair(ctx, g.findings) })
	}
	all.Wait()
	if len(groups) == 1 && len(outcomes) == 0 { // mostly, and there may be many
		outcomes = results[0]
	} else {
		outcomes = slices.Concat(append(results, outcomes)...)
	}
	over, err := d.putOff(ctx, failures)
	for _, w := range over {
		outcomes = append(outcomes, w.Outcome)
	}
	return errors.Join(append(failures, err, d.publish(ctx, findings, outcomes))...)
}

// putOff makes findings durable that wait, whose errors it takes away, and
// returns those that have waited enough. After an error they all come again.
func (d *Dispatcher) putOff(ctx context.Context, failures []error) (over []Waiting, err error) {
	var waiting []Waiting
	for i, failure := range failures {
		if later, waits := errors.AsType[*Later](failure); waits && d.Retries != nil {
			waiting = append(waiting, later.Findings...)
			failures[i] = nil
		}
	}
	if len(waiting) == 0 {
		return nil, nil
	}
	if over, err = d.Retries.PutOff(ctx, waiting); err != nil {
		return nil, fmt.Errorf("put off %d findings: %w", len(waiting), err)
	}
	for i := range over {
		over[i].Outcome.At = time.Now()
		if d.Observer != nil {
			d.Observer.Settled(over[i].Outcome)
		}
	}
	return over, nil
}

type group struct {
	fixer    Fixer
	findings []event.Finding
}

// minStripe is how many findings a stripe is worth: with fewer, the fixed costs
// of a transaction outweigh what is gained by another at the same time.
const minStripe = 25

// stripe is which part of its pair's findings a key belongs to.
func stripe(f event.Finding, stripes int) uint32 {
	if stripes < 2 {
		return 0
	}
	h := fnv.New32a()
	_, _ = h.Write(f.Key.Values().AppendID(nil)) // it never fails
	return h.Sum32() % uint32(stripes)
}

// group sorts findings by pair and stripe, in order of appearance; those of no
// pair get their outcome.
func (d *Dispatcher) group(findings []event.Finding) ([]*group, []event.Outcome) {
	var groups []*group
	var outcomes []event.Outcome
	type share struct {
		pair   string
		stripe uint32
	}
	stripes := min(d.Stripes, len(findings)/minStripe)
	if fixer := d.forAll(findings); fixer != nil && stripes < 2 {
		return []*group{{fixer: fixer, findings: findings}}, nil
	}
	shares := map[share]*group{}
	for _, f := range findings {
		fixer, known := d.Pairs[f.Pair]
		if !known {
			o := outcomeOf(f, unknownPair(f.Pair))
			if d.Observer != nil {
				d.Observer.Settled(o)
			}
			outcomes = append(outcomes, o)
			continue
		}
		of := share{f.Pair, stripe(f, stripes)}
		g, ok := shares[of]
		if !ok {
			g = &group{fixer: fixer}
			shares[of] = g
			groups = append(groups, g)
		}
		g.findings = append(g.findings, f)
	}
	return groups, outcomes
}

// forAll is the Fixer of the one pair that all findings are of, as they mostly are;
// nil where they are not.
func (d *Dispatcher) forAll(findings []event.Finding) Fixer {
	for i := range findings {
		if findings[i].Pair != findings[0].Pair {
			return nil
		}
	}
	if len(findings) == 0 {
		return nil
	}
	return d.Pairs[findings[0].Pair]
}

// publish makes dead letters durable before the outcomes that point to them.
func (d *Dispatcher) publish(ctx context.Context, findings []event.Finding, outcomes []event.Outcome) error {
	if letters := deadLetters(findings, outcomes); len(letters) > 0 {
		if err := d.Dead.Bury(ctx, letters); err != nil {
			return fmt.Errorf("publish %d dead findings: %w", len(letters), err)
		}
	}
	if len(outcomes) == 0 {
		return nil
	}
	if err := d.Outcomes.Publish(ctx, outcomes); err != nil {
		return fmt.Errorf("publish %d outcomes: %w", len(outcomes), err)
	}
	return nil
}

// deadLetters pairs each dead outcome with its finding; a finding that was
// delivered twice is buried once.
func deadLetters(findings []event.Finding, outcomes []event.Outcome) []DeadLetter {
	if !slices.ContainsFunc(outcomes, func(o event.Outcome) bool { return o.Result == event.Dead }) {
		return nil // as nearly always
	}
	// The key is part of the name: findings of a careless sender may share an ID.
	type name struct{ pair, run, id, key string }
	byName := make(map[name]event.Finding, len(findings))
	for _, f := range findings {
		byName[name{f.Pair, f.Run, f.ID, f.Key.Values().ID()}] = f
	}
	var letters []DeadLetter
	for _, o := range outcomes {
		n := name{o.Pair, o.Run, o.FindingID, o.Key.Values().ID()}
		if f, ok := byName[n]; ok && o.Result == event.Dead {
			letters = append(letters, DeadLetter{Finding: f, Outcome: o})
			delete(byName, n)
		}
	}
	return letters
}
