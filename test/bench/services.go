package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
)

// services are the addresses of the servers that `make services-up` started.
type services struct {
	mysql    string // mysql://user:password@host:port/
	postgres string // postgres://…/postgres
	kafka    string // host:port
	cpu      cpuMeter
}

// loadServices reads the addresses from the environment, else from
// .services/env, and finds the servers' processes.
func loadServices(ctx context.Context) (services, error) {
	values := map[string]string{}
	text, err := os.ReadFile(".services/env")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
				values[strings.TrimPrefix(name, "export ")] = strings.Trim(value, `'"`)
			}
		}
	}
	get := func(name string) string {
		if v := os.Getenv(name); v != "" {
			return v
		}
		return values[name]
	}
	s := services{mysql: get("TRUEUP_TEST_MYSQL"), postgres: get("TRUEUP_TEST_POSTGRES"), kafka: get("TRUEUP_TEST_KAFKA")}
	if s.mysql == "" || s.postgres == "" || s.kafka == "" {
		return s, fmt.Errorf("no test servers are known: run `make services-up` first")
	}
	s.cpu, err = findServers(ctx, s)
	return s, err
}

// mysqlDSN is the server's URL with that database.
func (s services) mysqlDSN(database string) string {
	return strings.TrimRight(s.mysql, "/") + "/" + database
}

func (s services) mysqlURL() *url.URL {
	u, err := url.Parse(s.mysql)
	if err != nil {
		panic("the MariaDB address of the test servers is not a URL")
	}
	return u
}

func (s services) mysqlConfig(database string) *mysql.Config {
	u := s.mysqlURL()
	config := mysql.NewConfig()
	config.User = u.User.Username()
	config.Passwd, _ = u.User.Password()
	config.Net, config.Addr, config.DBName = "tcp", u.Host, database
	return config
}

// ptDSN is the server in the form of percona-toolkit.
func (s services) ptDSN(database, table string) string {
	u := s.mysqlURL()
	password, _ := u.User.Password()
	return fmt.Sprintf("h=%s,P=%s,u=%s,p=%s,D=%s,t=%s", u.Hostname(), u.Port(), u.User.Username(), password, database, table)
}

// postgresDSN is the server's URL with that database.
func (s services) postgresDSN(database string) string {
	u, err := url.Parse(s.postgres)
	if err != nil {
		panic("the PostgreSQL address of the test servers is not a URL")
	}
	u.Path = "/" + database
	return u.String()
}

// execMySQL runs statements in one session of a database ("" for none). They
// are not written to the binary log: what is measured comes after them.
func (s services) execMySQL(ctx context.Context, database string, statements ...string) error {
	db, err := s.openMySQL(database)
	if err != nil {
		return err
	}
	defer closeQuietly(db)
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer closeQuietly(conn)
	for _, statement := range append([]string{"SET sql_log_bin = 0"}, statements...) {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("MariaDB: %s: %w", head(statement), err)
		}
	}
	return nil
}

func (s services) openMySQL(database string) (*sql.DB, error) {
	connector, err := mysql.NewConnector(s.mysqlConfig(database))
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// execPostgres runs statements in one session of a database.
func (s services) execPostgres(ctx context.Context, database string, statements ...string) error {
	conn, err := pgx.Connect(ctx, s.postgresDSN(database))
	if err != nil {
		return err
	}
	defer closePostgres(ctx, conn)
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("PostgreSQL: %s: %w", head(statement), err)
		}
	}
	return nil
}

// head is the beginning of a statement, for an error.
func head(statement string) string {
	const most = 120
	if len(statement) > most {
		return statement[:most] + "…"
	}
	return statement
}

func closeQuietly(c io.Closer) {
	if err := c.Close(); err != nil {
		progress("close: %v", err)
	}
}

func closePostgres(ctx context.Context, conn *pgx.Conn) {
	if err := conn.Close(ctx); err != nil {
		progress("close: %v", err)
	}
}

// progress tells the person who waits what happens now.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}

// databaseOf is the database that a URL names.
func databaseOf(dsn string) string {
	name := dsn[strings.LastIndexByte(dsn, '/')+1:]
	name, _, _ = strings.Cut(name, "?")
	return name
}

// countPostgres counts the table orders of a database.
func countPostgres(ctx context.Context, env services, database string) (int64, error) {
	conn, err := pgx.Connect(ctx, env.postgresDSN(database))
	if err != nil {
		return 0, err
	}
	defer closePostgres(ctx, conn)
	var n int64
	err = conn.QueryRow(ctx, "SELECT count(*) FROM orders").Scan(&n)
	return n, err
}
