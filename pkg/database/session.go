package database

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/trueup/trueup/pkg/dialect"
)

// pool lends sessions. There is one implementation for each driver.
type pool interface {
	acquire(ctx context.Context) (session, error)
	stats() Stats
	close()
}

// session is one connection in the hands of one caller.
type session interface {
	// start runs a statement that returns rows. Until the stream is closed the
	// session can do nothing else.
	start(ctx context.Context, q dialect.Query) (stream, error)
	// exec runs a statement that returns none, and says how many rows it
	// matched.
	exec(ctx context.Context, q dialect.Query) (int64, error)
	// command runs a statement that cannot be prepared, such as COMMIT.
	command(ctx context.Context, sql string) error
	// release gives the connection back; one that is no longer fit for use is
	// closed instead.
	release()
	// discard closes the connection.
	discard()
}

// stream is the rows of a running statement.
type stream interface {
	// width is the number of columns.
	width() int
	// advance moves to the next row; io.EOF after the last one.
	advance() error
	// read decodes the row: one Raw for each column, valid until the next
	// advance.
	read(dest []dialect.Raw) error
	// wire is the row as the server sent it, in pieces that are nil where a
	// value is NULL, valid until the next advance.
	wire() [][]byte
	// form describes how the types of the result are sent: of two streams with
	// the same form, rows with the same wire read alike. Empty where there is
	// no wire.
	form() string
	// close ends the statement. Rows not yet read are not read: the
	// connection is given up instead, and the server told to stop.
	close()
}

// Stats says how many connections a database has open, and how many of them
// are in use.
type Stats struct {
	Open  int
	InUse int
}

// neverSent says whether err is a connection found dead before the server saw
// the statement, as happens to pooled connections: safe to run again elsewhere.
func neverSent(err error) bool {
	return errors.Is(err, driver.ErrBadConn) || pgconn.SafeToRetry(err)
}
