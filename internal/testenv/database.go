package testenv

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
)

// dropTimeout bounds the clean-up after a test, whose own context has ended.
const dropTimeout = 30 * time.Second

// MySQL returns the URL of a fresh, empty database on the MariaDB (or MySQL)
// test server. It is dropped when the test ends. The user may do anything.
func MySQL(t testing.TB) string {
	t.Helper()
	return database(t, MySQLAdmin(t), "DROP DATABASE IF EXISTS %s")
}

// Postgres returns the URL of a fresh, empty database on the PostgreSQL test
// server. It is dropped when the test ends, connections and all. The user may do
// anything.
func Postgres(t testing.TB) string {
	t.Helper()
	return database(t, PostgresAdmin(t), "DROP DATABASE IF EXISTS %s WITH (FORCE)")
}

// MySQLAdmin returns the URL of the MariaDB (or MySQL) test server's superuser,
// with no database selected.
func MySQLAdmin(t testing.TB) string {
	t.Helper()
	return server(t, mysqlVariable, "MariaDB or MySQL")
}

// PostgresAdmin returns the URL of the PostgreSQL test server's superuser, on
// the database that server administration uses.
func PostgresAdmin(t testing.TB) string {
	t.Helper()
	return server(t, postgresVariable, "PostgreSQL")
}

// database creates a database through admin and returns its URL; drop is the
// statement that removes it, with %s for the name.
func database(t testing.TB, admin, drop string) string {
	t.Helper()
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatalf("read the test server's URL: %v", withoutURL(err))
	}
	name := "t_" + unique(t, "_") // letters, digits and _: needs no quoting
	Exec(t, admin, "CREATE DATABASE "+name)
	t.Cleanup(func() {
		// The test's context is cancelled by now.
		ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
		defer cancel()
		db := Open(t, admin)
		if _, err := db.ExecContext(ctx, fmt.Sprintf(drop, name)); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
		_ = db.Close() // nothing is left to lose
	})
	u.Path = "/" + name
	return u.String()
}

// Open returns a pool on the database of a mysql:// or postgres:// URL, closed
// when the test ends. Text with several statements is allowed in one Exec.
func Open(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := open(dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // what the test did has shown its errors
	return db
}

// Exec runs statements one after the other, on one connection, on the database
// of a mysql:// or postgres:// URL. One text may hold several statements.
func Exec(t testing.TB, dsn string, statements ...string) {
	t.Helper()
	db := Open(t, dsn)
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatalf("reach the test server: %v; run `make services-up`", err)
	}
	defer conn.Close()
	for _, statement := range statements {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", abridge(statement), err)
		}
	}
}

func open(dsn string) (*sql.DB, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, fmt.Errorf("open a test database: %w", withoutURL(err))
	}
	switch u.Scheme {
	case "postgres", "postgresql":
		return sql.Open("pgx", dsn)
	case "mysql":
		connector, err := mysql.NewConnector(mysqlConfig(u))
		if err != nil {
			return nil, fmt.Errorf("open a test database: %w", err)
		}
		return sql.OpenDB(connector), nil
	default:
		return nil, fmt.Errorf("open a test database: a URL starts with mysql:// or postgres://, not %q", u.Scheme)
	}
}

func mysqlConfig(u *url.URL) *mysql.Config {
	config := mysql.NewConfig()
	config.Net, config.Addr = "tcp", u.Host
	config.User = u.User.Username()
	config.Passwd, _ = u.User.Password()
	config.DBName = strings.TrimPrefix(u.Path, "/")
	config.MultiStatements = true
	return config
}

// withoutURL strips the URL, and so the password, off a url.Parse error.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// abridge keeps a message readable when a test loads thousands of rows at once.
func abridge(statement string) string {
	const longest = 200
	if len(statement) <= longest {
		return statement
	}
	return statement[:longest] + "…"
}
