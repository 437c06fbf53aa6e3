package main

import (
	"context"
	"errors"
	"slices"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/schema"
)

// maxLate bounds the findings kept for another try, of all pairs together: a
// key and its names take some hundred bytes, so this is some tens of MB. What
// goes beyond is settled at once as things are.
const maxLate = 100_000

// lateBatch is how many of them are given to a repairer at once.
const lateBatch = 1000

// inOrder are the positions of the pairs in the order in which rows are to be
// inserted: parents before the tables whose foreign keys refer to them. Tables
// are of one database only if they are copies on the same side. Circles are
// told, as the names of their pairs.
func inOrder(pairs []resolved, circle func(names []string)) []int {
	var order []int
	for _, side := range []event.Side{event.Target, event.Source} {
		var at []int
		var tables []*schema.Table
		for i, p := range pairs {
			if p.asked.Side().Other() == side {
				at, tables = append(at, i), append(tables, p.asked.Copy(p.pair).Table)
			}
		}
		parentsFirst, circles := schema.ParentsFirst(tables)
		for _, i := range parentsFirst {
			order = append(order, at[i])
		}
		for _, members := range circles {
			var names []string
			for _, i := range members {
				names = append(names, pairs[at[i]].pair.Name)
			}
			circle(names)
		}
	}
	return order
}

// late are findings that wait for other rows, those of foreign keys above all:
// a parent is deleted after its children, and a child is inserted after its
// parent, which may come later in a circle of tables or in its own.
type late struct {
	findings []event.Finding
	outcomes []event.Outcome // those they are to have when waiting did not help
}

func (l *late) add(f event.Finding, o event.Outcome) {
	l.findings, l.outcomes = append(l.findings, f), append(l.outcomes, o)
}

// retryLate repairs what waited, children first, for as long as that moves
// anything on; what is left then is settled as it is.
func retryLate(ctx context.Context, repairs []*repair) error {
	for before := -1; ctx.Err() == nil; {
		left := 0
		for _, p := range slices.Backward(repairs) {
			if err := p.again(ctx, p.repairer); err != nil {
				return errors.Join(err, giveUp(repairs))
			}
			left += len(p.late.findings)
		}
		if left == 0 || left == before {
			break
		}
		before = left
	}
	for _, p := range slices.Backward(repairs) {
		if ctx.Err() != nil {
			break
		}
		if err := p.again(ctx, p.last); err != nil {
			return errors.Join(err, giveUp(repairs))
		}
	}
	return giveUp(repairs)
}

// giveUp settles what still waits with the outcome of its last try.
func giveUp(repairs []*repair) error {
	var errs []error
	for _, p := range repairs {
		errs = append(errs, p.settled(p.late.findings, p.late.outcomes))
		p.late = late{}
	}
	return errors.Join(errs...)
}

// again gives the findings that wait to a repairer, batch by batch. Those that a
// batch which failed did not settle keep waiting.
func (p *repair) again(ctx context.Context, with *fix.Repairer) error {
	waiting := p.late
	p.late = late{}
	for len(waiting.findings) > 0 {
		n := min(lateBatch, len(waiting.findings))
		if settled, err := p.attempt(ctx, with, waiting.findings[:n]); err != nil {
			for i, f := range waiting.findings {
				if !slices.ContainsFunc(settled, func(o event.Outcome) bool { return o.FindingID == f.ID }) {
					p.late.add(f, waiting.outcomes[i])
				}
			}
			return err
		}
		waiting.findings, waiting.outcomes = waiting.findings[n:], waiting.outcomes[n:]
	}
	return nil
}
