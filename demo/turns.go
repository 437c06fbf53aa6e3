package main

import (
	"context"
	"strings"
	"sync"

	sqle "github.com/dolthub/go-mysql-server"
	"github.com/dolthub/go-mysql-server/server"
	"github.com/dolthub/vitess/go/mysql"
	"github.com/dolthub/vitess/go/sqltypes"
	querypb "github.com/dolthub/vitess/go/vt/proto/query"
)

// turns gives the connections to an embedded server their turns. The server
// keeps no locks: what it commits replaces a whole table, even one it merely
// read, so two statements at once would undo each other. A real server
// isolates them; here a transaction, or a statement outside of one, has the
// server to itself.
type turns struct {
	mysql.Handler
	free chan struct{} // holds the turn while nobody has it

	mu     sync.Mutex
	inside *mysql.Conn // the connection inside a transaction, which has the turn
}

// inTurns is the server option that puts turns before the engine.
func inTurns(e *sqle.Engine, sm *server.SessionManager, h mysql.Handler) (*sqle.Engine, *server.SessionManager, mysql.Handler) {
	t := &turns{Handler: h, free: make(chan struct{}, 1)}
	t.free <- struct{}{}
	return e, sm, t
}

// ComQuery implements mysql.Handler.
func (t *turns) ComQuery(ctx context.Context, c *mysql.Conn, query string, callback mysql.ResultSpoolFn) error {
	return t.during(ctx, c, query, func() error { return t.Handler.ComQuery(ctx, c, query, callback) })
}

// ComMultiQuery implements mysql.Handler.
func (t *turns) ComMultiQuery(ctx context.Context, c *mysql.Conn, query string, callback mysql.ResultSpoolFn) (rest string, err error) {
	err = t.during(ctx, c, query, func() (err error) {
		rest, err = t.Handler.ComMultiQuery(ctx, c, query, callback)
		return err
	})
	return rest, err
}

// ComPrepare implements mysql.Handler.
func (t *turns) ComPrepare(ctx context.Context, c *mysql.Conn, query string, prepare *mysql.PrepareData) (fields []*querypb.Field, err error) {
	err = t.during(ctx, c, "", func() (err error) {
		fields, err = t.Handler.ComPrepare(ctx, c, query, prepare)
		return err
	})
	return fields, err
}

// ComStmtExecute implements mysql.Handler.
func (t *turns) ComStmtExecute(ctx context.Context, c *mysql.Conn, prepare *mysql.PrepareData, callback func(*sqltypes.Result) error) error {
	return t.during(ctx, c, prepare.PrepareStmt, func() error { return t.Handler.ComStmtExecute(ctx, c, prepare, callback) })
}

// ConnectionClosed implements mysql.Handler: a transaction ends with its connection.
func (t *turns) ConnectionClosed(c *mysql.Conn) {
	t.Handler.ConnectionClosed(c)
	if t.leave(c) {
		t.free <- struct{}{}
	}
}

// during runs a statement in its turn, and keeps the turn while a transaction is open.
func (t *turns) during(ctx context.Context, c *mysql.Conn, query string, run func() error) error {
	if !t.isInside(c) {
		select {
		case <-t.free:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	err := run()
	switch {
	case strings.HasSuffix(query, "START TRANSACTION") && err == nil:
		t.enter(c)
	case strings.HasSuffix(query, "COMMIT"), strings.HasSuffix(query, "ROLLBACK"):
		t.leave(c)
	}
	if !t.isInside(c) {
		t.free <- struct{}{}
	}
	return err
}

func (t *turns) isInside(c *mysql.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.inside == c
}

func (t *turns) enter(c *mysql.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inside = c
}

// leave says whether c was inside.
func (t *turns) leave(c *mysql.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.inside == c
	if was {
		t.inside = nil
	}
	return was
}
