package kafka

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/rs/zerolog"
)

func TestValidateNamesFieldValueAndLimit(t *testing.T) {
	good := Config{Brokers: []string{"kafka:9092"}}
	if err := good.Validate(); err != nil {
		t.Fatalf("the least configuration is refused: %v", err)
	}
	for want, change := range map[string]func(*Config){
		"kafka.brokers is empty":           func(c *Config) { c.Brokers = nil },
		`kafka.brokers[0] "kafka"`:         func(c *Config) { c.Brokers = []string{"kafka"} },
		`kafka.prefix "a b"`:               func(c *Config) { c.Prefix = "a b" },
		`kafka.version "nine"`:             func(c *Config) { c.Version = "nine" },
		`kafka.version "0.10.0.0"`:         func(c *Config) { c.Version = "0.10.0.0" },
		`kafka.instance "a b"`:             func(c *Config) { c.Instance = "a b" },
		`kafka.instance "."`:               func(c *Config) { c.Instance = "." },
		"kafka.instance needs kafka.versi": func(c *Config) { c.Instance, c.Version = "a", "2.3.0" },
		"kafka.partitions -1":              func(c *Config) { c.Partitions = -1 },
		"kafka.replication 99":             func(c *Config) { c.Replication = 99 },
		`kafka.encoding "xml"`:             func(c *Config) { c.Encoding = "xml" },
		"kafka.buffer_bytes 5":             func(c *Config) { c.BufferBytes = 5 },
		"kafka.tls.enabled is false":       func(c *Config) { c.TLS.CAFile = "ca.pem" },
		"kafka.tls.cert_file":              func(c *Config) { c.TLS = TLS{Enabled: true, CertFile: "c.pem"} },
		`kafka.sasl.mechanism "X"`:         func(c *Config) { c.SASL = SASL{Mechanism: "X"} },
		"kafka.sasl.mechanism is empty":    func(c *Config) { c.SASL = SASL{Username: "u"} },
		"kafka.sasl.username and kafka.sa": func(c *Config) { c.SASL = SASL{Mechanism: Plain, Username: "u"} },
		"both give a password":             func(c *Config) { c.SASL = SASL{Mechanism: Plain, Username: "u", Password: "p", PasswordFile: "f"} },
		"belong to OAUTHBEARER":            func(c *Config) { c.SASL = SASL{Mechanism: Plain, Username: "u", Password: "p", TokenFile: "f"} },
		"belong to the other mechanisms":   func(c *Config) { c.SASL = SASL{Mechanism: OAuthBearer, Username: "u", TokenFile: "f"} },
		"takes either token_file, or":      func(c *Config) { c.SASL = SASL{Mechanism: OAuthBearer} },
		"use https://":                     func(c *Config) { c.SASL = withOAuth("http://login.example/token", "s") },
		"kafka.sasl.oauth.token_url":       func(c *Config) { c.SASL = withOAuth("login.example", "s") },
		"either client_secret or client":   func(c *Config) { c.SASL = withOAuth("https://login.example/token", "") },
	} {
		c := good
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	for want, g := range map[string]GroupConfig{
		`group ""`:          {},
		"max_batch -1":      {Group: "g", MaxBatch: -1},
		"linger 1h":         {Group: "g", Linger: time.Hour},
		"drain_timeout 36s": {Group: "g", DrainTimeout: 36 * time.Second},
	} {
		if err := g.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func withOAuth(url string, secret Secret) SASL {
	return SASL{Mechanism: OAuthBearer, OAuth: OAuth{TokenURL: url, ClientID: "trueup", ClientSecret: secret}}
}

func TestAClientSecretIsNeverPrinted(t *testing.T) {
	c := Config{Brokers: []string{"kafka:9092"}, SASL: withOAuth("https://login.example/token", "hunter2")}.WithDefaults()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%v %+v %#v %s", c, c.SASL, c.SASL, c.SASL.OAuth); strings.Contains(text, "hunter2") {
		t.Errorf("the secret stands in %s", text)
	}
}

func TestThePasswordIsNeverPrinted(t *testing.T) {
	var c Config
	text := `
brokers: ["kafka:9092"]
prefix: p
buffer_bytes: 9000000
tls: {enabled: true, ca_file: ca.pem}
sasl: {mechanism: SCRAM-SHA-512, username: app, password: hunter2}
`
	if err := yaml.UnmarshalWithOptions([]byte(text), &c, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if c.SASL.Password != "hunter2" || !c.TLS.Enabled || c.BufferBytes != 9000000 {
		t.Fatalf("read %+v", c)
	}
	var log bytes.Buffer
	logger := zerolog.New(&log)
	logger.Info().Object("kafka", c).Interface("raw", c).Send()
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	c.Partitions = -1
	for _, out := range []string{
		c.String(), fmt.Sprint(c), fmt.Sprintf("%v %+v %#v %s %q %x", c, c, c, c.SASL, c.SASL.Password, c.SASL.Password),
		fmt.Sprintf("%#v", c.SASL), log.String(), string(asJSON), string(asYAML), c.Validate().Error(),
	} {
		if strings.Contains(out, "hunter2") || strings.Contains(out, fmt.Sprintf("%x", "hunter2")) {
			t.Errorf("the password stands in %s", out)
		}
	}
}

func TestDurationsOfAGroupAreReadFromYAML(t *testing.T) {
	var g GroupConfig
	if err := yaml.UnmarshalWithOptions([]byte("group: g\nlinger: 20ms\ndrain_timeout: 5s\n"), &g, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if g.Linger != 20*time.Millisecond || g.DrainTimeout != 5*time.Second {
		t.Errorf("read %+v", g)
	}
}

func TestASecretInPlainSightIsWarnedOf(t *testing.T) {
	for _, c := range []struct {
		mechanism string
		tls, want bool
	}{{Plain, false, true}, {Plain, true, false}, {ScramSHA512, false, false}} {
		var log bytes.Buffer
		config := Config{Brokers: []string{"kafka:9092"}, TLS: TLS{Enabled: c.tls}, SASL: SASL{Mechanism: c.mechanism, Username: "u", Password: "p"}}
		if _, err := NewPublisher(config, zerolog.New(&log), Unobserved{}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(log.String(), "without kafka.tls"); got != c.want {
			t.Errorf("%s with TLS %t: warned %t", c.mechanism, c.tls, got)
		}
	}
}
