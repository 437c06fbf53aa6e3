package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
)

// rowsPerTable times the number of tables makes the demo's 50,000 rows. The
// embedded server checks each inserted key against all others, so five tables
// are much quicker to fill than a large one.
const rowsPerTable = 10_000

// insertRows is how many rows one statement inserts; it only has to be small
// enough for progress to be seen.
const insertRows = 1000

// table is one table of the shop: its columns behind the key, and the values
// of row i, of as many as the shop's tables have, as SQL.
type table struct {
	name    string
	columns string
	values  func(i, rows int) string
	// changed is a column that damage alters.
	changed string
}

var shop = []table{
	{
		"customers", "name VARCHAR(80) NOT NULL, city VARCHAR(40) NULL, born DATE NULL",
		func(i, _ int) string {
			if i%40 == 0 {
				return fmt.Sprintf("'Customer %d', NULL, NULL", i)
			}
			return fmt.Sprintf("'Customer %d', 'City %d', '19%02d-%02d-%02d'", i, i%97, 50+i%50, 1+i%12, 1+i%28)
		}, "city",
	},
	{
		"products", "title VARCHAR(120) NOT NULL, price DECIMAL(10,2) NOT NULL, weight DOUBLE NULL",
		func(i, _ int) string {
			return fmt.Sprintf("'Product no. %d', %d.%02d, %d.125", i, i%500, i%100, i%80)
		}, "title",
	},
	{
		"orders", "customer_id BIGINT NOT NULL, state VARCHAR(20) NOT NULL, placed_at DATETIME(6) NOT NULL",
		func(i, rows int) string {
			states := [...]string{"new", "paid", "shipped", "returned"}
			return fmt.Sprintf("%d, '%s', '2026-%02d-%02d %02d:%02d:%02d.%06d'", 1+i%rows, states[i%4], 1+i%12, 1+i%28, i%24, i%60, (i/7)%60, (i*7919)%1_000_000)
		}, "state",
	},
	{
		"order_lines", "order_id BIGINT NOT NULL, product_id BIGINT NOT NULL, quantity INT NOT NULL, note VARCHAR(60) NULL",
		func(i, rows int) string { return fmt.Sprintf("%d, %d, %d, ''", 1+i/2, 1+i%rows, 1+i%9) }, "note",
	},
	{
		"payments", "order_id BIGINT NOT NULL, amount DECIMAL(12,2) NOT NULL, method VARCHAR(20) NOT NULL",
		func(i, _ int) string {
			return fmt.Sprintf("%d, %d.%02d, '%s'", i, 10+i%900, i%100, [...]string{"card", "transfer", "cash"}[i%3])
		}, "method",
	},
}

// fill creates the shop's tables with the same rows in all databases, at the
// same time, and calls inserted from one goroutine with the rows so far.
func fill(ctx context.Context, rows int, inserted func(total int64), databases ...*sql.DB) error {
	done := make(chan int)
	group, ctx := errgroup.WithContext(ctx)
	for _, db := range databases {
		group.Go(func() error {
			for _, t := range shop {
				if err := t.fill(ctx, db, rows, done); err != nil {
					return fmt.Errorf("fill %s: %w", t.name, err)
				}
			}
			return nil
		})
	}
	ended := make(chan error, 1)
	go func() {
		ended <- group.Wait()
		close(done)
	}()
	total := int64(0)
	for n := range done {
		total += int64(n)
		inserted(total)
	}
	return <-ended
}

// fill reports the rows of each statement on done.
func (t table) fill(ctx context.Context, db *sql.DB, rows int, done chan<- int) error {
	create := fmt.Sprintf("CREATE TABLE %s (id BIGINT NOT NULL PRIMARY KEY, %s)", t.name, t.columns)
	if _, err := db.ExecContext(ctx, create); err != nil {
		return err
	}
	for first := 1; first <= rows; first += insertRows {
		last := min(first+insertRows-1, rows)
		if _, err := db.ExecContext(ctx, t.insert(first, last, rows)); err != nil {
			return err
		}
		done <- last - first + 1
	}
	return nil
}

func (t table) insert(first, last, rows int) string {
	var statement strings.Builder
	fmt.Fprintf(&statement, "INSERT INTO %s VALUES ", t.name)
	for i := first; i <= last; i++ {
		if i > first {
			statement.WriteByte(',')
		}
		fmt.Fprintf(&statement, "(%d, %s)", i, t.values(i, rows))
	}
	return statement.String()
}

// harm is damage done to the copy, or found in it, by the kind of its finding.
type harm struct{ missing, changed, extra int64 }

func (h harm) total() int64 { return h.missing + h.changed + h.extra }

func (h harm) String() string {
	return fmt.Sprintf("%d rows missing, %d changed, %d that the source never had", h.missing, h.changed, h.extra)
}

// damage harms every table of the copy in all three ways.
func damage(ctx context.Context, db *sql.DB) (harm, error) {
	var total harm
	for _, t := range shop {
		for _, d := range []struct {
			count     *int64
			statement string
		}{
			{&total.missing, fmt.Sprintf("DELETE FROM %s WHERE id %% 331 = 5", t.name)},
			{&total.changed, fmt.Sprintf("UPDATE %s SET %s = 'damaged' WHERE id %% 337 = 7", t.name, t.changed)},
			{&total.extra, fmt.Sprintf("INSERT INTO %s SELECT 900000 + id, %s FROM %s WHERE id %% 347 = 11", t.name, t.others(), t.name)},
		} {
			result, err := db.ExecContext(ctx, d.statement)
			if err != nil {
				return total, fmt.Errorf("damage %s: %w", t.name, err)
			}
			n, err := result.RowsAffected()
			if err != nil {
				return total, fmt.Errorf("damage %s: %w", t.name, err)
			}
			*d.count += n
		}
	}
	return total, nil
}

// others lists the columns behind the key.
func (t table) others() string {
	var names []string
	for column := range strings.SplitSeq(t.columns, ", ") {
		name, _, _ := strings.Cut(column, " ")
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}
