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

// table is one table of the shop: its columns behind the key, and the values
// of row i as SQL.
type table struct {
	name    string
	columns string
	values  func(i int) string
	// changed is a column that damage alters.
	changed string
}

var shop = []table{
	{
		"customers", "name VARCHAR(80) NOT NULL, city VARCHAR(40) NULL, born DATE NULL",
		func(i int) string {
			if i%40 == 0 {
				return fmt.Sprintf("'Customer %d', NULL, NULL", i)
			}
			return fmt.Sprintf("'Customer %d', 'City %d', '19%02d-%02d-%02d'", i, i%97, 50+i%50, 1+i%12, 1+i%28)
		}, "city",
	},
	{
		"products", "title VARCHAR(120) NOT NULL, price DECIMAL(10,2) NOT NULL, weight DOUBLE NULL",
		func(i int) string { return fmt.Sprintf("'Product no. %d', %d.%02d, %d.125", i, i%500, i%100, i%80) }, "title",
	},
	{
		"orders", "customer_id BIGINT NOT NULL, state VARCHAR(20) NOT NULL, placed_at DATETIME(6) NOT NULL",
		func(i int) string {
			states := [...]string{"new", "paid", "shipped", "returned"}
			return fmt.Sprintf("%d, '%s', '2026-%02d-%02d %02d:%02d:%02d.%06d'", 1+i%rowsPerTable, states[i%4], 1+i%12, 1+i%28, i%24, i%60, (i/7)%60, (i*7919)%1_000_000)
		}, "state",
	},
	{
		"order_lines", "order_id BIGINT NOT NULL, product_id BIGINT NOT NULL, quantity INT NOT NULL, note VARCHAR(60) NULL",
		func(i int) string { return fmt.Sprintf("%d, %d, %d, ''", 1+i/2, 1+i%rowsPerTable, 1+i%9) }, "note",
	},
	{
		"payments", "order_id BIGINT NOT NULL, amount DECIMAL(12,2) NOT NULL, method VARCHAR(20) NOT NULL",
		func(i int) string {
			return fmt.Sprintf("%d, %d.%02d, '%s'", i, 10+i%900, i%100, [...]string{"card", "transfer", "cash"}[i%3])
		}, "method",
	},
}

// fill creates the shop's tables with the same rows in all databases, at the
// same time.
func fill(ctx context.Context, show *show, databases ...*sql.DB) error {
	bar := show.progress("rows", int64(len(databases)*len(shop)*rowsPerTable))
	defer bar.close()
	done := make(chan int64)
	group, ctx := errgroup.WithContext(ctx)
	for _, db := range databases {
		group.Go(func() error {
			for _, t := range shop {
				if err := t.fill(ctx, db); err != nil {
					return fmt.Errorf("fill %s: %w", t.name, err)
				}
				done <- rowsPerTable
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
		total += n
		bar.at(total)
	}
	return <-ended
}

func (t table) fill(ctx context.Context, db *sql.DB) error {
	var insert strings.Builder
	fmt.Fprintf(&insert, "INSERT INTO %s VALUES ", t.name)
	for i := 1; i <= rowsPerTable; i++ {
		if i > 1 {
			insert.WriteByte(',')
		}
		fmt.Fprintf(&insert, "(%d, %s)", i, t.values(i))
	}
	create := fmt.Sprintf("CREATE TABLE %s (id BIGINT NOT NULL PRIMARY KEY, %s)", t.name, t.columns)
	for _, statement := range []string{create, insert.String()} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// harm is the damage done to the copy, by the kind of finding it should lead to.
type harm struct{ missing, changed, extra int64 }

func (h harm) total() int64 { return h.missing + h.changed + h.extra }

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
