package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// writer is an application that writes to the authority. It owns its rows: no
// other writer touches them, so that it knows what each must be.
type writer struct {
	number  int
	db      *database
	random  *rand.Rand
	slots   map[*table][]*slot
	free    []place // unique values that no row has
	out     chan<- transaction
	every   time.Duration
	counted func(operation string, rows int)
}

// slot is a key, and the row that it has at the authority.
type slot struct {
	change
}

func (s *slot) live() bool { return !s.gone }

// newWriter makes a writer with rows keys in each table, of which half have a row.
func newWriter(number, rows int, seed uint64) *writer {
	w := &writer{number: number, random: rand.New(rand.NewPCG(seed, uint64(number))), slots: map[*table][]*slot{}}
	for n := range rows {
		place := place{code: fmt.Sprintf("w%d-%d", number, n), shelf: int64(number), place: int64(n + 1)}
		if n%7 == 0 {
			place.code = nil
		}
		w.free = append(w.free, place)
	}
	for _, t := range tables {
		for n := range rows {
			s := &slot{change{table: t, row: w.emptyRow(t, n), gone: true}}
			w.slots[t] = append(w.slots[t], s)
			if n%2 == 0 {
				w.commit(w.born(s))
			}
		}
	}
	return w
}

// emptyRow is the n-th key of the writer, at version 0.
func (w *writer) emptyRow(t *table, n int) []any {
	row := make([]any, len(t.columns))
	id := int64(n*maxWriters + w.number + 1)
	row[0], row[t.keys] = id, int64(0)
	if t.name == "entries" { // many rows of an order, and keys that differ in one column alone
		row[0], row[1], row[2] = int64((n/keysOfOrder)*maxWriters+w.number+1), int64(n/3%4), []string{"de", "en", "EN"}[n%3]
	}
	return row
}

// keysOfOrder is how many keys of entries have the same order_id: four lines in
// three languages.
const keysOfOrder = 12

// maxWriters is more than any soak has: keys are dealt out by the number.
const maxWriters = 16

// changes are those of all rows, as they are loaded at the start.
func (w *writer) changes() []change {
	var out []change
	for _, t := range tables {
		for _, s := range w.slots[t] {
			if s.live() {
				out = append(out, s.change)
			}
		}
	}
	return out
}

// commit takes changes over as what the authority has.
func (w *writer) commit(changes ...change) {
	for _, c := range changes {
		i := slices.IndexFunc(w.slots[c.table], func(s *slot) bool { return slices.Equal(s.key(), c.key()) })
		if s := w.slots[c.table][i]; c.table.name == "items" && s.live() {
			w.release(s.change)
		}
		w.slots[c.table][i].change = c
	}
	for _, c := range changes {
		if c.table.name == "items" && !c.gone {
			w.take(c)
		}
	}
}

func (w *writer) release(c change) { w.free = append(w.free, placeOf(c)) }

func (w *writer) take(c change) {
	p := placeOf(c)
	w.free = slices.DeleteFunc(w.free, func(f place) bool { return f == p })
}

func placeOf(c change) place {
	return place{c.row[2], c.row[3].(int64), c.row[4].(int64)}
}

func at(c change, p place) change {
	c.row = slices.Clone(c.row)
	c.row[2], c.row[3], c.row[4] = p.code, p.shelf, p.place
	return c
}

// run writes until ctx ends, and closes the stream to the replicator.
func (w *writer) run(ctx context.Context) error {
	defer close(w.out)
	for ctx.Err() == nil {
		name, changes := w.next()
		if len(changes) == 0 {
			continue
		}
		slices.SortStableFunc(changes, func(a, b change) int { return slices.Index(tables, a.table) - slices.Index(tables, b.table) })
		if err := w.write(context.WithoutCancel(ctx), changes); err != nil {
			return err
		}
		w.commit(changes...)
		w.counted(name, len(changes))
		w.out <- transaction{changes, time.Now()}
		pause(ctx, time.Duration(w.random.ExpFloat64()*float64(w.every)))
	}
	return nil
}

// write commits at the authority. Nobody else writes there, so that only a
// deadlock may stand in the way, and nothing of the transaction is there then.
func (w *writer) write(ctx context.Context, changes []change) error {
	for {
		err := inTransaction(ctx, w.db, func(tx *sql.Tx) error {
			_, err := apply(ctx, tx, w.db.engine, changes, false)
			return err
		})
		if !victim(err) {
			if err != nil {
				return fmt.Errorf("writer %d: %w", w.number, err)
			}
			return nil
		}
	}
}

// pause waits, less when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
