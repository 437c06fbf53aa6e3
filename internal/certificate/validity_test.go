package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestAnExpiredCertificateIsNamedWithItsDates(t *testing.T) {
	cert := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "db.example", Organization: []string{"Shop"}},
		NotBefore: time.Date(2025, 1, 1, 1, 0, 0, 0, time.FixedZone("CET", 3600)), NotAfter: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	expired := x509.CertificateInvalidError{Cert: cert, Reason: x509.Expired}
	got, ok := Expired(fmt.Errorf("dial: %w", &tls.CertificateVerificationError{Err: expired}))
	want := `the certificate "CN=db.example,O=Shop" is valid from 2025-01-01T00:00:00Z to 2026-01-01T00:00:00Z only`
	if !ok || got != want {
		t.Errorf("%s, %v", got, ok)
	}
	for _, other := range []error{errors.New("expired"), x509.CertificateInvalidError{Cert: cert, Reason: x509.NotAuthorizedToSign}, x509.HostnameError{Certificate: cert}} {
		if text, ok := Expired(other); ok {
			t.Errorf("%v: %s", other, text)
		}
	}
}
