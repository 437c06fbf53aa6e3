package integration

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
)

// refused runs a command that must end with status 2 and say what is wrong and
// what to do, in one sentence on one line (and perhaps a hint on another).
func refused(t *testing.T, want []string, name string, args ...string) {
	t.Helper()
	status, stdout, stderr := command(t, name, args...)
	if status != 2 {
		t.Errorf("status %d, want 2\nstdout: %s\nstderr: %s", status, stdout, stderr)
	}
	if stdout != "" {
		t.Errorf("stdout: %s", stdout)
	}
	if !containsAll(stderr, want) {
		t.Errorf("stderr lacks one of %q:\n%s", want, stderr)
	}
	if name == "trueup" && (!strings.HasPrefix(stderr, "trueup: ") || strings.Count(strings.TrimSpace(stderr), "\n") > 1) {
		t.Errorf("not one sentence:\n%s", stderr)
	}
	if strings.Contains(stderr, "goroutine ") {
		t.Errorf("a crash:\n%s", stderr)
	}
}

// at puts another user, password or path into a URL.
func at(t *testing.T, dsn string, change func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("a test database has no valid URL")
	}
	change(u)
	return u.String()
}

func TestAWrongDSNIsASentence(t *testing.T) {
	t.Parallel()
	for _, e := range []engine{maria, postgres} {
		t.Run(e.name, func(t *testing.T) {
			dsn := e.fresh(t)
			cases := map[string]struct {
				dsn  string
				want []string
			}{
				"password": {at(t, dsn, func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "wrong-password") }), []string{"check user and password"}},
				"database": {at(t, dsn, func(u *url.URL) { u.Path = "/no_such_database" }), []string{"no_such_database", "create the database, or correct its name"}},
				"port":     {at(t, dsn, func(u *url.URL) { u.Host = "127.0.0.1:1" }), []string{"127.0.0.1:1", "check host and port"}},
				"host":     {at(t, dsn, func(u *url.URL) { u.Host = "no-such-host.invalid:3306" }), []string{"no-such-host.invalid"}},
				"scheme":   {strings.Replace(dsn, "://", "+x://", 1), []string{"mysql://", "postgres://"}},
			}
			for name, c := range cases {
				t.Run(name, func(t *testing.T) {
					refused(t, append(c.want, "source: "), "trueup", "diff", c.dsn, dsn, "orders")
					refused(t, append(c.want, "target: "), "trueup", "diff", dsn, c.dsn, "orders")
				})
			}
		})
	}
}

func TestTablesThatCannotBeComparedAreRefusedByName(t *testing.T) {
	t.Parallel()
	for _, d := range []direction{{maria, postgres}, {postgres, maria}} {
		t.Run(d.String(), func(t *testing.T) {
			source, target := d.source.fresh(t), d.target.fresh(t)
			for _, dsn := range []string{source, target} {
				testenv.Exec(t, dsn,
					"CREATE TABLE keyless (id INT, v INT)",
					"CREATE TABLE nullable (id INT UNIQUE, v INT)",
					"CREATE TABLE fine (id INT PRIMARY KEY, v INT)",
					"INSERT INTO fine VALUES (1, 1)")
			}
			testenv.Exec(t, source, "CREATE TABLE here (id INT PRIMARY KEY)")
			shapes := map[string]string{maria.name: "CREATE TABLE shapes (id INT PRIMARY KEY, shape POINT)", postgres.name: "CREATE TABLE shapes (id INT PRIMARY KEY, shape POINT)"}
			testenv.Exec(t, source, shapes[d.source.name])
			testenv.Exec(t, target, shapes[d.target.name])
			cases := map[string]struct {
				args []string
				want []string
			}{
				"unknown table":       {[]string{"nothing"}, []string{"source: ", "nothing"}},
				"unknown at target":   {[]string{"here"}, []string{"target: ", "here"}},
				"no key":              {[]string{"keyless"}, []string{"keyless", "key"}},
				"nullable key":        {[]string{"nullable", "--key", "id"}, []string{"nullable", "id", "NULL"}},
				"unknown key column":  {[]string{"fine", "--key", "nothing"}, []string{"fine", "nothing"}},
				"unknown column":      {[]string{"fine", "--columns", "nothing"}, []string{"fine", "nothing", "it has"}},
				"unknown exclude":     {[]string{"fine", "--exclude", "nothing"}, []string{"fine", "nothing"}},
				"unknown map":         {[]string{"fine", "--map", "nothing=v"}, []string{"fine", "nothing"}},
				"rule for the wrong":  {[]string{"fine", "--rule", "v=trim:right"}, []string{"fine", "v", "trim"}},
				"unsupported type":    {[]string{"shapes"}, []string{"shape", "point", "exclude"}},
				"condition in no SQL": {[]string{"fine", "--where", "v ~~~ 1"}, []string{"fine"}},
			}
			for name, c := range cases {
				t.Run(name, func(t *testing.T) {
					if name == "condition in no SQL" {
						status, _, stderr := command(t, "trueup", append([]string{"diff", source, target}, c.args...)...)
						if status != 2 || !containsAll(stderr, c.want) {
							t.Errorf("status %d\n%s", status, stderr)
						}
						return
					}
					refused(t, c.want, "trueup", append([]string{"diff", source, target}, c.args...)...)
					refused(t, c.want, "trueup", append([]string{"fix", source, target}, c.args...)...)
				})
			}
		})
	}
}

// limitedUser makes a user that may only do what is granted on the table, and
// returns its URL, and the function that removes it.
func limitedUser(t *testing.T, e engine, dsn, table, grant string) (user string, drop func()) {
	t.Helper()
	name := "limited_" + strings.ToLower(strings.NewReplacer("-", "_", ".", "_").Replace(testenv.Prefix(t)))
	name = name[max(0, len(name)-30):]
	const password = "limited-s3cret-pw"
	host := ""
	if e.name == maria.name {
		host = "@'%'"
		testenv.Exec(t, dsn, fmt.Sprintf("CREATE USER %s%s IDENTIFIED BY '%s'", name, host, password))
		drop = func() { testenv.Exec(t, dsn, "DROP USER "+name+host) }
	} else {
		testenv.Exec(t, dsn, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", name, password))
		drop = func() { testenv.Exec(t, dsn, "DROP OWNED BY "+name, "DROP ROLE "+name) }
	}
	grantTo(t, e, dsn, table, grant, name)
	return at(t, dsn, func(u *url.URL) { u.User = url.UserPassword(name, password) }), drop
}

func grantTo(t *testing.T, e engine, dsn, table, grant, user string) {
	t.Helper()
	if e.name == maria.name {
		user += "@'%'"
	}
	testenv.Exec(t, dsn, fmt.Sprintf("GRANT %s ON %s TO %s", grant, table, user))
}

func TestAMissingReadPrivilegeIsASentence(t *testing.T) {
	t.Parallel()
	for _, e := range []engine{maria, postgres} {
		t.Run(e.name, func(t *testing.T) {
			dsn := e.fresh(t)
			testenv.Exec(t, dsn, "CREATE TABLE orders (id INT PRIMARY KEY, v INT)", "CREATE TABLE other (id INT PRIMARY KEY)")
			user, drop := limitedUser(t, e, dsn, "other", "SELECT")
			defer drop()
			if e.name == postgres.name {
				// PostgreSQL shows a table to those who may not read it, so
				// that a run begins and ends with an incomplete verdict.
				status, _, stderr := command(t, "trueup", "diff", user, dsn, "orders", "--confirm", "0")
				if status != 2 || !containsAll(stderr, []string{"orders", "\nhint: grant the user SELECT"}) || strings.Count(stderr, "\n") != 2 {
					t.Errorf("status %d\n%s", status, stderr)
				}
				return
			}
			refused(t, []string{"source: ", "orders"}, "trueup", "diff", user, dsn, "orders", "--confirm", "0")
		})
	}
}

func TestAFixerThatMayNotWriteIsNotReadyUntilItMay(t *testing.T) {
	t.Parallel()
	for _, e := range []engine{maria, postgres} {
		t.Run(e.name, func(t *testing.T) {
			w := newWorld(t, direction{maria, e}, "pairs: [{name: orders}]")
			for _, dsn := range []string{w.source, w.target} {
				testenv.Exec(t, dsn, "CREATE TABLE orders (id INT PRIMARY KEY, v INT)", "INSERT INTO orders VALUES (1, 1), (2, 2)")
			}
			testenv.Exec(t, w.target, "UPDATE orders SET v = 9 WHERE id = 2")
			seen := "orders"
			if e.name == maria.name {
				seen = "*" // else nobody can tell which tables refer to it
			}
			user, drop := limitedUser(t, e, w.target, seen, "SELECT")
			defer drop()
			w.configure(w.source, user, "pairs: [{name: orders}]\nvalidator: {confirm: 0s}")
			w.must(1, "validator", "--config", w.config, "--once")
			fixer := start(t, "fixer", "--config", w.config)
			fixer.logged("joined the group")
			fixer.readiness(503, "grant the user")
			if v := scan[int](t, w.target, "SELECT v FROM orders WHERE id = 2"); v != 9 {
				t.Errorf("the row was written: %d", v)
			}
			name, _, _ := strings.Cut(strings.SplitN(user, "://", 2)[1], ":")
			grantTo(t, e, w.target, "orders", "SELECT, INSERT, UPDATE, DELETE", name)
			w.drained()
			fixer.readiness(200, `"ready": true`)
			w.must(0, "validator", "--config", w.config, "--once")
		})
	}
}

func TestABadConfigurationEndsAServiceBeforeItStarts(t *testing.T) {
	t.Parallel()
	w := newWorldWithoutTopics(t, direction{maria, postgres}, "pairs: [{name: orders}]")
	cases := map[string]struct {
		settings string
		want     []string
	}{
		"unknown key":    {"pairs:\n- name: orders\n  colums: [a]", []string{":7:", `unknown key "pairs[0].colums"`}},
		"no pairs":       {"", []string{"pairs is empty"}},
		"bad schedule":   {"pairs: [{name: orders, schedule: {full: 'TZ=0'}}]", []string{":5:", "pairs[0].schedule.full"}},
		"name of a key":  {"pairs: [{name: epoch/orders}]", []string{"pairs[0].name", "epoch/"}},
		"bad authority":  {"pairs: [{name: orders, authority: me}]", []string{"pairs[0].authority"}},
		"no such field":  {"pairs: [{name: orders}]\nvalidator: {speed: 11}", []string{":6:", "validator.speed"}},
		"wrong type":     {"pairs: [{name: orders}]\nfixer: {batch_keys: many}", []string{":6:", "fixer.batch_keys", "whole number"}},
		"two documents":  {"pairs: [{name: orders}]\n---\n{}", []string{"a second document"}},
		"not even yaml":  {"pairs: [", []string{"not valid YAML"}},
		"the same twice": {"pairs: [{name: orders}, {name: orders}]", []string{"pairs[1].name"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w.configure(w.source, w.target, c.settings)
			for _, service := range []string{"validator", "fixer"} {
				refused(t, c.want, service, "--config", w.config)
			}
		})
	}
	t.Run("incremental", func(t *testing.T) {
		w.configure(w.source, w.target, "pairs: [{name: orders, schedule: {incremental: '@every 10s'}}]")
		refused(t, []string{"pairs[0].updated_at", "schedule.incremental needs the column"}, "validator", "--config", w.config)
	})
	t.Run("usage", func(t *testing.T) {
		for _, service := range []string{"validator", "fixer"} {
			refused(t, []string{"--config is missing"}, service)
			refused(t, []string{"nowhere.yaml"}, service, "--config", "nowhere.yaml")
			refused(t, []string{"-no-such-flag"}, service, "--no-such-flag")
		}
	})
	t.Run("unknown pair", func(t *testing.T) {
		w.configure(w.source, w.target, "pairs: [{name: orders}]")
		refused(t, []string{`--pair "items"`}, "validator", "--config", w.config, "--pair", "items")
	})
}

func TestTopicsThatAreMissingOrOtherwiseAreNamed(t *testing.T) {
	t.Parallel()
	settings := "pairs: [{name: orders}]\nvalidator: {confirm: 0s}"
	w := newWorldWithoutTopics(t, direction{maria, postgres}, settings)
	for _, dsn := range []string{w.source, w.target} {
		testenv.Exec(t, dsn, "CREATE TABLE orders (id INT PRIMARY KEY, v INT)", "INSERT INTO orders VALUES (1, 1)")
	}
	refused(t, []string{w.kafka.Prefix + ".findings does not exist", "trueup topics create"}, "validator", "--config", w.config, "--once")
	status, _, stderr := command(t, "trueup", "topics", "check", "--config", w.config)
	if status != 2 || !containsAll(stderr, []string{"does not exist", "trueup topics create"}) {
		t.Errorf("status %d\n%s", status, stderr)
	}
	fixer := start(t, "fixer", "--config", w.config)
	fixer.readiness(503, "trueup topics create")
	w.must(0, "trueup", "topics", "create", "--config", w.config)
	w.must(0, "trueup", "topics", "check", "--config", w.config)
	w.must(0, "validator", "--config", w.config, "--once")
	fixer.readiness(200, `"ready": true`)

	right := w.kafka.Partitions
	w.kafka.Partitions = 7
	w.configure(w.source, w.target, settings)
	wrong := fmt.Sprintf("%s.findings has %d partitions and kafka.partitions is 7", w.kafka.Prefix, right)
	refused(t, []string{wrong}, "validator", "--config", w.config, "--once")
	start(t, "validator", "--config", w.config).readiness(503, wrong)
}

func TestWithoutKafkaNothingIsReady(t *testing.T) {
	t.Parallel()
	w := newWorldWithoutTopics(t, direction{postgres, postgres}, "")
	for _, dsn := range []string{w.source, w.target} {
		testenv.Exec(t, dsn, "CREATE TABLE orders (id INT PRIMARY KEY, v INT)")
	}
	w.kafka.Brokers = []string{"127.0.0.1:1"}
	w.configure(w.source, w.target, "pairs: [{name: orders}]")
	refused(t, []string{"no broker answers", "kafka.brokers"}, "validator", "--config", w.config, "--once")
	for _, name := range []string{"validator", "fixer"} {
		s := start(t, name, "--config", w.config)
		s.readiness(503, "no broker answers")
		if status, _ := s.get("/healthz"); status != 200 {
			t.Errorf("%s is not alive: %d", name, status)
		}
		if status := s.stop(); status != 0 {
			t.Errorf("%s stopped with status %d", name, status)
		}
	}
}

func TestADatabaseThatIsAwayAtTheStartIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, direction{maria, maria}, "pairs: [{name: orders}]")
	testenv.Exec(t, w.source, "CREATE TABLE orders (id INT PRIMARY KEY, v INT)")
	validator := start(t, "validator", "--config", w.config)
	validator.readiness(503, "orders") // the target has no such table yet
	testenv.Exec(t, w.target, "CREATE TABLE orders (id INT PRIMARY KEY, v INT)")
	validator.readiness(200, `"ready": true`)
	if status := validator.stop(); status != 0 {
		t.Errorf("stopped with status %d", status)
	}
}

// TestARowTooLargeForThePacketKeepsNoOtherFromBeingRepaired repairs a row that
// PostgreSQL holds and MariaDB does not take, beside one that it takes.
func TestARowTooLargeForThePacketKeepsNoOtherFromBeingRepaired(t *testing.T) {
	t.Parallel()
	source, target := testenv.Postgres(t), testenv.MySQL(t)
	testenv.Exec(t, source, "CREATE TABLE docs (id INT PRIMARY KEY, body TEXT)")
	testenv.Exec(t, target, "CREATE TABLE docs (id INT PRIMARY KEY, body LONGTEXT CHARACTER SET utf8mb4)")
	packet := scan[int](t, target, "SELECT @@max_allowed_packet")
	testenv.Exec(t, source, fmt.Sprintf("INSERT INTO docs VALUES (1, 'small'), (2, repeat('x', %d))", packet+1))
	status, stdout, stderr := command(t, "trueup", "fix", source, target, "docs", "--json", "--confirm", "0")
	if status != 1 || !strings.Contains(stdout, `"result":"dead","class":"limit"`) || !strings.Contains(stdout, "max_allowed_packet") {
		t.Errorf("status %d\nstdout: %s\nstderr: %s", status, tail(stdout), tail(stderr))
	}
	if got := scan[string](t, target, "SELECT GROUP_CONCAT(id) FROM docs"); got != "1" {
		t.Errorf("the rows %s are there, want 1", got)
	}
}
