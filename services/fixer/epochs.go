package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/services/assembly"
)

// lease is how old the knowledge of decisions may be for a repair to be written:
// several times the interval in which it is made new. Whoever switches a pair
// knows that no fixer begins to commit in the old direction later than that
// after the decision was acknowledged.
const lease = 5 * time.Second

// epochs are the decisions about authorities as the state topic tells them; it
// is the Epochs of package fix.
type epochs struct {
	follower *kafka.Follower
	// mine are the decisions this fixer was configured for, by pair.
	mine map[string]event.Decision
	// stopped is told why a pair is repaired no longer; see observer.
	stopped func(pair string, why error)

	mu        sync.Mutex
	decisions event.Decisions
}

func newEpochs(pairs []assembly.Pair, stopped func(pair string, why error)) *epochs {
	e := &epochs{mine: map[string]event.Decision{}, stopped: stopped}
	for i := range pairs {
		e.mine[pairs[i].Name] = pairs[i].Decision()
	}
	return e
}

// apply takes note of a record of the state topic.
func (e *epochs) apply(r event.Record) error {
	e.mu.Lock()
	pair, err := e.decisions.Apply(r)
	e.mu.Unlock()
	if err != nil {
		return err
	}
	if mine, ours := e.mine[pair]; ours {
		if _, why := e.check(mine); why != nil {
			e.stopped(pair, why)
		}
	}
	return nil
}

func (e *epochs) check(d event.Decision) (announced bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.decisions.Check(d)
}

// Check implements fix.Epochs.
func (e *epochs) Check(d event.Decision) error {
	if age, known := e.follower.Age(); !known || age > lease {
		_, reason, _ := e.follower.Healthy()
		return fmt.Errorf("the state topic was not read for %v, and nothing is written on older knowledge: %s", lease, reason)
	}
	announced, err := e.check(d)
	if err == nil && !announced {
		err = fmt.Errorf("epoch %d of pair %s is not announced", d.Epoch, d.Pair)
	}
	return err
}

// Await implements fix.Epochs.
func (e *epochs) Await(ctx context.Context) error { return e.follower.Await(ctx, time.Now()) }

// announce makes the decisions of the configuration known. Pairs that this fixer
// may not repair have been told to stopped by then.
func (e *epochs) announce(ctx context.Context, to assembly.Announcer, pairs []assembly.Pair) error {
	if err := e.Await(ctx); err != nil {
		return err
	}
	if _, err := assembly.Announce(ctx, to, pairs, e.check); err != nil {
		return err
	}
	return e.Await(ctx)
}
