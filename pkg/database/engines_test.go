package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// engine is what tests say differently to MySQL and PostgreSQL.
type engine struct {
	name string
	dsn  func(testing.TB) string
	// numbers selects the whole numbers from 1 to n as column i.
	numbers func(n int) string
	// others counts the other connections of the test's database; running
	// those that run a statement.
	others, running string
	// kill ends all other connections of the test's database.
	kill string
	// slow is a row filter that takes a minute for each row.
	slow string
	// text and blob are the engine's unlimited types.
	text, blob string
}

var engines = []engine{
	{
		name:    "mariadb",
		dsn:     testenv.MySQL,
		numbers: func(n int) string { return fmt.Sprintf("SELECT seq AS i FROM seq_1_to_%d", n) },
		others:  "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
		running: " AND command IN ('Query', 'Execute')",
		kill:    "BEGIN NOT ATOMIC FOR c IN (SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()) DO EXECUTE IMMEDIATE CONCAT('KILL ', c.id); END FOR; END",
		slow:    "SLEEP(60) = 0",
		text:    "LONGTEXT CHARACTER SET utf8mb4",
		blob:    "LONGBLOB",
	},
	{
		name:    "postgres",
		dsn:     testenv.Postgres,
		numbers: func(n int) string { return fmt.Sprintf("SELECT i FROM generate_series(1, %d) AS i", n) },
		others:  "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
		running: " AND state = 'active'",
		kill:    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
		slow:    "pg_sleep(60) IS NOT NULL",
		text:    "TEXT",
		blob:    "BYTEA",
	},
}

// onEach runs a test on every engine, in a database of its own that holds the
// given statements' tables; T and B stand for the engine's text and blob types.
func onEach(t *testing.T, statements []string, test func(t *testing.T, e engine, dsn string)) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			dsn := e.dsn(t)
			for _, s := range statements {
				s = strings.NewReplacer("«text»", e.text, "«blob»", e.blob).Replace(s)
				if strings.Contains(s, "«numbers ") {
					before, rest, _ := strings.Cut(s, "«numbers ")
					number, after, _ := strings.Cut(rest, "»")
					var n int
					if _, err := fmt.Sscan(number, &n); err != nil {
						t.Fatal(err)
					}
					s = before + "(" + e.numbers(n) + ") AS numbers" + after
				}
				testenv.Exec(t, dsn, s)
			}
			test(t, e, dsn)
		})
	}
}

func openOn(t testing.TB, c Config) *DB {
	t.Helper()
	db, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// viewOf is the view of a whole table with its primary key.
func viewOf(t testing.TB, db *DB, table string) *schema.View {
	t.Helper()
	inspected, err := db.Table(t.Context(), schema.Name{Table: table})
	if err != nil {
		t.Fatal(err)
	}
	v := &schema.View{Table: inspected}
	for _, c := range inspected.Columns {
		v.Columns = append(v.Columns, schema.ViewColumn{Column: c, As: c.Type})
	}
	for _, name := range inspected.Keys[0].Columns {
		for i, c := range v.Columns {
			if c.Name == name {
				v.Key = append(v.Key, i)
			}
		}
	}
	return v
}

// drain reads a cursor to its end.
func drain(c row.Cursor) (n int, err error) {
	for {
		_, err := c.Next()
		if err == io.EOF { //nolint:errorlint // the bare value is the contract
			return n, nil
		}
		if err != nil {
			return n, err
		}
		n++
	}
}

// ask reads one number through a connection of its own.
func ask(t testing.TB, dsn, query string) int {
	t.Helper()
	var n int
	if err := testenv.Open(t, dsn).QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// await polls a server until a query says 0; servers send no signal when they
// have stopped a statement.
func await(t testing.TB, dsn, query string) {
	t.Helper()
	db := testenv.Open(t, dsn)
	deadline, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	n := -1
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		if err := db.QueryRowContext(deadline, query).Scan(&n); err != nil {
			t.Fatalf("%s still says %d: %v", query, n, err)
		}
		if n == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.Done():
			t.Fatalf("%s still says %d", query, n)
		}
	}
}

// with changes a part of a DSN.
func with(t testing.TB, dsn string, change func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(errors.Unwrap(err))
	}
	change(u)
	return u.String()
}

// idle fails the test when connections stay in use; PostgreSQL's pool counts one
// that it gives up until it is closed, which happens in the background.
func idle(t testing.TB, db *DB) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for tick := time.NewTicker(5 * time.Millisecond); db.Stats().InUse != 0; {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d connections are still in use", db.Stats().InUse)
		}
	}
}
