package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/dialect"
)

// mysqlPool lends connections through database/sql, and works beneath its Scan:
// statements are prepared, so rows arrive in the binary protocol, which costs
// the server about half of the text protocol, and values are read without
// conversion. Where the connection is plain, rows are taken from the wire.
type mysqlPool struct {
	db     *sql.DB
	killer killer
}

// mysqlConnector makes connections and gives each its settings.
type mysqlConnector struct {
	driver.Connector
	setup       []string
	application string
	timeout     time.Duration
}

// Connect implements driver.Connector.
func (c *mysqlConnector) Connect(ctx context.Context) (driver.Conn, error) { return c.link(ctx) }

// link connects. The driver's own time-out ends with the dialling; this one
// covers a server that accepts and then says nothing.
func (c *mysqlConnector) link(ctx context.Context) (*mysqlLink, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var wire *tap
	var h heard
	conn, err := c.Connector.Connect(context.WithValue(context.WithValue(ctx, tapKey{}, &wire), heardKey{}, &h))
	if err != nil {
		return nil, h.explain(err)
	}
	tag, err := newTag(c.application)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	link := &mysqlLink{Conn: conn, tap: wire, tag: tag}
	for _, statement := range c.setup {
		if err := link.command(ctx, statement); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("set up a session with %q: %w", statement, err)
		}
	}
	return link, nil
}

func newMySQLPool(connector *mysqlConnector, maxConns int) *mysqlPool {
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	db.SetConnMaxIdleTime(idleTime)
	return &mysqlPool{db: db, killer: killer{connector: connector.Connector}}
}

func (p *mysqlPool) acquire(ctx context.Context) (session, error) {
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &mysqlSession{pool: p, conn: conn}
	// The link is used beyond Raw, which is sound as long as conn is held: it
	// is ours alone until release.
	err = conn.Raw(func(c any) error {
		var ok bool
		if s.link, ok = c.(*mysqlLink); !ok {
			return fmt.Errorf("the pool holds a %T", c)
		}
		return nil
	})
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s, nil
}

func (p *mysqlPool) stats() Stats {
	s := p.db.Stats()
	return Stats{Open: s.OpenConnections, InUse: s.InUse}
}

func (p *mysqlPool) close() {
	_ = p.db.Close()
	p.killer.wait()
}

// mysqlSession implements session.
type mysqlSession struct {
	pool *mysqlPool
	conn *sql.Conn
	link *mysqlLink
	once sync.Once
}

func (s *mysqlSession) start(ctx context.Context, q dialect.Query) (stream, error) {
	rows, err := s.link.query(ctx, q)
	if err != nil {
		s.stopOnServer(ctx)
		return nil, err
	}
	plain := mysqlStream{session: s, rows: rows, values: make([]driver.Value, len(rows.Columns()))}
	if s.link.tap == nil {
		return &plain, nil
	}
	wire, err := newWireStream(plain, s.link.tap)
	if err != nil {
		plain.close()
		return nil, err
	}
	return wire, nil
}

func (s *mysqlSession) exec(ctx context.Context, q dialect.Query) (int64, error) {
	n, err := s.link.exec(ctx, q)
	if err != nil {
		s.stopOnServer(ctx)
	}
	return n, err
}

func (s *mysqlSession) command(ctx context.Context, sql string) error {
	return s.link.command(ctx, sql)
}

// stopOnServer ends a statement whose caller has gone. The driver then closes
// the connection, but MySQL looks at a connection only when it has something to
// send: a digest or a lock wait would go on for nobody.
func (s *mysqlSession) stopOnServer(ctx context.Context) {
	if ctx.Err() != nil {
		s.pool.killer.kill(s.link.tag)
	}
}

func (s *mysqlSession) release() { s.once.Do(func() { _ = s.conn.Close() }) }

func (s *mysqlSession) discard() {
	s.once.Do(func() {
		// ErrBadConn makes the pool close the connection.
		_ = s.conn.Raw(func(any) error { return driver.ErrBadConn })
		_ = s.conn.Close()
	})
}

// mysqlStream implements stream through the driver alone.
type mysqlStream struct {
	session *mysqlSession
	rows    driver.Rows
	values  []driver.Value
	ended   bool
}

func (s *mysqlStream) width() int { return len(s.values) }

func (s *mysqlStream) advance() error {
	err := s.rows.Next(s.values)
	if err == io.EOF { //nolint:errorlint // database/sql/driver.Rows: the bare value marks the end
		s.ended = true
		return io.EOF
	}
	return err
}

// form implements stream: the driver keeps no row as it was sent.
func (s *mysqlStream) form() string { return "" }

func (s *mysqlStream) wire() [][]byte { return nil }

func (s *mysqlStream) read(dest []dialect.Raw) error {
	for i, v := range s.values {
		if err := rawFromMySQL(&dest[i], v); err != nil {
			return err
		}
	}
	return nil
}

func (s *mysqlStream) close() {
	if s.ended {
		_ = s.rows.Close()
		return
	}
	// Closing the rows would read all that is left.
	s.session.discard()
	s.session.pool.killer.kill(s.session.link.tag)
}

// rawFromMySQL takes a value as go-sql-driver/mysql delivers it.
func rawFromMySQL(dest *dialect.Raw, v driver.Value) error {
	switch v := v.(type) {
	case nil:
		*dest = dialect.Raw{}
	case int64:
		*dest = dialect.Raw{Kind: dialect.RawInt, Int: v}
	case []byte:
		*dest = dialect.Raw{Kind: dialect.RawBytes, Bytes: v}
	case float64:
		*dest = dialect.Raw{Kind: dialect.RawFloat64, Float: v}
	case float32:
		*dest = dialect.Raw{Kind: dialect.RawFloat32, Float: float64(v)}
	case uint64:
		*dest = dialect.Raw{Kind: dialect.RawUint, Uint: v}
	case string:
		*dest = dialect.Raw{Kind: dialect.RawBytes, Bytes: []byte(v)}
	case time.Time:
		return errors.New("the driver parsed a time; its text is needed, leave out parseTime")
	default:
		return fmt.Errorf("the driver delivered a value as %T, which is not known here", v)
	}
	return nil
}
