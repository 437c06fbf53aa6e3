package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/kafka"
)

// engine is one of the two kinds of database the tests run on.
type engine struct {
	name  string
	fresh func(testing.TB) string
	// orders creates the table of the tests, with a column more than is
	// compared.
	orders string
	// binary spells a byte string.
	binary string
}

var (
	maria = engine{
		name: "mariadb", fresh: testenv.MySQL, binary: "X'%x'",
		orders: "CREATE TABLE %s (id BIGINT PRIMARY KEY, state VARCHAR(40) CHARACTER SET utf8mb4 NOT NULL, amount DECIMAL(14,4), weight DOUBLE, " +
			"paid BOOLEAN NOT NULL, born DATE, at DATETIME(6), raw VARBINARY(40), note TEXT CHARACTER SET utf8mb4, untouched VARCHAR(20) DEFAULT 'mine')",
	}
	postgres = engine{
		name: "postgres", fresh: testenv.Postgres, binary: `'\x%x'`,
		orders: "CREATE TABLE %s (id BIGINT PRIMARY KEY, state VARCHAR(40) NOT NULL, amount NUMERIC(14,4), weight DOUBLE PRECISION, " +
			"paid BOOLEAN NOT NULL, born DATE, at TIMESTAMP(6), raw BYTEA, note TEXT, untouched VARCHAR(20) DEFAULT 'mine')",
	}
)

// direction is a pair of engines, source and target.
type direction struct{ source, target engine }

func (d direction) String() string { return d.source.name + " to " + d.target.name }

var directions = []direction{{maria, maria}, {maria, postgres}, {postgres, maria}, {postgres, postgres}}

// states are texts that comparison and quoting have to get right.
var states = []string{"new", "", " ", "shipped ", "it''s", "~", "|", `back\slash`, "naïve ☃ 🚚", "NULL"}

// values is the row of an id as SQL that the engine reads.
func (e engine) values(id int) string {
	n := max(id, -id)
	note := fmt.Sprintf("'note %d, %s'", id, strings.Repeat("x", n%17))
	if n%11 == 0 {
		note = "NULL"
	}
	state := states[n%len(states)]
	if e.name == maria.name {
		state = strings.ReplaceAll(state, `\`, `\\`)
	}
	return fmt.Sprintf("(%d, '%s', %d.%04d, %d.5e-%d, %t, '20%02d-02-%02d', '2026-03-04 05:06:%02d.%06d', "+e.binary+", %s)",
		id, state, id-500, n%10_000, id, n%9, n%3 == 0, n%90, n%28+1, n%60, n%1_000_000, fmt.Sprintf("%c%d", rune(n%128), id), note)
}

// fill creates the table and inserts the rows of the ids.
func (e engine) fill(t *testing.T, dsn, table string, from, to int) {
	t.Helper()
	testenv.Exec(t, dsn, fmt.Sprintf(e.orders, table))
	e.insert(t, dsn, table, from, to)
}

func (e engine) insert(t *testing.T, dsn, table string, from, to int) {
	t.Helper()
	const batch = 1000
	for first := from; first <= to; first += batch {
		var rows []string
		for id := first; id <= min(first+batch-1, to); id++ {
			rows = append(rows, e.values(id))
		}
		testenv.Exec(t, dsn, "INSERT INTO "+table+" (id, state, amount, weight, paid, born, at, raw, note) VALUES "+strings.Join(rows, ", "))
	}
}

// world is two databases and topics of a test's own.
type world struct {
	t              *testing.T
	direction      direction
	source, target string
	config         string
	kafka          kafka.Config
}

// newWorld makes databases and topics, and a configuration file with the
// given YAML for pairs and the rest.
func newWorld(t *testing.T, d direction, settings string) *world {
	t.Helper()
	w := newWorldWithoutTopics(t, d, settings)
	w.must(0, "trueup", "topics", "create", "--config", w.config)
	return w
}

func newWorldWithoutTopics(t *testing.T, d direction, settings string) *world {
	t.Helper()
	w := &world{
		t: t, direction: d, source: d.source.fresh(t), target: d.target.fresh(t),
		kafka: kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t), Partitions: 6},
	}
	w.configure(w.source, w.target, settings)
	return w
}

// configure writes the configuration file, with the passwords in the
// environment.
func (w *world) configure(source, target, settings string) {
	w.t.Helper()
	text := fmt.Sprintf("source: {dsn: %q}\ntarget: {dsn: %q}\nkafka: {brokers: [\"%s\"], prefix: %q, partitions: %d}\nhttp: {listen: \"127.0.0.1:0\"}\n%s\n",
		hidePassword(w.t, "SOURCE_PASSWORD", source), hidePassword(w.t, "TARGET_PASSWORD", target),
		strings.Join(w.kafka.Brokers, `", "`), w.kafka.Prefix, w.kafka.Partitions, settings)
	if !strings.Contains(settings, "governor:") && !strings.Contains(settings, "\n---\n") {
		// Other tests load the servers too, and no test is to wait for them.
		text += "governor: {source: {adapt: false}, target: {adapt: false}}\n"
	}
	w.config = filepath.Join(w.t.TempDir(), "trueup.yaml")
	if err := os.WriteFile(w.config, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// configureListen changes http.listen.
func (w *world) configureListen(address string) {
	w.t.Helper()
	text, err := os.ReadFile(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	text = []byte(strings.Replace(string(text), "127.0.0.1:0", address, 1))
	if err := os.WriteFile(w.config, text, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// hidePassword moves the password of a URL to an environment variable.
func hidePassword(t *testing.T, variable, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("a test database has no valid URL")
	}
	password, _ := u.User.Password()
	setenv(t, variable, password)
	return strings.Replace(dsn, ":"+password+"@", ":${"+variable+"}@", 1)
}

// databasePasswords are the passwords that must show nowhere, as URLs.
func databasePasswords(t *testing.T) []string {
	t.Helper()
	return []string{testenv.MySQLAdmin(t), testenv.PostgresAdmin(t)}
}

// must runs a command that has to end with the status, and returns its stdout.
func (w *world) must(status int, name string, args ...string) string {
	w.t.Helper()
	got, stdout, stderr := command(w.t, name, args...)
	if got != status {
		w.t.Fatalf("%s %s: status %d, want %d\nstdout: %s\nstderr: %s", name, args[0], got, status, tail(stdout), tail(stderr))
	}
	return stdout
}

// admin asks Kafka about the world's topics.
func (w *world) admin() *kafka.Admin {
	w.t.Helper()
	admin, err := kafka.NewAdmin(w.kafka)
	if err != nil {
		w.t.Fatal(err)
	}
	return admin
}

// drained waits until the fixers have dealt with every finding: the group has
// committed every message of the topic.
func (w *world) drained() {
	w.t.Helper()
	admin := w.admin()
	eventually(w.t, func() (bool, string) {
		lag, err := admin.GroupLag(w.t.Context(), w.kafka.Prefix+".fixer", w.kafka.Topics().Findings)
		if err != nil {
			return false, err.Error()
		}
		total := int64(0)
		for _, n := range lag {
			total += n
		}
		return total == 0 && len(lag) == w.kafka.Partitions, fmt.Sprint(lag)
	})
}

// finding is a line of diff --json.
type finding struct {
	Pair    string
	Kind    string
	Key     map[string]any
	Columns []string
	Verdict *struct {
		Complete, Clean bool
		Rows            struct{ Source, Target int64 }
		Unreadable      int64
		Reason          string
	}
	SQL    string
	Result string
}

// lines reads JSON lines with exact numbers.
func lines(t *testing.T, text string) []finding {
	t.Helper()
	var out []finding
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	for decoder.More() {
		var f finding
		if err := decoder.Decode(&f); err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		out = append(out, f)
	}
	return out
}

// kinds maps each key of the findings, as JSON, to its kind.
func kinds(t *testing.T, text string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, f := range lines(t, text) {
		if f.Kind == "" {
			continue
		}
		key, err := json.Marshal(f.Key)
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := out[string(key)]; twice {
			t.Errorf("key %s is reported twice", key)
		}
		out[string(key)] = f.Kind
	}
	return out
}

// scan reads one value.
func scan[T any](t *testing.T, dsn, query string) T {
	t.Helper()
	var value T
	if err := testenv.Open(t, dsn).QueryRowContext(context.WithoutCancel(t.Context()), query).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}
