package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/services/assembly"
)

// breakers are the breakers of all pairs. What other fixers repair they learn
// from the topic of outcomes, and from as far back as repairs are counted; that
// one has tripped or was released, from the state topic.
type breakers struct {
	pairs  map[string]*fix.Breaker
	states follower
	// outcomes is nil where no pair has a limit, so that nothing need be counted.
	outcomes follower
	// inHand is how many repairs all fixers together may have begun and not told of.
	inHand int64
	log    zerolog.Logger
}

const (
	// nearLimit times what all may have in hand a limit is near: far enough for what
	// they do within staleCount, and close enough that little of a large table's
	// repair is done with a question to the broker before each batch.
	nearLimit = 16
	// staleCount is how old the knowledge of others' repairs may be where none is.
	staleCount = time.Second
)

// follower is what the breakers need of kafka.Follower.
type follower interface {
	Await(ctx context.Context, moment time.Time) error
}

func newBreakers(file assembly.File, changed func(event.BreakerState), log zerolog.Logger) *breakers {
	b := &breakers{pairs: map[string]*fix.Breaker{}, log: log}
	const topics = 2 // findings, and those that come back for another try
	b.inHand = topics * int64(file.Kafka.WithDefaults().Partitions) * int64(batchOf(file))
	for i := range file.Pairs {
		p := &file.Pairs[i]
		b.pairs[p.Name] = fix.NewBreaker(fix.BreakerConfig{
			Pair: p.Name, Limits: p.Limits(), Changed: changed,
			WayOut: fmt.Sprintf("look at some of the rows that are held, then correct what is wrong, or have them repaired with `trueup release %s --config FILE`", p.Name),
		})
	}
	return b
}

// learn takes note of a record of the state topic.
func (b *breakers) learn(r event.Record) error {
	if kind, _ := event.StateKind(r.Key); kind != event.StateBreaker || r.Value == nil {
		return nil // a trip stands although somebody removed its record
	}
	s, err := event.DecodeBreakerState(r)
	if err != nil {
		return err
	}
	if breaker := b.pairs[s.Pair]; breaker != nil {
		breaker.Learn(s)
	}
	return nil
}

// count takes note of a record of the topic of outcomes that another process
// wrote; this one's are counted already. One that cannot be read must not keep
// the others from being counted.
func (b *breakers) count(r event.Record) error {
	o, err := event.DecodeOutcome(r)
	if err != nil {
		b.log.Warn().Err(err).Msg("outcome not understood, the breaker does not count it")
		return nil
	}
	if breaker := b.pairs[o.Pair]; breaker != nil {
		breaker.Count(o)
	}
	return nil
}

// ready returns nil once everything is known that was there before the call.
// Nothing is written before.
func (b *breakers) ready(ctx context.Context) error {
	now := time.Now()
	if err := b.states.Await(ctx, now); err != nil || b.outcomes == nil {
		return err
	}
	return b.outcomes.Await(ctx, now)
}

// current returns nil once what others have repaired is counted that is to be known
// before these findings are repaired: near a limit everything that was told of before
// the call, so that all fixers together pass it by no more than they have in hand.
func (b *breakers) current(ctx context.Context, findings []event.Finding) error {
	if b.outcomes == nil {
		return nil
	}
	moment := time.Now()
	if !slices.ContainsFunc(findings, func(f event.Finding) bool {
		breaker := b.pairs[f.Pair]
		return breaker != nil && breaker.Near(nearLimit*b.inHand)
	}) {
		moment = moment.Add(-staleCount)
	}
	if err := b.outcomes.Await(ctx, moment); err != nil {
		return fmt.Errorf("count what other fixers have repaired: %w", err)
	}
	return nil
}

// errReleased says that findings were to be held by a breaker that is released
// by now, so that nobody would come back to them.
var errReleased = errors.New("the breaker was released meanwhile; the rows are looked at again")

// confirm makes trips durable before the outcomes that are held by them, and
// makes sure that they still stand. What confirm passes stands in the topic a
// moment later, and `trueup release` waits longer than that before it looks for
// held findings.
func (b *breakers) confirm(ctx context.Context, to publisher, held []event.Outcome) error {
	pairs := map[string]*fix.Breaker{}
	for _, o := range held {
		pairs[o.Pair] = b.pairs[o.Pair]
	}
	for name, breaker := range pairs {
		state, pending := breaker.Pending()
		if !pending {
			continue
		}
		if err := to.PublishBreaker(ctx, state); err != nil {
			return fmt.Errorf("announce that the breaker of %s has tripped: %w", name, err)
		}
		breaker.Learn(state)
	}
	if err := b.states.Await(ctx, time.Now()); err != nil {
		return fmt.Errorf("make sure that breakers were not released: %w", err)
	}
	for name, breaker := range pairs {
		if !breaker.Tripped() {
			return fmt.Errorf("pair %s: %w", name, errReleased)
		}
	}
	return nil
}

// outcomes publishes outcomes; it is the Outcomes of package fix.
type outcomes struct {
	publisher publisher
	breakers  *breakers
}

func (o outcomes) Publish(ctx context.Context, list []event.Outcome) error {
	isHeld := func(o event.Outcome) bool { return o.Class == fix.ClassBreaker }
	if !slices.ContainsFunc(list, isHeld) {
		return o.publisher.PublishOutcomes(ctx, list)
	}
	var held, others []event.Outcome
	for _, outcome := range list {
		if isHeld(outcome) {
			held = append(held, outcome)
		} else {
			others = append(others, outcome)
		}
	}
	// What was done is told in any case.
	return errors.Join(o.publisher.PublishOutcomes(ctx, others), o.publishHeld(ctx, held))
}

func (o outcomes) publishHeld(ctx context.Context, held []event.Outcome) error {
	if err := o.breakers.confirm(ctx, o.publisher, held); err != nil {
		return err
	}
	return o.publisher.PublishOutcomes(ctx, held)
}
