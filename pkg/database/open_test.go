package database

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/dialect"
)

func TestOpenFindsOutTheEngine(t *testing.T) {
	onEach(t, nil, func(t *testing.T, e engine, dsn string) {
		db := openOn(t, Config{DSN: dsn})
		if got := db.Engine(); got != e.name && (e.name != "mariadb" || got != "mysql") {
			t.Errorf("engine %q on %s", got, e.name)
		}
		if err := db.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		idle(t, db)
	})
}

// A failed connection must say in one sentence what to do, and never show the
// password.
func TestAConnectionRefusedIsOneSentenceWithoutThePassword(t *testing.T) {
	closed := listen(t)
	_ = closed.Close()
	const secret = "S3cr%40t-p%3Ass"
	cases := map[string]struct {
		change func(*url.URL)
		class  dialect.Class
		hint   string
	}{
		"bad password": {func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "S3cr@t-p:ss") }, dialect.ClassDenied, "check user and password"},
		"bad user":     {func(u *url.URL) { u.User = url.UserPassword("nobody-here", "S3cr@t-p:ss") }, dialect.ClassDenied, "check "},
		"bad database": {func(u *url.URL) { u.Path = "/no_such_database" }, dialect.ClassSchema, "create the database"},
		"bad port":     {func(u *url.URL) { u.Host = closed.Addr().String() }, dialect.ClassTransient, "host and port"},
		"bad host":     {func(u *url.URL) { u.Host = "no-such-host.invalid:1" }, dialect.ClassTransient, "host and port"},
		"bad socket": {func(u *url.URL) {
			u.Host, u.RawQuery = "", "socket=/no/such/socket"
			if u.Scheme == "postgres" {
				u.RawQuery = "host=/no/such"
			}
		}, dialect.ClassTransient, "host and port"},
		"no TLS": {func(u *url.URL) {
			u.RawQuery = "tls=true"
			if u.Scheme == "postgres" {
				u.RawQuery = "sslmode=verify-full"
			}
		}, dialect.ClassUnknown, "tls="},
	}
	onEach(t, nil, func(t *testing.T, _ engine, dsn string) {
		for name, c := range cases {
			bad := with(t, dsn, c.change)
			a, err := parseDSN(bad)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Open(t.Context(), Config{DSN: bad, ConnectTimeout: 5 * time.Second})
			if err == nil {
				t.Errorf("%s: no error", name)
				continue
			}
			text := fmt.Sprintf("%v %+v %q", err, err, err)
			if strings.Contains(text, a.password) || strings.Contains(text, secret) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %q shows the password or has several lines", name, err)
			}
			if !strings.Contains(text, c.hint) || ClassOf(err) != c.class || !strings.HasPrefix(text, "open "+a.redacted()) {
				t.Errorf("%s: %q of class %d; want … %s …, class %d", name, err, ClassOf(err), c.hint, c.class)
			}
		}
	})
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func TestPrintingADatabaseShowsNoPassword(t *testing.T) {
	onEach(t, nil, func(t *testing.T, _ engine, dsn string) {
		db := openOn(t, Config{DSN: dsn})
		a, err := parseDSN(dsn)
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprintf("%v %s %s", db, db, db.Redacted()); strings.Contains(text, a.password) {
			t.Errorf("%q shows the password", text)
		}
	})
}

func TestAServerThatAcceptsAndStaysSilentTimesOut(t *testing.T) {
	listener := listen(t)
	for _, scheme := range []string{"mysql", "postgres"} {
		start := time.Now()
		_, err := Open(t.Context(), Config{
			DSN: scheme + "://app:secret@" + listener.Addr().String() + "/shop", ConnectTimeout: 300 * time.Millisecond,
		})
		if err == nil || ClassOf(err) != dialect.ClassTransient || time.Since(start) > 5*time.Second {
			t.Errorf("%s: %v, of class %d, after %v", scheme, err, ClassOf(err), time.Since(start))
		}
	}
}

// PostgreSQL's sockets are pgx's own affair, and the test server may have none.
func TestOpenReachesMySQLThroughItsSocket(t *testing.T) {
	dsn := testenv.MySQL(t)
	const query = "SELECT IF(@@socket LIKE '/%', @@socket, CONCAT(@@datadir, @@socket))"
	var path string
	if err := testenv.Open(t, dsn).QueryRowContext(t.Context(), query).Scan(&path); err != nil {
		t.Fatal(err)
	}
	db := openOn(t, Config{DSN: with(t, dsn, func(u *url.URL) {
		u.Host, u.RawQuery = "", url.Values{"socket": {path}}.Encode()
	})})
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTheServersClockIsReadInUTC(t *testing.T) {
	onEach(t, nil, func(t *testing.T, _ engine, dsn string) {
		now, err := openOn(t, Config{DSN: dsn}).Now(t.Context())
		if skew := time.Since(now).Abs(); err != nil || skew > 5*time.Second {
			t.Errorf("the server's clock is %v away: %v", skew, err)
		}
	})
}

func TestEverySessionHasItsSettings(t *testing.T) {
	onEach(t, nil, func(t *testing.T, e engine, dsn string) {
		db := openOn(t, Config{DSN: dsn, MaxConns: 4, Application: "settings-test"})
		zone, isolation := "@@time_zone", "@@transaction_isolation"
		if e.name == "mariadb" {
			isolation = "@@tx_isolation"
		}
		if e.name == "postgres" {
			zone, isolation = "current_setting('TimeZone')", "current_setting('transaction_isolation')"
		}
		var sessions []session
		for range 4 {
			s, err := db.pool.acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer s.release()
			sessions = append(sessions, s)
		}
		for _, s := range sessions {
			lines, err := readTexts(t.Context(), s, dialect.Query{SQL: "SELECT " + zone + ", " + isolation})
			if err != nil {
				t.Fatal(err)
			}
			got := *lines[0][0] + " " + strings.ToLower(strings.ReplaceAll(*lines[0][1], "-", " "))
			if got != "+00:00 read committed" && got != "UTC read committed" {
				t.Errorf("a session runs with %q", got)
			}
		}
	})
}

// What a role or a server is set to must not change what a repair writes, or how
// long it waits.
func TestARepairHasItsOwnSettingsWhateverTheServersAre(t *testing.T) {
	const hostile = "session_replication_role=replica&TimeZone=Asia/Tokyo&DateStyle=German&row_security=on&idle_in_transaction_session_timeout=0&lock_timeout=0"
	asked := map[string]string{
		"mariadb": "SELECT CONCAT_WS(' ', @@foreign_key_checks, @@unique_checks, @@sql_mode LIKE '%STRICT_ALL_TABLES%', @@lock_wait_timeout, @@innodb_lock_wait_timeout, @@time_zone, @@idle_transaction_timeout)",
		"postgres": "SELECT concat_ws(' ', current_setting('session_replication_role'), current_setting('TimeZone'), current_setting('DateStyle')," +
			" current_setting('row_security'), current_setting('idle_in_transaction_session_timeout'), current_setting('lock_timeout'))",
	}
	want := map[string]string{"mariadb": "ON ON 1 0 0 +00:00 60", "postgres": "origin UTC ISO, YMD off 1min 50ms"}
	onEach(t, nil, func(t *testing.T, e engine, dsn string) {
		if e.name == "postgres" {
			dsn = with(t, dsn, func(u *url.URL) { u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+hostile, "&") })
		}
		line, err := openOn(t, Config{DSN: dsn}).readLine(t.Context(), dialect.Query{SQL: asked[e.name]}, 1)
		if err != nil || *line[0] != want[e.name] {
			t.Errorf("the settings are %q, want %q; %v", *line[0], want[e.name], err)
		}
	})
}

// Whoever waits for a lock for as long as deadlock_timeout looks for a deadlock and
// gives up its own transaction; a repair has given up long before.
func TestARepairGivesUpBeforeAnybodyLooksForADeadlock(t *testing.T) {
	for deadlock, want := range map[string]string{"1s": "50ms", "10min": "50ms", "100ms": "25ms", "1ms": "1ms"} {
		dsn := testenv.Postgres(t)
		u, err := url.Parse(dsn)
		if err != nil {
			t.Fatal("a test database has no valid URL")
		}
		testenv.Exec(t, dsn, "ALTER DATABASE "+strings.TrimPrefix(u.Path, "/")+" SET deadlock_timeout = '"+deadlock+"'")
		line, err := openOn(t, Config{DSN: dsn}).readLine(t.Context(), dialect.Query{SQL: "SELECT current_setting('lock_timeout')"}, 1)
		if err != nil || *line[0] != want {
			t.Errorf("with a deadlock_timeout of %s a repair waits %v, want %s; %v", deadlock, line, want, err)
		}
	}
}

func TestTheServerKnowsTheApplication(t *testing.T) {
	onEach(t, nil, func(t *testing.T, e engine, dsn string) {
		db := openOn(t, Config{DSN: dsn, Application: "ledger check"})
		query := "SELECT application_name = 'ledger check' FROM pg_stat_activity WHERE pid = pg_backend_pid()"
		if e.name == "mariadb" {
			query = "SELECT info LIKE '/* ledger-check %' FROM information_schema.processlist WHERE id = CONNECTION_ID()"
		}
		line, err := db.readLine(t.Context(), dialect.Query{SQL: query}, 1)
		if err != nil || (*line[0] != "1" && *line[0] != "t") {
			t.Errorf("%v, %v", line, err)
		}
	})
}

func TestTheStatementTimeoutIsTheServers(t *testing.T) {
	onEach(t, []string{"CREATE TABLE orders (id BIGINT PRIMARY KEY)", "INSERT INTO orders VALUES (1)"},
		func(t *testing.T, e engine, dsn string) {
			db := openOn(t, Config{DSN: dsn, StatementTimeout: 200 * time.Millisecond})
			v := viewOf(t, db, "orders")
			v.Where = e.slow
			start := time.Now()
			_, err := db.Count(t.Context(), v)
			if err == nil || time.Since(start) > 20*time.Second || !strings.Contains(err.Error(), "time-out") {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
			idle(t, db)
		})
}

func TestAReadOnlySessionRefusesToWrite(t *testing.T) {
	onEach(t, []string{"CREATE TABLE orders (id BIGINT PRIMARY KEY)"}, func(t *testing.T, _ engine, dsn string) {
		db := openOn(t, Config{DSN: dsn, ReadOnly: true})
		if _, err := db.Begin(t.Context()); err == nil || !strings.Contains(err.Error(), "reading only") {
			t.Errorf("Begin: %v", err)
		}
		insert := dialect.Query{SQL: "INSERT INTO orders VALUES (1)"}
		err := db.session(t.Context(), func(s session) error {
			_, err := s.exec(t.Context(), insert)
			return err
		})
		if err == nil {
			t.Error("the server takes an insert")
		} else if text := db.fail(t.Context(), subject{op: "insert"}, err).Error(); !strings.Contains(text, "refuses writes") {
			t.Error(text)
		}
		idle(t, db)
	})
}

// MySQL's driver notices before it sends anything. PostgreSQL's pool asks a
// connection only after a second of rest; before that it is the statement that
// fails, as transient, and the next one works.
func TestAConnectionThatDiedInThePoolIsReplaced(t *testing.T) {
	onEach(t, []string{"CREATE TABLE orders (id BIGINT PRIMARY KEY)"}, func(t *testing.T, e engine, dsn string) {
		db := openOn(t, Config{DSN: dsn})
		v := viewOf(t, db, "orders")
		testenv.Exec(t, dsn, e.kill)
		await(t, dsn, e.others)
		_, err := db.Count(t.Context(), v)
		if err != nil && (e.name == "mariadb" || ClassOf(err) != dialect.ClassTransient) {
			t.Errorf("Count = %v, of class %d", err, ClassOf(err))
		}
		if _, err := db.Count(t.Context(), v); err != nil {
			t.Errorf("Count once more = %v", err)
		}
		idle(t, db)
	})
}

func TestAFullPoolWaitsAsLongAsTheContext(t *testing.T) {
	onEach(t, []string{"CREATE TABLE orders (id BIGINT PRIMARY KEY)", "INSERT INTO orders SELECT i FROM «numbers 10»"},
		func(t *testing.T, _ engine, dsn string) {
			db := openOn(t, Config{DSN: dsn, MaxConns: 1})
			tx, err := db.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if _, err := db.Now(ctx); err == nil || ClassOf(err) != dialect.ClassUnknown {
				t.Errorf("Now = %v, of class %d", err, ClassOf(err))
			}
			tx.Rollback()
			if _, err := db.Now(t.Context()); err != nil {
				t.Error(err)
			}
			idle(t, db)
		})
}
