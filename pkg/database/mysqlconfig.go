package database

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// mysqlParams are the driver's own parameters that change neither texts nor
// meanings. The others are refused: parseTime, charset, collation, loc,
// interpolateParams and session variables all do.
var mysqlParams = map[string]bool{
	"tls": true, "timeout": true, "readTimeout": true, "writeTimeout": true, "compress": true, "serverPubKey": true,
	"allowCleartextPasswords": true, "allowNativePasswords": true, "allowFallbackToPlaintext": true,
}

const mysqlParamNames = "socket, tls, tls-ca, tls-cert, tls-key, tls-server-name, timeout, readTimeout, writeTimeout, compress, " +
	"serverPubKey, allowCleartextPasswords, allowNativePasswords, allowFallbackToPlaintext"

func mysqlConfig(c Config, a address) (*mysql.Config, error) {
	config, own, err := mysqlParameters(a)
	if err != nil {
		return nil, err
	}
	if config.Timeout == 0 {
		config.Timeout = c.ConnectTimeout
	}
	config.User, config.Passwd, config.DBName = a.user, a.password, a.database
	config.ConnectionAttributes = "program_name:" + strings.NewReplacer(",", " ", ":", " ").Replace(c.Application)
	config.Logger = &mysql.NopLogger{} // what it logs also comes back as an error
	// An update that changes nothing has found its row all the same.
	config.ClientFoundRows = true
	config.DialFunc = dialer().DialContext
	if socket := own["socket"]; socket != "" {
		if a.host != "" {
			return nil, errors.New("the DSN names both a host and a socket; write mysql://user:password@/database?socket=/path")
		}
		if mode := c.TLS.withDefaults().Mode; mode != "" && mode != TLSDisable && mode != TLSPrefer {
			return nil, fmt.Errorf("the DSN names a socket, which is not encrypted, and tls asks for mode %s; leave one of them out", mode)
		}
		config.Net, config.Addr = "unix", socket
		return config, nil
	}
	if config.Addr, err = mysqlHost(a.host); err != nil {
		return nil, err
	}
	config.Net = "tcp"
	if c.TLS != (TLS{}) {
		return config, c.TLS.mysql(config, config.Addr)
	}
	return config, mysqlTLS(config, own)
}

// tappable says whether packets travel as they are and without a read timeout,
// which the driver alone would keep.
func tappable(config *mysql.Config, a address) bool {
	encrypted := config.TLS != nil || config.TLSConfig != "" && config.TLSConfig != "false"
	compressed := slices.ContainsFunc(a.params, func(p param) bool { return p.name == "compress" })
	return !encrypted && !compressed && config.ReadTimeout == 0
}

// mysqlParameters reads the driver's parameters into a configuration and
// returns this package's own ones.
func mysqlParameters(a address) (*mysql.Config, map[string]string, error) {
	own := map[string]string{}
	var query []string
	for _, p := range a.params {
		switch p.name {
		case "socket", "tls-ca", "tls-cert", "tls-key", "tls-server-name":
			own[p.name] = p.value
		default:
			if !mysqlParams[p.name] {
				return nil, nil, fmt.Errorf("the DSN parameter %q is not known for MySQL; known are %s", p.name, mysqlParamNames)
			}
			query = append(query, p.name+"="+encode(p.value))
		}
	}
	// Holds neither user nor password, so the error may be shown.
	config, err := mysql.ParseDSN("/?" + strings.Join(query, "&"))
	if err != nil {
		return nil, nil, fmt.Errorf("read the parameters of the DSN: %w", err)
	}
	// Made for the host that was not there; NewConnector makes it anew from
	// TLSConfig.
	config.TLS = nil
	return config, own, nil
}

// mysqlHost adds the default host and port.
func mysqlHost(text string) (string, error) {
	host, port := text, "3306"
	if i := strings.LastIndexByte(text, ':'); i >= 0 && i > strings.LastIndexByte(text, ']') {
		host, port = text[:i], text[i+1:]
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", errPort
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if host == "" {
		host = "127.0.0.1"
	}
	if strings.Contains(host, ",") {
		return "", errors.New("the DSN names several hosts; a MySQL DSN names one")
	}
	return net.JoinHostPort(host, port), nil
}

// mysqlTLS adds certificates from files to the driver's tls modes. Without a mode
// they ask for TLS with a verified server.
func mysqlTLS(config *mysql.Config, own map[string]string) error {
	ca, cert, key, name := own["tls-ca"], own["tls-cert"], own["tls-key"], own["tls-server-name"]
	if ca == "" && cert == "" && key == "" && name == "" {
		return nil
	}
	if config.TLSConfig == "false" {
		return errors.New("the DSN gives TLS files and switches TLS off; drop tls=false")
	}
	if name == "" {
		name, _, _ = net.SplitHostPort(config.Addr)
	}
	config.TLS = &tls.Config{ServerName: name, InsecureSkipVerify: config.TLSConfig == "skip-verify" || config.TLSConfig == "preferred"}
	var err error
	if ca != "" {
		if config.TLS.RootCAs, err = authorities("tls-ca", ca); err != nil {
			return &secretError{err}
		}
	}
	if cert == "" && key == "" {
		return nil
	}
	pair, err := clientCertificate("tls-cert", cert, key)
	if err != nil {
		return &secretError{err}
	}
	config.TLS.Certificates = []tls.Certificate{pair}
	return nil
}
