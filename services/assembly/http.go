package assembly

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/trueup/trueup/pkg/config"
	"github.com/trueup/trueup/pkg/kafka"
)

// HTTP is where a service answers probes and scrapers, and the validator those
// who control its runs.
//
// Whoever gives the token, or proves himself by a client certificate, may change
// something. Where neither is configured, everybody may who is on the same
// machine, as long as the service listens there alone; if it can be reached from
// elsewhere nobody may.
type HTTP struct {
	// Listen is host:port. When empty the validator listens on
	// 127.0.0.1:8080 and the fixer on 127.0.0.1:8081; "off" for none.
	Listen string `yaml:"listen"`
	// Token is the secret that callers of the control API give; ${NAME} in it
	// stands for an environment variable. TokenFile holds it on its first line
	// instead, and is read anew for every call.
	Token     kafka.Secret `yaml:"token"`
	TokenFile string       `yaml:"token_file"`
	TLS       HTTPTLS      `yaml:"tls"`
	// ShowRows has the status page show what outcomes hold of rows, and what servers
	// said of them, to those who have proved who they are or are on the same machine.
	ShowRows bool `yaml:"show_rows"`
}

// HTTPTLS says whether connections are encrypted. The files are PEM, and read
// anew for every connection.
type HTTPTLS struct {
	// CertFile and KeyFile prove the service; no TLS when empty.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// ClientCAFile holds the authorities whose client certificates may control
	// the validator. Probes and scrapers need none.
	ClientCAFile string `yaml:"client_ca_file"`
}

// minToken is the shortest token, in bytes: nobody limits how often it is guessed.
const minToken = 16

func (h *HTTP) validate() error {
	switch {
	case h.Token != "" && h.TokenFile != "":
		return config.At("http.token_file", errors.New("http.token is given as well; leave one of the two out"))
	case (h.TLS.CertFile == "") != (h.TLS.KeyFile == ""):
		return config.At("http.tls", errors.New("cert_file and key_file belong together: give both or neither"))
	case h.TLS.ClientCAFile != "" && h.TLS.CertFile == "":
		return config.At("http.tls.client_ca_file", errors.New("client certificates need TLS; give cert_file and key_file too"))
	}
	return nil
}

// expand fills environment variables into the token.
func (h *HTTP) expand() error {
	token, err := config.Expand(string(h.Token))
	if err == nil && token == "" && h.Token != "" {
		err = errors.New("the environment variable holds nothing")
	}
	if err == nil && token != "" {
		err = longEnough(token)
	}
	if err != nil {
		return config.At("http.token", err)
	}
	h.Token = kafka.Secret(token)
	return nil
}

func longEnough(token string) error {
	if len(token) < minToken {
		return fmt.Errorf("it is shorter than %d characters and could be guessed; make one with `openssl rand -hex 24`", minToken)
	}
	return nil
}

// ReadToken returns the token as it is now; empty where none is configured.
func (h *HTTP) ReadToken() (string, error) {
	if h.TokenFile == "" {
		return string(h.Token), nil
	}
	text, err := os.ReadFile(h.TokenFile)
	if err != nil {
		return "", fmt.Errorf("read http.token_file: %w", err)
	}
	token, _, _ := strings.Cut(string(text), "\n")
	token = strings.TrimSpace(token)
	if err := longEnough(token); err != nil {
		return "", fmt.Errorf("http.token_file %s: %w", h.TokenFile, err)
	}
	return token, nil
}

// guarded says whether callers have to prove who they are.
func (h *HTTP) guarded() bool {
	return h.Token != "" || h.TokenFile != "" || h.TLS.ClientCAFile != ""
}

// same compares secrets in a time that tells nothing of them.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// listener encrypts what the listener accepts, where that is configured.
func (t HTTPTLS) listener(plain net.Listener) net.Listener {
	if t.CertFile == "" {
		return plain
	}
	return tls.NewListener(plain, &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return t.config()
		},
	})
}

// check reads the files, so that a wrong one ends the start: the token's where
// something asks for it.
func (h *HTTP) check(asks bool) error {
	if asks {
		if _, err := h.ReadToken(); err != nil {
			return err
		}
	}
	if h.TLS.CertFile == "" {
		return nil
	}
	_, err := h.TLS.config()
	return err
}

// trusted says whether callers that look at the certificate can trust it, for
// /readyz. The files are those that the next connection reads.
func (t HTTPTLS) trusted() (ready bool, detail string, since time.Time) {
	c, err := t.config()
	if err != nil {
		return false, err.Error(), time.Time{}
	}
	if end := c.Certificates[0].Leaf.NotAfter; time.Now().After(end) {
		return false, fmt.Sprintf("http.tls.cert_file %s expired on %s: renew it, callers refuse it", t.CertFile, end.UTC().Format(time.RFC3339)), end
	}
	return true, "", time.Time{}
}

func (t HTTPTLS) config() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("http.tls.cert_file and key_file: %w", err)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, Certificates: []tls.Certificate{pair}}
	if t.ClientCAFile == "" {
		return c, nil
	}
	pem, err := os.ReadFile(t.ClientCAFile)
	if err != nil {
		return nil, fmt.Errorf("http.tls.client_ca_file: %w", err)
	}
	c.ClientCAs, c.ClientAuth = x509.NewCertPool(), tls.VerifyClientCertIfGiven
	if !c.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("http.tls.client_ca_file %s holds no PEM certificate", t.ClientCAFile)
	}
	return c, nil
}
