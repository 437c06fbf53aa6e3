package main

import (
	"context"
	"sync"

	sqle "github.com/dolthub/go-mysql-server"
	"github.com/dolthub/go-mysql-server/server"
	"github.com/dolthub/go-mysql-server/sql"
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

	mu       sync.Mutex
	sessions map[uint32]sql.Session // by the ID of their connection
	inside   *mysql.Conn            // the connection inside a transaction, which has the turn
}

func newTurns() *turns {
	t := &turns{free: make(chan struct{}, 1), sessions: map[uint32]sql.Session{}}
	t.free <- struct{}{}
	return t
}

// before is the server option that puts the turns before the engine.
func (t *turns) before(e *sqle.Engine, sm *server.SessionManager, h mysql.Handler) (*sqle.Engine, *server.SessionManager, mysql.Handler) {
	t.Handler = h
	return e, sm, t
}

// watch remembers the sessions that build makes: they know whether a
// transaction is open.
func (t *turns) watch(build server.SessionBuilder) server.SessionBuilder {
	return func(ctx context.Context, c *mysql.Conn, address string) (sql.Session, error) {
		session, err := build(ctx, c, address)
		if err != nil {
			return nil, err
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.sessions[c.ConnectionID] = session
		return session, nil
	}
}

// ComQuery implements mysql.Handler.
func (t *turns) ComQuery(ctx context.Context, c *mysql.Conn, query string, callback mysql.ResultSpoolFn) error {
	return t.during(ctx, c, func() error { return t.Handler.ComQuery(ctx, c, query, callback) })
}

// ComMultiQuery implements mysql.Handler.
func (t *turns) ComMultiQuery(ctx context.Context, c *mysql.Conn, query string, callback mysql.ResultSpoolFn) (rest string, err error) {
	err = t.during(ctx, c, func() (err error) {
		rest, err = t.Handler.ComMultiQuery(ctx, c, query, callback)
		return err
	})
	return rest, err
}

// ComPrepare implements mysql.Handler.
func (t *turns) ComPrepare(ctx context.Context, c *mysql.Conn, query string, prepare *mysql.PrepareData) (fields []*querypb.Field, err error) {
	err = t.during(ctx, c, func() (err error) {
		fields, err = t.Handler.ComPrepare(ctx, c, query, prepare)
		return err
	})
	return fields, err
}

// ComStmtExecute implements mysql.Handler.
func (t *turns) ComStmtExecute(ctx context.Context, c *mysql.Conn, prepare *mysql.PrepareData, callback func(*sqltypes.Result) error) error {
	return t.during(ctx, c, func() error { return t.Handler.ComStmtExecute(ctx, c, prepare, callback) })
}

// ComResetConnection implements mysql.Handler: a transaction ends with its session.
func (t *turns) ComResetConnection(c *mysql.Conn) error {
	return t.during(context.Background(), c, func() error { return t.Handler.ComResetConnection(c) })
}

// ConnectionClosed implements mysql.Handler: a transaction ends with its connection.
func (t *turns) ConnectionClosed(c *mysql.Conn) {
	t.Handler.ConnectionClosed(c)
	t.mu.Lock()
	delete(t.sessions, c.ConnectionID)
	was := t.inside == c
	t.mu.Unlock()
	if was {
		t.release(c)
	}
}

// during runs a statement in its turn, and keeps the turn while a transaction is open.
func (t *turns) during(ctx context.Context, c *mysql.Conn, run func() error) error {
	if !t.isInside(c) {
		select {
		case <-t.free:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	defer t.release(c) // also after a panic, which the server survives
	return run()
}

func (t *turns) isInside(c *mysql.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.inside == c
}

// release gives the turn away unless c's transaction is open.
func (t *turns) release(c *mysql.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	// A session that ignores autocommit is between START TRANSACTION and its end.
	if session, there := t.sessions[c.ConnectionID]; there && session.GetIgnoreAutoCommit() {
		t.inside = c
		return
	}
	t.inside = nil
	t.free <- struct{}{} // there is room: c had the turn
}
