package sqlsink_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/fix/sqlsink"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// server is a database of a test's own: raw for the test, db for the product.
type server struct {
	engine string
	dsn    string
	raw    *sql.DB
	db     *database.DB
}

var engines = map[string]func(testing.TB) string{"mysql": testenv.MySQL, "postgres": testenv.Postgres}

func start(t testing.TB, engine string) *server {
	t.Helper()
	dsn := engines[engine](t)
	db, err := database.Open(t.Context(), database.Config{DSN: dsn, MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{engine: engine, dsn: dsn, raw: testenv.Open(t, dsn), db: db}
	t.Cleanup(func() { _ = db.Close() })
	s.exec(t, s.ddl())
	return s
}

func (s *server) exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	if _, err := s.raw.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// ddl is the table of these tests: types that differ between the engines, a
// unique value besides the key, and a column that no pair maps.
func (s *server) ddl() string {
	if s.engine == "postgres" {
		return `CREATE TABLE orders (id bigint PRIMARY KEY, email varchar(40) NOT NULL CONSTRAINT one_email UNIQUE,
			amount numeric(12,4), paid boolean, data bytea, placed timestamp(6), "note ""x""" text,
			private text DEFAULT 'own')`
	}
	return "CREATE TABLE orders (id bigint PRIMARY KEY, email varchar(40) NOT NULL, " +
		"amount decimal(12,4), paid tinyint(1), data longblob, placed datetime(6), `note \"x\"` longtext, " +
		"private text DEFAULT 'own', UNIQUE KEY one_email (email)) DEFAULT CHARSET utf8mb4"
}

// order is a row in a form both engines' statements are made from. A private
// text of "" leaves the column to its default.
type order struct {
	id                  int
	email, amount, note string
	paid                bool
	private             string
}

func (s *server) insert(t testing.TB, orders ...order) {
	t.Helper()
	if len(orders) == 0 {
		return
	}
	values := make([]string, len(orders))
	for i, o := range orders {
		data := fmt.Sprintf("%x\x00\xff", o.email)
		blob, note := fmt.Sprintf("X'%x'", data), `'`+o.note+`'`
		if s.engine == "postgres" {
			blob = fmt.Sprintf(`'\x%x'`, data)
		}
		private := "DEFAULT"
		if o.private != "" {
			private = "'" + o.private + "'"
		}
		values[i] = fmt.Sprintf("(%d, '%s', %s, %t, %s, '2024-02-29 23:59:59.%06d', %s, %s)",
			o.id, o.email, o.amount, o.paid, blob, o.id%1000000, note, private)
	}
	s.exec(t, "INSERT INTO orders VALUES "+strings.Join(values, ", "))
}

func (s *server) text(t testing.TB, query string) string {
	t.Helper()
	var out sql.NullString
	if err := s.raw.QueryRowContext(t.Context(), query).Scan(&out); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return out.String
}

// bench is a pair over two servers.
type bench struct {
	source, target *server
	pair           *schema.Pair
	config         fix.Config
}

// newBench makes side the authority.
func newBench(t testing.TB, source, target *server, side event.Side) *bench {
	t.Helper()
	b := &bench{source: source, target: target}
	mapping := schema.Mapping{
		Name: "orders", Source: schema.Name{Table: "orders"}, Target: schema.Name{Table: "orders"},
		Columns: []string{"id", "email", "amount", "paid", "data", "placed", `note "x"`},
	}
	from, to := source, target
	b.pair = resolve(t, mapping, source, target)
	view := &b.pair.Target
	if side == event.Target {
		from, to, view = target, source, &b.pair.Source
	}
	b.config = fix.Config{
		Pair: b.pair, Side: side, Epoch: 1,
		Authority: sqlsink.NewReader(from.db), Sink: sqlsink.New(to.db, view),
	}
	return b
}

func resolve(t testing.TB, m schema.Mapping, source, target *server) *schema.Pair {
	t.Helper()
	tables := make([]*schema.Table, 2)
	for i, s := range []*server{source, target} {
		table, err := s.db.Table(t.Context(), schema.Name{Table: "orders"})
		if err != nil {
			t.Fatal(err)
		}
		tables[i] = table
	}
	pair, err := schema.Resolve(m, tables[0], tables[1], schema.Auto,
		schema.DigestTexts{Source: source.db.Dialect().DigestText, Target: target.db.Dialect().DigestText})
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func (b *bench) finding(id int) event.Finding {
	c := b.pair.Source.KeyColumns()[0]
	return event.Finding{
		ID: fmt.Sprint("f", id), Pair: b.pair.Name, Run: "run", Epoch: 1, Kind: event.NotEqual,
		Key: event.Key{{Column: "id", Type: c.As, Value: row.Value(fmt.Sprint(id))}},
	}
}

func (b *bench) findings(ids ...int) []event.Finding {
	out := make([]event.Finding, len(ids))
	for i, id := range ids {
		out[i] = b.finding(id)
	}
	return out
}

func (b *bench) repair(t testing.TB, findings []event.Finding) map[string]event.Outcome {
	t.Helper()
	r, err := fix.New(b.config)
	if err != nil {
		t.Fatal(err)
	}
	outcomes, err := r.Repair(t.Context(), findings)
	if err != nil {
		t.Fatal(err)
	}
	if len(outcomes) != len(findings) {
		t.Fatalf("%d outcomes for %d findings", len(outcomes), len(findings))
	}
	out := map[string]event.Outcome{}
	for _, o := range outcomes {
		out[o.FindingID] = o
	}
	return out
}

// wantEqual fails unless both sides hold the same rows under keys below n.
func (b *bench) wantEqual(t testing.TB, n int) {
	t.Helper()
	source, target := b.rows(t, b.source, &b.pair.Source, n), b.rows(t, b.target, &b.pair.Target, n)
	for id := range n {
		if source[id] != target[id] {
			t.Errorf("row %d: source %s, target %s", id, source[id], target[id])
		}
	}
}

func (b *bench) rows(t testing.TB, s *server, v *schema.View, n int) map[int]string {
	t.Helper()
	keys := make([]row.Key, n)
	ids := map[string]int{}
	for id := range n {
		keys[id] = row.Key{row.Value(fmt.Sprint(id))}
		ids[keys[id].ID()] = id
	}
	rows, err := s.db.Lookup(t.Context(), v, keys)
	if err != nil {
		t.Fatal(err)
	}
	out := map[int]string{}
	for _, r := range rows {
		out[ids[r.Key(v.Key).ID()]] = fmt.Sprintf("%q", r)
	}
	return out
}

// watcher is an Observer that hears when a repair waits.
type watcher struct{ waiting func(error) }

func (w watcher) Batch(string, int, time.Duration) {}
func (w watcher) Settled(event.Outcome)            {}
func (w watcher) Waiting(_ string, err error, _ time.Duration) {
	if w.waiting != nil {
		w.waiting(err)
	}
}

// gate runs a function before the first write.
type gate func()

func (g gate) Admit(event.Action) string { g(); return "" }

func (gate) Settle(event.Action, bool) {}

// hold locks a row in a transaction of its own until free is called.
func (s *server) hold(t testing.TB, id int) (free func()) {
	t.Helper()
	tx, err := s.raw.BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), fmt.Sprintf("SELECT id FROM orders WHERE id = %d FOR UPDATE", id)); err != nil {
		t.Fatal(err)
	}
	return func() { _ = tx.Rollback() }
}
