package validate

import (
	"context"
	"fmt"
	"strings"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// shown is how many rows a message names: enough to find the others by.
const shown = 3

// apart makes sure, before the first range, that the target has no row that
// belongs to this pair and to another shard as well: each would take the
// other's rows for extra ones, and a repair would delete them. It says whether
// the run may go on.
func (r *run) apart() bool {
	overlap := r.spec.Pair.Overlap
	if overlap == nil || r.spec.Mode == Count {
		return true
	}
	examples, err := r.examples(overlap)
	switch {
	case err != nil && permanent(err):
		r.stop(err)
	case err != nil:
		r.failed.add(row.Range{}, fmt.Errorf("look for rows that belong to two shards: %w", err))
	case examples != "":
		r.stop(fmt.Errorf("compare %s: rows of %s belong to another shard as well, such as %s; make the shards' `target_where` disjoint, or give each shard a constant of its own in the primary key",
			r.spec.Pair.Name, overlap.Table.Name, examples))
	default:
		return true
	}
	return false
}

// countOutside counts the rows of the target that belong to no shard. No pair
// has their source, so they are no findings; but the tables do not agree.
func (r *run) countOutside() {
	outside := r.spec.Pair.Outside
	if outside == nil || r.spec.Mode == Count || r.scan.Err() != nil {
		return
	}
	n, err := retry(r.scan, r, "the rows of no shard", func(ctx context.Context) (int64, error) {
		return read(ctx, r, func(ctx context.Context) (int64, error) { return r.target.Count(ctx, outside) }, event.Target)
	})
	if err == nil && n > 0 {
		r.outside.rows = n
		r.outside.examples, err = r.examples(outside)
	}
	switch {
	case err == nil:
	case permanent(err):
		r.stop(err)
	default:
		r.failed.add(row.Range{}, fmt.Errorf("count the rows that belong to no shard: %w", err))
	}
}

// outside are the rows that belong to no shard.
type outside struct {
	rows     int64
	examples string
}

// String is the reason why a verdict is not clean; empty without such rows.
func (o outside) String() string {
	if o.rows == 0 {
		return ""
	}
	noun := "rows of the target belong"
	if o.rows == 1 {
		noun = "row of the target belongs"
	}
	return fmt.Sprintf("%d %s to no shard, such as %s; nothing repairs them: add their shard, or remove them", o.rows, noun, o.examples)
}

// examples are the keys of the first rows of a view of the target; empty when
// it has none.
func (r *run) examples(v *schema.View) (string, error) {
	var keys []string
	var last row.Key
	for len(keys) < shown {
		key, err := retry(r.scan, r, "the key index", func(ctx context.Context) (row.Key, error) {
			return read(ctx, r, func(ctx context.Context) (row.Key, error) { return r.target.Boundary(ctx, v, last, 1) }, event.Target)
		})
		if err != nil {
			return "", err
		}
		if key == nil {
			break
		}
		var terms []string
		for i, c := range v.KeyColumns() {
			terms = append(terms, fmt.Sprintf("%s = %s", c.Name, key[i]))
		}
		keys, last = append(keys, "("+strings.Join(terms, ", ")+")"), key
	}
	return strings.Join(keys, ", "), nil
}
