package testenv

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Authority signs certificates of a test's own.
type Authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	// File is the authority's certificate, PEM.
	File string
}

// Certificate is what an authority signs. Without names it is good for
// "localhost" and 127.0.0.1.
type Certificate struct {
	// Common is the common name.
	Common string
	// Names are host names and addresses.
	Names []string
	// Expired makes it one whose time was over an hour ago.
	Expired bool
}

// Issued are the files of a certificate and its key, PEM.
type Issued struct {
	Cert, Key string
	// Both is a file with the key and the certificate, as Kafka's brokers read it.
	Both string
}

// certificateLife is longer than any test.
const certificateLife = 24 * time.Hour

// NewAuthority returns an authority that nobody trusts yet.
func NewAuthority(t testing.TB, name string) *Authority {
	t.Helper()
	a := &Authority{t: t, key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: serial(t), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-certificateLife), NotAfter: time.Now().Add(certificateLife),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err == nil {
		a.cert, err = x509.ParseCertificate(der)
	}
	if err != nil {
		t.Fatal(err)
	}
	a.File = filepath.Join(openDir(t), "ca.pem")
	write(t, a.File, 0o644, block("CERTIFICATE", der))
	return a
}

// Issue signs a certificate, for servers and clients alike.
func (a *Authority) Issue(c Certificate) Issued {
	a.t.Helper()
	if len(c.Names) == 0 {
		c.Names = []string{"localhost", "127.0.0.1"}
	}
	template := &x509.Certificate{
		SerialNumber: serial(a.t), Subject: pkix.Name{CommonName: c.Common},
		NotBefore: time.Now().Add(-certificateLife), NotAfter: time.Now().Add(certificateLife),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if c.Expired {
		template.NotAfter = time.Now().Add(-time.Hour)
	}
	for _, name := range c.Names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	key := newKey(a.t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	dir := openDir(a.t)
	issued := Issued{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), Both: filepath.Join(dir, "both.pem")}
	cert, private := block("CERTIFICATE", der), block("PRIVATE KEY", secret)
	write(a.t, issued.Cert, 0o644, cert)
	write(a.t, issued.Key, 0o600, private)
	write(a.t, issued.Both, 0o600, append(private, cert...))
	return issued
}

// OwnedBy gives the key to the user that an engine's server runs as, "mysql" or
// "postgres", where that is another one than who runs the test.
func (i Issued) OwnedBy(t testing.TB, name string) Issued {
	t.Helper()
	if os.Getuid() != 0 {
		return i
	}
	account, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(account.Uid)
	gid, _ := strconv.Atoi(account.Gid)
	if err := os.Chown(i.Key, uid, gid); err != nil {
		t.Fatal(err)
	}
	return i
}

// openDir is a directory that other users may read, which t.TempDir is not.
func openDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "trueup-certificate-")
	if err == nil {
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		err = os.Chmod(dir, 0o755) //nolint:gosec // the servers' own users read it
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t testing.TB, path string, mode os.FileMode, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
}

func block(kind string, content []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content})
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func serial(t testing.TB) *big.Int {
	t.Helper()
	n, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
