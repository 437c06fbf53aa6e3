package fix

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// back is the change that takes a write back, through its own view.
type back struct {
	undoing *Undoing
	change  Change
	view    *schema.View
	held    row.Row
}

// back spells the change, or says why there is none. now is the whole row.
func (u *Undoer) back(step Step, now row.Row) (_ *back, left string) {
	w := step.Write()
	b := &back{change: Change{Action: reverse(w.Action), Key: step.Outcome.Key.Values()}, view: u.portrait.whole.write}
	switch w.Action {
	case event.Insert:
		b.view = u.portrait.view
		return b, ""
	case event.Update:
		return b, u.revert(b, w, now)
	default:
		return b, u.revive(b, w)
	}
}

// revert fills in an update of the columns that the repair changed.
func (u *Undoer) revert(b *back, w event.Write, now row.Row) string {
	if now == nil {
		return "the row is not found by its key"
	}
	b.change.Row = slices.Clone(now)
	for _, c := range w.Columns {
		if !changed(c) {
			continue
		}
		at, left := u.column(c)
		if left != "" {
			return left
		}
		b.change.Row[at] = c.Before.Value
		b.change.Columns = append(b.change.Columns, at)
	}
	slices.Sort(b.change.Columns)
	if len(b.change.Columns) == 0 {
		return "the outcome has no values"
	}
	return ""
}

// revive fills in an insert of the columns that the row had. Those that the
// table was given since have their default.
func (u *Undoer) revive(b *back, w event.Write) string {
	view := *b.view
	view.Columns, view.Key = nil, nil
	at := map[string]int{}
	for _, c := range w.Columns {
		i, left := u.column(c)
		if left != "" {
			return left
		}
		at[c.Column] = len(view.Columns)
		view.Columns = append(view.Columns, b.view.Columns[i])
		b.change.Row = append(b.change.Row, c.Before.Value)
	}
	for _, k := range b.view.KeyColumns() {
		i, found := at[k.Name]
		if !found {
			return "the outcome has no values"
		}
		view.Key = append(view.Key, i)
	}
	b.view = &view
	return ""
}

// column finds a column whose value is to be given back.
func (u *Undoer) column(c event.WrittenColumn) (at int, left string) {
	columns := u.portrait.whole.write.Columns
	at = slices.IndexFunc(columns, func(v schema.ViewColumn) bool { return v.Name == c.Column })
	switch {
	case at < 0:
		return 0, fmt.Sprintf("the table has no column %s any more", c.Column)
	case c.Before == nil || c.Before.Masked != "":
		return 0, fmt.Sprintf("the value of column %s was not kept", c.Column)
	case !c.Before.Value.IsNull() && c.Before.Type != columns[at].As:
		return 0, fmt.Sprintf("column %s was of another type (%s)", c.Column, c.Before.Type)
	default:
		return at, ""
	}
}

// restore applies the changes: what frees unique values first, and what is
// written through one view together.
func (u *Undoer) restore(ctx context.Context, batch Restorer, backs []*back) error {
	slices.SortStableFunc(backs, func(a, b *back) int { return rank(a.change) - rank(b.change) })
	for len(backs) > 0 {
		n := 1
		for n < len(backs) && backs[n].change.Action == backs[0].change.Action && sameColumns(backs[0].view, backs[n].view) {
			n++
		}
		changes := make([]Change, n)
		for i, b := range backs[:n] {
			changes[i] = b.change
		}
		if err := batch.Restore(ctx, backs[0].view, changes); err != nil {
			return fmt.Errorf("write to the copy: %w", err)
		}
		backs = backs[n:]
	}
	return nil
}

func sameColumns(a, b *schema.View) bool {
	return a == b || slices.EqualFunc(a.Columns, b.Columns, func(x, y schema.ViewColumn) bool { return x.Name == y.Name && x.As == y.As })
}

// moved are the columns that differ from what a write left, where that is known.
func (u *Undoer) moved(w event.Write, now row.Row) []string {
	if now == nil {
		return nil
	}
	var out []string
	for _, c := range w.Columns {
		at := slices.IndexFunc(u.portrait.whole.write.Columns, func(v schema.ViewColumn) bool { return v.Name == c.Column })
		if at < 0 || c.After == nil {
			continue
		}
		if is := u.portrait.content(at, now); !sameContent(is, c.After) {
			out = append(out, c.Column)
		}
	}
	return out
}

// changed says whether a write changed the column.
func changed(c event.WrittenColumn) bool { return !sameContent(c.Before, c.After) }

func sameContent(a, b *event.Content) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Masked == b.Masked && a.Value.IsNull() == b.Value.IsNull() && string(a.Value) == string(b.Value)
}

var reversed = map[event.Action]event.Action{
	event.Insert: event.Delete, event.Update: event.Update, event.Delete: event.Insert,
}

func reverse(a event.Action) event.Action { return reversed[a] }

// after is how long to wait after a fault.
func (p *pace) after(f Fault) time.Duration {
	if f == Transient {
		return p.long.NextBackOff()
	}
	return p.short.NextBackOff()
}

// sleep waits, and says whether ctx lives on.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
