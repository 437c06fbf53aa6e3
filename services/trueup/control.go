package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"github.com/trueup/trueup/internal/certificate"
	"github.com/trueup/trueup/proto/trueup/control/v1/controlv1connect"
	"github.com/trueup/trueup/services/assembly"
)

// Environment variables that stand for --server and --token-file.
const (
	serverVariable = "TRUEUP_SERVER"
	tokenVariable  = "TRUEUP_TOKEN"
)

// defaultServer is where a validator listens when nobody says where.
const defaultServer = "http://127.0.0.1:8080"

// callTime bounds a call; the validator gives Kafka 15 seconds of it.
const callTime = 25 * time.Second

// server are the flags that say how to reach a validator.
type server struct {
	url, config, tokenFile    string
	caFile, certFile, keyFile string
	json                      bool
}

func (s *server) addTo(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.url, "server", "", "`URL` of the validator (default "+serverVariable+", then http.listen of --config, then "+defaultServer+")")
	f.StringVarP(&s.config, "config", "f", "", "`FILE` the validator reads, for its address and token")
	f.StringVar(&s.tokenFile, "token-file", "", "`FILE` with the token on its first line (default "+tokenVariable+", then http.token of --config)")
	f.StringVar(&s.caFile, "ca-file", "", "PEM `FILE` with the authorities to trust instead of the system's")
	f.StringVar(&s.certFile, "cert-file", "", "PEM `FILE` with a client certificate")
	f.StringVar(&s.keyFile, "key-file", "", "PEM `FILE` with its key")
	f.BoolVar(&s.json, "json", false, "print one JSON object a line")
}

// remote is a validator that can be asked.
type remote struct {
	controlv1connect.ControlServiceClient
	url string
}

// open finds out where the validator is and what to show it.
func (s *server) open() (*remote, error) {
	var file assembly.File
	if s.config != "" {
		var err error
		if file, err = assembly.Load(s.config); err != nil {
			return nil, err
		}
	}
	address, err := s.address(file.HTTP)
	if err != nil {
		return nil, err
	}
	token, err := s.token(file.HTTP)
	if err != nil {
		return nil, err
	}
	transport, err := s.transport()
	if err != nil {
		return nil, err
	}
	client := &http.Client{Timeout: callTime, Transport: bearer{token, transport}}
	return &remote{controlv1connect.NewControlServiceClient(client, address), address}, nil
}

func (s *server) address(file assembly.HTTP) (string, error) {
	address := s.url
	if address == "" {
		address = os.Getenv(serverVariable)
	}
	if address == "" {
		return listening(file)
	}
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return "", usage("--server %q: want a URL such as http://127.0.0.1:8080", address)
	}
	return strings.TrimRight(address, "/"), nil
}

// listening is where a validator with this configuration is reached from its
// own machine.
func listening(file assembly.HTTP) (string, error) {
	if file.Listen == "" {
		return defaultServer, nil
	}
	host, port, err := net.SplitHostPort(file.Listen)
	if err != nil || port == "0" {
		return "", usage("http.listen %q names no address to call; give --server", file.Listen)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "http://"
	if file.TLS.CertFile != "" {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port), nil
}

func (s *server) token(file assembly.HTTP) (string, error) {
	if s.tokenFile != "" {
		file = assembly.HTTP{TokenFile: s.tokenFile}
	} else if token := os.Getenv(tokenVariable); token != "" {
		return token, nil
	}
	return file.ReadToken()
}

func (s *server) transport() (http.RoundTripper, error) {
	t := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if s.caFile != "" {
		pem, err := os.ReadFile(s.caFile)
		if err != nil {
			return nil, fmt.Errorf("--ca-file: %w", err)
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--ca-file %s holds no PEM certificate", s.caFile)
		}
	}
	if s.certFile != "" || s.keyFile != "" {
		pair, err := tls.LoadX509KeyPair(s.certFile, s.keyFile)
		if err != nil {
			return nil, fmt.Errorf("--cert-file and --key-file: %w", err)
		}
		t.TLSClientConfig.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}

// bearer shows a token with every call.
type bearer struct {
	token string
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.token != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+b.token)
	}
	return b.next.RoundTrip(r)
}

// explain puts what went wrong with a call into a sentence with a way out.
func (r *remote) explain(action string, err error) error {
	e, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return fmt.Errorf("%s: %w", action, err)
	}
	if expired, ok := certificate.Expired(err); ok {
		return fmt.Errorf("%s: the validator at %s cannot be trusted: %s; renew the file of http.tls.cert_file, or set this machine's clock", action, r.url, expired)
	}
	if !connect.IsWireError(err) {
		return fmt.Errorf("%s: the validator at %s was not reached: %w; see that it runs, or name another by --server, %s or --config",
			action, r.url, e.Unwrap(), serverVariable)
	}
	return fmt.Errorf("%s: %s", action, e.Message())
}

// callerName is who gives an order when nobody says: the user and his machine.
func callerName() string {
	name := "somebody"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}

// each does something to every pair named, and goes on after an error, so that
// one pair's does not keep the others.
func (a *app) each(ctx context.Context, action string, names []string, r *remote, do func(ctx context.Context, name string) error) error {
	for _, name := range names {
		if err := do(ctx, name); err != nil {
			printError(a.stderr, r.explain(action+" "+name, err))
			a.worsen(statusTrouble)
		}
	}
	return nil
}
