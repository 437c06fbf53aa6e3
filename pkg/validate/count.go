package validate

import (
	"context"
	"fmt"

	"github.com/trueup/trueup/pkg/event"
)

// countRange counts the rows of a range on both sides. The count is part of
// the digest, and digesting the keys alone is answered from their index.
type countRange struct {
	run  *run
	keys merge
}

func (c *countRange) examine(ctx context.Context, p piece) (examined, error) {
	a, b, cost, err := c.run.digests(ctx, c.keys.authority, c.keys.replica, p.bounds)
	if tooLarge(err) {
		result, err := c.keys.examine(ctx, p)
		result.differences, result.refused = nil, true
		return result, err
	}
	if err != nil {
		return examined{}, err
	}
	return examined{authorityRows: a.Rows, copyRows: b.Rows, cost: cost}, nil
}

// countAll counts all rows of both sides, where ranges of one side mean
// nothing to the other because their keys are ordered differently.
type countAll struct {
	run *run
}

func (c *countAll) examine(ctx context.Context, _ piece) (examined, error) {
	r := c.run
	release, err := r.admit(ctx, event.Source, event.Target)
	if err != nil {
		return examined{}, err
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, r.config.ReadTimeout)
	defer cancel()
	var result examined
	err = both(cancel, func() (err error) {
		result.authorityRows, err = r.authority.reader.Count(ctx, r.authority.view)
		return err
	}, func() (err error) {
		result.copyRows, err = r.replica.reader.Count(ctx, r.replica.view)
		return err
	})
	if err != nil {
		return examined{}, fmt.Errorf("count the rows: %w", err)
	}
	return result, nil
}
