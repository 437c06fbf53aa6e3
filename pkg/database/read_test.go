package database

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

var orders = []string{
	"CREATE TABLE orders (id BIGINT PRIMARY KEY, status VARCHAR(20), amount DECIMAL(10,2), note «text»)",
	"INSERT INTO orders SELECT i, CONCAT('status ', i % 7), i / 100.0, CASE WHEN i % 3 = 0 THEN NULL ELSE '' END FROM «numbers 100000»",
}

func TestACursorReadsEveryRowInKeyOrder(t *testing.T) {
	onEach(t, orders, func(t *testing.T, _ engine, dsn string) {
		db := openOn(t, Config{DSN: dsn, ReadOnly: true})
		c, err := db.Rows(t.Context(), viewOf(t, db, "orders"), row.Range{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for i := 1; i <= 100_000; i++ {
			r, err := c.Next()
			if err != nil {
				t.Fatalf("row %d: %v", i, err)
			}
			if string(r[0]) != strconv.Itoa(i) || string(r[1]) != "status "+strconv.Itoa(i%7) ||
				(i%3 == 0) != r[3].IsNull() || !r[3].IsNull() && len(r[3]) != 0 {
				t.Fatalf("row %d is %q", i, r)
			}
		}
		if _, err := c.Next(); err != io.EOF { //nolint:errorlint // the bare value is the contract
			t.Errorf("after the last row: %v", err)
		}
		idle(t, db)
	})
}

func TestRangesCountsAndBoundaries(t *testing.T) {
	onEach(t, orders, func(t *testing.T, _ engine, dsn string) {
		db := openOn(t, Config{DSN: dsn, ReadOnly: true})
		v := viewOf(t, db, "orders")
		ctx := t.Context()
		if n, err := db.Count(ctx, v); err != nil || n != 100_000 {
			t.Errorf("Count = %d, %v", n, err)
		}
		end, err := db.Boundary(ctx, v, nil, 1000)
		if err != nil || end.String() != "1000" {
			t.Errorf("Boundary = %s, %v", end, err)
		}
		if end, err = db.Boundary(ctx, v, row.Key{row.Value("99500")}, 501); err != nil || end != nil {
			t.Errorf("Boundary past the end = %s, %v", end, err)
		}
		part := row.Range{After: row.Key{row.Value("10")}, Through: row.Key{row.Value("13")}}
		d, err := db.Digest(ctx, v, part)
		if err != nil || d.Rows != 3 || len(d.Sum) != 32 || d.Bytes == 0 {
			t.Errorf("Digest = %+v, %v", d, err)
		}
		nothing := row.Range{After: row.Key{row.Value("100000")}}
		if d, err = db.Digest(ctx, v, nothing); err != nil || d != (row.Digest{}) {
			t.Errorf("Digest of nothing = %+v, %v", d, err)
		}
		c, err := db.Rows(ctx, v, part)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := drain(c); err != nil || n != 3 {
			t.Errorf("%d rows, %v", n, err)
		}
		idle(t, db)
	})
}

func TestLookupFindsExactlyTheRowsThatExist(t *testing.T) {
	onEach(t, orders, func(t *testing.T, _ engine, dsn string) {
		db := openOn(t, Config{DSN: dsn, ReadOnly: true})
		v := viewOf(t, db, "orders")
		var keys []row.Key
		for i := 98_001; i <= 102_000; i++ { // more than one statement, half of it missing
			keys = append(keys, row.Key{row.Value(strconv.Itoa(i))})
		}
		rand.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		rows, err := db.Lookup(t.Context(), v, keys)
		if err != nil || len(rows) != 2000 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		seen := map[string]bool{}
		for _, r := range rows {
			seen[string(r[0])] = true
		}
		if len(seen) != 2000 || !seen["98001"] || !seen["100000"] {
			t.Errorf("%d different rows", len(seen))
		}
		if rows, err = db.Lookup(t.Context(), v, nil); err != nil || len(rows) != 0 {
			t.Errorf("no keys: %d rows, %v", len(rows), err)
		}
		idle(t, db)
	})
}

func TestACancelledReadIsAnErrorAndStopsOnTheServer(t *testing.T) {
	onEach(t, orders, func(t *testing.T, e engine, dsn string) {
		db := openOn(t, Config{DSN: dsn, ReadOnly: true})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c, err := db.Rows(ctx, viewOf(t, db, "orders"), row.Range{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Next(); err != nil {
			t.Fatal(err)
		}
		cancel()
		// What had arrived may still be read; then comes the error.
		n, err := drain(c)
		if !errors.Is(err, context.Canceled) || ClassOf(err) != dialect.ClassUnknown {
			t.Errorf("after %d rows: %v, of class %d", n, err, ClassOf(err))
		}
		if _, again := c.Next(); !errors.Is(again, context.Canceled) {
			t.Errorf("and then: %v", again)
		}
		_ = c.Close()
		idle(t, db)
		await(t, dsn, e.others+e.running)
	})
}

func TestAStatementNobodyWaitsForIsStopped(t *testing.T) {
	onEach(t, orders, func(t *testing.T, e engine, dsn string) {
		db := openOn(t, Config{DSN: dsn, ReadOnly: true})
		v := viewOf(t, db, "orders")
		v.Where = e.slow
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := db.Digest(ctx, v, row.Range{})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Digest = %v", err)
		}
		idle(t, db)
		await(t, dsn, e.others+e.running)
	})
}

func TestClosingACursorEarlyReadsNoMore(t *testing.T) {
	onEach(t, []string{
		"CREATE TABLE large (id BIGINT PRIMARY KEY, filler «text»)",
		"INSERT INTO large SELECT i, REPEAT('x', 2000) FROM «numbers 50000»",
	}, func(t *testing.T, e engine, dsn string) {
		db := openOn(t, Config{DSN: dsn, ReadOnly: true, MaxConns: 2})
		v := viewOf(t, db, "large")
		for range 10 { // more than the pool holds
			c, err := db.Rows(t.Context(), v, row.Range{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Next(); err != nil {
				t.Fatal(err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			idle(t, db)
		}
		await(t, dsn, e.others+e.running)
	})
}

func TestAConnectionKilledMidStreamIsTransientAndNoEnd(t *testing.T) {
	onEach(t, []string{
		"CREATE TABLE large (id BIGINT PRIMARY KEY, filler «text»)",
		"INSERT INTO large SELECT i, REPEAT('x', 2000) FROM «numbers 50000»",
	}, func(t *testing.T, e engine, dsn string) {
		db := openOn(t, Config{DSN: dsn, ReadOnly: true})
		v := viewOf(t, db, "large")
		c, err := db.Rows(t.Context(), v, row.Range{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Next(); err != nil {
			t.Fatal(err)
		}
		testenv.Exec(t, dsn, e.kill)
		n, err := drain(c)
		if err == nil || n >= 49_999 {
			t.Fatalf("%d rows and no error", n)
		}
		if ClassOf(err) != dialect.ClassTransient {
			t.Errorf("%v, of class %d", err, ClassOf(err))
		}
		if _, again := c.Next(); again == nil || errors.Is(again, io.EOF) {
			t.Errorf("and then: %v", again)
		}
		_ = c.Close()
		idle(t, db)
		if n, err := db.Count(t.Context(), v); err != nil || n != 50_000 {
			t.Errorf("afterwards Count = %d, %v", n, err)
		}
	})
}

func TestExtremeValuesAreExact(t *testing.T) {
	blob := make([]byte, 5<<20)
	for i := range blob {
		blob[i] = byte(rand.IntN(256))
	}
	unsigned := map[string]string{"mariadb": "BIGINT UNSIGNED", "postgres": "NUMERIC(20)"}
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			dsn := e.dsn(t)
			testenv.Exec(t, dsn, "CREATE TABLE extremes (id "+unsigned[e.name]+" PRIMARY KEY, small BIGINT, n "+e.text+", b "+e.blob+")")
			db := openOn(t, Config{DSN: dsn})
			v := viewOf(t, db, "extremes")
			want := []row.Row{
				{row.Value("0"), row.Value("-9223372036854775808"), nil, row.Value{}},
				{row.Value("18446744073709551615"), row.Value("9223372036854775807"), row.Value(""), row.Value(hex.EncodeToString(blob))},
			}
			tx, err := db.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			if err := tx.Insert(t.Context(), v, want); err != nil {
				t.Fatal(err)
			}
			if err := tx.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
			c, err := db.Rows(t.Context(), v, row.Range{})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for i := range want {
				got, err := c.Next()
				if err != nil {
					t.Fatal(err)
				}
				for p := range got {
					if !bytes.Equal(got[p], want[i][p]) || got[p].IsNull() != want[i][p].IsNull() {
						t.Errorf("row %d, column %d: %.40q (%d bytes), want %.40q", i, p, got[p], len(got[p]), want[i][p])
					}
				}
			}
			rows, err := db.Lookup(t.Context(), v, []row.Key{{row.Value("18446744073709551615")}})
			if err != nil || len(rows) != 1 {
				t.Errorf("looked up %d rows, %v", len(rows), err)
			}
		})
	}
}

func TestATableThatIsNotThereIsNamed(t *testing.T) {
	onEach(t, nil, func(t *testing.T, _ engine, dsn string) {
		db := openOn(t, Config{DSN: dsn})
		_, err := db.Table(t.Context(), schema.Name{Table: "order; drop"})
		if err == nil || !strings.Contains(err.Error(), "order; drop") || ClassOf(err) != dialect.ClassSchema {
			t.Errorf("Table = %v, of class %d", err, ClassOf(err))
		}
		idle(t, db)
	})
}

func TestAMissingPrivilegeNamesTheGrant(t *testing.T) {
	onEach(t, []string{"CREATE TABLE orders (id BIGINT PRIMARY KEY)"}, func(t *testing.T, e engine, dsn string) {
		a, err := parseDSN(dsn)
		if err != nil {
			t.Fatal(err)
		}
		user := a.database // a name no other test has
		if e.name == "postgres" {
			testenv.Exec(t, dsn, "CREATE ROLE "+user+" LOGIN PASSWORD 'x-secret-x'")
			t.Cleanup(func() { clean(t, dsn, "DROP ROLE "+user) })
		} else {
			user = user[len(user)-16:]
			testenv.Exec(t, dsn, "CREATE USER '"+user+"'@'%' IDENTIFIED BY 'x-secret-x'", "GRANT SELECT ON orders TO '"+user+"'@'%'")
			t.Cleanup(func() { clean(t, dsn, "DROP USER '"+user+"'@'%'") })
		}
		admin := openOn(t, Config{DSN: dsn})
		v := viewOf(t, admin, "orders")
		a.user, a.password = user, "x-secret-x"
		limited := openOn(t, Config{DSN: a.scheme + "://" + user + ":x-secret-x@" + a.host + "/" + a.database})
		if e.name == "postgres" {
			if _, err := limited.Count(t.Context(), v); err == nil || ClassOf(err) != dialect.ClassDenied ||
				!strings.Contains(err.Error(), "grant the user SELECT") {
				t.Errorf("Count = %v, of class %d", err, ClassOf(err))
			}
		}
		tx, err := limited.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		err = tx.Insert(t.Context(), v, []row.Row{{row.Value("1")}})
		if err == nil || ClassOf(err) != dialect.ClassDenied || !strings.Contains(err.Error(), "grant the user INSERT") {
			t.Errorf("Insert = %v, of class %d", err, ClassOf(err))
		}
	})
}

// clean runs a statement after the test's own context has ended.
func clean(t *testing.T, dsn, statement string) {
	db := testenv.Open(t, dsn)
	defer db.Close()
	if _, err := db.ExecContext(context.Background(), statement); err != nil {
		t.Logf("%s: %v", statement, err)
	}
}
