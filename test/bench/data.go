package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
)

// The tables: a bigint key, texts, a whole number, a decimal, a double, a
// bool, a JSON document and two date-times with microseconds.
const (
	mysqlOrders = `CREATE TABLE %s (
  id BIGINT NOT NULL PRIMARY KEY, customer VARCHAR(60) NOT NULL, status VARCHAR(16) NOT NULL,
  qty INT NOT NULL, amount DECIMAL(12,2) NOT NULL, weight DOUBLE NULL, paid BOOLEAN NOT NULL,
  attrs JSON NULL, created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL)`
	postgresOrders = `CREATE TABLE %s (
  id bigint NOT NULL PRIMARY KEY, customer varchar(60) NOT NULL, status varchar(16) NOT NULL,
  qty integer NOT NULL, amount numeric(12,2) NOT NULL, weight double precision NULL, paid boolean NOT NULL,
  attrs jsonb NULL, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL)`
)

// null is NULL in the text that LOAD DATA and COPY read.
const null = `\N`

// order is row i as texts in the order of the columns. The values are a fixed
// function of the row number.
func order(i int) [10]string {
	states := [...]string{"new", "paid", "packed", "shipped", "returned"}
	h := uint64(i) * 0x9E3779B97F4A7C15
	weight := fmt.Sprintf("%.4f", float64(h>>40)/1000)
	if i%50 == 0 {
		weight = null
	}
	return [10]string{
		fmt.Sprint(i),
		fmt.Sprintf("Customer %06d of the %dth street", h%1_000_000, h>>50),
		states[h%5],
		fmt.Sprint(h % 97),
		fmt.Sprintf("%d.%02d", h%100_000, (h>>8)%100),
		weight,
		fmt.Sprint(h >> 63),
		fmt.Sprintf(`{"ref": %d, "gift": %t}`, h%100_000, h&4 == 0),
		fmt.Sprintf("2026-%02d-%02d %02d:%02d:%02d.%06d", 1+(h>>3)%9, 1+(h>>7)%28, (h>>11)%24, (h>>17)%60, (h>>23)%60, h%1_000_000),
		fmt.Sprintf("2026-10-%02d %02d:%02d:%02d.%06d", 1+(h>>5)%28, (h>>13)%24, (h>>19)%60, (h>>29)%60, (h>>21)%1_000_000),
	}
}

// writeOrders writes rows 1…n as tab-separated text that both LOAD DATA and
// COPY read.
func writeOrders(w io.Writer, n int) error {
	out := bufio.NewWriterSize(w, 1<<20)
	for i := 1; i <= n; i++ {
		fields := order(i)
		if _, err := out.WriteString(strings.Join(fields[:], "\t") + "\n"); err != nil {
			return err
		}
	}
	return out.Flush()
}

// loadOrders fills orders in the databases <prefix>_a and <prefix>_b of MariaDB
// and <prefix>_b of PostgreSQL. With -keep, those that are there are used.
func loadOrders(ctx context.Context, o options, env services) error {
	for _, side := range []string{"_a", "_b"} {
		if err := loadMySQL(ctx, o, env, o.prefix+side); err != nil {
			return err
		}
	}
	return loadPostgres(ctx, o, env, o.prefix+"_b")
}

func loadMySQL(ctx context.Context, o options, env services, database string) error {
	return makeMySQL(ctx, o, env, database, "orders", o.rows, func() error {
		if err := env.execMySQL(ctx, database, fmt.Sprintf(mysqlOrders, loading)); err != nil {
			return err
		}
		reader := ordersReader(o.rows)
		defer closeQuietly(reader)
		mysql.RegisterReaderHandler("orders", func() io.Reader { return reader })
		defer mysql.DeregisterReaderHandler("orders")
		return env.execMySQL(ctx, database, "LOAD DATA LOCAL INFILE 'Reader::orders' INTO TABLE "+loading)
	})
}

func loadPostgres(ctx context.Context, o options, env services, database string) error {
	return makePostgres(ctx, o, env, database, "orders", o.rows, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, fmt.Sprintf(postgresOrders, loading)); err != nil {
			return err
		}
		reader := ordersReader(o.rows)
		defer closeQuietly(reader)
		_, err := conn.PgConn().CopyFrom(ctx, reader, "COPY "+loading+" FROM STDIN")
		return err
	})
}

// ordersReader reads what writeOrders writes; closing it ends the writer.
func ordersReader(n int) io.ReadCloser {
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(writeOrders(writer, n)) }()
	return reader
}
