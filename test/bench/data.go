package main

import (
	"bufio"
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

// The tables: a bigint key, texts, a whole number, a decimal, a double, a
// bool, a JSON document and two date-times with microseconds.
const (
	mysqlTable = `CREATE TABLE %s (
  id BIGINT NOT NULL PRIMARY KEY, customer VARCHAR(60) NOT NULL, status VARCHAR(16) NOT NULL,
  qty INT NOT NULL, amount DECIMAL(12,2) NOT NULL, weight DOUBLE NULL, paid BOOLEAN NOT NULL,
  attrs JSON NULL, created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL)`
	postgresTable = `CREATE TABLE %s (
  id bigint NOT NULL PRIMARY KEY, customer varchar(60) NOT NULL, status varchar(16) NOT NULL,
  qty integer NOT NULL, amount numeric(12,2) NOT NULL, weight double precision NULL, paid boolean NOT NULL,
  attrs jsonb NULL, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL)`
)

// writeRows writes rows 1…n as tab-separated text that both LOAD DATA and COPY
// read. The values are a fixed function of the row number.
func writeRows(w io.Writer, n int) error {
	out := bufio.NewWriterSize(w, 1<<20)
	states := [...]string{"new", "paid", "packed", "shipped", "returned"}
	for i := 1; i <= n; i++ {
		h := uint64(i) * 0x9E3779B97F4A7C15
		weight := fmt.Sprintf("%.4f", float64(h>>40)/1000)
		if i%50 == 0 {
			weight = `\N`
		}
		_, err := fmt.Fprintf(out, "%d\tCustomer %06d of the %dth street\t%s\t%d\t%d.%02d\t%s\t%d\t{\"ref\": %d, \"gift\": %t}\t2026-%02d-%02d %02d:%02d:%02d.%06d\t2026-10-%02d %02d:%02d:%02d.%06d\n",
			i, h%1_000_000, h>>50, states[h%5], h%97, h%100_000, (h>>8)%100, weight, h>>63, h%100_000, h&4 == 0,
			1+(h>>3)%9, 1+(h>>7)%28, (h>>11)%24, (h>>17)%60, (h>>23)%60, h%1_000_000,
			1+(h>>5)%28, (h>>13)%24, (h>>19)%60, (h>>29)%60, (h>>21)%1_000_000)
		if err != nil {
			return err
		}
	}
	return out.Flush()
}

// openMySQL connects to the test server's database of that name, made anew
// unless kept.
func openMySQL(ctx context.Context, env services, name string, keep bool) (*sql.DB, error) {
	admin, err := sql.Open("mysql", env.mysqlDriverDSN(""))
	if err != nil {
		return nil, err
	}
	defer closeQuietly(admin)
	if !keep {
		if _, err := admin.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name); err != nil {
			return nil, err
		}
	}
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS "+name+" CHARACTER SET utf8mb4"); err != nil {
		return nil, err
	}
	return sql.Open("mysql", env.mysqlDriverDSN(name))
}

// loadMySQL fills a new table orders with n rows.
func loadMySQL(ctx context.Context, db *sql.DB, n int) error {
	if _, err := db.ExecContext(ctx, fmt.Sprintf(mysqlTable, "orders")); err != nil {
		return err
	}
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(writeRows(writer, n)) }()
	mysql.RegisterReaderHandler("rows", func() io.Reader { return reader })
	defer mysql.DeregisterReaderHandler("rows")
	if _, err := db.ExecContext(ctx, "LOAD DATA LOCAL INFILE 'Reader::rows' INTO TABLE orders"); err != nil {
		return fmt.Errorf("load %d rows into MariaDB: %w", n, err)
	}
	_, err := db.ExecContext(ctx, "ANALYZE TABLE orders")
	return err
}

// loadPostgres fills a new table orders of a new database with n rows.
func loadPostgres(ctx context.Context, env services, name string, n int) error {
	admin, err := pgx.Connect(ctx, env.postgres)
	if err != nil {
		return err
	}
	defer closePostgres(ctx, admin)
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + name, "CREATE DATABASE " + name} {
		if _, err := admin.Exec(ctx, statement); err != nil {
			return err
		}
	}
	conn, err := pgx.Connect(ctx, env.postgresDSN(name))
	if err != nil {
		return err
	}
	defer closePostgres(ctx, conn)
	if _, err := conn.Exec(ctx, fmt.Sprintf(postgresTable, "orders")); err != nil {
		return err
	}
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(writeRows(writer, n)) }()
	if _, err := conn.PgConn().CopyFrom(ctx, reader, "COPY orders FROM STDIN"); err != nil {
		return fmt.Errorf("load %d rows into PostgreSQL: %w", n, err)
	}
	_, err = conn.Exec(ctx, "VACUUM ANALYZE orders")
	return err
}

// services are the addresses of the servers that `make services-up` started.
type services struct {
	mysql    string // mysql://user:password@host:port/
	postgres string // postgres://…/postgres
	kafka    string // host:port
}

// loadServices reads the addresses from the environment, else from .services/env.
func loadServices() (services, error) {
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
	s := services{get("TRUEUP_TEST_MYSQL"), get("TRUEUP_TEST_POSTGRES"), get("TRUEUP_TEST_KAFKA")}
	if s.mysql == "" || s.postgres == "" || s.kafka == "" {
		return s, fmt.Errorf("no test servers are known: run `make services-up` first")
	}
	return s, nil
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

func (s services) mysqlDriverDSN(database string) string {
	u := s.mysqlURL()
	config := mysql.NewConfig()
	config.User = u.User.Username()
	config.Passwd, _ = u.User.Password()
	config.Net, config.Addr, config.DBName = "tcp", u.Host, database
	config.AllowAllFiles = false
	return config.FormatDSN()
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

func closeQuietly(c io.Closer) {
	if err := c.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "bench: close:", err)
	}
}

func closePostgres(ctx context.Context, conn *pgx.Conn) {
	if err := conn.Close(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench: close:", err)
	}
}
