package audit

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
)

// Selection says which repairs to take back. All that is given must hold.
type Selection struct {
	Pair string
	// Run is the run that found the rows, or that took repairs back: its own
	// repairs are taken back only when it is named, since whoever undoes a row
	// does not mean to undo that.
	Run string
	// Key is the key of the row's messages (event.RowKey).
	Key   []byte
	Since time.Time
}

// Bounds of what is in memory at once: outcomes of a stretch of a partition.
const (
	windowMessages = 4096
	windowBytes    = 16 << 20
)

// Repairs calls handle with the writes that are selected and were not taken back
// since, in batches of at most n that name no row twice. Those of a row come
// from the newest to the oldest. A topic is read backwards, stretch by stretch.
func (l Log) Repairs(ctx context.Context, sel Selection, n int, handle func([]fix.Step) error) error {
	partitions, err := l.Source.Partitions(l.Outcomes)
	if err != nil {
		return err
	}
	if sel.Key != nil {
		p, err := l.Source.PartitionOf(l.Outcomes, sel.Key)
		if err != nil {
			return err
		}
		partitions = []int32{p}
	}
	for _, p := range partitions {
		b := &batches{Selection: sel, size: n, handle: handle, undone: map[uint64]bool{}, rows: map[string]bool{}}
		if err := l.backwards(ctx, p, b); err != nil {
			return err
		}
	}
	return nil
}

// backwards reads a partition from its end.
func (l Log) backwards(ctx context.Context, partition int32, b *batches) error {
	from, end, err := l.Source.Span(ctx, l.Outcomes, partition, b.Since)
	if err != nil {
		return err
	}
	size := int64(windowMessages)
	for end > from {
		begin := max(from, end-size)
		outcomes, err := l.window(ctx, partition, begin, end, b)
		if errors.Is(err, errTooMuch) && end-begin > 1 {
			size = (end - begin) / 2
			continue
		}
		if err != nil {
			return err
		}
		for _, o := range slices.Backward(outcomes) {
			if err := b.take(o); err != nil {
				return err
			}
		}
		end, size = begin, min(2*size, windowMessages)
	}
	return b.flush()
}

var errTooMuch = errors.New("more than is read at once")

// window is the outcomes of the selected rows in a stretch. One message alone
// may be of any size.
func (l Log) window(ctx context.Context, partition int32, begin, end int64, b *batches) ([]event.Outcome, error) {
	var outcomes []event.Outcome
	rows := string(event.RowKey(b.Pair, nil)) // how the keys of the pair's rows begin
	bytes := 0
	err := l.Source.Read(ctx, l.Outcomes, partition, begin, end, func(r event.Record) error {
		if b.Key != nil && string(r.Key) != string(b.Key) || !strings.HasPrefix(string(r.Key), rows) {
			return nil
		}
		o, err := event.DecodeOutcome(r)
		if err != nil {
			return fmt.Errorf("an outcome cannot be read, and may be one to undo: %w", err)
		}
		if o.Pair != b.Pair || len(o.Writes) == 0 || o.DryRun {
			return nil
		}
		if bytes += len(r.Value); bytes > windowBytes && end-begin > 1 {
			return errTooMuch
		}
		outcomes = append(outcomes, o)
		return nil
	})
	return outcomes, err
}

// batches gathers what is taken back together.
type batches struct {
	Selection
	size   int
	handle func([]fix.Step) error
	// undone are hashes of the IDs of writes that were taken back: as the
	// newest outcomes come first, what took a write back comes before it.
	undone map[uint64]bool
	steps  []fix.Step
	rows   map[string]bool
}

var seed = maphash.MakeSeed()

// take adds the writes of an outcome, the last one first.
func (b *batches) take(o event.Outcome) error {
	for i := range slices.Backward(o.Writes) {
		if b.undone[maphash.String(seed, o.WriteID(i))] {
			continue
		}
		if o.UndoOf != "" { // and is not taken back itself
			b.undone[maphash.String(seed, o.UndoOf)] = true
		}
		if !b.selected(o) {
			continue
		}
		row := o.Key.Values().ID()
		if b.rows[row] || len(b.steps) == b.size {
			if err := b.flush(); err != nil {
				return err
			}
		}
		b.rows[row] = true
		b.steps = append(b.steps, fix.Step{Outcome: o, Position: i})
	}
	return nil
}

func (b *batches) selected(o event.Outcome) bool {
	return !o.At.Before(b.Since) && (b.Run == "" || o.Run == b.Run) && (o.UndoOf == "" || b.Run == o.Run)
}

func (b *batches) flush() error {
	if len(b.steps) == 0 {
		return nil
	}
	err := b.handle(b.steps)
	b.steps = nil
	clear(b.rows)
	return err
}
