package database

import (
	"errors"
	"net"
	"time"
)

// Config says which database to open, and how.
type Config struct {
	// DSN is the database's URL, mysql://, mariadb://, postgres:// or
	// postgresql://; ${NAME} stands for an environment variable, see ExpandDSN.
	//
	// MySQL and MariaDB take the parameters socket, tls (true, false,
	// skip-verify, preferred), tls-ca, tls-cert, tls-key, tls-server-name,
	// timeout, readTimeout, writeTimeout, compress, serverPubKey,
	// allowCleartextPasswords, allowNativePasswords and
	// allowFallbackToPlaintext. PostgreSQL takes those of libpq, sslmode among them.
	DSN string
	// PasswordFile names a file that holds the password instead of the DSN. It is
	// read anew for every connection, so that a new password needs no restart.
	PasswordFile string
	// TLS says how to encrypt, instead of parameters of the DSN.
	TLS TLS
	// ReadOnly makes every session refuse to write.
	ReadOnly bool
	// MaxConns is the largest number of connections; 0 means DefaultMaxConns.
	// An open cursor and an open transaction hold one each.
	MaxConns int
	// Application names the program to the server; empty means "trueup".
	Application string
	// ConnectTimeout bounds making one connection; 0 means
	// DefaultConnectTimeout. The DSN's own timeout parameter comes first.
	ConnectTimeout time.Duration
	// StatementTimeout makes the server itself give up a statement that takes
	// longer: statement_timeout of PostgreSQL, max_statement_time of MariaDB,
	// max_execution_time of MySQL (there for SELECT only). It is the ceiling
	// for a statement nobody waits for any more and that could not be
	// cancelled. 0 leaves the server's own setting.
	StatementTimeout time.Duration
}

const (
	// DefaultMaxConns leaves room for a few ranges at once and stays small
	// beside the 100 or 151 connections that PostgreSQL and MySQL allow by default.
	DefaultMaxConns = 8
	// DefaultConnectTimeout is long enough for a slow TLS handshake across
	// the world and short enough to notice a firewall that swallows packets.
	DefaultConnectTimeout = 10 * time.Second

	defaultApplication = "trueup"
	// idleTime is how long an unused connection stays open: past the pauses
	// between ranges, well below the servers' and firewalls' own limits.
	idleTime = 2 * time.Minute
	// goodbye bounds what is done after the caller has gone: rolling back,
	// stopping a statement on the server.
	goodbye = 5 * time.Second
)

// withDefaults fills in what was left out and reads the password file.
func (c Config) withDefaults() (Config, address, error) {
	if c.MaxConns <= 0 {
		c.MaxConns = DefaultMaxConns
	}
	if c.Application == "" {
		c.Application = defaultApplication
	}
	if c.ConnectTimeout <= 0 {
		c.ConnectTimeout = DefaultConnectTimeout
	}
	dsn, err := ExpandDSN(c.DSN)
	if err != nil {
		return c, address{}, err
	}
	a, err := parseDSN(dsn)
	if err == nil {
		err = c.checkTLS(a)
	}
	if err == nil && c.PasswordFile != "" && a.hasPassword {
		err = errors.New("both the DSN and a password file give a password; keep one")
	}
	if err != nil {
		return c, a, err
	}
	a, err = c.withPassword(a)
	return c, a, err
}

// dialer watches connections with TCP keep-alive probes instead of a read
// timeout: a server may be silent for minutes over a large digest and be well,
// but a host that answers no probe for about a minute is gone.
func dialer() *net.Dialer {
	return &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 20 * time.Second, Interval: 10 * time.Second, Count: 4,
	}}
}
