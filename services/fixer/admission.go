package main

import (
	"context"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix/sqlsink"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/services/assembly"
)

// admission asks both databases before a batch begins, and lets go of both when
// it ends: a batch that holds rows of the copy must not find the authority
// paused. The authority's place is taken first and by every batch in that order,
// so that pairs of opposite directions never wait for each other.
func (f *fixer) admission(authority event.Side) sqlsink.Acquire {
	reads, writes := f.governors.Of(authority, governor.Reads), f.governors.Of(authority.Other(), governor.Writes)
	return func(ctx context.Context) (func(), error) {
		leave, err := reads.Acquire(ctx)
		if err != nil {
			return nil, err
		}
		end, err := writes.Acquire(ctx)
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

// readBudgets bound the reads of the authority within batches, which were
// admitted before. They are a fixed number: see admission.
func readBudgets(g assembly.Governor) (map[event.Side]*governor.Budget, error) {
	budgets := map[event.Side]*governor.Budget{}
	for side, budget := range map[event.Side]assembly.Budget{event.Source: g.Source, event.Target: g.Target} {
		b, err := governor.NewBudget(side.String()+" reads within repairs", budget.Concurrency)
		if err != nil {
			return nil, err
		}
		budgets[side] = b
	}
	return budgets, nil
}
