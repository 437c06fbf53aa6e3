package integration

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/IBM/sarama"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/kafka"
)

// kafkaSecret is the password of every user of the private broker.
const kafkaSecret = "kafka-s3cret-0815"

// permission is a row of the table of Kafka permissions.
type permission struct {
	// topics are the operations by topic, without the prefix.
	topics map[string][]sarama.AclOperation
	groups []string
}

var operations = map[string]sarama.AclOperation{
	"READ": sarama.AclOperationRead, "WRITE": sarama.AclOperationWrite, "DESCRIBE": sarama.AclOperationDescribe,
	"DESCRIBE_CONFIGS": sarama.AclOperationDescribeConfigs, "CREATE": sarama.AclOperationCreate,
}

// documented reads the table of the README.
func documented(t *testing.T) map[string]permission {
	t.Helper()
	content, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(content), "| who | topics | group |\n| --- | --- | --- |\n")
	if !found {
		t.Fatal("the README has no table of Kafka permissions")
	}
	topics := []string{"findings", "findings.retry", "findings.dead", "outcomes", "tasks", "state"}
	quoted, word := regexp.MustCompile("`([^`]+)`"), regexp.MustCompile(`[A-Z_]{4,}`)
	rows := map[string]permission{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			break
		}
		p := permission{topics: map[string][]sarama.AclOperation{}}
		for part := range strings.SplitSeq(cells[2], ";") {
			named := topics
			if !strings.HasSuffix(strings.TrimSpace(part), " all") {
				named = nil
				for _, m := range quoted.FindAllStringSubmatch(part, -1) {
					named = append(named, m[1])
				}
			}
			for _, name := range named {
				for _, w := range word.FindAllString(part, -1) {
					p.topics[name] = append(p.topics[name], operations[w])
				}
			}
		}
		for _, m := range quoted.FindAllStringSubmatch(cells[3], -1) {
			p.groups = append(p.groups, m[1])
		}
		for who := range strings.SplitSeq(cells[1], ", `") {
			rows[strings.Trim(strings.TrimSpace(who), "`")] = p
		}
	}
	return rows
}

// allow gives a user of the broker exactly what a row says.
func allow(b *testenv.Broker, user, prefix string, p permission) {
	b.User(user, kafkaSecret)
	grant := func(admin sarama.ClusterAdmin, kind sarama.AclResourceType, name string, operation sarama.AclOperation) error {
		pattern := sarama.AclPatternLiteral
		if before, all := strings.CutSuffix(name, "*"); all {
			name, pattern = before, sarama.AclPatternPrefixed
		}
		return admin.CreateACLs([]*sarama.ResourceAcls{{
			Resource: sarama.Resource{ResourceType: kind, ResourceName: name, ResourcePatternType: pattern},
			Acls:     []*sarama.Acl{{Principal: "User:" + user, Host: "*", Operation: operation, PermissionType: sarama.AclPermissionAllow}},
		}})
	}
	b.Do(func(admin sarama.ClusterAdmin) error {
		for topic, allowed := range p.topics {
			for _, operation := range allowed {
				if err := grant(admin, sarama.AclResourceTopic, prefix+"."+topic, operation); err != nil {
					return err
				}
			}
		}
		for _, group := range p.groups {
			if err := grant(admin, sarama.AclResourceGroup, strings.ReplaceAll(group, "<prefix>", prefix), sarama.AclOperationRead); err != nil {
				return err
			}
		}
		return nil
	})
}

// guardedWorld is a world with a broker of its own, which wants TLS and a login and
// forbids what no rule allows. Commands and services log in as $KAFKA_USER.
func guardedWorld(t *testing.T, settings string) (*world, *testenv.Broker) {
	t.Helper()
	if testing.Short() || !testenv.HasBroker() {
		t.Skip("needs Java and Kafka's jars, which make services-up fetches where there is no Docker engine")
	}
	authority := testenv.NewAuthority(t, "brokers")
	broker := testenv.NewBroker(t,
		map[string]string{"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer", "super.users": "User:ANONYMOUS"},
		testenv.Listener{Name: "SASL", Protocol: "SASL_SSL", Settings: map[string]string{
			"ssl.keystore.type": "PEM", "ssl.keystore.location": authority.Issue(testenv.Certificate{Common: "broker"}).Both,
			"sasl.enabled.mechanisms":        "SCRAM-SHA-512",
			"scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
		}})
	w := &world{
		t: t, direction: direction{maria, postgres}, source: maria.fresh(t), target: postgres.fresh(t),
		kafka: kafka.Config{Brokers: []string{broker.Admin}, Prefix: "guarded", Partitions: 3},
	}
	secret := filepath.Join(t.TempDir(), "kafka-password")
	if err := os.WriteFile(secret, []byte(kafkaSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`source: {dsn: %q}
target: {dsn: %q}
kafka:
  brokers: [%q]
  prefix: guarded
  partitions: 3
  tls: {enabled: true, ca_file: %q}
  sasl: {mechanism: SCRAM-SHA-512, username: "${KAFKA_USER}", password_file: %q}
http: {listen: "127.0.0.1:0"}
governor: {source: {adapt: false}, target: {adapt: false}}
%s
`, hidePassword(t, "SOURCE_PASSWORD", w.source), hidePassword(t, "TARGET_PASSWORD", w.target), broker.Address("SASL"), authority.File, secret, settings)
	w.config = filepath.Join(t.TempDir(), "trueup.yaml")
	if err := os.WriteFile(w.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return w, broker
}

func TestTheServicesWorkWithTheDocumentedKafkaPermissionsAlone(t *testing.T) {
	t.Parallel()
	w, broker := guardedWorld(t, "pairs: [{name: orders, images: changed, canary: {key: {id: 1}}}]\nvalidator: {confirm: 0s}")
	rows := documented(t)
	users := map[string]string{
		"validator, for pairs with a `canary": "validator", "trueup canary": "canary",
		"validator": "validator", "fixer": "fixer", "trueup topics create": "topics", "trueup dead": "dead",
		"trueup history": "history", "trueup undo": "undo", "trueup release": "release",
	}
	for row, user := range users {
		p, found := rows[row]
		if !found {
			t.Fatalf("the README has no row for %s; it has %v", row, rows)
		}
		allow(broker, user, "guarded", p)
	}
	broker.User("nobody", kafkaSecret)
	as := func(user string) { setenv(t, "KAFKA_USER", user) }
	for _, dsn := range []string{w.source, w.target} {
		testenv.Exec(t, dsn, "CREATE TABLE orders (id INT PRIMARY KEY, v INT)", "INSERT INTO orders VALUES (1, 1), (2, 2), (3, 3)")
	}
	testenv.Exec(t, w.target, "UPDATE orders SET v = 9 WHERE id = 2", "DELETE FROM orders WHERE id = 3", "INSERT INTO orders VALUES (4, 4)")

	as("nobody")
	refused(t, []string{"lacks a permission; see the README"}, "trueup", "topics", "check", "--config", w.config)
	as("topics")
	w.must(0, "trueup", "topics", "create", "--config", w.config)
	w.must(0, "trueup", "topics", "check", "--config", w.config)
	w.must(0, "trueup", "topics", "create", "--config", w.config)

	as("validator")
	w.must(1, "validator", "--config", w.config, "--once")
	as("fixer")
	fixer := start(t, "fixer", "--config", w.config)
	fixer.readiness(200, `"ready": true`)
	w.drained()
	as("validator")
	w.must(0, "validator", "--config", w.config, "--once")

	as("history")
	if out := w.must(0, "trueup", "history", "orders", "2", "--config", w.config, "--json"); !strings.Contains(out, "repaired") {
		t.Errorf("the history of a row that was repaired: %s", out)
	}
	as("validator")
	validator := start(t, "validator", "--config", w.config)
	validator.readiness(200, `"ready": true`)
	as("canary")
	w.must(0, "trueup", "canary", "orders", "--config", w.config)
	if status := validator.stop(); status != 0 {
		t.Errorf("the validator stopped with status %d", status)
	}
	as("dead")
	w.must(0, "trueup", "dead", "list", "--config", w.config)
	as("release")
	w.must(0, "trueup", "release", "orders", "--config", w.config)
	if status := fixer.stop(); status != 0 {
		t.Errorf("the fixer stopped with status %d", status)
	}
	as("undo")
	w.must(0, "trueup", "undo", "--config", w.config, "--pair", "orders", "--since", "1h")
	if v := scan[int](t, w.target, "SELECT v FROM orders WHERE id = 2"); v != 9 {
		t.Errorf("undo left %d", v)
	}
}

func TestWithoutAPermissionAServiceIsNotReadyAndSaysWhy(t *testing.T) {
	t.Parallel()
	w, broker := guardedWorld(t, "pairs: [{name: orders}]\nvalidator: {confirm: 0s}")
	for _, dsn := range []string{w.source, w.target} {
		testenv.Exec(t, dsn, "CREATE TABLE orders (id INT PRIMARY KEY, v INT)", "INSERT INTO orders VALUES (1, 1)")
	}
	rows := documented(t)
	allow(broker, "topics", "guarded", rows["trueup topics create"])
	setenv(t, "KAFKA_USER", "topics")
	w.must(0, "trueup", "topics", "create", "--config", w.config)

	setenv(t, "KAFKA_USER", "stranger")
	for _, name := range []string{"validator", "fixer"} {
		s := start(t, name, "--config", w.config)
		s.readiness(503, "refuses the credentials; check kafka.sasl")
		noPassword(t, strings.Join(s.lines(), "\n"), "kafka://x:"+kafkaSecret+"@x")
		s.stop()
	}
	without := rows["fixer"]
	without.groups = nil
	allow(broker, "fixer", "guarded", without)
	setenv(t, "KAFKA_USER", "fixer")
	fixer := start(t, "fixer", "--config", w.config)
	fixer.readiness(503, "lacks a permission; see the README")
	allow(broker, "fixer", "guarded", rows["fixer"])
	fixer.readiness(200, `"ready": true`)
}

// account is a user of a database's own, whose password stands in a file.
type account struct {
	t          *testing.T
	e          engine
	admin      string // the URL of who may do everything, in the database
	name, file string
}

func newAccount(t *testing.T, e engine, admin, prefix string) *account {
	t.Helper()
	name := prefix + "_" + strings.NewReplacer("-", "_").Replace(testenv.Prefix(t))
	name = name[:min(len(name), 10)] + name[max(10, len(name)-12):]
	a := &account{t: t, e: e, admin: admin, name: name, file: filepath.Join(t.TempDir(), "password")}
	if e.name == maria.name {
		testenv.Exec(t, admin, "CREATE USER "+a.sql())
		t.Cleanup(func() { a.drop("DROP USER " + a.sql()) })
	} else {
		testenv.Exec(t, admin, "CREATE ROLE "+a.sql()+" LOGIN")
		t.Cleanup(func() { a.drop("DROP OWNED BY "+a.sql(), "DROP ROLE "+a.sql()) })
	}
	return a
}

func (a *account) sql() string {
	if a.e.name == maria.name {
		return a.name + "@'%'"
	}
	return a.name
}

func (a *account) drop(statements ...string) {
	db := testenv.Open(a.t, a.admin)
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil { //nolint:noctx // the test's context has ended
			a.t.Errorf("%s: %v", s, err)
		}
	}
	_ = db.Close()
}

// renew gives the account another password at the server.
func (a *account) renew(password string) {
	a.t.Helper()
	if a.e.name == maria.name {
		testenv.Exec(a.t, a.admin, "ALTER USER "+a.sql()+" IDENTIFIED BY '"+password+"'")
		return
	}
	testenv.Exec(a.t, a.admin, "ALTER ROLE "+a.sql()+" PASSWORD '"+password+"'")
}

// put writes a password into the account's file.
func (a *account) put(password string) {
	a.t.Helper()
	if err := os.WriteFile(a.file, []byte(password+"\n"), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// kick ends the account's sessions.
func (a *account) kick() {
	a.t.Helper()
	if a.e.name == maria.name {
		testenv.Exec(a.t, a.admin, "KILL USER "+a.name)
		return
	}
	testenv.Exec(a.t, a.admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '"+a.name+"'")
}

// dsn is the URL of the account, without its password.
func (a *account) dsn() string {
	return at(a.t, a.admin, func(u *url.URL) { u.User = url.User(a.name) })
}

func TestNewPasswordsInTheirFilesNeedNoRestart(t *testing.T) {
	t.Parallel()
	settings := "pairs: [{name: orders, schedule: {full: '@every 1s'}}]\nvalidator: {confirm: 0s}\n"
	w := newWorld(t, direction{maria, postgres}, settings)
	for _, dsn := range []string{w.source, w.target} {
		testenv.Exec(t, dsn, "CREATE TABLE orders (id INT PRIMARY KEY, v INT)", "INSERT INTO orders VALUES (1, 1), (2, 2)")
	}
	source, target := newAccount(t, maria, w.source, "src"), newAccount(t, postgres, w.target, "dst")
	database := strings.TrimPrefix(at(t, w.source, func(u *url.URL) { u.Scheme, u.Host, u.User = "", "", nil }), "/")
	testenv.Exec(t, w.source, "GRANT SELECT ON "+strings.ReplaceAll(database, "_", "_")+".* TO "+source.sql())
	testenv.Exec(t, w.target, "GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO "+target.sql())
	both := []*account{source, target}
	for _, a := range both {
		a.renew("first-password-11")
		a.put("not-yet-right-00")
	}
	text, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	lines[0] = fmt.Sprintf("source: {dsn: %q, password_file: %q}", source.dsn(), source.file)
	lines[1] = fmt.Sprintf("target: {dsn: %q, password_file: %q}", target.dsn(), target.file)
	if err := os.WriteFile(w.config, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	services := []*service{start(t, "validator", "--config", w.config), start(t, "fixer", "--config", w.config)}
	for _, s := range services {
		s.readiness(503, "check user and password")
	}
	for _, a := range both {
		a.put("first-password-11")
	}
	for _, s := range services {
		s.readiness(200, `"ready": true`)
	}
	repaired := func(id int) {
		t.Helper()
		testenv.Exec(t, w.target, fmt.Sprintf("UPDATE orders SET v = 99 WHERE id = %d", id))
		eventually(t, func() (bool, string) {
			v := scan[int](t, w.target, fmt.Sprintf("SELECT v FROM orders WHERE id = %d", id))
			return v == id, fmt.Sprint(v)
		})
	}
	repaired(1)
	for _, a := range both {
		a.renew("second-password-22")
		a.kick()
	}
	// The servers are ahead of the files: what needs a new connection waits.
	services[0].logged("check user and password")
	for _, a := range both {
		a.put("second-password-22")
	}
	repaired(2)
	repaired(1)
	for _, s := range services {
		s.readiness(200, `"ready": true`)
		for _, secret := range []string{"first-password-11", "second-password-22", "not-yet-right-00"} {
			if slices.ContainsFunc(s.lines(), func(line string) bool { return strings.Contains(line, secret) }) {
				t.Errorf("%s logs a password", s.name)
			}
		}
		if status := s.stop(); status != 0 {
			t.Errorf("%s stopped with status %d", s.name, status)
		}
	}
}
