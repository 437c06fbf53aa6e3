// Package sqlsink is the copy of a pair in a database, and the authority's
// reader: package fix's Sink and Reader over package database.
package sqlsink

import (
	"context"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Acquire asks for a share of a database's budget and waits until it is
// granted; release gives it back. (*governor.Budget).Acquire is one.
//
// A batch of writes keeps its share while it asks for one to read the
// authority. So that batches of pairs with opposite directions never wait for
// each other, what reads a database and what writes to it draw on different
// budgets, and the pool (database.Config.MaxConns) is larger than the budget
// of writes.
type Acquire func(ctx context.Context) (release func(), err error)

func (a Acquire) ask(ctx context.Context) (func(), error) {
	if a == nil {
		return func() {}, nil
	}
	return a(ctx)
}

// Reader reads the authority. It must be given its primary.
type Reader struct {
	// Acquire, when set, is asked before each read.
	Acquire Acquire
	db      *database.DB
}

// NewReader returns a Reader of db.
func NewReader(db *database.DB) *Reader { return &Reader{db: db} }

// Lookup returns the rows with the given keys, each read in a snapshot taken
// after the call.
func (r *Reader) Lookup(ctx context.Context, view *schema.View, keys []row.Key) ([]row.Row, error) {
	release, err := r.Acquire.ask(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	rows, err := r.db.Lookup(ctx, view, keys)
	return rows, classified(view, unreadable, err)
}

// Sink writes one table.
type Sink struct {
	// Acquire, when set, is asked before each batch, which keeps its share to
	// its end, and before each read.
	Acquire Acquire
	db      *database.DB
	view    *schema.View
}

// New returns a Sink of the view's table in db.
func New(db *database.DB, view *schema.View) *Sink { return &Sink{db: db, view: view} }

// Read returns the rows with the given keys without locking them.
func (s *Sink) Read(ctx context.Context, keys []row.Key) ([]row.Row, error) {
	reader := Reader{Acquire: s.Acquire, db: s.db}
	rows, err := reader.Lookup(ctx, s.view, keys)
	return rows, locked(s.view, err)
}

// Begin opens a READ COMMITTED transaction and locks the rows.
func (s *Sink) Begin(ctx context.Context, keys []row.Key) (fix.Batch, error) {
	release, err := s.Acquire.ask(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	tx, err := s.db.Begin(ctx)
	if err != nil {
		release()
		return nil, classified(s.view, refused, err)
	}
	b := &batch{view: s.view, tx: tx, release: sync.OnceFunc(release), began: began}
	if err := b.lock(ctx, keys); err != nil {
		b.Rollback()
		return nil, locked(s.view, err)
	}
	return b, nil
}

// Script spells the statement of a change.
func (s *Sink) Script(c fix.Change) string {
	d := s.db.Dialect()
	switch c.Action {
	case event.Insert:
		return dialect.InsertScript(d, s.view, c.Row)
	case event.Update:
		return dialect.UpdateScript(d, s.view, c.Row, c.Columns)
	case event.Delete:
		return dialect.DeleteScript(d, s.view, c.Key)
	default:
		return ""
	}
}
