package assembly

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/telemetry"
)

// secured serves who calls, as a service with this configuration does, and
// returns where.
func secured(t *testing.T, file HTTP) string {
	t.Helper()
	var log strings.Builder
	s := NewService("test", &log)
	who := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Proto, " ", CallerOf(r.Context()).Name)
	})
	listener, err := telemetry.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.ServeHTTP(t.Context(), address, file, "", telemetry.Mounted{Pattern: "POST /who", Handler: who}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- s.Parts.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "https://" + address
}

func TestAnExpiredCertificateMakesAServiceUnready(t *testing.T) {
	authority := testenv.NewAuthority(t, "us")
	old, fresh := authority.Issue(testenv.Certificate{Expired: true}), authority.Issue(testenv.Certificate{})
	tls := HTTPTLS{CertFile: old.Cert, KeyFile: old.Key}
	if ready, detail, since := tls.trusted(); ready || !strings.Contains(detail, old.Cert+" expired on ") || since.IsZero() {
		t.Errorf("%v %q since %v", ready, detail, since)
	}
	tls = HTTPTLS{CertFile: fresh.Cert, KeyFile: fresh.Key}
	if ready, detail, _ := tls.trusted(); !ready {
		t.Error(detail)
	}
	if err := os.Remove(fresh.Key); err != nil {
		t.Fatal(err)
	}
	if ready, detail, _ := tls.trusted(); ready || !strings.Contains(detail, "http.tls.cert_file and key_file") {
		t.Errorf("%v %q", ready, detail)
	}
}

func post(t *testing.T, url string, config *tls.Config) (string, error) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/who", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Transport: transport, Timeout: time.Minute}).Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), nil
}

func TestAClientCertificateDoesInsteadOfTheToken(t *testing.T) {
	ours, theirs := testenv.NewAuthority(t, "ours"), testenv.NewAuthority(t, "theirs")
	server := ours.Issue(testenv.Certificate{Common: "trueup"})
	url := secured(t, HTTP{TLS: HTTPTLS{CertFile: server.Cert, KeyFile: server.Key, ClientCAFile: ours.File}})
	config := func(client *testenv.Issued) *tls.Config {
		pem, err := os.ReadFile(ours.File)
		if err != nil {
			t.Fatal(err)
		}
		c := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
		c.RootCAs.AppendCertsFromPEM(pem)
		if client != nil {
			pair, err := tls.LoadX509KeyPair(client.Cert, client.Key)
			if err != nil {
				t.Fatal(err)
			}
			// Whatever authorities the server names, this one is sent.
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		}
		return c
	}
	ann := ours.Issue(testenv.Certificate{Common: "ann"})
	if got, err := post(t, url, config(&ann)); err != nil || got != "HTTP/2.0 certificate ann" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := post(t, url, config(nil)); err != nil || !strings.Contains(got, "give the token") {
		t.Errorf("without a certificate: %q, %v", got, err)
	}
	eve := theirs.Issue(testenv.Certificate{Common: "ann"})
	if got, err := post(t, url, config(&eve)); err == nil {
		t.Errorf("with another authority's certificate: %q", got)
	}
	late := ours.Issue(testenv.Certificate{Common: "ann", Expired: true})
	if got, err := post(t, url, config(&late)); err == nil {
		t.Errorf("with an expired certificate: %q", got)
	}
}

func TestACertificateThatIsRenewedIsTakenUp(t *testing.T) {
	authority := testenv.NewAuthority(t, "ours")
	server := authority.Issue(testenv.Certificate{Common: "first"})
	url := secured(t, HTTP{TLS: HTTPTLS{CertFile: server.Cert, KeyFile: server.Key}})
	name := func() string {
		t.Helper()
		conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "https://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	if got := name(); got != "first" {
		t.Errorf("it is %s", got)
	}
	renewed := authority.Issue(testenv.Certificate{Common: "second"})
	for from, to := range map[string]string{renewed.Cert: server.Cert, renewed.Key: server.Key} {
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := name(); got != "second" {
		t.Errorf("it is %s", got)
	}
}

func TestAServiceWhoseCertificateIsMissingDoesNotStart(t *testing.T) {
	var log strings.Builder
	s := NewService("test", &log)
	err := s.ServeHTTP(t.Context(), "127.0.0.1:0", HTTP{TLS: HTTPTLS{CertFile: "/none.crt", KeyFile: "/none.key"}}, "")
	if err == nil || !strings.Contains(err.Error(), "http.tls.cert_file") {
		t.Errorf("got %v", err)
	}
	err = s.ServeHTTP(t.Context(), "127.0.0.1:0", HTTP{TokenFile: "/none"}, "", telemetry.Mounted{Pattern: "/", Handler: http.NotFoundHandler()})
	if err == nil || !strings.Contains(err.Error(), "http.token_file") {
		t.Errorf("got %v", err)
	}
}
