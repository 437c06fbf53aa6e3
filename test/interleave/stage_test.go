// Package interleave plays the schedules of docs/model on real servers: a
// repair is stopped between two of its steps, others act, and it goes on.
package interleave

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/fix/sqlsink"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// patience is how long anything here may take; what takes longer hangs.
const patience = 30 * time.Second

// server is one database: raw is everybody's way to it but the fixer's.
type server struct {
	engine string
	raw    *sql.DB
	db     *database.DB
	reads  *database.DB // as a fixer opens its authority
}

var engines = map[string]func(testing.TB) string{"mysql": testenv.MySQL, "postgres": testenv.Postgres}

func start(t testing.TB, engine string) *server {
	t.Helper()
	dsn := engines[engine](t)
	db, err := database.Open(t.Context(), database.Config{DSN: dsn, MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	reads, err := database.Open(t.Context(), database.Config{DSN: dsn, MaxConns: 8, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reads.Close() })
	s := &server{engine: engine, raw: testenv.Open(t, dsn), db: db, reads: reads}
	// A row is a version of itself; two rows never have the same code.
	s.exec(t, "CREATE TABLE accounts (id bigint PRIMARY KEY, version int NOT NULL, code int, CONSTRAINT one_code UNIQUE (code))")
	return s
}

func (s *server) exec(t testing.TB, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := s.raw.ExecContext(ctx, statement); err != nil {
		t.Errorf("%s: %v", statement, err)
	}
}

// gone is the version of a row that is not there, junk that of a damaged one.
const (
	gone = 0
	junk = -1
)

// version is what bring makes of row id.
func (s *server) version(id, version int) string {
	if version == gone {
		return fmt.Sprintf("DELETE FROM accounts WHERE id = %d", id)
	}
	statement := fmt.Sprintf("INSERT INTO accounts (id, version) VALUES (%d, %d) ", id, version)
	if s.engine == "postgres" {
		return statement + "ON CONFLICT (id) DO UPDATE SET version = EXCLUDED.version"
	}
	return statement + "ON DUPLICATE KEY UPDATE version = VALUES(version)"
}

func (s *server) bring(t testing.TB, id, version int) {
	t.Helper()
	s.exec(t, s.version(id, version))
}

// content is the whole table as one text.
func (s *server) content(t testing.TB) string {
	t.Helper()
	rows, err := s.raw.QueryContext(context.Background(), "SELECT id, version, COALESCE(code, 0) FROM accounts ORDER BY id")
	if err != nil {
		t.Error(err)
		return ""
	}
	defer rows.Close()
	var out strings.Builder
	for rows.Next() {
		var id, version, code int
		if err := rows.Scan(&id, &version, &code); err != nil {
			t.Error(err)
		}
		fmt.Fprintf(&out, "%d: version %d, code %d; ", id, version, code)
	}
	if err := rows.Err(); err != nil {
		t.Error(err)
	}
	return out.String()
}

// try executes a statement that is to wait for no row: false when one it needs
// is held.
func (s *server) try(t testing.TB, statement string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := s.raw.Conn(ctx)
	if err != nil {
		t.Error(err)
		return false
	}
	defer conn.Close()
	impatient, patient := "SET innodb_lock_wait_timeout = 0", "SET innodb_lock_wait_timeout = DEFAULT"
	if s.engine == "postgres" { // a millisecond is as little as it can
		impatient, patient = "SET lock_timeout = 1", "SET lock_timeout = DEFAULT"
	}
	if _, err := conn.ExecContext(ctx, impatient); err != nil {
		t.Error(err)
	}
	_, err = conn.ExecContext(ctx, statement)
	if _, err := conn.ExecContext(ctx, patient); err != nil {
		t.Error(err)
	}
	if err != nil && s.db.Dialect().Classify(err) != dialect.ClassContention {
		t.Errorf("%s: %v", statement, err)
	}
	return err == nil
}

// killOthers ends every connection to the database but the one it uses.
func (s *server) killOthers(t testing.TB) {
	t.Helper()
	if s.engine == "postgres" {
		s.exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		return
	}
	var kills sql.NullString
	err := s.raw.QueryRowContext(context.Background(),
		"SELECT GROUP_CONCAT(CONCAT('KILL ', id) SEPARATOR ';') FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()").Scan(&kills)
	if err != nil {
		t.Error(err)
	}
	for _, kill := range strings.Split(kills.String, ";") {
		_, _ = s.raw.ExecContext(context.Background(), kill) // it may have ended by itself
	}
}

// stage is a pair, its repair, and a replicator from the authority to the copy.
type stage struct {
	authority, copy *server
	pair            *schema.Pair
	view            *schema.View // the copy's
	side            event.Side
}

// newStage makes side the authority.
func newStage(t testing.TB, source, target *server, side event.Side) *stage {
	t.Helper()
	tables := make([]*schema.Table, 2)
	for i, s := range []*server{source, target} {
		table, err := s.db.Table(t.Context(), schema.Name{Table: "accounts"})
		if err != nil {
			t.Fatal(err)
		}
		tables[i] = table
	}
	pair, err := schema.Resolve(schema.Mapping{
		Name: "accounts", Source: schema.Name{Table: "accounts"}, Target: schema.Name{Table: "accounts"},
	}, tables[0], tables[1], schema.Auto,
		schema.DigestTexts{Source: source.db.Dialect().DigestText, Target: target.db.Dialect().DigestText})
	if err != nil {
		t.Fatal(err)
	}
	if side == event.Target {
		return &stage{authority: target, copy: source, pair: pair, view: &pair.Source, side: side}
	}
	return &stage{authority: source, copy: target, pair: pair, view: &pair.Target, side: side}
}

// each plays a test on all four pairs of engines, and where the engines differ
// with either side as the authority.
func each(t *testing.T, test func(t *testing.T, s *stage)) {
	for _, from := range []string{"mysql", "postgres"} {
		for _, to := range []string{"mysql", "postgres"} {
			t.Run(from+" to "+to, func(t *testing.T) {
				test(t, newStage(t, start(t, from), start(t, to), event.Source))
			})
			if from != to {
				t.Run(from+" to "+to+", the target being right", func(t *testing.T) {
					test(t, newStage(t, start(t, from), start(t, to), event.Target))
				})
			}
		}
	}
}

func (s *stage) empty(t testing.TB) {
	t.Helper()
	s.authority.exec(t, "DELETE FROM accounts")
	s.copy.exec(t, "DELETE FROM accounts")
}

// set gives row id a version on each side.
func (s *stage) set(t testing.TB, id, authority, copied int) {
	t.Helper()
	s.authority.bring(t, id, authority)
	s.copy.bring(t, id, copied)
}

func (s *stage) equal(t testing.TB) bool { return s.authority.content(t) == s.copy.content(t) }

func (s *stage) wantEqual(t testing.TB) {
	t.Helper()
	if a, c := s.authority.content(t), s.copy.content(t); a != c {
		t.Errorf("the authority has %q and the copy %q", a, c)
	}
}

// config is a repair that calls p at its steps.
func (s *stage) config(p *points) fix.Config {
	return fix.Config{
		Pair: s.pair, Side: s.side, Epoch: 1,
		Authority: &reader{Reader: sqlsink.NewReader(s.authority.reads), points: p},
		Sink:      &sink{Sink: sqlsink.New(s.copy.db, s.view), points: p},
	}
}

func (s *stage) findings(ids ...int) []event.Finding {
	out := make([]event.Finding, len(ids))
	for i, id := range ids {
		c := s.pair.Source.KeyColumns()[0]
		out[i] = event.Finding{
			ID: fmt.Sprint("f", id), Pair: s.pair.Name, Run: "run", Epoch: 1, Kind: event.NotEqual,
			Key: event.Key{{Column: "id", Type: c.As, Value: row.Value(fmt.Sprint(id))}},
		}
	}
	return out
}

// repair settles findings of the rows; the outcome of the first is returned.
// Rows that were in the way have outcomes as well.
func (s *stage) repair(t testing.TB, c fix.Config, ids ...int) event.Outcome {
	t.Helper()
	r, err := fix.New(c)
	if err != nil {
		t.Error(err)
		return event.Outcome{}
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), patience, errors.New("the repair hangs"))
	defer cancel()
	outcomes, err := r.Repair(ctx, s.findings(ids...))
	if err != nil {
		t.Error(err)
	}
	told := map[string][]event.Outcome{}
	for _, o := range outcomes {
		told[o.FindingID] = append(told[o.FindingID], o)
	}
	for _, id := range ids {
		if n := len(told[fmt.Sprint("f", id)]); n != 1 {
			t.Errorf("%d outcomes for row %d", n, id)
			return event.Outcome{}
		}
	}
	return told[fmt.Sprint("f", ids[0])][0]
}
