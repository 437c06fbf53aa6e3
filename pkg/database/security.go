package database

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
)

// TLS says how connections are encrypted, with the same words and meanings for all
// engines (they are libpq's). The zero value leaves it to the DSN's own parameters.
// Files are PEM and, like the password file, are read anew for every connection.
type TLS struct {
	// Mode is one of
	//
	//	disable      never
	//	prefer       if the server can, whoever it is
	//	require      always, whoever the server is
	//	verify-ca    always, and an authority of CAFile signed the server's certificate
	//	verify-full  besides, the certificate holds the server's name
	//
	// Empty with any other field set is verify-full.
	Mode string `yaml:"mode"`
	// CAFile holds the authorities to trust; the system's when empty.
	CAFile string `yaml:"ca_file"`
	// CertFile and KeyFile prove this client; both or neither.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// ServerName is the name to look for instead of the DSN's host.
	ServerName string `yaml:"server_name"`
}

// Modes of TLS.
const (
	TLSDisable    = "disable"
	TLSPrefer     = "prefer"
	TLSRequire    = "require"
	TLSVerifyCA   = "verify-ca"
	TLSVerifyFull = "verify-full"
)

// Validate names what does not go together.
func (t TLS) Validate() error {
	t = t.withDefaults()
	switch {
	case t == TLS{}:
		return nil
	case !slices.Contains([]string{TLSDisable, TLSPrefer, TLSRequire, TLSVerifyCA, TLSVerifyFull}, t.Mode):
		return fmt.Errorf("mode %q is none of disable, prefer, require, verify-ca, verify-full", t.Mode)
	case (t.CertFile == "") != (t.KeyFile == ""):
		return errors.New("cert_file and key_file belong together; give both or neither")
	case t.Mode == TLSDisable && t.CertFile != "":
		return errors.New("mode disable takes no certificate; leave out cert_file and key_file")
	case t.CAFile != "" && !t.verifies():
		return fmt.Errorf("mode %s verifies nobody, so ca_file has no use; say verify-ca or verify-full", t.Mode)
	case t.ServerName != "" && t.Mode != TLSVerifyFull:
		return fmt.Errorf("mode %s looks at no name, so server_name has no use; say verify-full", t.Mode)
	}
	return nil
}

func (t TLS) withDefaults() TLS {
	if t != (TLS{}) && t.Mode == "" {
		t.Mode = TLSVerifyFull
	}
	return t
}

func (t TLS) verifies() bool { return t.Mode == TLSVerifyCA || t.Mode == TLSVerifyFull }

// encryption are the DSN's parameters about TLS.
func (a address) encryption() []string {
	var names []string
	for _, p := range a.params {
		if strings.HasPrefix(p.name, "tls") || strings.HasPrefix(p.name, "ssl") && p.name != "sslnegotiation" || p.name == "allowFallbackToPlaintext" {
			names = append(names, p.name)
		}
	}
	return names
}

// checkTLS refuses settings that contradict each other.
func (c Config) checkTLS(a address) error {
	if err := c.TLS.Validate(); err != nil {
		return fmt.Errorf("read the settings of TLS: %w", err)
	}
	if given := a.encryption(); c.TLS != (TLS{}) && len(given) > 0 {
		return fmt.Errorf("both the DSN (%s) and the settings of tls say how to encrypt; keep one", strings.Join(given, ", "))
	}
	return nil
}

// mysql builds what the driver needs, for a server at host:port.
func (t TLS) mysql(config *mysql.Config, addr string) error {
	t = t.withDefaults()
	config.AllowFallbackToPlaintext = t.Mode == TLSPrefer
	if t.Mode == TLSDisable {
		config.TLSConfig = "false"
		return nil
	}
	var err error
	if config.TLS, err = t.config(addr); err != nil {
		return &secretError{err}
	}
	return nil
}

// config reads the files.
func (t TLS) config(addr string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName, InsecureSkipVerify: t.Mode != TLSVerifyFull}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(addr)
	}
	var err error
	if t.CAFile != "" {
		if config.RootCAs, err = authorities("tls.ca_file", t.CAFile); err != nil {
			return nil, err
		}
	}
	if t.Mode == TLSVerifyCA {
		config.VerifyConnection = func(state tls.ConnectionState) error { return signed(state, config.RootCAs) }
	}
	if t.CertFile != "" {
		pair, err := clientCertificate("tls.cert_file", t.CertFile, t.KeyFile)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// signed verifies a server's certificates whatever name they hold.
func signed(state tls.ConnectionState, roots *x509.CertPool) error {
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(c)
	}
	_, err := state.PeerCertificates[0].Verify(options)
	return err
}

// postgres has pgx read the settings as parameters of the DSN, which it applies to
// every host and every way to fall back.
func (t TLS) postgres(a address) address {
	t = t.withDefaults()
	a.params = slices.Clone(a.params)
	for _, p := range []param{{"sslmode", t.Mode}, {"sslrootcert", t.CAFile}, {"sslcert", t.CertFile}, {"sslkey", t.KeyFile}} {
		if p.value != "" {
			a.params = append(a.params, p)
		}
	}
	return a
}

// authorities reads certificates to trust.
func authorities(setting, file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", setting, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read %s: %s holds no PEM certificate", setting, file)
	}
	return pool, nil
}

// clientCertificate reads a certificate and refuses one that has expired: what a
// server says of it comes late and is one word.
func clientCertificate(setting, cert, key string) (tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return pair, fmt.Errorf("read %s and its key: %w", setting, err)
	}
	if end := pair.Leaf.NotAfter; time.Now().After(end) {
		return pair, fmt.Errorf("read %s: %s expired on %s; renew this client's certificate", setting, cert, end.UTC().Format(time.RFC3339))
	}
	return pair, nil
}

// secretError is a password or certificate of this client that cannot be read, as
// it may be while somebody renews it.
type secretError struct{ error }

// Unwrap returns the cause.
func (e *secretError) Unwrap() error { return e.error }

// renewMySQL has every connection of a pool use passwords and certificates as they
// stand in their files at that moment.
func (c Config) renewMySQL(a address) mysql.Option {
	return mysql.BeforeConnect(func(ctx context.Context, connecting *mysql.Config) error {
		if h, listening := ctx.Value(heardKey{}).(*heard); listening {
			connecting.Logger = h
		}
		a, err := c.withPassword(a)
		if err != nil {
			return err
		}
		fresh, err := mysqlConfig(c, a)
		if err != nil {
			return err
		}
		connecting.Passwd = a.password
		if fresh.TLS != nil {
			connecting.TLS = fresh.TLS
		}
		return nil
	})
}

// heard is what the driver logs while it connects: the cause of an error that it
// returns as an invalid or bad connection, such as that a certificate was refused.
type heard struct{ cause error }

type heardKey struct{}

// Print implements mysql.Logger.
func (h *heard) Print(values ...any) {
	for _, v := range values {
		if err, ok := v.(error); ok && h.cause == nil {
			h.cause = err
		}
	}
}

// explain adds the cause to an error that leaves it out.
func (h *heard) explain(err error) error {
	switch {
	case errors.Is(err, mysql.ErrInvalidConn):
	case err.Error() == "bad connection": // the driver's own, which has no name outside it
		err = driver.ErrBadConn
	default:
		return err
	}
	if h.cause == nil {
		return err
	}
	return fmt.Errorf("%w: %w", err, h.cause)
}

// certified says whether connections show a certificate of this client.
func (c Config) certified(a address) bool {
	return c.TLS.CertFile != "" || slices.ContainsFunc(a.params, func(p param) bool { return p.name == "tls-cert" || p.name == "sslcert" })
}

// isCut says whether the other side ended a connection without a word.
func isCut(err error) bool {
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// renewPostgres is renewMySQL's counterpart.
func (c Config) renewPostgres(a address) func(context.Context, *pgx.ConnConfig) error {
	return func(_ context.Context, connecting *pgx.ConnConfig) error {
		a, err := c.withPassword(a)
		if err != nil {
			return err
		}
		fresh, err := postgresConfig(c, a)
		if err != nil {
			return err
		}
		connecting.Password = fresh.ConnConfig.Password
		connecting.TLSConfig, connecting.Fallbacks = fresh.ConnConfig.TLSConfig, fresh.ConnConfig.Fallbacks
		return nil
	}
}

// hasFiles says whether a password or certificates come from files.
func (c Config) hasFiles(a address) bool {
	return c.PasswordFile != "" || c.TLS.CAFile != "" || c.TLS.CertFile != "" || slices.ContainsFunc(a.params, func(p param) bool {
		return slices.Contains([]string{"tls-ca", "tls-cert", "sslrootcert", "sslcert"}, p.name)
	})
}

// withPassword is the address with the password as it stands in its file.
func (c Config) withPassword(a address) (address, error) {
	if c.PasswordFile == "" {
		return a, nil
	}
	var err error
	if a.password, err = readPasswordFile(c.PasswordFile); err != nil {
		return a, &secretError{err}
	}
	a.hasPassword = true
	return a, nil
}
