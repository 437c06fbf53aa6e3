package kafka

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"hash"
	"os"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"
)

// TLS says whether and how connections are encrypted. The files are PEM.
type TLS struct {
	Enabled bool `yaml:"enabled"`
	// CAFile holds the authorities to trust; the system's when empty.
	CAFile string `yaml:"ca_file"`
	// CertFile and KeyFile prove this client; both or neither.
	CertFile   string `yaml:"cert_file"`
	KeyFile    string `yaml:"key_file"`
	ServerName string `yaml:"server_name"`
	// InsecureSkipVerify trusts any broker; for tests alone.
	InsecureSkipVerify bool `yaml:"insecure_skip_verify"`
}

func (t TLS) validate() error {
	if t != (TLS{}) && !t.Enabled {
		return errors.New("kafka.tls.enabled is false although kafka.tls has settings: set it to true or remove them")
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		return errors.New("kafka.tls.cert_file and kafka.tls.key_file belong together: set both or neither")
	}
	return nil
}

func (t TLS) apply(s *sarama.Config) error {
	if !t.Enabled {
		return nil
	}
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         t.ServerName,
		InsecureSkipVerify: t.InsecureSkipVerify,
	}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return fmt.Errorf("kafka.tls.ca_file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("kafka.tls.ca_file %s holds no PEM certificate", t.CAFile)
		}
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return fmt.Errorf("kafka.tls.cert_file and key_file: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	s.Net.TLS.Enable = true
	s.Net.TLS.Config = config
	return nil
}

// Secret is a text that prints as stars wherever it goes.
type Secret string

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// SASL mechanisms.
const (
	Plain       = sarama.SASLTypePlaintext
	ScramSHA256 = sarama.SASLTypeSCRAMSHA256
	ScramSHA512 = sarama.SASLTypeSCRAMSHA512
)

// SASL says who this client is. An empty Mechanism is no authentication.
type SASL struct {
	// Mechanism is PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
	Mechanism string `yaml:"mechanism"`
	Username  string `yaml:"username"`
	Password  Secret `yaml:"password"`
}

// String names the mechanism and the user.
func (a SASL) String() string {
	if a.Mechanism == "" {
		return "off"
	}
	return a.Mechanism + " as " + a.Username
}

func (a SASL) validate() error {
	switch a.Mechanism {
	case "":
		if a != (SASL{}) {
			return fmt.Errorf("kafka.sasl.mechanism is empty: use %s, %s or %s", Plain, ScramSHA256, ScramSHA512)
		}
		return nil
	case Plain, ScramSHA256, ScramSHA512:
	default:
		return fmt.Errorf("kafka.sasl.mechanism %q is none of %s, %s, %s", a.Mechanism, Plain, ScramSHA256, ScramSHA512)
	}
	if a.Username == "" || a.Password == "" {
		return errors.New("kafka.sasl.username and kafka.sasl.password must both be set")
	}
	return nil
}

func (a SASL) apply(s *sarama.Config) {
	if a.Mechanism == "" {
		return
	}
	s.Net.SASL.Enable = true
	s.Net.SASL.Mechanism = sarama.SASLMechanism(a.Mechanism)
	s.Net.SASL.User = a.Username
	s.Net.SASL.Password = string(a.Password)
	switch a.Mechanism {
	case ScramSHA256:
		s.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &scramClient{hash: sha256.New} }
	case ScramSHA512:
		s.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &scramClient{hash: sha512.New} }
	}
}

// scramClient is one SCRAM conversation (RFC 5802).
type scramClient struct {
	hash         func() hash.Hash
	conversation *scram.ClientConversation
}

// Begin starts the conversation.
func (c *scramClient) Begin(user, password, authzID string) error {
	client, err := scram.HashGeneratorFcn(c.hash).NewClient(user, password, authzID)
	if err != nil {
		return fmt.Errorf("prepare SCRAM credentials: %w", err)
	}
	c.conversation = client.NewConversation()
	return nil
}

// Step answers the server's challenge.
func (c *scramClient) Step(challenge string) (string, error) { return c.conversation.Step(challenge) }

// Done says whether the conversation has ended.
func (c *scramClient) Done() bool { return c.conversation.Done() }
