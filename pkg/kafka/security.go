package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/IBM/sarama"
)

// TLS says whether and how connections are encrypted. The files are PEM, and are
// read anew for every connection: certificates that are renewed need no restart.
type TLS struct {
	Enabled bool `yaml:"enabled"`
	// CAFile holds the authorities to trust; the system's when empty.
	CAFile string `yaml:"ca_file"`
	// CertFile and KeyFile prove this client; both or neither.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// ServerName is the name that the brokers' certificates must hold; that of the
	// broker's address when empty.
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

// apply makes a client's connections encrypted ones. The dialer does it rather
// than the client library, which would keep for as long as a client lives what it
// read at its beginning.
func (t TLS) apply(s *sarama.Config) {
	if !t.Enabled {
		return
	}
	inner := dialer(&net.Dialer{Timeout: s.Net.DialTimeout, KeepAlive: s.Net.KeepAlive})
	if s.Net.Proxy.Enable {
		inner = s.Net.Proxy.Dialer
	}
	s.Net.Proxy.Enable, s.Net.Proxy.Dialer = true, tlsDialer{t, inner}
}

// tlsDialer makes encrypted connections.
type tlsDialer struct {
	tls   TLS
	inner dialer
}

// Dial implements proxy.Dialer.
func (d tlsDialer) Dial(network, address string) (net.Conn, error) {
	config, err := d.tls.config(address, time.Now())
	if err != nil {
		return nil, &secretError{err}
	}
	conn, err := d.inner.Dial(network, address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout) // the client library has no context
	defer cancel()
	encrypted := tls.Client(conn, config)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, &handshakeError{fmt.Errorf("TLS with %s: %w", address, err)}
	}
	return encrypted, nil
}

// handshakeError is met before a connection is encrypted.
type handshakeError struct{ error }

// Unwrap returns the cause.
func (e *handshakeError) Unwrap() error { return e.error }

// config reads the files.
func (t TLS) config(address string, now time.Time) (*tls.Config, error) {
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         t.ServerName,
		InsecureSkipVerify: t.InsecureSkipVerify,
	}
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fmt.Errorf("broker %q is not host:port: %w", address, err)
		}
		config.ServerName = host
	}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("kafka.tls.ca_file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("kafka.tls.ca_file %s holds no PEM certificate", t.CAFile)
		}
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("kafka.tls.cert_file and key_file: %w", err)
		}
		// What a broker says of it comes late and is one word.
		if end := pair.Leaf.NotAfter; now.After(end) {
			return nil, fmt.Errorf("kafka.tls.cert_file %s expired on %s: renew this client's certificate", t.CertFile, end.UTC().Format(time.RFC3339))
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
