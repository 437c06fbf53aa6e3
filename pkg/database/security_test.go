package database

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/dialect"
)

// guarded is a private server that speaks TLS, with an authority that signed its
// certificate.
type guarded struct {
	*testenv.Private
	t         *testing.T
	engine    string
	authority *testenv.Authority
}

// newGuarded starts a server with a certificate; the user "certified" must show one
// of the authority's, and "encrypted" must use TLS.
func newGuarded(t *testing.T, engine string, certificate testenv.Certificate) *guarded {
	t.Helper()
	if testing.Short() || !testenv.HasPrivate(engine) {
		t.Skipf("needs the programs of a %s server", engine)
	}
	g := &guarded{t: t, engine: engine, authority: testenv.NewAuthority(t, "databases")}
	issued := g.authority.Issue(certificate).OwnedBy(t, engine)
	if engine == "mysql" {
		g.Private = testenv.NewPrivate(t, engine, "--ssl-ca="+g.authority.File, "--ssl-cert="+issued.Cert, "--ssl-key="+issued.Key)
		g.exec("CREATE USER certified@'%' IDENTIFIED BY 'secret-of-certified' REQUIRE X509", "GRANT SELECT ON test.* TO certified@'%'",
			"CREATE USER encrypted@'%' IDENTIFIED BY 'secret-of-encrypted' REQUIRE SSL", "GRANT SELECT ON test.* TO encrypted@'%'")
		return g
	}
	rules := filepath.Join(filepath.Dir(issued.Cert), "pg_hba.conf")
	text := "hostssl all certified all cert\nhostssl all encrypted all scram-sha-256\nhost all encrypted all reject\nhost all postgres all trust\n"
	if err := os.WriteFile(rules, []byte(text), 0o644); err != nil { //nolint:gosec // the server's own user reads it
		t.Fatal(err)
	}
	g.Private = testenv.NewPrivate(t, engine, "-c", "hba_file="+rules, "-c", "ssl=on", "-c", "ssl_ca_file="+g.authority.File,
		"-c", "ssl_cert_file="+issued.Cert, "-c", "ssl_key_file="+issued.Key)
	g.exec("CREATE ROLE certified LOGIN", "CREATE ROLE encrypted LOGIN PASSWORD 'secret-of-encrypted'")
	return g
}

func (g *guarded) exec(statements ...string) {
	g.t.Helper()
	testenv.Exec(g.t, g.URL(), statements...)
}

// as is the URL of one of the users, with parameters.
func (g *guarded) as(user, parameters string) string {
	return with(g.t, g.URL(), func(u *url.URL) {
		u.User = url.UserPassword(user, "secret-of-"+user)
		u.RawQuery = parameters
	})
}

// encrypted says whether the server sees a connection's TLS.
func encrypted(t *testing.T, db *DB) bool {
	t.Helper()
	q := dialect.Query{SQL: "SELECT IF(VARIABLE_VALUE <> '', 'true', 'false') FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'Ssl_cipher'"}
	if db.Engine() == "postgres" {
		q.SQL = "SELECT ssl::text FROM pg_catalog.pg_stat_ssl WHERE pid = pg_backend_pid()"
	}
	line, err := db.readLine(t.Context(), q, 1)
	if err != nil {
		t.Fatal(err)
	}
	return *line[0] == "true"
}

var guardedEngines = []string{"mysql", "postgres"}

func TestTheModesOfTLSMeanTheSameForAllEngines(t *testing.T) {
	for _, engine := range guardedEngines {
		t.Run(engine, func(t *testing.T) {
			g := newGuarded(t, engine, testenv.Certificate{Common: "db"})
			issued := g.authority.Issue(testenv.Certificate{Common: "certified"})
			stranger := testenv.NewAuthority(t, "stranger")
			certified := TLS{CAFile: g.authority.File, CertFile: issued.Cert, KeyFile: issued.Key}
			reached := map[string]struct {
				user string
				tls  TLS
				want bool
			}{
				"prefer":                  {"encrypted", TLS{Mode: TLSPrefer}, true},
				"require":                 {"encrypted", TLS{Mode: TLSRequire}, true},
				"verify-ca":               {"encrypted", TLS{Mode: TLSVerifyCA, CAFile: g.authority.File}, true},
				"verify-full by default":  {"encrypted", TLS{CAFile: g.authority.File}, true},
				"verify-full by a name":   {"encrypted", TLS{CAFile: g.authority.File, ServerName: "localhost"}, true},
				"with a certificate":      {"certified", certified, true},
				"disable, which is plain": {user(g), TLS{Mode: TLSDisable}, false},
			}
			for name, c := range reached {
				db, err := Open(t.Context(), Config{DSN: g.as(c.user, ""), TLS: c.tls})
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if got := encrypted(t, db); got != c.want {
					t.Errorf("%s: encrypted %t", name, got)
				}
				_ = db.Close()
			}
			old := g.authority.Issue(testenv.Certificate{Common: "certified", Expired: true})
			foreign := stranger.Issue(testenv.Certificate{Common: "certified"})
			refused := map[string]struct {
				user string
				tls  TLS
				want string
			}{
				"not encrypted":         {"encrypted", TLS{Mode: TLSDisable}, "check"},
				"wrong authority":       {"encrypted", TLS{CAFile: stranger.File}, "name the authority that signed the server's certificate"},
				"wrong authority of ca": {"encrypted", TLS{Mode: TLSVerifyCA, CAFile: stranger.File}, "name the authority that signed the server's certificate"},
				"the system's":          {"encrypted", TLS{Mode: TLSVerifyFull}, "name the authority that signed the server's certificate"},
				"wrong name":            {"encrypted", TLS{CAFile: g.authority.File, ServerName: "elsewhere.example"}, "by a name that the server's certificate holds"},
				"no authority's file":   {"encrypted", TLS{CAFile: "/no/such/file"}, "/no/such/file"},
				"no certificate":        {"certified", TLS{CAFile: g.authority.File}, "certificate"},
				"expired certificate":   {"certified", TLS{CAFile: g.authority.File, CertFile: old.Cert, KeyFile: old.Key}, "expired on"},
				"foreign certificate":   {"certified", TLS{CAFile: g.authority.File, CertFile: foreign.Cert, KeyFile: foreign.Key}, "certificate"},
				"no key":                {"certified", TLS{CAFile: g.authority.File, CertFile: issued.Cert, KeyFile: "/no/such/key"}, "/no/such/key"},
			}
			for name, c := range refused {
				checkRefused(t, name, Config{DSN: g.as(c.user, ""), TLS: c.tls}, c.want)
			}
		})
	}
}

// user is one who may connect without TLS.
func user(g *guarded) string {
	if g.engine == "mysql" {
		g.exec("CREATE OR REPLACE USER plain@'%' IDENTIFIED BY 'secret-of-plain'", "GRANT SELECT ON test.* TO plain@'%'")
		return "plain"
	}
	return "postgres"
}

// checkRefused wants one sentence with the way out and without a secret.
func checkRefused(t *testing.T, name string, c Config, want string) {
	t.Helper()
	db, err := Open(t.Context(), c)
	if err == nil {
		_ = db.Close()
		t.Errorf("%s: no error", name)
		return
	}
	text := fmt.Sprintf("%v %+v %q", err, err, err)
	if !strings.Contains(text, want) || strings.Contains(text, "secret-of") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: %q, want … %s … on one line and without a secret", name, err, want)
	}
}

func TestParametersOfTheDSNEncryptAsTheirDriversSay(t *testing.T) {
	parameters := map[string]struct{ good, bad map[string]string }{
		"mysql": {
			good: map[string]string{
				"skip-verify": "tls=skip-verify", "preferred": "tls=preferred", "verified": "tls=true&tls-ca=CA",
				"named": "tls-ca=CA&tls-server-name=localhost", "certified": "tls-ca=CA&tls-cert=CERT&tls-key=KEY",
			},
			bad: map[string]string{
				"tls=true": "name the authority", "tls=false": "only with TLS", "tls-ca=CA&tls-server-name=x.example": "by a name that the server's certificate holds",
				"tls-ca=/no/such/file": "/no/such/file", "tls-ca=CA&tls-cert=OLD&tls-key=OLDKEY": "expired on",
			},
		},
		"postgres": {
			good: map[string]string{
				"require": "sslmode=require", "prefer": "sslmode=prefer", "verify-ca": "sslmode=verify-ca&sslrootcert=CA",
				"verify-full": "sslmode=verify-full&sslrootcert=CA", "certified": "sslmode=verify-full&sslrootcert=CA&sslcert=CERT&sslkey=KEY",
			},
			bad: map[string]string{
				"sslmode=verify-full": "name the authority", "sslmode=disable": "check the user", "sslmode=verify-ca&sslrootcert=/no/such/file": "/no/such/file",
				"sslmode=require&sslcert=OLD&sslkey=OLDKEY": "expired on",
			},
		},
	}
	for _, engine := range guardedEngines {
		t.Run(engine, func(t *testing.T) {
			g := newGuarded(t, engine, testenv.Certificate{Common: "db"})
			issued, old := g.authority.Issue(testenv.Certificate{Common: "certified"}), g.authority.Issue(testenv.Certificate{Expired: true})
			files := strings.NewReplacer("CA", g.authority.File, "CERT", issued.Cert, "OLDKEY", old.Key, "OLD", old.Cert, "KEY", issued.Key)
			for name, text := range parameters[engine].good {
				login := "encrypted"
				if name == "certified" {
					login = "certified"
				}
				db, err := Open(t.Context(), Config{DSN: g.as(login, files.Replace(text))})
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if !encrypted(t, db) {
					t.Errorf("%s: not encrypted", name)
				}
				_ = db.Close()
			}
			for text, want := range parameters[engine].bad {
				checkRefused(t, text, Config{DSN: g.as("encrypted", files.Replace(text))}, want)
			}
		})
	}
}

func TestAnExpiredServerIsNamedAndWaitedFor(t *testing.T) {
	for _, engine := range guardedEngines {
		t.Run(engine, func(t *testing.T) {
			g := newGuarded(t, engine, testenv.Certificate{Common: "db", Expired: true})
			c := Config{DSN: g.as("encrypted", ""), TLS: TLS{CAFile: g.authority.File}}
			checkRefused(t, engine, c, `the certificate "CN=db" is valid from `)
			checkRefused(t, engine, c, "; renew the server's certificate")
			_, err := Open(t.Context(), c)
			if e, ok := err.(*Error); !ok || !e.Untrusted() { //nolint:errorlint // the contract of this package
				t.Errorf("%v is not what a restart of the server may cure", err)
			}
		})
	}
}

// The password is changed and all sessions are ended: connections that are open
// cannot be used any more, and new ones take the new password.
func TestANewPasswordInItsFileIsUsedWithoutOpeningAnew(t *testing.T) {
	const before, after = "password-before-77", "password-after-88"
	for _, engine := range guardedEngines {
		t.Run(engine, func(t *testing.T) {
			g := newGuarded(t, engine, testenv.Certificate{Common: "db"})
			change := "ALTER USER encrypted@'%%' IDENTIFIED BY '%s'"
			end := "KILL USER encrypted"
			if engine == "postgres" {
				change, end = "ALTER ROLE encrypted PASSWORD '%s'", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'encrypted'"
			}
			g.exec(fmt.Sprintf(change, before))
			file := filepath.Join(t.TempDir(), "password")
			put := func(password string) {
				if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			put(before)
			dsn := with(t, g.URL(), func(u *url.URL) { u.User = url.User("encrypted") })
			ca := filepath.Join(t.TempDir(), "ca.pem")
			pem, err := os.ReadFile(g.authority.File)
			if err == nil {
				err = os.WriteFile(ca, pem, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			db := openOn(t, Config{DSN: dsn, PasswordFile: file, TLS: TLS{CAFile: ca}})
			if err := db.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}

			g.exec(fmt.Sprintf(change, after), end)
			eventually(t, "the old password is refused", func() bool {
				err := db.Ping(t.Context())
				if err != nil && ClassOf(err) != dialect.ClassTransient {
					t.Fatalf("a password that is about to change is of class %d: %v", ClassOf(err), err)
				}
				return err != nil && strings.Contains(err.Error(), "check user and password")
			})
			put(after)
			if err := db.Ping(t.Context()); err != nil {
				t.Errorf("with the new password: %v", err)
			}

			// An authority that is replaced is another's until its file follows.
			stranger, err := os.ReadFile(testenv.NewAuthority(t, "stranger").File)
			if err == nil {
				err = os.WriteFile(ca, stranger, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			g.exec(end)
			eventually(t, "the other authority is noticed", func() bool {
				err := db.Ping(t.Context())
				return err != nil && ClassOf(err) == dialect.ClassTransient && strings.Contains(err.Error(), "name the authority")
			})
			if err := os.WriteFile(ca, pem, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := db.Ping(t.Context()); err != nil {
				t.Errorf("with the right authority again: %v", err)
			}
		})
	}
}

func TestSettingsOfTLSThatContradictAreRefused(t *testing.T) {
	for want, c := range map[string]Config{
		`mode "always"`:                       {DSN: "mysql://app@db/", TLS: TLS{Mode: "always"}},
		"belong together":                     {DSN: "mysql://app@db/", TLS: TLS{CertFile: "c"}},
		"verifies nobody":                     {DSN: "postgres://app@db/", TLS: TLS{Mode: TLSRequire, CAFile: "ca"}},
		"looks at no name":                    {DSN: "postgres://app@db/", TLS: TLS{Mode: TLSVerifyCA, ServerName: "x"}},
		"takes no certificate":                {DSN: "postgres://app@db/", TLS: TLS{Mode: TLSDisable, CertFile: "c", KeyFile: "k"}},
		"both the DSN (tls-ca)":               {DSN: "mysql://app@db/?tls-ca=x", TLS: TLS{Mode: TLSRequire}},
		"both the DSN (sslmode)":              {DSN: "postgres://app@db/?sslmode=disable", TLS: TLS{Mode: TLSRequire}},
		"names a socket, which is not encryp": {DSN: "mysql://app@/?socket=/run/x", TLS: TLS{Mode: TLSRequire}},
	} {
		if _, err := Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want … %s …", err, want)
		}
	}
}

// eventually polls a condition that nothing signals: sessions end a moment after
// they were told to.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("did not happen: %s", what)
		}
	}
}

func TestALoginThatEndsSuddenlyIsExplained(t *testing.T) {
	reset := &net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.ECONNRESET)}
	h := &heard{cause: reset}
	db := &DB{dialect: dialectBefore(address{scheme: "mysql"}), redacted: "mysql://db"}
	for name, c := range map[string]struct {
		err       error
		certified bool
		want      string
		class     dialect.Class
	}{
		"with a certificate":      {h.explain(errors.New("bad connection")), true, "refuses this client's certificate", dialect.ClassTransient},
		"of PostgreSQL":           {fmt.Errorf("receive: %w", reset), true, "refuses this client's certificate", dialect.ClassTransient},
		"after a first packet":    {h.explain(mysql.ErrInvalidConn), true, "refuses this client's certificate", dialect.ClassTransient},
		"without a certificate":   {h.explain(errors.New("bad connection")), false, "connection reset by peer", dialect.ClassTransient},
		"for a reason it names":   {h.explain(&mysql.MySQLError{Number: 1045, Message: "Access denied"}), true, "Access denied", dialect.ClassDenied},
		"for what TLS says of it": {h.explain(&tls.CertificateVerificationError{Err: errors.New("expired")}), true, "expired", dialect.ClassUnknown},
	} {
		err := db.failedToOpen(t.Context(), c.err, c.certified)
		if quiet := strings.Contains(c.want, "refuses"); !strings.Contains(err.Error(), c.want) || ClassOf(err) != c.class || !quiet && strings.Contains(err.Error(), "refuses") {
			t.Errorf("%s: %v (%v)", name, err, ClassOf(err))
		}
	}
}
