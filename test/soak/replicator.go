package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// lane is a replicator of one writer's transactions: in order, each a while
// after its commit. Lanes do not wait for each other, so that the order across
// keys is lost. It notes in the ledger, in the same transaction, what it brought.
//
// Where a row is in the way it goes on as MySQL's slave_exec_mode=IDEMPOTENT
// does: docs/model tells why one that stops would stop for good.
type lane struct {
	db     *database
	random *rand.Rand
	in     <-chan transaction
	tally  *replicated
}

// replicated is what all lanes of a direction have done.
type replicated struct {
	transactions, removed, retries atomic.Int64
	deadlocks                      tally        // by opponent
	longest                        atomic.Int64 // ns that one transaction took
	furthest                       atomic.Int64 // ns behind the authority
}

// patience is how long a transaction is tried before the lane counts as stuck.
const patience = 2 * time.Minute

// run brings transactions until the stream is closed.
func (l *lane) run(ctx context.Context) error {
	delay := 100 * time.Millisecond
	for t := range l.in {
		switch l.random.IntN(100) {
		case 0: // it stalls, for longer than differences are given to settle
			delay = time.Duration(1+l.random.IntN(4)) * time.Second
		case 1, 2, 3, 4, 5:
			delay = time.Duration(l.random.IntN(400)) * time.Millisecond
		}
		pause(ctx, time.Until(t.at.Add(delay)))
		if err := l.bring(ctx, t); err != nil {
			return err
		}
		raise(&l.tally.furthest, int64(time.Since(t.at)))
	}
	return nil
}

// bring applies a transaction, again and again until the copy takes it.
func (l *lane) bring(ctx context.Context, t transaction) error {
	began := time.Now()
	for {
		start := time.Now()
		removed, err := l.attempt(ctx, t.changes)
		raise(&l.tally.longest, int64(time.Since(start)))
		if err == nil {
			l.tally.transactions.Add(1)
			l.tally.removed.Add(removed)
			return nil
		}
		l.tally.retries.Add(1)
		if victim(err) {
			l.tally.deadlocks.add(string(l.db.opponentOf(ctx, err)), 1)
		}
		if ctx.Err() != nil || time.Since(began) > patience {
			return fmt.Errorf("the replicator is stuck: %w", err)
		}
		pause(ctx, 20*time.Millisecond)
	}
}

func (l *lane) attempt(ctx context.Context, changes []change) (removed int64, err error) {
	err = inTransaction(ctx, l.db, func(tx *sql.Tx) error {
		var err error
		if removed, err = apply(ctx, tx, l.db.engine, changes, true); err != nil {
			return err
		}
		a := applier{ctx: ctx, tx: tx, engine: l.db.engine}
		a.note(changes)
		return a.err
	})
	return removed, err
}

// raise sets a counter to a value that is greater.
func raise(counter *atomic.Int64, value int64) {
	for old := counter.Load(); value > old && !counter.CompareAndSwap(old, value); old = counter.Load() {
	}
}
