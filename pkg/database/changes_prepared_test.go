package database_test

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/dialect/mysql"
	"github.com/trueup/trueup/pkg/schema"
)

// openUntil asks for the open transactions until they are as they are to be: the
// server's list is up to 100 ms old, and a connection takes a moment to end.
func openUntil(t *testing.T, dsn string, so func(schema.OpenTransactions) bool) schema.OpenTransactions {
	t.Helper()
	db := openFor(t, dsn)
	var open schema.OpenTransactions
	for range 50 {
		var err error
		if open, err = db.OpenTransactions(t.Context()); err != nil {
			t.Fatal(err)
		}
		if so(open) {
			return open
		}
		<-time.After(150 * time.Millisecond)
	}
	t.Errorf("at last: %+v", open)
	return open
}

// TestAPreparedTransactionIsSeen by its start while its connection lasts, then as
// one that is prepared, also after the server has restarted, which makes its start
// look later than it was.
func TestAPreparedTransactionIsSeen(t *testing.T) {
	if testing.Short() || !testenv.HasPrivate("mysql") {
		t.Skip("needs a MariaDB of its own")
	}
	server := testenv.NewPrivate(t, "mysql")
	dsn := server.URL()
	testenv.Exec(t, dsn, "CREATE TABLE items (id INT PRIMARY KEY)")
	pool := testenv.Open(t, dsn)
	pool.SetMaxIdleConns(0) // one that is given back ends
	conn, err := pool.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"XA START 'a'", "INSERT INTO items VALUES (1)", "XA END 'a'", "XA PREPARE 'a'"} {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	prepared := time.Now()
	openUntil(t, dsn, func(o schema.OpenTransactions) bool { return !o.Oldest.IsZero() && !o.Oldest.After(prepared) })
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	openUntil(t, dsn, func(o schema.OpenTransactions) bool { return o.Prepared == 1 })

	server.Kill()
	server.Start()
	openUntil(t, dsn, func(o schema.OpenTransactions) bool { return o.Prepared == 1 })
	testenv.Exec(t, dsn, "XA ROLLBACK 'a'")
	openUntil(t, dsn, func(o schema.OpenTransactions) bool { return o.Prepared == 0 && o.Oldest.IsZero() })
}

// TestATransactionIsSeenThoughManyAskForThem: InnoDB's list is as it was for as long
// as somebody reads it again within 100 ms.
func TestATransactionIsSeenThoughManyAskForThem(t *testing.T) {
	if testing.Short() || !testenv.HasPrivate("mysql") {
		t.Skip("needs a MariaDB of its own")
	}
	dsn := testenv.NewPrivate(t, "mysql").URL()
	testenv.Exec(t, dsn, "CREATE TABLE items (id INT PRIMARY KEY)")
	ctx, rest := context.WithCancel(t.Context())
	var others sync.WaitGroup
	defer others.Wait()
	defer rest()
	pool := testenv.Open(t, dsn)
	asked := make(chan struct{}, 1)
	for range 4 {
		others.Go(func() {
			for ctx.Err() == nil {
				_, _ = pool.ExecContext(ctx, "SELECT COUNT(*) FROM information_schema.innodb_trx") // until the test ends
				select {
				case asked <- struct{}{}:
				default:
				}
				<-time.After(10 * time.Millisecond)
			}
		})
	}
	<-asked
	db, writer := openFor(t, dsn), testenv.Open(t, dsn)
	for range 10 {
		began, err := db.Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tx, err := writer.BeginTx(t.Context(), nil)
		if err == nil {
			_, err = tx.ExecContext(t.Context(), "INSERT INTO items VALUES (1)")
		}
		if err != nil {
			t.Fatal(err)
		}
		open, err := db.OpenTransactions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if open.Oldest.IsZero() && !open.AsOf.Before(began) {
			t.Errorf("%+v: one is open since %v", open, began)
		}
		_ = tx.Rollback() // the next one is another
		<-time.After(200 * time.Millisecond)
	}
}

// TestATransactionOfTheHourThatComesTwiceIsNotTakenForALaterOne asks a server that
// stands in Berlin for what its clock showed.
func TestATransactionOfTheHourThatComesTwiceIsNotTakenForALaterOne(t *testing.T) {
	if testing.Short() || !testenv.HasPrivate("mysql") {
		t.Skip("needs a MariaDB of its own")
	}
	t.Setenv("TZ", "Europe/Berlin")
	pool := testenv.Open(t, testenv.NewPrivate(t, "mysql").URL())
	for local, want := range map[string]string{
		"2026-10-25 01:59:59": "2026-10-24 23:59:59.000000",
		"2026-10-25 02:30:00": "2026-10-25 00:30:00.000000", // and once more an hour later
		"2026-10-25 03:00:00": "2026-10-25 02:00:00.000000",
		"2026-03-29 03:30:00": "2026-03-29 01:30:00.000000",
		"2026-07-01 12:00:00": "2026-07-01 10:00:00.000000",
		"2026-01-01 12:00:00": "2026-01-01 11:00:00.000000",
	} {
		query := strings.ReplaceAll(mysql.Dialect{}.OpenTransactions("7").SQL, "MIN(IF(trx_is_read_only = 0 AND trx_autocommit_non_locking = 0, trx_started, NULL))", "TIMESTAMP'"+local+"'")
		var oldest, rest sql.NullString
		if err := pool.QueryRowContext(t.Context(), query).Scan(&rest, &oldest, &rest, &rest, &rest, &rest, &rest); err != nil {
			t.Fatal(err)
		}
		if oldest.String != want {
			t.Errorf("%s is %s, want %s", local, oldest.String, want)
		}
	}
}
