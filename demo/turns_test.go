package main

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"testing"
	"time"
)

func openMySQL(t *testing.T) *sql.DB {
	t.Helper()
	address, stop, err := startMySQL("shop")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	db, err := sql.Open("mysql", "root@tcp("+address+")/shop")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func execute(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func TestConcurrentTransactionsDoNotUndoEachOther(t *testing.T) {
	db := openMySQL(t)
	execute(t, db, "CREATE TABLE counters (id INT PRIMARY KEY, n INT)", "INSERT INTO counters VALUES (1, 0), (2, 0)")
	const each = 25
	var all sync.WaitGroup
	for id := 1; id <= 2; id++ {
		for _, begin := range []string{"START TRANSACTION", "begin", "/* as trueup does */ START TRANSACTION"} {
			all.Go(func() {
				for range each {
					if err := increment(t.Context(), db, begin, id); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Go(func() { // statements of their own between the transactions
			for range each {
				if _, err := db.ExecContext(t.Context(), "UPDATE counters SET n = n + 1 WHERE id = ?", id); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for id := 1; id <= 2; id++ {
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT n FROM counters WHERE id = ?", id).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n != 4*each {
			t.Errorf("counter %d is %d after %d increments", id, n, 4*each)
		}
	}
}

// increment reads and writes in one transaction, so that a writer between the
// two would be undone.
func increment(ctx context.Context, db *sql.DB, begin string, id int) error {
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, begin); err != nil {
		return err
	}
	var n int
	if err := c.QueryRowContext(ctx, "SELECT n FROM counters WHERE id = ?", id).Scan(&n); err != nil {
		return err
	}
	if _, err := c.ExecContext(ctx, fmt.Sprintf("UPDATE counters SET n = %d WHERE id = %d", n+1, id)); err != nil {
		return err
	}
	_, err = c.ExecContext(ctx, "COMMIT")
	return err
}

// TestATransactionGivesItsTurnAway holds each way in which one can end.
func TestATransactionGivesItsTurnAway(t *testing.T) {
	for name, end := range map[string]func(c *sql.Conn) error{
		"commit":   func(c *sql.Conn) error { _, err := c.ExecContext(t.Context(), "commit"); return err },
		"rollback": func(c *sql.Conn) error { _, err := c.ExecContext(t.Context(), "ROLLBACK"); return err },
		"a lost connection": func(c *sql.Conn) error {
			_ = c.Raw(func(driver any) error { return driver.(interface{ Close() error }).Close() }) // Raw says that it is lost
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := openMySQL(t)
			execute(t, db, "CREATE TABLE t (id INT PRIMARY KEY)")
			c, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for _, s := range []string{"START TRANSACTION", "INSERT INTO t VALUES (1)"} {
				if _, err := c.ExecContext(t.Context(), s); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := c.ExecContext(t.Context(), "INSERT INTO nowhere VALUES (1)"); err == nil {
				t.Error("an insert into no table succeeded")
			}
			if err := end(c); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if _, err := db.ExecContext(ctx, "INSERT INTO t VALUES (2)"); err != nil {
				t.Errorf("the next statement: %v", err)
			}
		})
	}
}
