package main

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"golang.org/x/sync/errgroup"

	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// The bare limit of a comparison that reads rows: both sides send them at the
// same time, by the statements trueup uses, and nobody looks at them.

// limitsOf are the limits of a match: one stream a side and four.
func limitsOf(ctx context.Context, env services, m match, rows int) ([]contender, error) {
	pair, err := resolve(ctx, m, "orders", schema.Merge)
	if err != nil {
		return nil, err
	}
	defer pair.close()
	var out []contender
	for _, streams := range []int{1, 4} {
		var flows []*flow
		for _, bounds := range quarters(rows, streams) {
			flows = append(flows,
				newFlow(env, m.source, pair.source.Dialect().Rows(&pair.Source, bounds)),
				newFlow(env, m.target, pair.target.Dialect().Rows(&pair.Target, bounds)))
		}
		name := fmt.Sprintf("both sides streamed undecoded, %d at a time each", streams)
		out = append(out, contender{name, func(ctx context.Context) (sample, error) { return drain(ctx, flows) }})
	}
	return out, nil
}

// quarters cuts the ids from 1 to rows into n ranges.
func quarters(rows, n int) []row.Range {
	out := make([]row.Range, n)
	for i := 1; i < n; i++ {
		bound := row.Key{row.Value(strconv.Itoa(rows * i / n))}
		out[i-1].Through, out[i].After = bound, bound
	}
	return out
}

// drain lets all flows run to their end at once.
func drain(ctx context.Context, flows []*flow) (sample, error) {
	var group errgroup.Group
	start, used := time.Now(), ownCPU()
	for _, f := range flows {
		group.Go(func() error { return f.drain(ctx) })
	}
	err := group.Wait()
	return sample{wall: time.Since(start), cpu: ownCPU() - used}, err
}

// ownCPU is the processor time of this process.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// flow is one statement whose rows are read off the socket. The first time
// they are read through the driver, which knows where they end, and their bytes
// are counted; the same statement sends as many again.
type flow struct {
	ask   func(ctx context.Context) (*asked, error)
	bytes int64
}

// asked is a statement whose rows are under way.
type asked struct {
	wire   *countedConn
	finish func() error // reads the rows through the driver
	close  func()
}

func newFlow(env services, s side, q dialect.Query) *flow {
	if s.engine == "PostgreSQL" {
		return &flow{ask: func(ctx context.Context) (*asked, error) { return askPostgres(ctx, s.dsn, q) }}
	}
	config := env.mysqlConfig(databaseOf(s.dsn))
	return &flow{ask: func(ctx context.Context) (*asked, error) { return askMySQL(ctx, config.Clone(), q) }}
}

func (f *flow) drain(ctx context.Context) error {
	a, err := f.ask(ctx)
	if err != nil {
		return err
	}
	defer a.close()
	if f.bytes == 0 {
		err := a.finish()
		f.bytes = a.wire.read
		return err
	}
	block := make([]byte, 256<<10)
	for a.wire.read < f.bytes {
		if _, err := a.wire.Read(block); err != nil {
			return fmt.Errorf("stream undecoded: %w", err)
		}
	}
	if a.wire.read != f.bytes {
		return errors.New("stream undecoded: the table has changed between two runs")
	}
	return nil
}

// countedConn counts the bytes that were read.
type countedConn struct {
	net.Conn
	read int64
}

// Read implements net.Conn.
func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read += int64(n)
	return n, err
}

// counted dials and hands the connection out, so that it can be read from
// behind the driver's back.
func counted(wire **countedConn) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		*wire = &countedConn{Conn: conn}
		return *wire, nil
	}
}

// askMySQL asks by a prepared statement: rows travel in the binary protocol.
func askMySQL(ctx context.Context, config *mysql.Config, q dialect.Query) (*asked, error) {
	a := &asked{}
	config.DialFunc = counted(&a.wire)
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	conn, err := connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	a.close = func() { _ = conn.Close() } // rows are still under way
	rows, err := queryMySQL(ctx, conn, q)
	if err != nil {
		a.close()
		return nil, err
	}
	a.finish = func() error {
		values := make([]driver.Value, len(rows.Columns()))
		for {
			if err := rows.Next(values); err == io.EOF { //nolint:errorlint // database/sql/driver.Rows: the bare value marks the end
				return nil
			} else if err != nil {
				return err
			}
		}
	}
	return a, nil
}

func queryMySQL(ctx context.Context, conn driver.Conn, q dialect.Query) (driver.Rows, error) {
	preparer, ok := conn.(driver.ConnPrepareContext)
	if !ok {
		return nil, fmt.Errorf("%T cannot prepare statements", conn)
	}
	stmt, err := preparer.PrepareContext(ctx, q.SQL)
	if err != nil {
		return nil, err
	}
	runner, ok := stmt.(driver.StmtQueryContext)
	if !ok {
		return nil, fmt.Errorf("%T cannot query", stmt)
	}
	args := make([]driver.NamedValue, len(q.Args))
	for i, a := range q.Args {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return runner.QueryContext(ctx, args)
}

// askPostgres asks for the formats that trueup asks for.
func askPostgres(ctx context.Context, dsn string, q dialect.Query) (*asked, error) {
	config, err := pgconn.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	a := &asked{}
	config.DialFunc = counted(&a.wire)
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	a.close = func() { _ = a.wire.Close() } // rows are still under way
	args := make([][]byte, len(q.Args))
	for i, arg := range q.Args {
		args[i] = []byte(fmt.Sprint(arg))
	}
	formats := make([]int16, len(q.Binary))
	for i, binary := range q.Binary {
		if binary {
			formats[i] = pgtype.BinaryFormatCode
		}
	}
	reader := conn.ExecParams(ctx, q.SQL, args, nil, nil, formats)
	a.finish = func() error {
		for reader.NextRow() { //nolint:revive // counted on the way
		}
		_, err := reader.Close()
		return err
	}
	return a, nil
}
