package fix

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Restorer is what a batch needs to undo: it writes through another view of the
// table, under the terms of Batch.Apply.
type Restorer interface {
	Imager
	Restore(ctx context.Context, view *schema.View, changes []Change) error
}

// Undoer gives rows back what they had before repairs wrote to them.
//
// A row is written only if it is still as the repair left it, by its digest,
// while it is held: whoever wrote to it since is right. The digest covers the
// columns of the pair; what else the table has is written back where the repair
// had changed it, or where the whole row was deleted.
//
// To undo what is undone already does nothing, so that it can be begun again
// after a crash at any point.
type Undoer struct {
	portrait *portrait
	sink     Sink
	run      string
	epoch    uint64
	size     *sizer
}

// UndoConfig is what an Undoer works with.
type UndoConfig struct {
	Pair *schema.Pair
	// Side is the side that is written, the one that the repairs wrote to.
	Side event.Side
	// Sink writes it; its batches are Restorers.
	Sink Sink
	// Keep is what the repairs' was: other digests tell nothing.
	Keep Keep
	// Run names this undoing in its outcomes, and Epoch is the pair's.
	Run   string
	Epoch uint64
}

// NewUndoer returns an Undoer.
func NewUndoer(c UndoConfig) (*Undoer, error) {
	p, err := newPortrait(c.Pair, c.Side, c.Keep)
	if err != nil {
		return nil, fmt.Errorf("set up undo: %w", err)
	}
	return &Undoer{portrait: p, sink: c.Sink, run: c.Run, epoch: c.Epoch, size: newSizer(DefaultBatchKeys, DefaultBatchBytes, DefaultLockBudget)}, nil
}

// Step is one write to take back.
type Step struct {
	Outcome event.Outcome
	// Position is the write's in Outcome.Writes.
	Position int
}

// Write is the write itself.
func (s Step) Write() event.Write { return s.Outcome.Writes[s.Position] }

// Undoing is what became of a step.
type Undoing struct {
	Step
	// Outcome is to be published when something was written, and zero else.
	Outcome event.Outcome
	// Already: the row is as it was before the repair.
	Already bool
	// Left says why the row is left as it is; empty when it is not. Refused: for
	// now, by the copy, since other rows are in the way. Held: for now, by another
	// transaction.
	Left          string
	Refused, Held bool
	// Columns are those that differ from what the repair left, as far as their
	// values are known, by the table's own names.
	Columns []string
	// Now is the digest of the row that was found.
	Now string
}

// Undo takes steps back whose keys all differ, in transactions of bounded size;
// rows that the copy refuses, or that somebody keeps holding, are left. After an
// error some may be undone, and giving all of them again is right.
func (u *Undoer) Undo(ctx context.Context, steps []Step) ([]Undoing, error) {
	return u.inParts(steps, func(part []Step) ([]Undoing, error) { return u.together(ctx, part) })
}

func (u *Undoer) inParts(steps []Step, do func([]Step) ([]Undoing, error)) ([]Undoing, error) {
	var out []Undoing
	for len(steps) > 0 {
		n := min(u.size.keys(), len(steps))
		done, err := do(steps[:n])
		if out = append(out, done...); err != nil {
			return out, err
		}
		steps = steps[n:]
	}
	return out, nil
}

// together takes steps back in one transaction, or in smaller ones where one row
// may be what fails it.
func (u *Undoer) together(ctx context.Context, steps []Step) ([]Undoing, error) {
	pace := newPace()
	var unsure []Undoing
	for try := 1; ; try++ {
		done, err := u.attempt(ctx, steps)
		fault := FaultOf(err)
		switch {
		case err == nil:
			return credited(done, unsure), nil
		case ctx.Err() != nil || fault == Permanent || fault == Transient && try >= maxUndoTries:
			return nil, fmt.Errorf("undo repairs of %s: %w", u.portrait.pair.Name, err)
		case fault != Transient && fault != Locked && len(steps) > 1:
			return u.halves(ctx, steps)
		case fault == Locked && try >= maxBusy:
			return leave(steps, "the table is locked as a whole, as while it is altered; try again"), nil
		case fault == Locked:
		case fault != Transient && fault != Contention:
			return []Undoing{{Step: steps[0], Left: ReasonOf(err), Refused: fault == Duplicate || fault == Reference}}, nil
		case fault == Contention && try >= maxBusy:
			return leave(steps, "another transaction holds the row; try again"), nil
		}
		if done != nil {
			unsure = done
		}
		if !sleep(ctx, pace.after(fault)) {
			return nil, context.Cause(ctx)
		}
	}
}

// leave are steps that were not taken back since somebody else holds their rows.
func leave(steps []Step, why string) []Undoing {
	out := make([]Undoing, len(steps))
	for i, step := range steps {
		out[i] = Undoing{Step: step, Left: why, Held: true}
	}
	return out
}

// maxUndoTries bounds how long a database is waited for, to some seconds: a person
// waits for the answer, and to begin again is safe.
const maxUndoTries = 6

// credited are what became of steps: a row that is as it was before is undone by
// the commit whose answer was lost.
func credited(done, unsure []Undoing) []Undoing {
	for i := range unsure {
		if done[i].Already && unsure[i].open() {
			done[i] = unsure[i]
		}
	}
	return done
}

func (u *Undoer) halves(ctx context.Context, steps []Step) ([]Undoing, error) {
	first, err := u.together(ctx, steps[:len(steps)/2])
	if err != nil {
		return first, err
	}
	second, err := u.together(ctx, steps[len(steps)/2:])
	return append(first, second...), err
}

// Look says what Undo would do, and holds and writes nothing. supposed are the
// digests, by the ID of their key, of rows as steps before these would have left
// them; it is added to.
func (u *Undoer) Look(ctx context.Context, steps []Step, supposed map[string]string) ([]Undoing, error) {
	return u.inParts(steps, func(part []Step) ([]Undoing, error) { return u.look(ctx, part, supposed) })
}

func (u *Undoer) look(ctx context.Context, steps []Step, supposed map[string]string) ([]Undoing, error) {
	rows, err := u.sink.Read(ctx, keysToUndo(steps))
	if err != nil {
		return nil, fmt.Errorf("read the copy's rows: %w", err)
	}
	held := u.byID(rows)
	u.size.observe(len(steps), sizeOf(held))
	out := make([]Undoing, len(steps))
	for i, step := range steps {
		id := idOf(step)
		now, known := supposed[id]
		if !known {
			now = u.portrait.digest(held[id])
		}
		if out[i] = judge(step, now); out[i].open() {
			_, out[i].Left = u.back(step, make(row.Row, len(u.portrait.whole.write.Columns)))
		}
		if out[i].open() {
			supposed[id] = step.Write().Before
			out[i].Outcome = u.outcome(step, event.Write{Side: u.portrait.side, Action: reverse(step.Write().Action)})
		}
	}
	return out, nil
}

// attempt is one transaction. With an error, what it returns may have been committed.
func (u *Undoer) attempt(ctx context.Context, steps []Step) ([]Undoing, error) {
	batch, err := u.sink.Begin(ctx, keysToUndo(steps))
	if err != nil {
		return nil, fmt.Errorf("lock the copy's rows: %w", err)
	}
	defer batch.Rollback()
	restorer, ok := batch.(Restorer)
	if !ok {
		return nil, errors.New("the copy cannot be given rows back")
	}
	if len(batch.Busy()) > 0 {
		return nil, &Error{Fault: Contention, Err: errHeld}
	}
	held := u.byID(batch.Rows())
	now, err := u.portrait.wholes(ctx, batch, keysToUndo(steps))
	if err != nil {
		return nil, err
	}
	u.size.observe(len(steps), sizeOf(held)+2*sizeOf(now)) // it is read again at the end
	out := make([]Undoing, len(steps))
	var backs []*back
	for i, step := range steps {
		id := idOf(step)
		if out[i] = judge(step, u.portrait.digest(held[id])); !out[i].open() {
			out[i].Columns = u.moved(step.Write(), now[id])
			continue
		}
		b, left := u.back(step, now[id])
		if out[i].Left = left; left == "" {
			b.undoing, b.held = &out[i], held[id]
			backs = append(backs, b)
		}
	}
	if len(backs) == 0 {
		return out, nil
	}
	if err := u.restore(ctx, restorer, backs); err != nil {
		return nil, err
	}
	if err := u.recount(ctx, batch, backs, now); err != nil {
		return nil, err
	}
	if err := batch.Commit(ctx); err != nil {
		return out, fmt.Errorf("commit to the copy: %w", err)
	}
	return out, nil
}

// open says whether the row is to be written.
func (u Undoing) open() bool { return !u.Already && u.Left == "" }

// judge compares the digest of the row with what the repair left. The row is
// written only if it is that.
func judge(step Step, now string) Undoing {
	w := step.Write()
	out := Undoing{Step: step, Now: now}
	switch {
	case now == w.Before:
		out.Already = true
	case now != w.After:
		out.Left = since(w, now)
	case w.Incomplete != "":
		out.Left = w.Incomplete
	}
	return out
}

func since(w event.Write, now string) string {
	switch {
	case now == "":
		return "the row was deleted since"
	case w.Action == event.Delete:
		return "a row with that key was inserted since"
	default:
		return "the row changed since"
	}
}

// recount makes sure that the rows are what they were, and fills in outcomes.
func (u *Undoer) recount(ctx context.Context, batch Batch, backs []*back, now map[string]row.Row) error {
	keys := make([]row.Key, len(backs))
	for i, b := range backs {
		keys[i] = b.change.Key
	}
	rows, err := batch.(Imager).Through(ctx, u.portrait.view, keys)
	if err != nil {
		return fmt.Errorf("read what was written to the copy: %w", err)
	}
	after := u.byID(rows)
	trail := &trail{portrait: u.portrait, batch: batch, before: now}
	changes := make([]Change, len(backs))
	for i, b := range backs {
		changes[i] = b.change
	}
	if err := trail.take(ctx, changes, true); err != nil {
		return err
	}
	for _, b := range backs {
		id := idOf(b.undoing.Step)
		if u.portrait.digest(after[id]) != b.undoing.Write().Before {
			return &Error{Fault: RowRefused, Reason: "the copy does not store the row as it was; look for a trigger, or a table that was altered"}
		}
		if u.portrait.keep.Images == NoImages {
			trail.before = nil
		}
		b.undoing.Outcome = u.outcome(b.undoing.Step, trail.told(id, b.change.Action, b.held, after[id]))
	}
	return nil
}

func (u *Undoer) outcome(step Step, w event.Write) event.Outcome {
	o := step.Outcome
	return event.Outcome{
		FindingID: o.FindingID, Pair: o.Pair, Key: o.Key, Run: u.run, Epoch: u.epoch,
		Result: event.Undone, Action: w.Action, Columns: u.names(w), Attempts: 1, At: time.Now(),
		Writes: []event.Write{w}, UndoOf: o.WriteID(step.Position),
	}
}

// names are the source's names of the columns that were given back.
func (u *Undoer) names(w event.Write) []string {
	if w.Action != event.Update {
		return nil
	}
	var out []string
	for i, c := range u.portrait.view.Columns {
		if slices.ContainsFunc(w.Columns, func(wc event.WrittenColumn) bool { return wc.Column == c.Name && changed(wc) }) {
			out = append(out, u.portrait.pair.Names[i])
		}
	}
	return out
}

func (u *Undoer) byID(rows []row.Row) map[string]row.Row {
	found := make(map[string]row.Row, len(rows))
	for _, r := range rows {
		found[r.Key(u.portrait.view.Key).ID()] = r
	}
	return found
}

func idOf(s Step) string { return s.Outcome.Key.Values().ID() }

func keysToUndo(steps []Step) []row.Key {
	keys := make([]row.Key, len(steps))
	for i, s := range steps {
		keys[i] = s.Outcome.Key.Values()
	}
	return keys
}
