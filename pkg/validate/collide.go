package validate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// maxAkin bounds the findings of a run for which a key is looked for that
// collides: a copy that was never loaded lacks every row.
const maxAkin = 10_000

// collisions are rows that one side lacks, whose key that side's collation holds
// equal to the key of another row: "a" and "A" where case does not count. Such a
// row is missing, and cannot be there while the other one is.
type collisions struct {
	asked atomic.Int64
	found atomic.Int64
	trial atomic.Bool // a look that failed was told of
}

// collide names the keys that findings collide with. It is a hint for people:
// what cannot be read leaves it out.
func (r *run) collide(batch []found) {
	for _, side := range []struct {
		side
		kind event.Kind
	}{{r.replica, event.TargetMissing}, {r.authority, event.BaseMissing}} {
		if !hasTextKey(side.view) {
			continue
		}
		var positions []int
		var keys []row.Key
		for i, f := range batch {
			if f.difference.Kind == side.kind && r.collisions.asked.Add(1) <= maxAkin {
				positions, keys = append(positions, i), append(keys, f.difference.Key)
			}
		}
		if len(keys) == 0 {
			continue
		}
		akin, err := read(r.publish, r, func(ctx context.Context) ([]row.Key, error) {
			return side.reader.Akin(ctx, side.view, keys)
		}, side.which)
		if err == nil && len(akin) != len(keys) {
			err = errors.New("not every key has an answer")
		}
		if err != nil {
			if r.publish.Err() == nil && !r.collisions.trial.Swap(true) {
				r.observer.Warn(r.spec.Pair.Name, fmt.Sprintf("whether missing rows collide with others at the %s could not be found out: %v", side.which, err))
			}
			continue
		}
		for i, key := range akin {
			if key != nil {
				batch[positions[i]].akin = key
			}
		}
	}
}

// hasTextKey says whether a collation has a say in which keys are equal.
func hasTextKey(v *schema.View) bool {
	return slices.ContainsFunc(v.KeyColumns(), func(c schema.ViewColumn) bool { return c.Type.Kind == canonical.Text })
}

// reason says what collided; empty when nothing did.
func (c *collisions) reason(copy event.Side) string {
	n := c.found.Load()
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("the keys of %d missing rows are equal to those of other rows under the %s's collation, which holds one of them at a time; "+
		"give the key there a collation that tells them apart, or correct the keys", n, copy)
}
