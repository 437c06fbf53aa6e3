package database

import (
	"database/sql"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/row"
)

const benchRows = 200_000

// BenchmarkCursor reads 200,000 rows as canonical texts, and beside it the same
// rows through database/sql into sql.RawBytes, the cheapest form of its Scan.
func BenchmarkCursor(b *testing.B) {
	for _, e := range engines {
		dsn := e.dsn(b)
		testenv.Exec(b, dsn,
			"CREATE TABLE orders (id BIGINT PRIMARY KEY, customer INT, status VARCHAR(20), amount DECIMAL(10,2), made TIMESTAMP NULL, note VARCHAR(100))",
			"INSERT INTO orders SELECT i, i % 1000, CONCAT('status ', i % 7), i / 100.0, '2026-01-02 03:04:05', CONCAT('note about order ', i) FROM ("+
				e.numbers(benchRows)+") AS numbers")
		b.Run(e.name+"/cursor", func(b *testing.B) { benchCursor(b, dsn) })
		b.Run(e.name+"/database-sql", func(b *testing.B) { benchScan(b, dsn) })
	}
}

func benchCursor(b *testing.B, dsn string) {
	db := openOn(b, Config{DSN: dsn, ReadOnly: true})
	v := viewOf(b, db, "orders")
	b.ReportAllocs()
	for b.Loop() {
		c, err := db.Rows(b.Context(), v, row.Range{})
		if err != nil {
			b.Fatal(err)
		}
		if n, err := drain(c); err != nil || n != benchRows {
			b.Fatalf("%d rows, %v", n, err)
		}
	}
	b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds(), "rows/s")
}

func benchScan(b *testing.B, dsn string) {
	db := testenv.Open(b, dsn)
	b.ReportAllocs()
	for b.Loop() {
		if n := scanAll(b, db); n != benchRows {
			b.Fatalf("%d rows", n)
		}
	}
	b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds(), "rows/s")
}

func scanAll(b *testing.B, db *sql.DB) (n int) {
	rows, err := db.QueryContext(b.Context(), "SELECT id, customer, status, amount, made, note FROM orders ORDER BY id")
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	values := make([]sql.RawBytes, 6)
	for rows.Next() {
		if err := rows.Scan(&values[0], &values[1], &values[2], &values[3], &values[4], &values[5]); err != nil {
			b.Fatal(err)
		}
		n++
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return n
}
