package fix

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
)

// ErrMoved says that a row is not as it was when it was looked at.
var ErrMoved = errors.New("somebody else changed the row meanwhile")

// Plant makes one change to the copy that is no repair, in a transaction of its
// own, and returns the step that takes it back. The row is written only if,
// while it is held, it still is was (nil: absent), by its digest. accept is given
// the row as the copy then stores it, nil when the pair does not see it any more,
// and an error of accept undoes the change. An update that changes other columns
// than it says is undone as well.
//
// The step is returned with an error too when the change may have been
// committed: to undo what never was does nothing. Images other than none are
// needed for what is no insert.
func (u *Undoer) Plant(ctx context.Context, change Change, was row.Row, accept func(row.Row) error) (*Step, error) {
	batch, err := u.sink.Begin(ctx, []row.Key{change.Key})
	if err != nil {
		return nil, fmt.Errorf("lock the copy's row: %w", err)
	}
	defer batch.Rollback()
	if len(batch.Busy()) > 0 {
		return nil, &Error{Fault: Contention, Err: errHeld}
	}
	held := u.byID(batch.Rows())[change.Key.ID()]
	if u.portrait.digest(held) != u.portrait.digest(was) {
		return nil, ErrMoved
	}
	w, err := u.write(ctx, batch, change, held, accept)
	if err != nil {
		return nil, err
	}
	step := &Step{Outcome: event.Outcome{
		FindingID: u.run, Pair: u.portrait.pair.Name, Key: u.key(change.Key), Run: u.run, Epoch: u.epoch,
		Action: change.Action, At: time.Now(), Writes: []event.Write{w},
	}}
	if err := batch.Commit(ctx); err != nil {
		return step, fmt.Errorf("commit to the copy: %w", err)
	}
	return step, nil
}

// write makes the change and tells of it as of a repair's.
func (u *Undoer) write(ctx context.Context, batch Batch, change Change, held row.Row, accept func(row.Row) error) (event.Write, error) {
	p, id := u.portrait, change.Key.ID()
	trail := &trail{portrait: p, batch: batch}
	if err := trail.take(ctx, []Change{change}, false); err != nil {
		return event.Write{}, err
	}
	if err := batch.Apply(ctx, []Change{change}); err != nil {
		return event.Write{}, fmt.Errorf("write to the copy: %w", err)
	}
	if err := trail.take(ctx, []Change{change}, true); err != nil {
		return event.Write{}, err
	}
	imager, ok := batch.(Imager)
	if !ok {
		return event.Write{}, errors.New("the copy cannot be given rows back")
	}
	rows, err := imager.Through(ctx, p.view, []row.Key{change.Key})
	if err != nil {
		return event.Write{}, fmt.Errorf("read what was written to the copy: %w", err)
	}
	now := u.byID(rows)[id]
	if err := accept(now); err != nil {
		return event.Write{}, err
	}
	w := trail.told(id, change.Action, held, now)
	if other := u.besides(change, w); other != "" {
		return event.Write{}, &Error{Fault: RowRefused, Reason: "the copy changed column " + other + " with it; look for a trigger"}
	}
	if w.Incomplete != "" {
		return event.Write{}, &Error{Fault: RowRefused, Reason: w.Incomplete}
	}
	return w, nil
}

// besides is a column that an update changed and was not to; empty for none.
func (u *Undoer) besides(change Change, w event.Write) string {
	if change.Action != event.Update {
		return ""
	}
	for _, c := range w.Columns {
		asked := slices.ContainsFunc(change.Columns, func(at int) bool { return u.portrait.view.Columns[at].Name == c.Column })
		if changed(c) && !asked {
			return c.Column
		}
	}
	return ""
}

func (u *Undoer) key(values row.Key) event.Key {
	names, columns := u.portrait.pair.KeyNames(), u.portrait.view.KeyColumns()
	out := make(event.Key, len(values))
	for i, v := range values {
		out[i] = event.KeyColumn{Column: names[i], Type: columns[i].As, Value: v}
	}
	return out
}
