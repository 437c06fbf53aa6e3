package canary

import (
	"context"
	"errors"
	"fmt"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
)

// plant makes the first change that the copy takes as it is.
func (c *Canary) plant(ctx context.Context, attempts []attempt, was row.Row) (*fix.Step, attempt, error) {
	var why error
	for _, a := range attempts {
		step, err := c.Planter.Plant(ctx, a.Change, was, func(now row.Row) error { return c.accept(a, now) })
		if step != nil || err == nil {
			return step, a, err
		}
		if ctx.Err() != nil {
			return nil, attempt{}, context.Cause(ctx)
		}
		switch fix.FaultOf(err) {
		case fix.RowRefused, fix.Duplicate, fix.Reference:
			why = errors.New(fix.ReasonOf(err))
		case fix.Contention, fix.Locked:
			return nil, attempt{}, refused("the reserved row of pair %s is held by another transaction; try again", c.Pair.Name)
		default:
			if errors.Is(err, fix.ErrMoved) {
				return nil, attempt{}, refused("the reserved row of pair %s changed just now; is another canary at work, or does an application write to it?", c.Pair.Name)
			}
			return nil, attempt{}, fmt.Errorf("plant a difference in %s: %w", c.Pair.Name, err)
		}
	}
	return nil, attempt{}, refused("the copy of pair %s takes no canary: %w", c.Pair.Name, why)
}

// checkAuthority notices that what was planted has reached the authority, which
// nothing but the copy's own replication can do.
func (c *Canary) checkAuthority(ctx context.Context, planted attempt, r *Report) error {
	authority, _, err := c.look(ctx, planted.Key)
	if err != nil {
		return err
	}
	if kind, _ := c.comparer().Rows(authority, planted.Row); kind == event.KindUnknown {
		r.Reason = fmt.Sprintf("what was planted is at the %s as well, which is the authority: something carries changes of the %s back to it, so put the row right there, and give the canary tables of its own (canary.shadow)",
			c.Authority, c.Authority.Other())
	}
	return nil
}

// accept says whether the copy now differs as it was meant to.
func (c *Canary) accept(a attempt, now row.Row) error {
	seen := &fix.Error{Fault: fix.RowRefused, Reason: "the comparison does not see the difference: the copy stores another value than it was given, or the pair's filter leaves the row out"}
	if a.Action == event.Delete || a.Action == event.Insert && now != nil {
		return nil
	}
	if kind, _ := c.comparer().Rows(a.authority, now); kind != event.NotEqual {
		return seen
	}
	return nil
}

// restore takes the change back, unless somebody else has written to the row.
func (c *Canary) restore(ctx context.Context, step fix.Step, r *Report) error {
	d, err := c.undo(ctx, step)
	if err != nil {
		return fmt.Errorf("the row %s of pair %s may still have what the canary planted, and the next full run repairs it: %w", r.Key.Values(), c.Pair.Name, err)
	}
	switch {
	case d.Already:
		r.Row = AsBefore
	case d.Left != "":
		r.Row, r.Why = Left, d.Left
	default:
		r.Row = GivenBack
	}
	return nil
}

// undo tries for as long as the row is held, or the database away, and ctx lives.
// Each try waits by itself.
func (c *Canary) undo(ctx context.Context, step fix.Step) (fix.Undoing, error) {
	for {
		done, err := c.Planter.Undo(ctx, []fix.Step{step})
		passing := err == nil && done[0].Held || err != nil && fix.FaultOf(err) == fix.Transient
		switch {
		case passing && ctx.Err() == nil:
		case passing && err == nil:
			return fix.Undoing{}, errors.New(done[0].Left)
		case err != nil:
			return fix.Undoing{}, err
		default:
			return done[0], nil
		}
	}
}
