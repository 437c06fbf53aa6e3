package chart

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/common/model"

	"github.com/trueup/trueup/internal/testenv"
)

// underLoad has something to show in every panel: rows are compared all the time,
// some differ and are repaired, one pair's repairs are held, a row is refused by the
// copy, and changes are followed.
const underLoad = `
pairs:
  - {name: orders, updated_at: updated_at, exclude: [updated_at], schedule: {full: "@every 2s", incremental: "@every 1s"}, canary: {key: {id: 9}}}
  - {name: held, schedule: {full: "@every 2s"}, breaker: {per_minute: 1}}
  - {name: refused, schedule: {full: "@every 2s"}}
validator: {confirm: 100ms}
fixer: {retry_delay: 2s}
governor:
  source: {limits: {canary: 1m, latency: 1m, per_row: 1m, threads: 0, history: 0}}
  target: {limits: {canary: 1m, latency: 1m, per_row: 1m, threads: 0}}
`

// fill makes tables whose rows are the same on both sides.
func (l *live) fill() {
	l.t.Helper()
	var rows []string
	for id := range 20 {
		rows = append(rows, fmt.Sprintf("(%d, 1)", id))
	}
	values := " (id, n) VALUES " + strings.Join(rows, ", ")
	for _, table := range []string{"held", "refused"} {
		for _, side := range []string{l.source, l.target} {
			testenv.Exec(l.t, side, "CREATE TABLE "+table+" (id INT PRIMARY KEY, n INT)", "INSERT INTO "+table+values)
		}
	}
	testenv.Exec(l.t, l.source, "CREATE TABLE orders (id INT PRIMARY KEY, n INT, updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), KEY (updated_at))", "INSERT INTO orders"+values)
	testenv.Exec(l.t, l.target, "CREATE TABLE orders (id INT PRIMARY KEY, n INT, updated_at TIMESTAMPTZ NOT NULL DEFAULT now())", "INSERT INTO orders"+values,
		"ALTER TABLE refused ADD CONSTRAINT positive CHECK (n > 0)")
}

// loaded runs the services and scrapes them: at rest, while everything happens that
// a dashboard or an alert tells of, and after.
func loaded(t *testing.T) *live {
	t.Helper()
	l := newLive(t, underLoad)
	l.fill()
	l.start("validator")
	l.start("fixer")
	l.until(condition{"trueup_run_last_clean", model.LabelSet{"pair": "orders"}, 1}, condition{"trueup_kafka_claims", model.LabelSet{}, 3},
		condition{"trueup_verified_until_timestamp_seconds", model.LabelSet{"pair": "orders"}, 1}, condition{"trueup_kafka_group_lag", nil, 0})

	// Somebody holds a row that is to be repaired: the finding is put off.
	holder, err := testenv.Open(t, l.target).BeginTx(t.Context(), nil)
	if err == nil {
		_, err = holder.ExecContext(t.Context(), "SELECT n FROM orders WHERE id = 1 FOR UPDATE")
	}
	if err != nil {
		t.Fatal(err)
	}
	testenv.Exec(t, l.source, "UPDATE orders SET n = 77 WHERE id = 1", "UPDATE refused SET n = -5 WHERE id = 5")
	testenv.Exec(t, l.target, "UPDATE orders SET n = 0 WHERE id = 2", "DELETE FROM orders WHERE id = 3", "INSERT INTO orders VALUES (100, 1)", "UPDATE held SET n = 0")
	became := func(pair, result string) condition {
		return condition{"trueup_fixer_outcomes_total", model.LabelSet{"pair": model.LabelValue(pair), "result": model.LabelValue(result)}, 1}
	}
	l.until(became("orders", "repaired"), became("held", "held"), became("refused", "dead"),
		condition{"trueup_open_rows_stuck", model.LabelSet{"why": "put_off"}, 1}, condition{"trueup_fixer_breaker_tripped", model.LabelSet{"pair": "held"}, 1})
	if err := holder.Rollback(); err != nil {
		t.Fatal(err)
	}
	l.trueup("canary", "orders", "--config", l.config)
	l.trueup("governor", "pause", "--server", l.services["validator"], "--for", "1m", "--why", "a test")
	l.until(condition{"trueup_governor_paused", model.LabelSet{"use": "reads"}, 1}, condition{"trueup_canary_last_proven", model.LabelSet{"pair": "orders"}, 1})
	l.trueup("governor", "resume", "--server", l.services["validator"])
	for range 4 { // a rate needs some
		l.scrape()
	}
	return l
}
