package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// The damage that a replicator does.
const (
	changeLost   = "change lost by the replicator"
	deletionLost = "deletion lost by the replicator"
)

// courier is a replicator of one author's transactions: in order, each a while
// after its commit. It loses some rows' changes.
type courier struct {
	db      *database
	random  *rand.Rand
	in      <-chan committed
	journal *journal
	tally   *replicated
	loss    float64 // share of the rows
	damaged func(kind string, rows int64)
}

// run brings transactions until the stream is closed.
func (r *courier) run(ctx context.Context) error {
	delay := 100 * time.Millisecond
	for t := range r.in {
		switch r.random.IntN(200) {
		case 0: // it stalls, for longer than changes are given to settle
			delay = time.Duration(1+r.random.IntN(5)) * time.Second
		case 1, 2, 3, 4, 5, 6, 7, 8, 9, 10:
			delay = time.Duration(r.random.IntN(400)) * time.Millisecond
		}
		pause(ctx, time.Until(t.to.Add(delay)))
		kept, err := r.lose(ctx, t)
		if err == nil {
			err = r.bring(ctx, kept)
		}
		if err != nil {
			return err
		}
		raise(&r.tally.furthest, int64(time.Since(t.to)))
	}
	return nil
}

// lose drops a row's change now and then, and says what is left.
func (r *courier) lose(ctx context.Context, t committed) (committed, error) {
	left := committed{span: t.span}
	for _, c := range t.changes {
		lost := r.random.Float64() < r.loss && !(c.gone && c.table.name == "notes") && r.journal.rested(idOf(c))
		if lost {
			var err error
			if lost, err = r.matters(ctx, c); err != nil {
				return left, err
			}
		}
		if !lost {
			left.changes = append(left.changes, c)
			continue
		}
		kind := changeLost
		if c.gone {
			kind = deletionLost
		}
		r.damaged(kind, 1)
		r.journal.damaged(idOf(c), damage{kind, t.span, time.Now()})
	}
	return left, nil
}

// matters says whether the copy has another state of the row than the change
// brings: what was repaired already, or is missing anyway, cannot be lost.
func (r *courier) matters(ctx context.Context, c change) (bool, error) {
	var version int64
	err := r.db.QueryRowContext(ctx, r.db.engine.spell("SELECT version FROM "+c.table.name+" WHERE "+c.table.isKey()), c.key()...).Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return !c.gone, nil
	}
	if err != nil {
		return false, fmt.Errorf("the replicator looks at the copy: %w", err)
	}
	return c.gone || version != c.version(), nil
}

// bring applies a transaction, again and again until the copy takes it.
func (r *courier) bring(ctx context.Context, t committed) error {
	began := time.Now()
	for {
		own := span{from: time.Now()}
		err := inTransaction(ctx, r.db, func(tx *sql.Tx) error {
			_, err := apply(ctx, tx, r.db.engine, t.changes, false)
			return err
		})
		own.to = time.Now()
		raise(&r.tally.longest, int64(own.to.Sub(own.from)))
		if err == nil {
			r.tally.transactions.Add(1)
			for _, c := range t.changes {
				r.journal.note(idOf(c), func(h *history) {
					h.brought = append(h.brought, own)
					h.underWay = append(h.underWay, span{t.from, own.to})
				})
			}
			return nil
		}
		r.tally.retries.Add(1)
		if ctx.Err() != nil || time.Since(began) > patience {
			return fmt.Errorf("the replicator is stuck: %w", err)
		}
		pause(ctx, 20*time.Millisecond)
	}
}
