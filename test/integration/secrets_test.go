package integration

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
)

// orderless makes a world whose tables are there; nothing has to be found in them.
func orderless(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, direction{maria, postgres}, "pairs: [{name: orders}]")
	for _, dsn := range []string{w.source, w.target} {
		testenv.Exec(t, dsn, "CREATE TABLE orders (id INT PRIMARY KEY, v INT)")
	}
	return w
}

// waits holds that services stay alive and say on /readyz what they wait for, and
// that who asks for one run is told at once.
func waits(t *testing.T, config string, want ...string) {
	t.Helper()
	status, _, stderr := command(t, "validator", "--config", config, "--once")
	if status != 2 || !containsAll(stderr, want) {
		t.Errorf("--once ended with status %d and lacks one of %q:\n%s", status, want, stderr)
	}
	for _, name := range []string{"validator", "fixer"} {
		s := start(t, name, "--config", config)
		for _, text := range want {
			s.readiness(503, text)
		}
		if status, _ := s.get("/healthz"); status != 200 {
			t.Errorf("%s is not alive: %d", name, status)
		}
		if status := s.stop(); status != 0 {
			t.Errorf("%s stopped with status %d", name, status)
		}
	}
}

func TestAnExpiredCertificateOfADatabaseIsNamedAndWaitedFor(t *testing.T) {
	t.Parallel()
	if testing.Short() || !testenv.HasPrivate("postgres") {
		t.Skip("needs the programs of a PostgreSQL server")
	}
	w := orderless(t)
	authority := testenv.NewAuthority(t, "databases")
	issued := authority.Issue(testenv.Certificate{Common: "old.example", Expired: true}).OwnedBy(t, "postgres")
	server := testenv.NewPrivate(t, "postgres", "-c", "ssl=on", "-c", "ssl_cert_file="+issued.Cert, "-c", "ssl_key_file="+issued.Key)
	testenv.Exec(t, server.URL(), "CREATE TABLE orders (id INT PRIMARY KEY, v INT)")
	w.configure(w.source, at(t, server.URL(), func(u *url.URL) {
		u.RawQuery = url.Values{"sslmode": {"verify-full"}, "sslrootcert": {authority.File}}.Encode()
	}), "pairs: [{name: orders}]")
	waits(t, w.config, "target", "CN=old.example", "is valid from", "renew the server's certificate")
}

func TestAnExpiredCertificateOfABrokerIsNamedAndWaitedFor(t *testing.T) {
	t.Parallel()
	if testing.Short() || !testenv.HasBroker() {
		t.Skip("needs Java and Kafka's jars, which make services-up fetches where there is no Docker engine")
	}
	w := orderless(t)
	authority := testenv.NewAuthority(t, "brokers")
	broker := testenv.NewBroker(t, nil, testenv.Listener{Name: "OLD", Protocol: "SSL", Settings: map[string]string{
		"ssl.keystore.type": "PEM", "ssl.keystore.location": authority.Issue(testenv.Certificate{Common: "old.example", Expired: true}).Both,
	}})
	rewrite(t, w.config, `kafka: {brokers: ["`+strings.Join(w.kafka.Brokers, `", "`)+`"]`,
		fmt.Sprintf("kafka: {brokers: [%q], tls: {enabled: true, ca_file: %q}", broker.Address("OLD"), authority.File))
	waits(t, w.config, "CN=old.example", "is valid from", "renew it at the broker")
}

// rewrite replaces a part of a configuration file.
func rewrite(t *testing.T, file, from, to string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), from) {
		t.Fatalf("the configuration has no %q:\n%s", from, text)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), from, to, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A secret that a file is to bring may still arrive; a variable of the environment
// that is not set does not.
func TestAMissingSecretIsNamed(t *testing.T) {
	t.Parallel()
	w := orderless(t)
	whole, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	absent := filepath.Join(t.TempDir(), "absent")
	for name, c := range map[string]struct {
		from, to string
		want     []string
		waited   bool
	}{
		"a variable of a DSN":    {"${SOURCE_PASSWORD}", "${TRUEUP_NO_SUCH_SECRET}", []string{"source", "TRUEUP_NO_SUCH_SECRET", "not set"}, false},
		"a variable of a token":  {`listen: "127.0.0.1:0"`, `listen: "127.0.0.1:0", token: "${TRUEUP_NO_SUCH_SECRET}"`, []string{"http.token", "TRUEUP_NO_SUCH_SECRET"}, false},
		"a variable of Kafka":    {"prefix:", `sasl: {mechanism: PLAIN, username: me, password: "${TRUEUP_NO_SUCH_SECRET}"}, prefix:`, []string{"kafka.sasl.password", "TRUEUP_NO_SUCH_SECRET"}, false},
		"a variable of digests":  {"governor:", "fixer: {digest_key: \"${TRUEUP_NO_SUCH_SECRET}\"}\ngovernor:", []string{"fixer.digest_key", "TRUEUP_NO_SUCH_SECRET"}, false},
		"the file of a database": {"target: {", fmt.Sprintf("target: {password_file: %q, ", absent), []string{"target", absent}, true},
		"the file of Kafka":      {"prefix:", fmt.Sprintf("sasl: {mechanism: PLAIN, username: me, password_file: %q}, prefix:", absent), []string{"kafka.sasl.password_file", absent}, true},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "trueup.yaml")
			if err := os.WriteFile(file, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(c.to, "password_file") && strings.HasPrefix(c.to, "target") {
				rewrite(t, file, ":${TARGET_PASSWORD}@", "@")
			}
			rewrite(t, file, c.from, c.to)
			if c.waited {
				waits(t, file, c.want...)
				return
			}
			for _, service := range []string{"validator", "fixer"} {
				refused(t, c.want, service, "--config", file)
			}
		})
	}
}
