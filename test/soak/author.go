package main

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// author is an application that writes to the authority, and tells the journal.
// It owns its keys, and knows what each row must be.
type author struct {
	number  int
	db      *database
	random  *rand.Rand
	slots   []*slot
	journal *journal
	out     chan<- committed
	every   time.Duration
	counted func(operation string, n int64)
}

// committed is a transaction with its time, from before its first statement
// until after its commit.
type committed struct {
	changes []change
	span
}

// newAuthor makes one with rows keys in each table, of which half have a row.
func newAuthor(number, rows int, seed uint64) *author {
	a := &author{number: number, random: rand.New(rand.NewPCG(seed, uint64(number)))}
	for _, t := range followedTables {
		for n := range rows {
			s := &slot{t.empty(t.key(number, n))}
			if n%2 == 0 {
				s.change = a.changed(s)
			}
			a.slots = append(a.slots, s)
		}
	}
	return a
}

// changed is the next version of a row that is there then.
func (a *author) changed(s *slot) change {
	c := s.next()
	c.gone = false
	fill(a.random, c.table, c.row, c.table.keys+1)
	return c
}

// rows are those that are there.
func (a *author) rows() []change {
	var out []change
	for _, s := range a.slots {
		if s.live() {
			out = append(out, s.change)
		}
	}
	return out
}

// next are the changes of a transaction, one to three rows.
func (a *author) next() map[*slot]change {
	out := map[*slot]change{}
	for range 1 + a.random.IntN(3) {
		s := a.slots[a.random.IntN(len(a.slots))]
		if s.live() && a.random.IntN(6) == 0 {
			out[s] = s.dead()
		} else {
			out[s] = a.changed(s)
		}
	}
	return out
}

// run writes until ctx ends, and closes the stream to the replicator.
func (a *author) run(ctx context.Context) error {
	defer close(a.out)
	for ctx.Err() == nil {
		next := a.next()
		t := committed{slices.Collect(maps.Values(next)), span{from: time.Now()}}
		if err := a.write(ctx, t.changes); err != nil {
			return err
		}
		t.to = time.Now()
		for s, c := range next {
			s.change = c
			a.journal.note(idOf(c), func(h *history) { h.changed = append(h.changed, t.span) })
		}
		a.counted("transactions", 1)
		a.counted("rows", int64(len(t.changes)))
		a.out <- t
		pause(ctx, time.Duration(a.random.ExpFloat64()*float64(a.every)))
	}
	return nil
}

// write commits at the authority, now and then late: a row that got its time
// long ago shows only then. Only a deadlock may stand in the way.
func (a *author) write(ctx context.Context, changes []change) error {
	whole := context.WithoutCancel(ctx)
	late := a.random.IntN(50) == 0
	for {
		err := inTransaction(whole, a.db, func(tx *sql.Tx) error {
			_, err := apply(whole, tx, a.db.engine, changes, false)
			if late && err == nil {
				pause(ctx, upTo(a.random, 3*time.Second))
			}
			return err
		})
		if !victim(err) {
			if err != nil {
				return fmt.Errorf("writer %d: %w", a.number, err)
			}
			if late {
				a.counted("committed late", 1)
			}
			return nil
		}
	}
}
