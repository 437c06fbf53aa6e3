package integration

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
)

// watched is a table of orders whose changes are told by a column.
const (
	watchedMaria    = "CREATE TABLE orders (id BIGINT PRIMARY KEY, state VARCHAR(40) NOT NULL, updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), KEY (updated_at))"
	watchedPostgres = "CREATE TABLE orders (id BIGINT PRIMARY KEY, state VARCHAR(40) NOT NULL, updated_at TIMESTAMPTZ NOT NULL DEFAULT now()); CREATE INDEX ON orders (updated_at)"
)

func watchedTable(e engine) string {
	if e.name == maria.name {
		return watchedMaria
	}
	return watchedPostgres
}

const incrementalPair = "pairs: [{name: orders, updated_at: updated_at, exclude: [updated_at], schedule: {incremental: '@every 1s'}}]\n" +
	"validator: {confirm: 500ms, continuous: {settle: 1s}}\ngovernor: {source: {concurrency: 4, adapt: false}, target: {concurrency: 4, adapt: false}}"

// TestChangesAreFollowedByTheirTime damages the copy as rows change and wants
// them repaired, with a transaction that commits late among them, and a
// validator that is killed in between.
//
// Not beside others: their open transactions would hold its horizon up.
func TestChangesAreFollowedByTheirTime(t *testing.T) {
	for _, d := range []direction{{maria, postgres}, {postgres, maria}} {
		t.Run(d.String(), func(t *testing.T) {
			w := newWorld(t, d, incrementalPair)
			testenv.Exec(t, w.source, watchedTable(d.source))
			testenv.Exec(t, w.target, watchedTable(d.target))
			v := start(t, "validator", "--config", w.config)
			start(t, "fixer", "--config", w.config, "--listen", "127.0.0.1:0")
			v.logged("is verified")

			db := testenv.Open(t, w.source)
			late, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := late.ExecContext(t.Context(), "INSERT INTO orders (id, state) VALUES (1, 'late')"); err != nil {
				t.Fatal(err)
			}
			testenv.Exec(t, w.source, "INSERT INTO orders (id, state) VALUES (2, 'prompt')")
			// Nothing after the open transaction's start may be called verified.
			held := verifiedBehind(v)
			eventually(t, func() (bool, string) {
				behind := verifiedBehind(v)
				return behind > held+3, fmt.Sprint(behind)
			})
			if err := late.Commit(); err != nil {
				t.Fatal(err)
			}
			w.holds("SELECT count(*) FROM orders", 2)
			eventually(t, func() (bool, string) {
				behind := verifiedBehind(v)
				return behind < 5, fmt.Sprint(behind)
			})

			v.kill(9)
			testenv.Exec(t, w.source, "INSERT INTO orders (id, state) VALUES (3, 'while it was away')")
			testenv.Exec(t, w.target, "UPDATE orders SET state = 'wrong' WHERE id = 2")
			testenv.Exec(t, w.source, "UPDATE orders SET state = 'changed', updated_at = CURRENT_TIMESTAMP WHERE id = 2")
			v = start(t, "validator", "--config", w.config)
			w.holds("SELECT count(*) FROM orders", 3)
			w.holds("SELECT count(*) FROM orders WHERE id = 2 AND state = 'changed'", 1)
			if status := v.stop(); status != 0 {
				t.Errorf("status %d", status)
			}
		})
	}
}

// holds waits until a query about the copy gives a number.
func (w *world) holds(query string, want int) {
	w.t.Helper()
	db := testenv.Open(w.t, w.target)
	eventually(w.t, func() (bool, string) {
		var got int
		err := db.QueryRowContext(w.t.Context(), query).Scan(&got)
		return err == nil && got == want, fmt.Sprintf("%s: %d, %v", query, got, err)
	})
}

var behindMetric = regexp.MustCompile(`(?m)^trueup_verified_behind_seconds\{[^}]*mode="incremental"[^}]*\} (\S+)$`)

// verifiedBehind is the metric, or a very long time where there is none yet.
func verifiedBehind(v *service) float64 {
	_, body := v.get("/metrics")
	found := behindMetric.FindStringSubmatch(body)
	if found == nil {
		return 1e9
	}
	n, _ := strconv.ParseFloat(found[1], 64)
	return n
}

// TestChangeEventsTriggerRepairs damages both sides while Debezium tells of it:
// what is deleted at the authority, written at the copy, given another key, or
// truncated. Events that nobody can read, and those of another table, hold up
// nothing.
func TestChangeEventsTriggerRepairs(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs Kafka Connect")
	}
	for _, engineName := range []string{"mysql", "postgres"} {
		t.Run(engineName, func(t *testing.T) {
			e, place := maria, "test"
			if engineName == "postgres" {
				e, place = postgres, "public"
			}
			source, target := changeable(t, engineName), changeable(t, engineName)
			w := &world{t: t, direction: direction{e, e}, source: source, target: target}
			w.kafka.Brokers, w.kafka.Prefix, w.kafka.Partitions = testenv.Kafka(t), testenv.Prefix(t), 6
			ofSource, ofTarget := w.kafka.Prefix+"-a", w.kafka.Prefix+"-b"
			table := strings.ReplaceAll(watchedTable(e), "id BIGINT", "id NUMERIC(20)")
			for _, dsn := range []string{source, target} {
				testenv.Exec(t, dsn, table)
				testenv.Exec(t, dsn, "INSERT INTO orders (id, state) VALUES (1, 'a'), (2, 'b'), (3, 'c'), (18446744073709551615, 'd')")
			}
			connect := testenv.NewConnect(t, connector(t, source, ofSource, true, nil), connector(t, target, ofTarget, false, nil))
			w.configure(source, target, fmt.Sprintf("pairs: [{name: orders, exclude: [updated_at], changes: {source: '%s.%s.orders', target: '%s.%s.orders'}, canary: {key: {id: 3}}}]\n"+
				"validator: {confirm: 300ms, continuous: {settle: 500ms}}", ofSource, place, ofTarget, place))
			w.must(0, "trueup", "topics", "create", "--config", w.config)
			v := start(t, "validator", "--config", w.config)
			start(t, "fixer", "--config", w.config, "--listen", "127.0.0.1:0")
			v.logged("reading change events")

			testenv.Exec(t, source, "DELETE FROM orders WHERE id = 1") // no replicator brings it over
			w.holds("SELECT count(*) FROM orders WHERE id = 1", 0)
			testenv.Exec(t, target, "INSERT INTO orders (id, state) VALUES (9, 'foreign')")
			w.holds("SELECT count(*) FROM orders WHERE id = 9", 0)
			testenv.Exec(t, source, "UPDATE orders SET id = 20 WHERE id = 2")
			w.holds("SELECT count(*) FROM orders WHERE id IN (2, 20)", 1)
			w.holds("SELECT count(*) FROM orders WHERE id = 20 AND state = 'b'", 1)
			testenv.Exec(t, source, "UPDATE orders SET state = 'far' WHERE id = 18446744073709551615")
			w.holds("SELECT count(*) FROM orders WHERE state = 'far'", 1)

			connect.Kill() // what happens meanwhile is told when it is back
			testenv.Exec(t, source, "INSERT INTO orders (id, state) VALUES (30, 'while the connector was away')")
			v.kill(9)
			testenv.Exec(t, target, "UPDATE orders SET state = 'wrong' WHERE id = 3")
			connect.Start()
			v = start(t, "validator", "--config", w.config)
			w.holds("SELECT count(*) FROM orders WHERE id = 30", 1)
			w.holds("SELECT count(*) FROM orders WHERE id = 3 AND state = 'c'", 1)
			flown := w.must(0, "trueup", "canary", "orders", "-f", w.config, "--json", "--timeout", "60s")
			if !containsAll(flown, []string{`"proven":true`, `"asked":false`}) {
				t.Errorf("the canary, whose change events are followed, says %s", flown)
			}
			testenv.Exec(t, target, "TRUNCATE TABLE orders")
			w.holds("SELECT count(*) FROM orders", 4)
			if status := v.stop(); status != 0 {
				t.Errorf("status %d", status)
			}
		})
	}
}
