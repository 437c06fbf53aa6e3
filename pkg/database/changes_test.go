package database_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

func openFor(t *testing.T, dsn string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), database.Config{DSN: dsn, MaxConns: 3, ReadOnly: true, Application: "changes-test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestChangesComeInOrderHoweverManyHaveOneTime(t *testing.T) {
	for engine, c := range map[string]struct{ dsn, kind, row string }{
		"mysql datetime":  {testenv.MySQL(t), "DATETIME(6)", "(%d, '%s', '%s')"},
		"mysql timestamp": {testenv.MySQL(t), "TIMESTAMP(6) NULL", "(%d, '%s', '%s')"},
		"timestamp":       {testenv.Postgres(t), "timestamp", "(%d, '%s', '%s')"},
		"timestamptz":     {testenv.Postgres(t), "timestamptz", "(%d, '%s', '%s+00')"},
	} {
		t.Run(engine, func(t *testing.T) {
			testenv.Exec(t, c.dsn, "CREATE TABLE items (id INT, part VARCHAR(20), at "+c.kind+", PRIMARY KEY (id, part)); CREATE INDEX items_at ON items (at)")
			var rows, want []string
			for i := range 300 {
				at := []string{"2026-03-01 12:00:00.000000", "2026-03-01 12:00:00.000001", "2026-03-01 12:00:01.500000"}[i%3]
				rows = append(rows, fmt.Sprintf(c.row, i, "p", at))
				want = append(want, fmt.Sprintf("%s,%09d", at, i))
			}
			slices.Sort(want)
			rows = append(rows, fmt.Sprintf(c.row, 1000, "before", "2026-03-01 11:59:59.999999"), fmt.Sprintf(c.row, 1001, "until", "2026-03-01 12:00:02.000000"), "(1002, 'null', NULL)")
			session := ""
			if strings.HasPrefix(engine, "mysql") {
				session = "SET time_zone = '+00:00'; "
			}
			testenv.Exec(t, c.dsn, session+"INSERT INTO items VALUES "+strings.Join(rows, ", "))
			db := openFor(t, c.dsn)
			table, err := db.Table(t.Context(), schema.Name{Table: "items"})
			if err != nil {
				t.Fatal(err)
			}
			id, _ := table.Column("id")
			part, _ := table.Column("part")
			changes, err := schema.ChangesOf(&schema.View{Table: table, Columns: []schema.ViewColumn{{Column: id, As: id.Type}, {Column: part, As: part.Type}}, Key: []int{0, 1}}, "at", "")
			if err != nil {
				t.Fatal(err)
			}
			if !changes.Indexed || changes.Resolution != time.Microsecond {
				t.Errorf("%+v", changes)
			}
			from := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
			var got []string
			var after row.Key
			for {
				page, err := db.Changes(t.Context(), changes.View, after, from, from.Add(2*time.Second), 7)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page {
					var n int
					_, _ = fmt.Sscan(string(r[1]), &n)
					got = append(got, fmt.Sprintf("%s,%09d", r[0], n))
				}
				if len(page) < 7 {
					break
				}
				after = row.Key(page[6])
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d rows, want %d; the first: %v", len(got), len(want), got[:min(len(got), 5)])
			}
		})
	}
}

func TestOpenTransactionsAreSeenAndOwnReadsAreNotAmongThem(t *testing.T) {
	for engine, dsn := range map[string]string{"mysql": testenv.MySQL(t), "postgres": testenv.Postgres(t)} {
		t.Run(engine, func(t *testing.T) {
			testenv.Exec(t, dsn, "CREATE TABLE items (id INT PRIMARY KEY)")
			db := openFor(t, dsn)
			cursor, err := db.Rows(t.Context(), itemsView(t, db), row.Range{})
			if err != nil {
				t.Fatal(err)
			}
			defer cursor.Close()
			before, err := db.Now(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			tx, err := testenv.Open(t, dsn).BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback() }()
			if _, err := tx.ExecContext(t.Context(), "INSERT INTO items VALUES (1)"); err != nil {
				t.Fatal(err)
			}
			after, err := db.Now(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			testenv.Exec(t, dsn, "SELECT 1")
			var open schema.OpenTransactions
			for range 50 { // MySQL's list is up to 100 ms old
				if open, err = db.OpenTransactions(t.Context()); err != nil {
					t.Fatal(err)
				}
				if !open.Oldest.IsZero() {
					break
				}
				<-time.After(150 * time.Millisecond)
			}
			if open.Hidden != "" || open.Oldest.IsZero() || open.Oldest.After(after) || open.Connection == "" || open.Now.Before(after) {
				t.Errorf("%+v, want a start between %v and %v", open, before, after)
			}
			// Others share the test servers, but on PostgreSQL not the database.
			if engine == "postgres" && open.Oldest.Before(before) {
				t.Errorf("%+v began before %v", open, before)
			}
		})
	}
}

func itemsView(t *testing.T, db *database.DB) *schema.View {
	t.Helper()
	table, err := db.Table(t.Context(), schema.Name{Table: "items"})
	if err != nil {
		t.Fatal(err)
	}
	id, _ := table.Column("id")
	return &schema.View{Table: table, Columns: []schema.ViewColumn{{Column: id, As: id.Type}}, Key: []int{0}}
}

// TestTransactionsThatMayNotBeSeenAreNotTakenForNone: PostgreSQL shows other
// users' sessions without their times, and says nothing.
func TestTransactionsThatMayNotBeSeenAreNotTakenForNone(t *testing.T) {
	for engine, dsn := range map[string]string{"mysql": testenv.MySQL(t), "postgres": testenv.Postgres(t)} {
		t.Run(engine, func(t *testing.T) {
			u, err := url.Parse(dsn)
			if err != nil {
				t.Fatal(err)
			}
			name := "u" + u.Path[len(u.Path)-8:]
			create, drop := "CREATE ROLE "+name+" LOGIN PASSWORD 'limited'", "DROP ROLE "+name
			if engine == "mysql" {
				account := "'" + name + "'@'%'"
				create, drop = "CREATE USER "+account+" IDENTIFIED BY 'limited'; GRANT SELECT ON "+u.Path[1:]+".* TO "+account, "DROP USER "+account
			}
			testenv.Exec(t, dsn, create)
			admin := testenv.Open(t, dsn)
			defer func() { _, _ = admin.ExecContext(context.WithoutCancel(t.Context()), drop) }()
			u.User = url.UserPassword(name, "limited")
			open, err := openFor(t, u.String()).OpenTransactions(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(open.Hidden, "grant the user") || open.Now.IsZero() {
				t.Errorf("%+v", open)
			}
		})
	}
}

func TestAServerElsewhereTellsItsTransactionsInUTC(t *testing.T) {
	if testing.Short() || !testenv.HasPrivate("mysql") {
		t.Skip("needs a MariaDB of its own")
	}
	t.Setenv("TZ", "Asia/Kolkata")
	dsn := testenv.NewPrivate(t, "mysql").URL()
	testenv.Exec(t, dsn, "CREATE TABLE items (id INT PRIMARY KEY)")
	tx, err := testenv.Open(t, dsn).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(t.Context(), "INSERT INTO items VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	open, err := openFor(t, dsn).OpenTransactions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if age := open.Now.Sub(open.Oldest); open.Zone != "IST" || age < 0 || age > time.Minute {
		t.Errorf("%+v: the transaction is %v old", open, age)
	}
}

// TestAListMadeForTheQuestionIsOfNow: what is known of a moment ago holds back what
// is verified by as much.
func TestAListMadeForTheQuestionIsOfNow(t *testing.T) {
	if testing.Short() {
		t.Skip("needs databases")
	}
	for engine, dsn := range map[string]string{"mysql": testenv.MySQL(t), "postgres": testenv.Postgres(t)} {
		t.Run(engine, func(t *testing.T) {
			db := openFor(t, dsn)
			var open schema.OpenTransactions
			for range 100 { // others read the list too, and keep it from being made anew
				var err error
				if open, err = db.OpenTransactions(t.Context()); err != nil {
					t.Fatal(err)
				}
				if !open.AsOf.Before(open.Now) {
					return
				}
				<-time.After(200 * time.Millisecond)
			}
			t.Errorf("at %v the list is of %v", open.Now, open.AsOf)
		})
	}
}
