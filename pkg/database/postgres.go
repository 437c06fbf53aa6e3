package database

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/trueup/trueup/pkg/dialect"
)

// postgresPool lends connections through pgxpool and works at pgconn's level:
// arguments and results travel as texts, and rows are read where they lie in the
// receive buffer.
type postgresPool struct{ pool *pgxpool.Pool }

// postgresConfig reads the address. pgx never sees the password in a text it
// could quote.
func postgresConfig(c Config, a address) (*pgxpool.Config, error) {
	a = c.TLS.postgres(a)
	if err := postgresCertificate(a); err != nil {
		return nil, &secretError{err}
	}
	config, err := pgxpool.ParseConfig(a.postgresURL())
	if err != nil {
		return nil, fmt.Errorf("read the DSN: %s", withoutURL(err))
	}
	if name := c.TLS.ServerName; name != "" {
		rename(config.ConnConfig.TLSConfig, name)
		for _, f := range config.ConnConfig.Fallbacks {
			rename(f.TLSConfig, name)
		}
	}
	if a.hasPassword {
		config.ConnConfig.Password = a.password
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = c.ConnectTimeout
	}
	if _, given := config.ConnConfig.RuntimeParams["application_name"]; !given {
		config.ConnConfig.RuntimeParams["application_name"] = c.Application
	}
	config.ConnConfig.DialFunc = dialer().DialContext
	config.MaxConns = int32(min(c.MaxConns, 1<<16))
	config.MaxConnIdleTime = idleTime
	return config, nil
}

// rename has a server be known by another name than its host's. A socket has no TLS.
func rename(config *tls.Config, name string) {
	if config != nil {
		config.ServerName = name
	}
}

// postgresCertificate reads the files of TLS before pgx does, whose errors tell
// neither an expired certificate nor, apart from a wrong DSN, a file that is not
// there.
func postgresCertificate(a address) error {
	files := map[string]string{}
	for _, p := range a.params {
		files[p.name] = p.value
	}
	if ca := files["sslrootcert"]; ca != "" && ca != "system" {
		if _, err := authorities("sslrootcert", ca); err != nil {
			return err
		}
	}
	if cert, key := files["sslcert"], files["sslkey"]; cert != "" && key != "" && files["sslpassword"] == "" {
		_, err := clientCertificate("sslcert", cert, key)
		return err
	}
	return nil
}

// withoutURL drops the address that pgx's message quotes.
func withoutURL(err error) string {
	if _, detail, found := strings.Cut(err.Error(), "`: "); found {
		return detail
	}
	return err.Error()
}

func newPostgresPool(ctx context.Context, config *pgxpool.Config, setup []string) (*postgresPool, error) {
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if err := postgresCommand(ctx, conn.PgConn(), strings.Join(setup, "; ")); err != nil {
			return fmt.Errorf("set up a session: %w", err)
		}
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	return &postgresPool{pool}, nil
}

func (p *postgresPool) acquire(ctx context.Context) (session, error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	return &postgresSession{conn: conn}, nil
}

func (p *postgresPool) stats() Stats {
	s := p.pool.Stat()
	return Stats{Open: int(s.TotalConns()), InUse: int(s.AcquiredConns())}
}

func (p *postgresPool) close() { p.pool.Close() }

// postgresSession implements session.
type postgresSession struct{ conn *pgxpool.Conn }

func (s *postgresSession) start(ctx context.Context, q dialect.Query) (stream, error) {
	args, err := postgresArgs(q.Args)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	// Parsed anew each time, in the one round trip it takes anyway: nothing is
	// kept on the server that a connection pooler in between could lose.
	reader := s.conn.Conn().PgConn().ExecParams(ctx, q.SQL, args, nil, nil, postgresFormats(q.Binary))
	if fields := reader.FieldDescriptions(); fields != nil {
		return &postgresStream{reader: reader, cancel: cancel, fields: fields}, nil
	}
	defer cancel()
	if _, err := reader.Close(); err != nil {
		return nil, err
	}
	return nil, errors.New("the statement returns no columns")
}

func (s *postgresSession) exec(ctx context.Context, q dialect.Query) (int64, error) {
	args, err := postgresArgs(q.Args)
	if err != nil {
		return 0, err
	}
	tag, err := s.conn.Conn().PgConn().ExecParams(ctx, q.SQL, args, nil, nil, nil).Close()
	return tag.RowsAffected(), err
}

func (s *postgresSession) command(ctx context.Context, sql string) error {
	return postgresCommand(ctx, s.conn.Conn().PgConn(), sql)
}

// release implements session. pgxpool itself closes what is broken, busy or in
// a transaction.
func (s *postgresSession) release() {
	if s.conn != nil {
		s.conn.Release()
		s.conn = nil
	}
}

func (s *postgresSession) discard() {
	if s.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	_ = s.conn.Conn().Close(ctx)
	s.release()
}

func postgresCommand(ctx context.Context, conn *pgconn.PgConn, sql string) error {
	if sql == "" {
		return nil
	}
	_, err := conn.Exec(ctx, sql).ReadAll()
	return err
}

// postgresArgs are texts: nil is NULL, and the casts in the statement say the
// types.
func postgresArgs(args []any) ([][]byte, error) {
	out := make([][]byte, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case nil:
		case string:
			out[i] = []byte(a) // never nil, even when empty
		case []byte:
			out[i] = a
		default:
			return nil, fmt.Errorf("argument %d is a %T, where PostgreSQL takes texts", i+1, a)
		}
	}
	return out, nil
}

// postgresFormats says how each column is to be sent; nil is text for all.
func postgresFormats(binary []bool) []int16 {
	if binary == nil {
		return nil
	}
	out := make([]int16, len(binary))
	for i, b := range binary {
		if b {
			out[i] = pgtype.BinaryFormatCode
		}
	}
	return out
}

// postgresStream implements stream.
type postgresStream struct {
	reader *pgconn.ResultReader
	cancel context.CancelFunc
	fields []pgconn.FieldDescription
}

func (s *postgresStream) width() int { return len(s.fields) }

func (s *postgresStream) advance() error {
	if s.reader.NextRow() {
		return nil
	}
	// Only Close tells the end from a lost connection.
	if _, err := s.reader.Close(); err != nil {
		return err
	}
	return io.EOF
}

func (s *postgresStream) wire() [][]byte { return s.reader.Values() }

func (s *postgresStream) form() string {
	var b strings.Builder
	for _, f := range s.fields {
		fmt.Fprintf(&b, "%d/%d,", f.DataTypeOID, f.Format)
	}
	return b.String()
}

func (s *postgresStream) read(dest []dialect.Raw) error {
	for i, v := range s.reader.Values() {
		switch {
		case v == nil:
			dest[i] = dialect.Raw{}
		case s.fields[i].Format == pgtype.BinaryFormatCode:
			dest[i] = dialect.Raw{Kind: dialect.RawBinary, Bytes: v}
		default:
			dest[i] = dialect.Raw{Kind: dialect.RawBytes, Bytes: v}
		}
	}
	return nil
}

// close implements stream. Cancelling makes pgconn ask the server to stop and
// give up the connection, unless all rows have been read.
func (s *postgresStream) close() {
	s.cancel()
	_, _ = s.reader.Close()
}
