// Package fix repairs the rows that findings name. A finding is only a hint
// where to look: the decision comes from fresh reads of both sides, so that
// findings may come late, twice or in any order.
//
// The repair of a batch of rows is one sequence, and its order is what keeps
// the copy from growing older while a replicator or an application writes to
// it (see round.go, which argues it step by step):
//
//	lock the copy's rows → read the authority → compare → write → commit →
//	read the authority again, and start over for the rows that changed
//
// The package performs no I/O of its own. It declares what it reads and writes
// through (Reader, Sink) and what an error means to it (Fault); sqlsink is the
// adapter for databases, and sinktest the contract every sink passes.
package fix

import (
	"context"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Reader reads the authority. A row missing from a result without error is
// absent, so a reader never leaves out a row that it could not read.
//
// Every call must see all that was committed before it began: it reads the
// primary, never a replica that may lag, and in a snapshot no older than the
// call.
type Reader interface {
	Lookup(ctx context.Context, view *schema.View, keys []row.Key) ([]row.Row, error)
}

// Sink is the copy of one pair. It is safe for concurrent use.
type Sink interface {
	// Read returns the copy's rows with the given keys, in any order, without
	// locking them.
	Read(ctx context.Context, keys []row.Key) ([]row.Row, error)
	// Begin opens a batch that holds the rows with the given keys, in key
	// order so that two batches never wait for each other in a circle. Rows
	// that someone else holds are not waited for: they are Busy.
	Begin(ctx context.Context, keys []row.Key) (Batch, error)
}

// Batch is a set of rows held for writing. Nobody else changes or removes them
// until Commit or Rollback, and nothing it wrote is seen before Commit.
type Batch interface {
	// Rows are the held rows. A key that is neither here nor in Busy was
	// absent when the batch began; absence cannot be held.
	Rows() []row.Row
	// Busy are the keys of rows that exist and are held by someone else.
	Busy() []row.Key
	// Apply writes the changes in the order given. It may be called again;
	// a row it inserted is held like the others. After an error the batch can
	// only be rolled back.
	Apply(ctx context.Context, changes []Change) error
	// Commit makes the changes durable. After an error they may be durable or
	// not; the caller looks again.
	Commit(ctx context.Context) error
	// Rollback gives the rows back and undoes what was not committed. It may
	// be called at any time, also after Commit, and does not depend on the
	// context of the other calls.
	Rollback()
}

// Timed is what a batch can offer besides: when it was admitted. Without it the
// time before, spent waiting for a database that is busy, counts as time that
// rows were held, and batches become small for nothing.
type Timed interface {
	Began() time.Time
}

// Finder is what a batch can offer besides: who has a unique value. Without it
// a row that meets another one's unique value is refused.
type Finder interface {
	// Holders finds the rows of the copy, also those that are none of the
	// pair's, that have the values of one of the given rows in the
	// columns of a unique key, at the given positions of the view. What is equal
	// is for the copy to decide. Rows with NULL there are not asked for.
	Holders(ctx context.Context, unique []int, rows []row.Row) ([]Holder, error)
}

// Holder is a row of the copy that has a unique value somebody wants.
type Holder struct {
	// Of is the position, among the rows asked for, of the one that wants it.
	Of  int
	Key row.Key
	// Outside: the row is there, and none of the pair's.
	Outside bool
}

// Change is one write to the copy.
type Change struct {
	Action event.Action
	Key    row.Key
	// Row is the authority's row; nil for a delete.
	Row row.Row
	// Columns are the positions, in the view, of the columns that an update
	// writes; an insert writes every column the copy does not compute itself.
	Columns []int
}

// Scripter is what a sink can offer besides: the statement that a change would
// execute, for a person to read. Dry runs with Config.Script ask for it.
type Scripter interface {
	Script(c Change) string
}

// Gate is asked for leave before a row is written for the first time. It is the
// seam for breakers (Breaker is one), and safe for concurrent use.
type Gate interface {
	// Admit returns "" when the row may be written, and otherwise why not: the
	// finding's outcome is then held, with that reason. What was admitted counts
	// as under way.
	Admit(a event.Action) (reason string)
	// Settle ends what Admit began, once for each: made says whether the row was
	// written, or may have been.
	Settle(a event.Action, made bool)
}

// Observer is told what happens, for metrics and logs. It is called from
// several goroutines and must not block.
type Observer interface {
	// Batch: a round over that many keys ended without error.
	Batch(pair string, keys int, took time.Duration)
	// Waiting: nothing can be done for the moment, for the reason err; the
	// next try comes after delay.
	Waiting(pair string, err error, delay time.Duration)
	// Settled: a finding has its outcome. The outcome is not yet durable.
	Settled(o event.Outcome)
}
