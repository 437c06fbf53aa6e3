package assembly

import (
	"context"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/governor"
)

// Admission asks both governors before a batch of repairs begins, and lets go of
// both when it ends: a batch that holds rows of the copy must not find the
// authority paused. The source's place is taken first, whichever side is the
// authority, as validators do: reads and writes of a database share one budget, and
// so do processes, and two that waited crosswise would wait for ever. That the other
// will be needed is said before, since a part of a shared budget takes a while to come.
func (g *Governors) Admission(authority event.Side) func(context.Context) (release func(), err error) {
	first, second := g.Of(event.Source, useOf(event.Source, authority)), g.Of(event.Target, useOf(event.Target, authority))
	return func(ctx context.Context) (func(), error) {
		second.Announce()
		leave, err := first.Acquire(ctx)
		if err != nil {
			return nil, err
		}
		end, err := second.Acquire(ctx)
		if err != nil {
			leave()
			return nil, err
		}
		return func() {
			end()
			leave()
		}, nil
	}
}

// useOf is what a repair does with a side.
func useOf(side, authority event.Side) governor.Use {
	if side == authority {
		return governor.Reads
	}
	return governor.Writes
}

// ReadBudgets bound the reads of the authority within batches, which were
// admitted before. They are a fixed number: see Admission.
func ReadBudgets(g Governor) (map[event.Side]*governor.Budget, error) {
	budgets := map[event.Side]*governor.Budget{}
	for side, budget := range map[event.Side]Budget{event.Source: g.Source, event.Target: g.Target} {
		b, err := governor.NewBudget(side.String()+" reads within repairs", budget.Concurrency)
		if err != nil {
			return nil, err
		}
		budgets[side] = b
	}
	return budgets, nil
}
