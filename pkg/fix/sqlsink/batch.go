package sqlsink

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// batch is one transaction.
type batch struct {
	view    *schema.View
	tx      *database.Tx
	release func()
	rows    []row.Row
	busy    []row.Key
	began   time.Time // when it was admitted
}

// Began implements fix.Timed.
func (b *batch) Began() time.Time { return b.began }

func (b *batch) Rows() []row.Row { return b.rows }
func (b *batch) Busy() []row.Key { return b.busy }

// lock takes what is free. What it did not get is absent or someone else's;
// a plain read, which waits for no lock, tells the two apart. A row that comes
// or is set free between the two statements counts as busy, one that goes
// counts as absent, which it is: both are then looked at as they are.
func (b *batch) lock(ctx context.Context, keys []row.Key) error {
	var err error
	if b.rows, err = b.tx.Lock(ctx, b.view, keys); err != nil {
		return err
	}
	missing := without(keys, b.rows, b.view.Key)
	if len(missing) == 0 {
		return nil
	}
	present, err := b.tx.Lookup(ctx, b.view, missing)
	if err != nil {
		return err
	}
	for _, values := range present {
		b.busy = append(b.busy, values.Key(b.view.Key).Clone())
	}
	return nil
}

// without are the keys that none of the rows has.
func without(keys []row.Key, rows []row.Row, positions []int) []row.Key {
	have := make(map[string]bool, len(rows))
	for _, values := range rows {
		have[values.Key(positions).ID()] = true
	}
	var missing []row.Key
	for _, key := range keys {
		if !have[key.ID()] {
			missing = append(missing, key)
		}
	}
	return missing
}

// Apply runs a statement for neighbouring changes of one action, of updates one
// for those of the same columns; database divides what is too large for one.
func (b *batch) Apply(ctx context.Context, changes []fix.Change) error {
	for len(changes) > 0 {
		n := 1
		for n < len(changes) && changes[n].Action == changes[0].Action {
			n++
		}
		if err := b.run(ctx, changes[:n]); err != nil {
			return classified(b.view, refused, err)
		}
		changes = changes[n:]
	}
	return nil
}

// run executes changes of one action.
func (b *batch) run(ctx context.Context, changes []fix.Change) error {
	switch changes[0].Action {
	case event.Delete:
		return b.delete(ctx, changes)
	case event.Update:
		return b.update(ctx, changes)
	case event.Insert:
		rows := make([]row.Row, len(changes))
		for i, c := range changes {
			rows[i] = c.Row
		}
		return b.tx.Insert(ctx, b.view, rows)
	default:
		return fmt.Errorf("write to %s: no statement for the action %q", b.view.Table.Name, changes[0].Action)
	}
}

func (b *batch) delete(ctx context.Context, changes []fix.Change) error {
	keys := make([]row.Key, len(changes))
	for i, c := range changes {
		keys[i] = c.Key
	}
	n, err := b.tx.Delete(ctx, b.view, keys)
	if err != nil {
		return err
	}
	if n < int64(len(keys)) {
		return ignored(b.view, event.Delete)
	}
	return nil
}

// update groups the changes by the columns they write. The rows are different
// ones, so the order among them is of no account.
func (b *batch) update(ctx context.Context, changes []fix.Change) error {
	changes = slices.Clone(changes)
	slices.SortStableFunc(changes, func(x, y fix.Change) int { return slices.Compare(x.Columns, y.Columns) })
	for len(changes) > 0 {
		columns := changes[0].Columns
		var rows []row.Row
		for len(changes) > 0 && slices.Equal(changes[0].Columns, columns) {
			rows = append(rows, changes[0].Row)
			changes = changes[1:]
		}
		n, err := b.tx.UpdateAll(ctx, b.view, rows, columns)
		if err != nil {
			return err
		}
		if n < int64(len(rows)) {
			return ignored(b.view, event.Update)
		}
	}
	return nil
}

// ignored is the error for a row that is held, so it is there, and that the
// server left as it was without complaint, as a trigger can make it do.
// Calling it repaired would be false.
func ignored(view *schema.View, action event.Action) error {
	reason := fmt.Sprintf("the server accepted the %s and changed no row; look for a trigger or rule on %s",
		action, view.Table.Name)
	return &fix.Error{Fault: fix.RowRefused, Reason: reason}
}

func (b *batch) Commit(ctx context.Context) error {
	defer b.release()
	return classified(b.view, refused, b.tx.Commit(ctx))
}

func (b *batch) Rollback() {
	b.tx.Rollback()
	b.release()
}
