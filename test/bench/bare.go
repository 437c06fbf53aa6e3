package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// The bare limit of a repair: one client that knows beforehand what to write,
// and writes it in statements of many rows without reading anything.

// bareBatch is the rows of a statement; more are hardly faster.
const bareBatch = 1000

// bareStatements repair what breakage did.
func bareStatements(rows int, upsert string) []string {
	var tuples, surplus []string
	for i := 1; i <= rows; i++ {
		switch i % 50 {
		case 1, 11, 21, 31:
			tuples = append(tuples, tuple(i))
		case 41:
			surplus = append(surplus, strconv.Itoa(1_000_000_000+i))
		}
	}
	var out []string
	for len(tuples) > 0 {
		n := min(bareBatch, len(tuples))
		out = append(out, "INSERT INTO orders VALUES "+strings.Join(tuples[:n], ",")+" "+upsert)
		tuples = tuples[n:]
	}
	for len(surplus) > 0 {
		n := min(bareBatch, len(surplus))
		out = append(out, "DELETE FROM orders WHERE id IN ("+strings.Join(surplus[:n], ",")+")")
		surplus = surplus[n:]
	}
	return out
}

// tuple is row i as SQL. No value holds a quote or a backslash.
func tuple(i int) string {
	fields := order(i)
	for k, field := range fields {
		if field == null {
			fields[k] = "NULL"
		} else {
			fields[k] = "'" + field + "'"
		}
	}
	return "(" + strings.Join(fields[:], ",") + ")"
}

// upsert is the end of an INSERT that overwrites the rows that are there; new
// is how the engine calls the new value of a column.
func upsert(begin, new string) string {
	sets := make([]string, len(allColumns))
	for i, column := range allColumns {
		sets[i] = column + " = " + fmt.Sprintf(new, column)
	}
	return begin + strings.Join(sets, ", ")
}

// writeBare repairs the copy by statements made beforehand.
func writeBare(ctx context.Context, o options, env services, to side) (sample, error) {
	if to.engine == "PostgreSQL" {
		statements := bareStatements(o.rows, upsert("ON CONFLICT (id) DO UPDATE SET ", "EXCLUDED.%s"))
		conn, err := pgx.Connect(ctx, to.dsn)
		if err != nil {
			return sample{}, err
		}
		defer closePostgres(ctx, conn)
		return timed(statements, func(statement string) error {
			_, err := conn.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol)
			return err
		})
	}
	statements := bareStatements(o.rows, upsert("ON DUPLICATE KEY UPDATE ", "VALUES(%s)"))
	db, err := env.openMySQL(databaseOf(to.dsn))
	if err != nil {
		return sample{}, err
	}
	defer closeQuietly(db)
	db.SetMaxOpenConns(1)
	return timed(statements, func(statement string) error {
		_, err := db.ExecContext(ctx, statement)
		return err
	})
}

func timed(statements []string, exec func(string) error) (sample, error) {
	start, used := time.Now(), ownCPU()
	for _, statement := range statements {
		if err := exec(statement); err != nil {
			return sample{}, fmt.Errorf("%s: %w", head(statement), err)
		}
	}
	return sample{wall: time.Since(start), cpu: ownCPU() - used}, nil
}
