package fix

import (
	"context"
	"fmt"
	"slices"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// trail is what the outcomes of a batch's writes will tell of its rows. The rows
// are read inside the batch, which holds them, so that what is told is what was
// really replaced.
type trail struct {
	*portrait
	batch Batch
	// wholes are whole rows before and after, by the ID of their key.
	before, after map[string]row.Row
}

// take reads whole rows, of those changes that want it.
func (t *trail) take(ctx context.Context, changes []Change, after bool) error {
	var keys []row.Key
	for _, c := range changes {
		if t.wanted(c.Action, after) {
			keys = append(keys, c.Key)
		}
	}
	found, err := t.wholes(ctx, t.batch, keys)
	if after {
		t.after = found
	} else {
		t.before = found
	}
	return err
}

// wholes reads whole rows through a batch.
func (p *portrait) wholes(ctx context.Context, batch Batch, keys []row.Key) (map[string]row.Row, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	imager, ok := batch.(Imager)
	if !ok {
		return nil, fmt.Errorf("pair %s: its sink cannot show whole rows; set images: none", p.pair.Name)
	}
	rows, err := imager.Through(ctx, p.whole.read, keys)
	if err != nil {
		return nil, fmt.Errorf("read whole rows of the copy: %w", err)
	}
	found := make(map[string]row.Row, len(rows))
	for _, r := range rows {
		found[r.Key(p.whole.read.Key).ID()] = p.whole.values(r)
	}
	return found, nil
}

// told is what is to be told of a change to the row with the given ID.
func (t *trail) told(id string, action event.Action, before, after row.Row) event.Write {
	return t.tell(action, sight{before: before, after: after, wholeBefore: t.before[id], wholeAfter: t.after[id]})
}

// written is the row after a change: as the copy was seen to store it, or else as
// it is sure to.
func written(view *schema.View, c Change, held, stored row.Row) row.Row {
	switch {
	case stored != nil || c.Action == event.Delete:
		return stored
	case c.Action == event.Insert:
		return c.Row
	}
	out := slices.Clone(held)
	for _, p := range c.Columns {
		if view.Writable(p) {
			out[p] = c.Row[p]
		}
	}
	return out
}
