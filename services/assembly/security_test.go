package assembly

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/event"
)

// A secret that is not there yet may come; a DSN that makes no sense stays so.
func TestAMissingSecretIsWaitedForAndAWrongDSNIsNot(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "password")
	for _, c := range []struct {
		d        Database
		hopeless bool
		says     string
	}{
		{Database{DSN: "mysql://app@127.0.0.1:1/shop", PasswordFile: missing}, false, missing},
		{Database{DSN: "postgres://app@127.0.0.1:1/shop", PasswordFile: missing}, false, missing},
		{Database{DSN: "mysql://app@127.0.0.1:1/shop", TLS: database.TLS{CAFile: missing}}, false, missing},
		{Database{DSN: "postgres://app@127.0.0.1:1/shop?sslrootcert=" + missing}, false, missing},
		{Database{DSN: "mysql://app@127.0.0.1:1/shop?parseTime=true"}, true, "parseTime"},
		{Database{DSN: "mysql://app@127.0.0.1:1/shop?tls=true", TLS: database.TLS{Mode: "require"}}, true, "keep one"},
	} {
		_, err := OpenSide(context.Background(), event.Source, c.d, Access{})
		if err == nil || !strings.Contains(err.Error(), c.says) || hopeless(err) != c.hopeless {
			t.Errorf("%s: %v, want … %s …, hopeless %t", c.d.DSN, err, c.says, c.hopeless)
		}
	}
}

func TestTheFileSaysHowToEncrypt(t *testing.T) {
	load := func(text string) (File, error) {
		path := filepath.Join(t.TempDir(), "trueup.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return Load(path)
	}
	t.Setenv("CLIENT_SECRET", "s3cret")
	file, err := load(`
source: {dsn: "mysql://a@b/c", tls: {mode: verify-ca, ca_file: ca.pem}}
kafka: {brokers: ["k:9"], tls: {enabled: true}, sasl: {mechanism: OAUTHBEARER, oauth: {token_url: "https://l/t", client_id: c, client_secret: "${CLIENT_SECRET}"}}}
`)
	if err != nil || file.Source.TLS.Mode != database.TLSVerifyCA || file.Kafka.SASL.OAuth.ClientSecret != "s3cret" {
		t.Errorf("%+v, %v", file.Source.TLS, err)
	}
	if _, err := load("target: {dsn: 'mysql://a@b/c', tls: {mode: always}}"); err == nil || !strings.Contains(err.Error(), "target.tls") || !strings.Contains(err.Error(), `"always"`) {
		t.Errorf("a mode that is none: %v", err)
	}
}
