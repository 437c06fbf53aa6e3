// Package database reads and writes tables on MySQL, MariaDB and PostgreSQL: it
// runs what a dialect spells, over pools of connections, and hands out rows as
// canonical texts.
//
// Whatever it could not read is an error, never an empty result. Errors are
// *Error; ClassOf says what one means, whatever the engine.
//
// A cancelled context stops the statement on the server too: PostgreSQL through
// its cancel request; MySQL and MariaDB, which know none, through a KILL over a
// second connection of the same account. The connection is given up in both.
package database

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trueup/trueup/pkg/dialect"
)

// DB is an open database. It is safe for concurrent use.
type DB struct {
	pool     pool
	dialect  dialect.Dialect
	redacted string
	address  address // without the password
	version  string
	readOnly bool
	renews   bool // a password or certificates come from files, which may change
	limits   limits
	packet   int64  // MySQL's max_allowed_packet in bytes
	now      string // the statement that asks for the server's clock
	lookout  lookout
}

// Open reads the DSN, connects once, finds out the engine and prepares the
// pool. The error is one sentence without the password.
func Open(ctx context.Context, c Config) (*DB, error) {
	c, a, err := c.withDefaults()
	if err != nil {
		return nil, &Error{Op: "open the database", Err: err}
	}
	db := &DB{redacted: a.redacted(), readOnly: c.ReadOnly, dialect: dialectBefore(a)}
	db.address = a.withoutPassword()
	open := db.openPostgres
	if a.mysql() {
		open = db.openMySQL
	}
	err = open(ctx, c, a)
	if err == nil {
		err = db.probe(ctx) // sets up the first session completely
	}
	if err != nil {
		db.Close()
		return nil, db.failedToOpen(ctx, err, c.certified(a))
	}
	db.renews = c.hasFiles(a)
	return db, nil
}

// failedToOpen is the error of Open. Under TLS 1.3 a server refuses a certificate when
// the client thinks the handshake done, and what it says of that is lost where its
// reset comes first.
func (db *DB) failedToOpen(ctx context.Context, err error, certified bool) error {
	err = db.fail(ctx, subject{op: "open " + db.redacted}, err)
	if e, ok := errors.AsType[*Error](err); ok && certified && isCut(e.Err) && !isTLS(e.Err) {
		e.Hint = "the server ended the connection during the login, as it may when it refuses this client's certificate (tls.cert_file): see its log"
	}
	return err
}

func (db *DB) openMySQL(ctx context.Context, c Config, a address) error {
	config, err := mysqlConfig(c, a)
	if err == nil {
		err = config.Apply(c.renewMySQL(a))
	}
	if err != nil {
		return err
	}
	server, err := askMySQL(ctx, config)
	if err != nil {
		return err
	}
	if db.dialect, err = newMySQLDialect(server.version); err != nil {
		return err
	}
	db.version = server.version
	config.MaxAllowedPacket = int(server.maxPacket)
	if tappable(config, a) {
		config.DialFunc = tapped(config.DialFunc)
	}
	connector, err := newMySQLConnector(config)
	if err != nil {
		return err
	}
	connector.application = c.Application
	connector.setup = append(db.dialect.Setup(c.ReadOnly), mysqlTimeout(db.dialect.Engine(), c.StatementTimeout)...)
	db.pool = newMySQLPool(connector, c.MaxConns)
	db.limits, db.packet = limitsOf(server.maxPacket), server.maxPacket
	db.now = "SELECT UTC_TIMESTAMP(6)"
	return nil
}

func (db *DB) openPostgres(ctx context.Context, c Config, a address) error {
	config, err := postgresConfig(c, a)
	if err != nil {
		return err
	}
	version, err := askPostgres(ctx, config)
	if err != nil {
		return err
	}
	if db.dialect, err = newPostgresDialect(version); err != nil {
		return err
	}
	db.version = version
	setup := append(db.dialect.Setup(c.ReadOnly), postgresTimeout(c.StatementTimeout)...)
	config.BeforeConnect = c.renewPostgres(a)
	if db.pool, err = newPostgresPool(ctx, config, setup); err != nil {
		return err
	}
	db.limits = limitsOf(postgresPacket)
	db.now = "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
	return nil
}

// mysqlTimeout spells the ceiling for a statement: MariaDB counts seconds, of
// any statement; MySQL milliseconds, of SELECT.
func mysqlTimeout(engine string, d time.Duration) []string {
	switch {
	case d <= 0:
		return nil
	case engine == "mariadb":
		return []string{fmt.Sprintf("SET SESSION max_statement_time = %.3f", d.Seconds())}
	default:
		return []string{fmt.Sprintf("SET SESSION max_execution_time = %d", max(d.Milliseconds(), 1))}
	}
}

func postgresTimeout(d time.Duration) []string {
	if d <= 0 {
		return nil
	}
	return []string{fmt.Sprintf("SET statement_timeout = %d", max(d.Milliseconds(), 1))}
}

// Engine is "mysql", "mariadb" or "postgres", as the server says.
func (db *DB) Engine() string { return db.dialect.Engine() }

// Version is the server's version in its own words.
func (db *DB) Version() string { return db.version }

// Dialect is what spells this database's SQL.
func (db *DB) Dialect() dialect.Dialect { return db.dialect }

// Redacted is the database's URL without password and parameters.
func (db *DB) Redacted() string { return db.redacted }

// Template is the database's URL to be used again by a person: with its
// parameters, and with placeholder where a password belongs, unless that is
// empty. Parameters that hold passwords are left out.
func (db *DB) Template(placeholder string) string { return db.address.template(placeholder) }

// String is Redacted, so that printing a DB shows no password.
func (db *DB) String() string { return db.redacted }

// Stats says how many connections are open and in use.
func (db *DB) Stats() Stats { return db.pool.stats() }

// Ping runs the smallest statement there is.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.probe(ctx); err != nil {
		return db.fail(ctx, subject{op: "reach " + db.redacted}, err)
	}
	return nil
}

// RoundTrip is the time a question with a trivial answer takes: the least of
// several, so that a moment's load is not taken for distance.
func (db *DB) RoundTrip(ctx context.Context) (time.Duration, error) {
	const questions = 5
	least := time.Duration(0)
	for i := range questions {
		start := time.Now()
		if err := db.Ping(ctx); err != nil {
			return 0, err
		}
		if took := time.Since(start); i == 0 || took < least {
			least = took
		}
	}
	return least, nil
}

func (db *DB) probe(ctx context.Context) error {
	return db.session(ctx, func(s session) error { return s.command(ctx, "SELECT 1") })
}

// Close closes all connections. Cursors and transactions must have been closed
// before; PostgreSQL's pool waits for them.
func (db *DB) Close() error {
	if db.pool != nil {
		db.pool.close()
	}
	return nil
}

// session lends a session to f.
func (db *DB) session(ctx context.Context, f func(session) error) error {
	return again(func() error {
		s, err := db.pool.acquire(ctx)
		if err != nil {
			return err
		}
		defer s.release()
		return f(s)
	})
}

// again repeats what met a connection that had died in the pool. Each attempt
// uses up one of them, so it ends.
func again(f func() error) error {
	const attempts = 3
	for i := 1; ; i++ {
		if err := f(); err == nil || i == attempts || !neverSent(err) {
			return err
		}
	}
}
