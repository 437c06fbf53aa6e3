package validate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/trueup/trueup/pkg/row"
)

// errChecked ends a check that has looked at everything it was asked for.
var errChecked = errors.New("all keys were looked at")

// Check looks at the rows with the given keys, as runs that never end look at
// rows that changed, and returns when all are settled: of what differs, findings
// of the run spec.ID are durable. Where the copy's delay is measured, it waits
// for the copy as long as it takes. A row that changes at the authority each
// time it is looked at is left after Config.Rounds. An error says that the keys
// are to be checked once more.
func (v *Validator) Check(ctx context.Context, spec Run, keys []row.Key) error {
	spec.Mode = Triggered
	hot := make(chan row.Key, len(keys)) // a row is looked at once a round
	s, err := v.newStream(ctx, spec, func(key row.Key) { hot <- key })
	if err != nil {
		return err
	}
	c := &check{stream: s, hot: hot, reached: make(chan int, 1)}
	err = s.flow(ctx, func(ctx context.Context) error { return c.produce(ctx, keys) }, c.keep)
	if errors.Is(err, errChecked) {
		return nil
	}
	return fmt.Errorf("check rows of %s: %w", pairName(spec), err)
}

// check is a check at work.
type check struct {
	*stream
	hot chan row.Key
	// reached holds the latest round all of whose rows are settled.
	reached chan int
}

// produce hands out the keys, and once they are settled those that were hot.
func (c *check) produce(ctx context.Context, keys []row.Key) error {
	for round := range c.config.Rounds {
		for _, batch := range batches(slices.Clone(keys), c.config.BatchRows) {
			if !c.check(batch, nil) {
				return context.Cause(ctx)
			}
		}
		if !c.check(nil, &round) {
			return context.Cause(ctx)
		}
		if err := c.await(ctx, round); err != nil {
			return err
		}
		if keys = c.again(); len(keys) == 0 {
			return errChecked
		}
	}
	c.observer.Warn(c.spec.Pair.Name, fmt.Sprintf("%d rows that a check was asked for changed each time they were looked at, and are left", len(keys)))
	return errChecked
}

func (c *check) await(ctx context.Context, round int) error {
	for {
		select {
		case reached := <-c.reached:
			if reached == round {
				return nil
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// again are the rows that changed while they were looked at.
func (c *check) again() []row.Key {
	var keys []row.Key
	for {
		select {
		case key := <-c.hot:
			keys = append(keys, key)
		default:
			return keys
		}
	}
}

// keep notes which round is settled.
func (c *check) keep(_ context.Context, mark any, _ bool) error {
	select {
	case <-c.reached: // nobody has taken the round before
	default:
	}
	c.reached <- *mark.(*int) //nolint:forcetypeassert // produce hands out no other
	return nil
}
