package database

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

var items = []string{
	"CREATE TABLE items (id BIGINT PRIMARY KEY, name VARCHAR(50) NOT NULL, note «text»)",
	"INSERT INTO items VALUES (1, 'one', NULL), (2, 'two', ''), (3, 'three', 'x')",
}

func begin(t *testing.T, db *DB) *Tx {
	t.Helper()
	tx, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tx.Rollback)
	return tx
}

func key(id int) row.Key { return row.Key{row.Value(strconv.Itoa(id))} }

func item(id int, name string) row.Row {
	return row.Row{row.Value(strconv.Itoa(id)), row.Value(name), nil}
}

func nameOf(t *testing.T, db *DB, v *schema.View, id int) string {
	t.Helper()
	rows, err := db.Lookup(t.Context(), v, []row.Key{key(id)})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) == 0 {
		return ""
	}
	return string(rows[0][1])
}

func TestCommitKeepsAndRollbackUndoes(t *testing.T) {
	onEach(t, items, func(t *testing.T, _ engine, dsn string) {
		db := openOn(t, Config{DSN: dsn})
		v := viewOf(t, db, "items")
		ctx := t.Context()
		for _, commit := range []bool{false, true} {
			tx := begin(t, db)
			if err := tx.Insert(ctx, v, []row.Row{item(4, "four"), item(5, "five")}); err != nil {
				t.Fatal(err)
			}
			if n, err := tx.Update(ctx, v, item(1, "uno"), []int{1}); err != nil || n != 1 {
				t.Fatalf("Update = %d, %v", n, err)
			}
			if n, err := tx.Update(ctx, v, item(1, "uno"), []int{1}); err != nil || n != 1 {
				t.Errorf("Update to what is there already = %d, %v", n, err)
			}
			if n, err := tx.Update(ctx, v, item(9, "nine"), []int{1}); err != nil || n != 0 {
				t.Errorf("Update of no row = %d, %v", n, err)
			}
			if n, err := tx.Delete(ctx, v, []row.Key{key(2), key(3), key(9)}); err != nil || n != 2 {
				t.Fatalf("Delete = %d, %v", n, err)
			}
			if rows, err := tx.Lookup(ctx, v, []row.Key{key(2), key(4)}); err != nil || len(rows) != 1 || string(rows[0][1]) != "four" {
				t.Errorf("inside: %q, %v", rows, err)
			}
			want := map[int]string{1: "one", 2: "two", 4: ""}
			if commit {
				want = map[int]string{1: "uno", 2: "", 4: "four"}
				if err := tx.Commit(ctx); err != nil {
					t.Fatal(err)
				}
			}
			tx.Rollback()
			for id, name := range want {
				if got := nameOf(t, db, v, id); got != name {
					t.Errorf("commit %v: row %d is %q, want %q", commit, id, got, name)
				}
			}
		}
		idle(t, db)
	})
}

func TestAfterAnErrorATransactionCanOnlyBeRolledBack(t *testing.T) {
	onEach(t, items, func(t *testing.T, _ engine, dsn string) {
		db := openOn(t, Config{DSN: dsn})
		v := viewOf(t, db, "items")
		tx := begin(t, db)
		if err := tx.Insert(t.Context(), v, []row.Row{item(4, "four")}); err != nil {
			t.Fatal(err)
		}
		err := tx.Insert(t.Context(), v, []row.Row{item(5, "five"), item(1, "again")})
		if ClassOf(err) != dialect.ClassDuplicate {
			t.Errorf("%v, of class %d", err, ClassOf(err))
		}
		if err := tx.Commit(t.Context()); err == nil || !strings.Contains(err.Error(), "rolled back") || ClassOf(err) != dialect.ClassDuplicate {
			t.Errorf("Commit = %v, of class %d", err, ClassOf(err))
		}
		tx.Rollback()
		if err := tx.Commit(t.Context()); err == nil || !strings.Contains(err.Error(), "has ended") {
			t.Errorf("Commit after Rollback = %v", err)
		}
		if _, err := tx.Lock(t.Context(), v, []row.Key{key(1)}); err == nil {
			t.Error("Lock after Rollback")
		}
		if got := nameOf(t, db, v, 4); got != "" {
			t.Errorf("row 4 is %q", got)
		}
		idle(t, db)
	})
}

func TestARowsOwnFaultIsOfItsClass(t *testing.T) {
	onEach(t, items, func(t *testing.T, _ engine, dsn string) {
		db := openOn(t, Config{DSN: dsn})
		v := viewOf(t, db, "items")
		for name, r := range map[string]row.Row{
			"too long": item(4, strings.Repeat("x", 51)),
			"null":     {row.Value("4"), nil, nil},
		} {
			tx := begin(t, db)
			if err := tx.Insert(t.Context(), v, []row.Row{r}); ClassOf(err) != dialect.ClassRow {
				t.Errorf("%s: %v, of class %d", name, err, ClassOf(err))
			}
			tx.Rollback()
		}
	})
}

func TestLockLeavesOutWhatAnotherTransactionHolds(t *testing.T) {
	onEach(t, items, func(t *testing.T, _ engine, dsn string) {
		db := openOn(t, Config{DSN: dsn})
		v := viewOf(t, db, "items")
		holder, other := begin(t, db), begin(t, db)
		all := []row.Key{key(1), key(2), key(3), key(4)}
		if rows, err := holder.Lock(t.Context(), v, all[1:2]); err != nil || len(rows) != 1 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		rows, err := other.Lock(t.Context(), v, all)
		if err != nil || len(rows) != 2 || string(rows[0][1]) != "one" || string(rows[1][1]) != "three" {
			t.Errorf("%q, %v", rows, err)
		}
		holder.Rollback()
		if rows, err = other.Lock(t.Context(), v, all); err != nil || len(rows) != 3 {
			t.Errorf("after the release: %q, %v", rows, err)
		}
	})
}

func TestManyLargeRowsTakeSeveralStatements(t *testing.T) {
	onEach(t, items, func(t *testing.T, _ engine, dsn string) {
		db := openOn(t, Config{DSN: dsn})
		v := viewOf(t, db, "items")
		large := row.Value(strings.Repeat("ü", 15_000))
		var rows []row.Row
		var keys []row.Key
		for i := range 1200 { // 36 MB
			rows = append(rows, row.Row{row.Value(strconv.Itoa(100 + i)), row.Value("n"), large})
			keys = append(keys, key(100+i))
		}
		tx := begin(t, db)
		if err := tx.Insert(t.Context(), v, rows); err != nil {
			t.Fatal(err)
		}
		if n, err := tx.Delete(t.Context(), v, keys); err != nil || n != 1200 {
			t.Errorf("Delete = %d, %v", n, err)
		}
	})
}

// Only MySQL and MariaDB have a limit that a test can reach.
func TestARowPastThePacketLimitSaysWhatToRaise(t *testing.T) {
	dsn := testenv.MySQL(t)
	testenv.Exec(t, dsn, "CREATE TABLE items (id BIGINT PRIMARY KEY, name VARCHAR(50) NOT NULL, note LONGTEXT)")
	db := openOn(t, Config{DSN: dsn})
	packet := ask(t, dsn, "SELECT @@max_allowed_packet")
	r := item(4, "four")
	r[2] = row.Value(strings.Repeat("x", packet+1))
	tx := begin(t, db)
	err := tx.Insert(t.Context(), viewOf(t, db, "items"), []row.Row{r})
	if ClassOf(err) != dialect.ClassLimit || !strings.Contains(err.Error(), "max_allowed_packet") {
		t.Errorf("%.200v, of class %d", err, ClassOf(err))
	}
}

func TestALockWaitEndsWithTheContextAndLeavesNothingBehind(t *testing.T) {
	onEach(t, items, func(t *testing.T, e engine, dsn string) {
		db := openOn(t, Config{DSN: dsn})
		v := viewOf(t, db, "items")
		holder := begin(t, db)
		if _, err := holder.Lock(t.Context(), v, []row.Key{key(1)}); err != nil {
			t.Fatal(err)
		}
		waiter := begin(t, db)
		if _, err := waiter.Update(t.Context(), v, item(2, "deux"), []int{1}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := waiter.Update(ctx, v, item(1, "uno"), []int{1})
		if !errors.Is(err, context.DeadlineExceeded) && ClassOf(err) != dialect.ClassContention {
			t.Errorf("Update = %v, of class %d", err, ClassOf(err))
		}
		waiter.Rollback()
		await(t, dsn, e.others+e.running)
		// The waiter's own lock is gone with it.
		third := begin(t, db)
		if rows, err := third.Lock(t.Context(), v, []row.Key{key(2)}); err != nil || len(rows) != 1 || string(rows[0][1]) != "two" {
			t.Errorf("%q, %v", rows, err)
		}
	})
}

func TestADeadlockIsContention(t *testing.T) {
	onEach(t, items, func(t *testing.T, _ engine, dsn string) {
		db := openOn(t, Config{DSN: dsn})
		v := viewOf(t, db, "items")
		one, two := begin(t, db), begin(t, db)
		for tx, id := range map[*Tx]int{one: 1, two: 2} {
			if _, err := tx.Update(t.Context(), v, item(id, "mine"), []int{1}); err != nil {
				t.Fatal(err)
			}
		}
		failed := make(chan error, 2)
		cross := func(tx *Tx, id int) {
			_, err := tx.Update(t.Context(), v, item(id, "yours"), []int{1})
			tx.Rollback()
			failed <- err
		}
		go cross(one, 2)
		go cross(two, 1)
		contended := 0
		for range 2 {
			if err := <-failed; err != nil {
				contended++
				if ClassOf(err) != dialect.ClassContention {
					t.Errorf("%v, of class %d", err, ClassOf(err))
				}
			}
		}
		if contended == 0 {
			t.Error("both went through")
		}
		idle(t, db)
	})
}

// An operator fences a database, as after a cut-over, and opens it again: what
// sessions may do is settled as they begin.
func TestADatabaseThatTakesNoWritesIsNotOverruledAndFoundOpenAgain(t *testing.T) {
	dsn := testenv.Postgres(t)
	owner := with(t, dsn, func(u *url.URL) {
		values := u.Query()
		values.Set("default_transaction_read_only", "off")
		u.RawQuery = values.Encode()
	})
	alter := func(change string) {
		testenv.Exec(t, owner, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I "+change+"', current_database()); END $$")
	}
	testenv.Exec(t, dsn, strings.ReplaceAll(items[0], "«text»", "TEXT"))
	alter("SET default_transaction_read_only = on")
	db := openOn(t, Config{DSN: dsn})
	v := viewOf(t, db, "items")
	write := func() error {
		tx := begin(t, db)
		defer tx.Rollback()
		if _, err := tx.Lock(t.Context(), v, []row.Key{key(1)}); err != nil {
			return err
		}
		if err := tx.Insert(t.Context(), v, []row.Row{item(1, "one")}); err != nil {
			return err
		}
		return tx.Commit(t.Context())
	}
	if err := write(); ClassOf(err) != dialect.ClassTransient {
		t.Errorf("a fenced database answers with class %d: %v", ClassOf(err), err)
	}
	alter("RESET default_transaction_read_only")
	if err := write(); err != nil {
		t.Errorf("the database is open again: %v", err)
	}
}
