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
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/schema"
)

func all(string) bool { return true }

func openGoverned(t *testing.T, dsn string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), database.Config{DSN: dsn, ReadOnly: true, MaxConns: 2, Application: "trueup-governor"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func gaugesOf(t *testing.T, db *database.DB) (map[string]database.Gauge, map[string]database.Unmeasured) {
	t.Helper()
	list, unmeasured, err := db.Gauges(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	gauges, missing := map[string]database.Gauge{}, map[string]database.Unmeasured{}
	for _, g := range list {
		gauges[g.Figure] = g
	}
	for _, m := range unmeasured {
		missing[m.Figure] = m
	}
	return gauges, missing
}

func value(t *testing.T, g database.Gauge) float64 {
	t.Helper()
	v, err := g.Measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// stranger returns the DSN with a user who may read the database and nothing else.
func stranger(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	name, password := strings.TrimPrefix(u.Path, "/")+"_r", "unused"
	if len(name) > 32 {
		name = name[len(name)-32:]
	}
	if u.Scheme == "mysql" {
		testenv.Exec(t, dsn, fmt.Sprintf("CREATE USER %s IDENTIFIED BY '%s'", name, password),
			fmt.Sprintf("GRANT SELECT ON %s.* TO %s", strings.TrimPrefix(u.Path, "/"), name))
	} else {
		testenv.Exec(t, dsn, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", name, password))
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		db := testenv.Open(t, dsn)
		defer db.Close()
		if _, err := db.ExecContext(ctx, "DROP USER "+name); err != nil {
			t.Errorf("drop the test's user: %v", err)
		}
	})
	u.User = url.UserPassword(name, password)
	return u.String()
}

// await polls a gauge until it shows what is wanted.
func await(t *testing.T, g database.Gauge, want func(float64) bool) float64 {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		v := value(t, g)
		if want(v) || time.Now().After(deadline) {
			return v
		}
		<-time.After(50 * time.Millisecond)
	}
}

func TestWhatOthersDoIsCountedAndOwnStatementsAreNot(t *testing.T) {
	for engine, sleep := range map[string]string{"mysql": "SELECT SLEEP(%d)", "postgres": "SELECT pg_sleep(%d)"} {
		t.Run(engine, func(t *testing.T) {
			dsn := testenv.Postgres(t)
			if engine == "mysql" {
				dsn = testenv.MySQL(t)
			}
			db := openGoverned(t, dsn)
			gauges, _ := gaugesOf(t, db)
			threads, present := gauges[dialect.ProbeThreads]
			if !present {
				t.Fatal("busy sessions are not measured by a user who may do anything")
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			const busy = 20
			foreign := testenv.Open(t, dsn)
			ended := make(chan struct{})
			for range busy {
				go func() {
					_, _ = foreign.ExecContext(ctx, fmt.Sprintf(sleep, 15))
					ended <- struct{}{}
				}()
			}
			if v := await(t, threads, func(v float64) bool { return v >= busy }); v < busy {
				t.Errorf("%v busy sessions with %d of others", v, busy)
			}
			cancel()
			for range busy {
				<-ended
			}
			// As many statements of this program's own do not show. Other tests
			// use the server too, so some are left.
			own, err := database.Open(t.Context(), database.Config{DSN: dsn, ReadOnly: true, MaxConns: busy, Application: "trueup-validator"})
			if err != nil {
				t.Fatal(err)
			}
			defer own.Close()
			until, stop := context.WithCancel(t.Context())
			for range busy {
				go func() {
					_, _ = own.Number(until, "sleep", ownSleep[engine])
					ended <- struct{}{}
				}()
			}
			for own.Stats().InUse < busy {
				<-time.After(10 * time.Millisecond)
			}
			if v := await(t, threads, func(v float64) bool { return v < busy/2 }); v >= busy/2 {
				t.Errorf("%v busy sessions with %d own ones", v, busy)
			}
			if n, err := threads.Count(t.Context()); err != nil || n.Own < busy {
				t.Errorf("%v own sessions at work of %d, %v", n.Own, busy, err)
			}
			stop()
			for range busy {
				<-ended
			}
		})
	}
}

// Servers count statements, or transactions, in their own time: PostgreSQL's sessions tell
// of theirs once a second.
func TestStatementsOfAnybodyAreCounted(t *testing.T) {
	for _, dsn := range []string{testenv.MySQL(t), testenv.Postgres(t)} {
		db := openGoverned(t, dsn)
		t.Run(db.Engine(), func(t *testing.T) {
			gauges, _ := gaugesOf(t, db)
			asked := func() float64 {
				n, err := gauges[dialect.ProbeThreads].Count(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if n.Reached <= 0 || n.Reached > time.Minute {
					t.Errorf("the server was reached in %v", n.Reached)
				}
				return n.Statements
			}
			const more = 2000
			foreign, before := testenv.Open(t, dsn), asked()
			for range more {
				if _, err := foreign.ExecContext(t.Context(), "SELECT 1"); err != nil {
					t.Fatal(err)
				}
			}
			deadline := time.Now().Add(30 * time.Second)
			for asked() < before+more {
				if time.Now().After(deadline) {
					t.Fatalf("%v statements, %d after %v", asked(), more, before)
				}
				<-time.After(50 * time.Millisecond)
			}
		})
	}
}

// The driver sets a session up in words of its own, and every connection that is opened
// would be somebody else's work for a moment.
func TestASessionThatIsSetUpIsNotSomebodyElses(t *testing.T) {
	dsn := testenv.MySQL(t)
	gauges, _ := gaugesOf(t, openGoverned(t, dsn))
	const settingUp = 20
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	same := testenv.Open(t, dsn)
	ended := make(chan struct{}, settingUp)
	for range settingUp {
		go func() {
			_, _ = same.ExecContext(ctx, "SET @x = SLEEP(15)") // until cancelled
			ended <- struct{}{}
		}()
	}
	inTime, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	for n := 0; n < settingUp; {
		if err := same.QueryRowContext(inTime, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND INFO LIKE 'SET @x%'").Scan(&n); err != nil {
			t.Fatalf("%d of %d sessions are at it, then: %v", n, settingUp, err)
		}
	}
	if v := await(t, gauges[dialect.ProbeThreads], func(v float64) bool { return v < settingUp/2 }); v >= settingUp/2 {
		t.Errorf("%v sessions of others at work, with %d that are set up", v, settingUp)
	}
	cancel()
	for range settingUp {
		<-ended
	}
}

// A session whose client does not read what it asked for keeps no core busy.
func TestWhoWaitsForItsClientIsNotAtWork(t *testing.T) {
	for engine, flood := range map[string]string{
		"mysql":    "SELECT REPEAT('x', 1000000) FROM seq_1_to_200",
		"postgres": "SELECT repeat('x', 1000000) FROM generate_series(1, 200)",
	} {
		t.Run(engine, func(t *testing.T) {
			dsn := testenv.Postgres(t)
			waiting := "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'ClientWrite'"
			if engine == "mysql" {
				dsn = testenv.MySQL(t)
				waiting = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND STATE = 'Writing to net'"
			}
			gauges, _ := gaugesOf(t, openGoverned(t, dsn))
			threads := gauges[dialect.ProbeThreads]
			const idle = 20
			foreign := testenv.Open(t, dsn)
			ctx, cancel := context.WithCancel(t.Context())
			for range idle {
				rows, err := foreign.QueryContext(ctx, flood) //nolint:rowserrcheck // nobody reads them
				if err != nil {
					t.Fatal(err)
				}
				defer rows.Close()
			}
			defer cancel() // before they are closed, which would read all of it
			inTime, stop := context.WithTimeout(t.Context(), 10*time.Second)
			defer stop()
			for n := 0; n < idle; {
				if err := foreign.QueryRowContext(inTime, waiting).Scan(&n); err != nil {
					t.Fatalf("%d of %d sessions wait for their clients, then: %v", n, idle, err)
				}
			}
			// Other tests use the server too, so some are at work.
			if v := await(t, threads, func(v float64) bool { return v < idle/2 }); v >= idle/2 {
				t.Errorf("%v sessions at work, %d of them wait for their clients", v, idle)
			}
		})
	}
}

// ownSleep keeps a session at work for as long as the test may look, and gives a
// number.
var ownSleep = map[string]string{"mysql": "SELECT SLEEP(12)", "postgres": "SELECT 1 FROM pg_sleep(12)"}

func TestLockWaitsShow(t *testing.T) {
	for _, engine := range []string{"mysql", "postgres"} {
		for _, user := range []string{"admin", "stranger"} {
			t.Run(engine+"/"+user, func(t *testing.T) {
				dsn := testenv.Postgres(t)
				if engine == "mysql" {
					dsn = testenv.MySQL(t)
				}
				testenv.Exec(t, dsn, "CREATE TABLE held (id INT PRIMARY KEY, n INT)", "INSERT INTO held VALUES (1, 0)")
				looking := dsn
				if user == "stranger" {
					looking = stranger(t, dsn)
				}
				gauges, missing := gaugesOf(t, openGoverned(t, looking))
				if m, named := missing[dialect.ProbeLockWaits]; named != (engine == "postgres" && user == "stranger") || named && !m.Replaced {
					t.Errorf("lock waits missing: %+v", m)
				}
				foreign := testenv.Open(t, dsn)
				tx, err := foreign.BeginTx(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := tx.ExecContext(t.Context(), "UPDATE held SET n = 1"); err != nil {
					t.Fatal(err)
				}
				waited := make(chan error, 1)
				go func() {
					_, err := foreign.ExecContext(t.Context(), "UPDATE held SET n = 2")
					waited <- err
				}()
				if v := await(t, gauges[dialect.ProbeLockWaits], func(v float64) bool { return v >= 1 }); v < 1 {
					t.Errorf("%v transactions wait for a lock", v)
				}
				if err := tx.Rollback(); err != nil {
					t.Fatal(err)
				}
				if err := <-waited; err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

func TestWhatAUserMayNotSeeIsNamedWithTheWayOut(t *testing.T) {
	t.Run("postgres", func(t *testing.T) {
		gauges, missing := gaugesOf(t, openGoverned(t, stranger(t, testenv.Postgres(t))))
		for _, figure := range []string{dialect.ProbeThreads, dialect.ProbeSnapshotAge, dialect.ProbeReplicaLag, dialect.ProbeLatency} {
			if _, measured := gauges[figure]; measured || !strings.Contains(missing[figure].Why, "grant the user pg_monitor") {
				t.Errorf("%s: measured %v, %+v", figure, measured, missing[figure])
			}
		}
		if v := value(t, gauges[dialect.ProbeConnections]); v <= 0 || v > 100 {
			t.Errorf("%v %% of the connections are taken", v)
		}
	})
	t.Run("mysql", func(t *testing.T) {
		gauges, missing := gaugesOf(t, openGoverned(t, stranger(t, testenv.MySQL(t))))
		if why := missing[dialect.ProbeLatency].Why; why == "" {
			t.Error("statement times are measured without a privilege")
		}
		for _, figure := range []string{dialect.ProbeThreads, dialect.ProbeLockWaits, dialect.ProbeHistory, dialect.ProbeConnections} {
			if g, measured := gauges[figure]; !measured || value(t, g) < 0 {
				t.Errorf("%s: measured %v, %+v", figure, measured, missing[figure])
			}
		}
	})
}

func TestTheServersCoresAreKnownOrNotGuessed(t *testing.T) {
	cores, err := openGoverned(t, testenv.MySQL(t)).Cores(t.Context())
	if err != nil || cores < 1 {
		t.Errorf("%v cores, %v", cores, err)
	}
	if cores, err := openGoverned(t, testenv.Postgres(t)).Cores(t.Context()); err != nil || cores != 0 {
		t.Errorf("PostgreSQL: %v cores, %v", cores, err)
	}
}

func TestTheCanaryReadsOneRowByItsKeyAndAnEmptyTableToo(t *testing.T) {
	for _, dsn := range []string{testenv.MySQL(t), testenv.Postgres(t)} {
		testenv.Exec(t, dsn, "CREATE TABLE one (id INT PRIMARY KEY, n INT)", "CREATE TABLE none (id INT PRIMARY KEY)", "INSERT INTO one VALUES (7, 1)")
		db := openGoverned(t, dsn)
		for _, name := range []string{"one", "none"} {
			table, err := db.Table(t.Context(), schema.Name{Table: name})
			if err != nil {
				t.Fatal(err)
			}
			pair, err := schema.Resolve(schema.Mapping{Name: name, Source: table.Name, Target: table.Name}, table, table, schema.Merge, schema.DigestTexts{})
			if err != nil {
				t.Fatal(err)
			}
			canary, err := db.Canary(t.Context(), &pair.Source)
			if err != nil {
				t.Fatal(err)
			}
			if took, err := canary(t.Context()); err != nil || took <= 0 {
				t.Errorf("%s: %v ms, %v", name, took, err)
			}
			if name == "one" { // a row deleted since costs the same look at the index
				testenv.Exec(t, dsn, "DELETE FROM one")
				if took, err := canary(t.Context()); err != nil || took <= 0 {
					t.Errorf("%s, deleted: %v ms, %v", name, took, err)
				}
			}
		}
	}
}

func TestFiguresNobodyWantsAreNotAskedFor(t *testing.T) {
	db := openGoverned(t, testenv.MySQL(t))
	gauges, missing, err := db.Gauges(t.Context(), func(figure string) bool { return figure == dialect.ProbeConnections })
	if err != nil || len(gauges) != 1 || len(missing) != 0 || !slices.ContainsFunc(gauges, func(g database.Gauge) bool { return g.Figure == dialect.ProbeConnections }) {
		t.Errorf("%v, missing %v, %v", gauges, missing, err)
	}
}
