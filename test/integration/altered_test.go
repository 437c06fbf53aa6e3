package integration

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/event"
)

// TestATableThatIsAlteredUnderTheFixerIsRepairedAsItIsNow alters tables between
// findings, on either side.
func TestATableThatIsAlteredUnderTheFixerIsRepairedAsItIsNow(t *testing.T) {
	t.Parallel()
	const v = "ALTER TABLE orders "
	for _, c := range []struct {
		name string
		side event.Side
		// alter is what is done, by engine.
		alter map[string]string
	}{
		{"a column of the copy is dropped", event.Target, map[string]string{maria.name: v + "DROP COLUMN w", postgres.name: v + "DROP COLUMN w"}},
		{"a column of the authority is dropped", event.Source, map[string]string{maria.name: v + "DROP COLUMN w", postgres.name: v + "DROP COLUMN w"}},
		{"a column of the copy is renamed", event.Target, map[string]string{maria.name: v + "RENAME COLUMN w TO x", postgres.name: v + "RENAME COLUMN w TO x"}},
		{"a column of the copy has another type", event.Target, map[string]string{maria.name: v + "MODIFY w DECIMAL(12,2)", postgres.name: v + "ALTER w TYPE DECIMAL(12,2)"}},
		{"a column of the authority has another type", event.Source, map[string]string{maria.name: v + "MODIFY w DECIMAL(12,2)", postgres.name: v + "ALTER w TYPE DECIMAL(12,2)"}},
		{"the key of the copy has another type", event.Target, map[string]string{maria.name: v + "MODIFY id BIGINT", postgres.name: v + "ALTER id TYPE BIGINT"}},
	} {
		for _, d := range []direction{{maria, postgres}, {postgres, maria}} {
			t.Run(c.name+"/"+d.String(), func(t *testing.T) {
				w := newAlteredWorld(t, d, "pairs: [{name: orders}]\nvalidator: {confirm: 0s}")
				fixer := start(t, "fixer", "--config", w.config)
				w.publish([]event.Finding{findingOf("orders", 1)})
				w.repaired("1", 1)
				dsn, e := w.target, d.target
				if c.side == event.Source {
					dsn, e = w.source, d.source
				}
				testenv.Exec(t, dsn, c.alter[e.name])
				w.publish([]event.Finding{findingOf("orders", 2)})
				w.repaired("2", 2)
				if n := len(w.letters()); n != 0 {
					t.Errorf("%d letters", n)
				}
				fixer.readiness(200, `"ready": true`)
			})
		}
	}
}

func newAlteredWorld(t *testing.T, d direction, settings string) *world {
	t.Helper()
	w := newNarrowWorld(t, d, settings)
	for _, dsn := range []string{w.source, w.target} {
		testenv.Exec(t, dsn, "CREATE TABLE orders (id INT PRIMARY KEY, v INT, w INT)",
			"INSERT INTO orders VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3)", "CREATE TABLE items (id INT PRIMARY KEY, v INT, w INT)",
			"INSERT INTO items VALUES (1, 1, 1)")
	}
	testenv.Exec(t, w.target, "UPDATE orders SET v = 90", "UPDATE items SET v = 90")
	return w
}

// repaired waits until a row of orders has its value at the copy.
func (w *world) repaired(id string, v int) {
	w.t.Helper()
	db := testenv.Open(w.t, w.target)
	eventually(w.t, func() (bool, string) {
		var got int
		if err := db.QueryRowContext(w.t.Context(), "SELECT v FROM orders WHERE id = "+id).Scan(&got); err != nil {
			return false, err.Error()
		}
		return got == v, fmt.Sprintf("row %s has %d", id, got)
	})
}

// TestFindingsOfATableThatNoLongerFitsAreGivenUpAndOthersGoOn renames a column
// that the configuration names.
func TestFindingsOfATableThatNoLongerFitsAreGivenUpAndOthersGoOn(t *testing.T) {
	t.Parallel()
	for _, d := range []direction{{maria, postgres}, {postgres, maria}} {
		t.Run(d.String(), func(t *testing.T) {
			w := newAlteredWorld(t, d, "pairs: [{name: orders, columns: [id, v, w]}, {name: items}]\nvalidator: {confirm: 0s}")
			fixer := start(t, "fixer", "--config", w.config)
			w.publish([]event.Finding{findingOf("orders", 1)})
			w.repaired("1", 1)
			testenv.Exec(t, w.source, "ALTER TABLE orders RENAME COLUMN v TO worth")
			w.publish([]event.Finding{findingOf("orders", 2), findingOf("orders", 3)})
			fixer.readiness(503, "does not fit any more")
			w.publish([]event.Finding{findingOf("items", 1)})
			w.drained()
			if v := scan[int](t, w.target, "SELECT v FROM items"); v != 1 {
				t.Errorf("the other pair was not repaired: %d", v)
			}
			dead := w.letters("--class", "schema", "--pair", "orders")
			if len(dead) != 2 || !strings.Contains(dead[0].Reason, "dead retry --class schema") {
				t.Fatalf("letters %+v", dead)
			}
			if s := scan[int](t, w.target, "SELECT SUM(v) FROM orders"); s != 181 {
				t.Errorf("the copy's sum is %d", s)
			}
			testenv.Exec(t, w.source, "ALTER TABLE orders RENAME COLUMN worth TO v")
			w.must(0, "trueup", "dead", "retry", "--config", w.config, "--class", "schema")
			w.repaired("2", 2)
			w.repaired("3", 3)
			fixer.readiness(200, `"ready": true`)
		})
	}
}

// TestACopyThatIsReadOnlyIsWaitedFor has the copy refuse writes for a while, as
// after a failover to a standby, or fenced by an operator.
func TestACopyThatIsReadOnlyIsWaitedFor(t *testing.T) {
	t.Parallel()
	t.Run(maria.name, func(t *testing.T) {
		if !testenv.HasPrivate("mysql") {
			t.Skip("needs a server of its own")
		}
		dsn := testenv.NewPrivate(t, "mysql").URL()
		testenv.Exec(t, dsn, "CREATE USER fixer@'127.0.0.1' IDENTIFIED BY 'limited-s3cret-pw'",
			"GRANT SELECT, INSERT, UPDATE, DELETE ON test.* TO fixer@'127.0.0.1'")
		user := at(t, dsn, func(u *url.URL) { u.User = url.UserPassword("fixer", "limited-s3cret-pw") })
		waitsForAReadOnlyCopy(t, direction{postgres, maria}, dsn, user, func(on bool) {
			testenv.Exec(t, dsn, fmt.Sprintf("SET GLOBAL read_only = %t", on))
		})
	})
	t.Run(postgres.name, func(t *testing.T) {
		dsn := testenv.Postgres(t)
		owner := at(t, dsn, func(u *url.URL) {
			values := u.Query()
			values.Set("default_transaction_read_only", "off")
			u.RawQuery = values.Encode()
		})
		// It is for sessions that begin later; those there are end as at a failover.
		waitsForAReadOnlyCopy(t, direction{maria, postgres}, dsn, dsn, func(on bool) {
			const alter = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %%I SET default_transaction_read_only = %t', current_database()); END $$"
			testenv.Exec(t, owner, fmt.Sprintf(alter, on))
			if on {
				testenv.Exec(t, owner, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
			}
		})
	})
}

// waitsForAReadOnlyCopy has the fixer write as user to the copy at dsn.
func waitsForAReadOnlyCopy(t *testing.T, d direction, dsn, user string, readOnly func(bool)) {
	w := newNarrowWorld(t, d, "")
	for _, dsn := range []string{w.source, dsn} {
		testenv.Exec(t, dsn, "CREATE TABLE orders (id INT PRIMARY KEY, v INT)", "INSERT INTO orders VALUES (1, 1), (2, 2)")
	}
	w.target = dsn
	testenv.Exec(t, w.target, "UPDATE orders SET v = 90")
	w.configure(w.source, user, "pairs: [{name: orders}]")
	fixer := start(t, "fixer", "--config", w.config)
	w.publish([]event.Finding{findingOf("orders", 1)})
	w.repaired("1", 1)
	w.drained()
	readOnly(true)
	w.publish([]event.Finding{findingOf("orders", 2)})
	fixer.readiness(503, "repairs of orders")
	lag, err := w.admin().GroupLag(t.Context(), w.kafka.Prefix+".fixer", w.kafka.Topics().Findings)
	if err != nil || lag[0] != 1 {
		t.Errorf("lag %v, %v", lag, err)
	}
	if v := scan[int](t, w.target, "SELECT v FROM orders WHERE id = 2"); v != 90 {
		t.Errorf("the row has %d", v)
	}
	readOnly(false)
	w.repaired("2", 2)
	fixer.readiness(200, `"ready": true`)
	if n := len(w.letters()); n != 0 {
		t.Errorf("%d letters", n)
	}
}
