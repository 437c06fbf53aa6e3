package kafka

import (
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"os"
	"strings"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"
)

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

// secretOf is a secret as given, or as it stands in its file now.
func secretOf(given Secret, key, file string) (string, error) {
	if file == "" {
		return string(given), nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", &secretError{fmt.Errorf("kafka.sasl.%s: %w", key, err)}
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	if secret == "" {
		return "", &secretError{fmt.Errorf("kafka.sasl.%s %s is empty; write the secret into it", key, file)}
	}
	return secret, nil
}

// secretError is a secret or certificate of this client that cannot be had.
type secretError struct{ error }

// Unwrap returns the cause.
func (e *secretError) Unwrap() error { return e.error }

// SASL mechanisms.
const (
	Plain       = sarama.SASLTypePlaintext
	ScramSHA256 = sarama.SASLTypeSCRAMSHA256
	ScramSHA512 = sarama.SASLTypeSCRAMSHA512
	OAuthBearer = sarama.SASLTypeOAuth
)

const mechanisms = Plain + ", " + ScramSHA256 + ", " + ScramSHA512 + ", " + OAuthBearer

// SASL says who this client is. An empty Mechanism is no authentication. What
// stands in files is read anew when connections are made: a new password or token
// needs no restart.
type SASL struct {
	// Mechanism is PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.
	Mechanism string `yaml:"mechanism"`
	// Username and either Password or PasswordFile are those of PLAIN and SCRAM.
	Username     string `yaml:"username"`
	Password     Secret `yaml:"password"`
	PasswordFile string `yaml:"password_file"`
	// TokenFile holds the token of OAUTHBEARER, which somebody else renews there;
	// OAuth says instead where to ask for one.
	TokenFile string `yaml:"token_file"`
	OAuth     OAuth  `yaml:"oauth"`
}

// String names the mechanism and the user.
func (a SASL) String() string {
	switch {
	case a.Mechanism == "":
		return "off"
	case a.Mechanism != OAuthBearer:
		return a.Mechanism + " as " + a.Username
	case a.TokenFile != "":
		return a.Mechanism + " with the token of " + a.TokenFile
	default:
		return a.Mechanism + " as " + a.OAuth.ClientID
	}
}

func (a SASL) validate() error {
	switch a.Mechanism {
	case "":
		if a != (SASL{}) {
			return errors.New("kafka.sasl.mechanism is empty: use one of " + mechanisms)
		}
		return nil
	case Plain, ScramSHA256, ScramSHA512:
		return a.validatePassword()
	case OAuthBearer:
		return a.validateToken()
	default:
		return fmt.Errorf("kafka.sasl.mechanism %q is none of %s", a.Mechanism, mechanisms)
	}
}

func (a SASL) validatePassword() error {
	switch {
	case a.TokenFile != "" || a.OAuth != (OAuth{}):
		return fmt.Errorf("kafka.sasl.token_file and kafka.sasl.oauth belong to %s; %s takes username and password", OAuthBearer, a.Mechanism)
	case a.Password != "" && a.PasswordFile != "":
		return errors.New("kafka.sasl.password and kafka.sasl.password_file both give a password; keep one")
	case a.Username == "" || a.Password == "" && a.PasswordFile == "":
		return errors.New("kafka.sasl.username and kafka.sasl.password (or password_file) must both be set")
	}
	return nil
}

func (a SASL) validateToken() error {
	switch {
	case a.Username != "" || a.Password != "" || a.PasswordFile != "":
		return fmt.Errorf("kafka.sasl.username and password belong to the other mechanisms; %s takes token_file or oauth", OAuthBearer)
	case (a.TokenFile == "") == (a.OAuth == OAuth{}):
		return errors.New("kafka.sasl: OAUTHBEARER takes either token_file, or oauth with token_url, client_id and client_secret")
	}
	return a.OAuth.validate()
}

// apply has a client log in. Passwords of SCRAM and tokens are asked for at every
// connection; that of PLAIN the client library keeps for as long as a client
// lives, which is replaced when it is refused.
func (a SASL) apply(s *sarama.Config, tokens *tokens) error {
	if a.Mechanism == "" {
		return nil
	}
	s.Net.SASL.Enable = true
	s.Net.SASL.Mechanism = sarama.SASLMechanism(a.Mechanism)
	if a.Mechanism == OAuthBearer {
		s.Net.SASL.TokenProvider = tokens
		return nil
	}
	password, err := a.password()
	if err != nil {
		return err
	}
	s.Net.SASL.User, s.Net.SASL.Password = a.Username, password
	s.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient {
		c := &scramClient{hash: sha256.New, password: a.password}
		if a.Mechanism == ScramSHA512 {
			c.hash = sha512.New
		}
		return c
	}
	return nil
}

// showsSecret says whether the mechanism sends the secret itself.
func (a SASL) showsSecret() bool { return a.Mechanism == Plain || a.Mechanism == OAuthBearer }

func (a SASL) password() (string, error) {
	return secretOf(a.Password, "password_file", a.PasswordFile)
}

// scramClient is one SCRAM conversation (RFC 5802).
type scramClient struct {
	hash         func() hash.Hash
	password     func() (string, error)
	conversation *scram.ClientConversation
}

// Begin starts the conversation, with the password as it is now.
func (c *scramClient) Begin(user, _, authzID string) error {
	password, err := c.password()
	if err != nil {
		return err
	}
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
