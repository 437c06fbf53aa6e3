package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// OAuth is where tokens of OAUTHBEARER come from: an endpoint that gives them for
// client credentials (RFC 6749, section 4.4).
type OAuth struct {
	TokenURL string `yaml:"token_url"`
	ClientID string `yaml:"client_id"`
	// ClientSecret, or the file that holds it.
	ClientSecret     Secret `yaml:"client_secret"`
	ClientSecretFile string `yaml:"client_secret_file"`
	// Scope is what the token is to be good for, words between blanks.
	Scope string `yaml:"scope"`
	// CAFile holds the authorities to trust at the endpoint; the system's when empty.
	CAFile string `yaml:"ca_file"`
}

func (o OAuth) validate() error {
	if o == (OAuth{}) {
		return nil
	}
	u, err := url.Parse(o.TokenURL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil:
		return errors.New("kafka.sasl.oauth.token_url is no URL such as https://login.example/oauth2/token (without a password in it)")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return errors.New("kafka.sasl.oauth.token_url begins with http://, which shows the secret to the network: use https://")
	case o.ClientID == "" || (o.ClientSecret == "") == (o.ClientSecretFile == ""):
		return errors.New("kafka.sasl.oauth: client_id, and either client_secret or client_secret_file, must be set")
	}
	return nil
}

func isLoopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

// Times of a token. One that has less than tokenMargin left is not begun with.
const (
	tokenTimeout = 10 * time.Second
	tokenMargin  = 10 * time.Second
)

// tokens gives the tokens of OAUTHBEARER; it is sarama's AccessTokenProvider. A
// token from an endpoint is used until shortly before it expires, one from a file
// is read every time.
type tokens struct {
	sasl SASL

	mu   sync.Mutex
	last *oauth2.Token
}

// Token implements sarama.AccessTokenProvider.
func (t *tokens) Token() (*sarama.AccessToken, error) {
	if t.sasl.TokenFile != "" {
		token, err := secretOf("", "token_file", t.sasl.TokenFile)
		if err != nil {
			return nil, err
		}
		return &sarama.AccessToken{Token: strings.TrimSpace(token)}, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil || !t.last.Expiry.IsZero() && time.Until(t.last.Expiry) < tokenMargin {
		fresh, err := t.sasl.OAuth.fetch()
		if err != nil {
			return nil, &secretError{fmt.Errorf("get a token for Kafka from %s: %w; check kafka.sasl.oauth", t.sasl.OAuth.TokenURL, err)}
		}
		t.last = fresh
	}
	return &sarama.AccessToken{Token: t.last.AccessToken}, nil
}

func (o OAuth) fetch() (*oauth2.Token, error) {
	secret, err := secretOf(o.ClientSecret, "oauth.client_secret_file", o.ClientSecretFile)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("kafka.sasl.oauth.ca_file: %w", err)
		}
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("kafka.sasl.oauth.ca_file %s holds no PEM certificate", o.CAFile)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), tokenTimeout) // the client library has no context
	defer cancel()
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: transport})
	credentials := clientcredentials.Config{ClientID: o.ClientID, ClientSecret: secret, TokenURL: o.TokenURL, Scopes: strings.Fields(o.Scope)}
	token, err := credentials.Token(ctx)
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		// Without the answer's body, which may repeat what was sent.
		return nil, fmt.Errorf("the endpoint answers %s", strings.TrimSpace(refused.Response.Status+" "+refused.ErrorCode))
	}
	return token, err
}
