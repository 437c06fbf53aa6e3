package database

import (
	"cmp"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

func TestExpandDSNTakesASecretLiterally(t *testing.T) {
	t.Setenv("SECRET", "p@s/s:w#?%${X}")
	t.Setenv("HOST", "10.0.0.1:3307")
	expanded, err := ExpandDSN("mysql://app:${SECRET}@${HOST}/shop")
	if err != nil {
		t.Fatal(err)
	}
	a, err := parseDSN(expanded)
	if err != nil {
		t.Fatal(err)
	}
	if a.password != "p@s/s:w#?%${X}" || a.host != "10.0.0.1:3307" || a.database != "shop" {
		t.Errorf("got %+v", a)
	}
}

func TestExpandDSNInsertsAWholeDSNAsItIs(t *testing.T) {
	t.Setenv("WHOLE", "mysql://app:a%40b@db/shop")
	if got, err := ExpandDSN("${WHOLE}"); err != nil || got != "mysql://app:a%40b@db/shop" {
		t.Errorf("ExpandDSN = %q, %v", got, err)
	}
}

func TestExpandDSNNamesTheVariableThatIsNotSet(t *testing.T) {
	if err := os.Unsetenv("TRUEUP_NO_SUCH"); err != nil {
		t.Fatal(err)
	}
	if _, err := ExpandDSN("mysql://app:${TRUEUP_NO_SUCH}@db/shop"); err == nil || !strings.Contains(err.Error(), "TRUEUP_NO_SUCH") {
		t.Errorf("ExpandDSN: %v", err)
	}
	if _, err := ExpandDSN("mysql://app:${OPEN@db/shop"); err == nil || !strings.Contains(err.Error(), "closing") {
		t.Errorf("ExpandDSN: %v", err)
	}
}

func TestParseDSNTakesEveryPartApart(t *testing.T) {
	cases := []struct {
		dsn      string
		want     address
		redacted string
	}{
		{
			"mysql://app:secret@10.0.0.1:3306/shop",
			address{scheme: "mysql", user: "app", password: "secret", hasPassword: true, host: "10.0.0.1:3306", database: "shop"},
			"mysql://app@10.0.0.1:3306/shop",
		},
		{
			"MariaDB://a%2Fb:p%40s%3As+s%25@[::1]:33/order%3B%20drop",
			address{scheme: "mariadb", user: "a/b", password: "p@s:s+s%", hasPassword: true, host: "[::1]:33", database: "order; drop"},
			"mariadb://a%2Fb@[::1]:33/order%3B%20drop",
		},
		{
			"mysql://app:p@ss@db/", // an @ in the password needs no encoding
			address{scheme: "mysql", user: "app", password: "p@ss", hasPassword: true, host: "db"},
			"mysql://app@db/",
		},
		{
			"postgresql://db1:5432,db2:5433/shop",
			address{scheme: "postgresql", host: "db1:5432,db2:5433", database: "shop"},
			"postgresql://db1:5432,db2:5433/shop",
		},
		{
			"postgres://app@/shop?password=secret",
			address{scheme: "postgres", user: "app", password: "secret", hasPassword: true, database: "shop"},
			"postgres://app@/shop",
		},
	}
	for _, c := range cases {
		got, err := parseDSN(c.dsn)
		if err != nil {
			t.Errorf("%s: %v", c.dsn, err)
			continue
		}
		if got.scheme != c.want.scheme || got.user != c.want.user || got.password != c.want.password ||
			got.hasPassword != c.want.hasPassword || got.host != c.want.host || got.database != c.want.database {
			t.Errorf("%s: got %+v", c.dsn, got)
		}
		if got.redacted() != c.redacted {
			t.Errorf("%s: redacted to %s, want %s", c.dsn, got.redacted(), c.redacted)
		}
	}
}

// The secret parts are "sec" and "ret": wherever a bad character cuts the
// password, no piece of it may be shown.
func TestATemplateNamesAPlaceHolderAndNoPassword(t *testing.T) {
	for dsn, want := range map[string]string{
		"mysql://app:secret@db:3306/shop?tls=true":                                  "mysql://app:${PW}@db:3306/shop?tls=true",
		"mariadb://a%40b:secret@db/shop":                                            "mariadb://a@b:${PW}@db/shop",
		"postgres://app@db/shop?password=secret&sslmode=require&sslpassword=secret": "postgres://app:${PW}@db/shop?sslmode=require",
		"postgres:///shop?host=/run/pg":                                             "postgres:///shop?host=%2Frun%2Fpg",
	} {
		a, err := parseDSN(dsn)
		if err != nil {
			t.Fatal(err)
		}
		db := &DB{address: a.withoutPassword()}
		if got := db.Template("${PW}"); got != want {
			t.Errorf("%s: %s, want %s", dsn, got, want)
		}
		if got := db.Template(""); strings.Contains(got, "${PW}") || strings.Contains(got, "secret") {
			t.Errorf("%s: %s", dsn, got)
		}
	}
}

func TestABadDSNIsOneSentenceWithoutThePassword(t *testing.T) {
	cases := map[string]string{
		"app:sec@ret/shop":                                          "none of mysql://",
		"oracle://app:secret@db/shop":                               "none of mysql://",
		"":                                                          "none of mysql://",
		"mysql://app:sec#ret@db/shop":                               "%23",
		"mysql://app:sec/ret@db/shop":                               "%2F",
		"mysql://app:1/ret@db/shop":                                 "%2F",
		"mysql://app:sec?ret@db/shop":                               "%3F",
		"mysql://app:sec%ret@db/shop":                               "%25",
		"postgres://app:sec%ret@db/shop":                            "%25",
		"postgres://app:sec/ret@db/shop":                            "%2F",
		"mysql://app:secret@db:port/shop":                           "port",
		"mysql://app:secret@db:0/shop":                              "port",
		"mysql://app:secret@a,b/shop":                               "several hosts",
		"postgres://app:secret@db:99999/shop":                       "port",
		"postgres://app:secret@db/shop?sslmode=wild":                "sslmode",
		"postgres://app:secret@db/?sslpassword=secret&sslmode=wild": "sslmode",
		"mysql://app:secret@db/shop?tls=wild":                       "wild",
		"mysql://app:secret@db/shop?tls-ca=/no/such":                "tls-ca",
		"mysql://app:secret@db/shop?tls-cert=/no/such":              "tls-cert",
		"mysql://app:secret@db/shop?tls=false&tls-server-name=x":    "tls=false",
		"mysql://app:secret@db/shop?timeout=soon":                   "duration",
		"mysql://app:secret@db/shop?parseTime=true":                 `"parseTime" is not known`,
		"mysql://app:secret@db/shop?strict=true":                    `"strict" is not known`,
		"mysql://app:secret@db/shop?socket=/x":                      "both a host and a socket",
	}
	for dsn, want := range cases {
		_, err := Open(t.Context(), Config{DSN: dsn})
		if err == nil {
			t.Errorf("%s: no error", dsn)
			continue
		}
		text := err.Error()
		if !strings.Contains(text, want) {
			t.Errorf("%s: %q does not say %q", dsn, text, want)
		}
		if strings.Contains(text, "sec") && !strings.Contains(text, "second") || strings.Contains(text, "ret") || strings.Contains(text, "\n") {
			t.Errorf("%s: %q shows the password or has several lines", dsn, text)
		}
	}
}

func TestThePasswordFileGivesThePassword(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("s3 cret\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, a, err := Config{DSN: "mysql://app@db/shop", PasswordFile: file}.withDefaults()
	if err != nil || a.password != "s3 cret" {
		t.Errorf("password %q, %v", a.password, err)
	}
	if _, _, err = (Config{DSN: "mysql://app:x@db/shop", PasswordFile: file}).withDefaults(); err == nil || !strings.Contains(err.Error(), "both") {
		t.Errorf("two passwords: %v", err)
	}
	if _, _, err = (Config{DSN: "mysql://app@db/shop", PasswordFile: file + "x"}).withDefaults(); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("no file: %v", err)
	}
}

func TestMySQLDefaultsAndParameters(t *testing.T) {
	c, a, err := Config{DSN: "mysql://app:x@db/shop?tls=skip-verify&timeout=3s&readTimeout=1m"}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	config, err := mysqlConfig(c, a)
	if err != nil {
		t.Fatal(err)
	}
	if config.Addr != "db:3306" || config.Timeout.String() != "3s" || config.ReadTimeout.String() != "1m0s" ||
		config.TLSConfig != "skip-verify" || config.ParseTime {
		t.Errorf("got %s", config.FormatDSN())
	}
	hosts := map[string]string{"": "127.0.0.1:3306", "db:1": "db:1", "[::1]": "[::1]:3306", "[::1]:33": "[::1]:33"}
	for text, want := range hosts {
		if got, err := mysqlHost(text); err != nil || got != want {
			t.Errorf("mysqlHost(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
	_, a, err = Config{DSN: "mysql://app@/shop?socket=/run/my%20sql.sock"}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if config, err = mysqlConfig(c, a); err != nil || config.Net != "unix" || config.Addr != "/run/my sql.sock" {
		t.Errorf("socket: %+v, %v", config, err)
	}
}

func TestMySQLVerifiesTheServerUnderItsOwnName(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		name     string
		insecure bool
	}{
		"tls=true":                          {"db", false},
		"tls-ca=" + file:                    {"db", false},
		"tls-server-name=other":             {"other", false},
		"tls-ca=" + file + "&tls=true":      {"db", false},
		"tls-server-name=x&tls=skip-verify": {"x", true},
	}
	for query, want := range cases {
		c, a, err := Config{DSN: "mysql://app@db/?" + query}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		config, err := mysqlConfig(c, a)
		if err != nil {
			t.Fatal(err)
		}
		// What NewConnector does inside; it fills in what is left open.
		normalized, err := mysql.ParseDSN("tcp(" + config.Addr + ")/?tls=" + cmp.Or(config.TLSConfig, "true"))
		if err != nil {
			t.Fatal(err)
		}
		used := normalized.TLS
		if config.TLS != nil {
			used = config.TLS
			used.ServerName = cmp.Or(used.ServerName, normalized.TLS.ServerName)
		}
		if used.ServerName != want.name || used.InsecureSkipVerify != want.insecure || strings.Contains(query, "ca") != (used.RootCAs != nil) {
			t.Errorf("%s: name %q, insecure %v, authorities %v", query, used.ServerName, used.InsecureSkipVerify, used.RootCAs != nil)
		}
	}
}

func TestPostgresTakesSeveralHostsSocketsAndSpaces(t *testing.T) {
	c, a, err := Config{DSN: "postgres://app:a%20b+c@db1,db2:5433/my%20shop?application_name=a%20b+c&sslmode=disable", Application: "other"}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	config, err := postgresConfig(c, a)
	if err != nil {
		t.Fatal(err)
	}
	conn := config.ConnConfig
	if conn.Host != "db1" || conn.Port != 5432 || conn.Fallbacks[0].Host != "db2" || conn.Fallbacks[0].Port != 5433 ||
		conn.Database != "my shop" || conn.Password != "a b+c" || conn.RuntimeParams["application_name"] != "a b+c" {
		t.Errorf("got %s:%d, %+v, %q, %q", conn.Host, conn.Port, conn.Fallbacks[0], conn.Database, conn.RuntimeParams)
	}
	_, a, err = Config{DSN: "postgres://app@/shop?host=/var/run/postgresql"}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if config, err = postgresConfig(c, a); err != nil || config.ConnConfig.Host != "/var/run/postgresql" {
		t.Errorf("socket: %v", err)
	}
}
