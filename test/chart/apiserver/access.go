package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// access is how clients reach and are known to the server.
type access struct {
	dir  string
	port int
}

const kubeconfig = `apiVersion: v1
kind: Config
clusters:
- name: test
  cluster: {server: "https://127.0.0.1:%d", certificate-authority: %q}
users:
- name: admin
  user: {token: %s}
contexts:
- name: test
  context: {cluster: test, user: admin}
current-context: test
`

// grantAccess writes a kubeconfig with a token for an administrator, and what
// the server needs to know it.
func grantAccess(dir string) (access, error) {
	a := access{dir: dir}
	var err error
	if a.port, err = freePort(); err != nil {
		return a, err
	}
	token := rand.Text()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return a, fmt.Errorf("make a key for service accounts: %w", err)
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	for name, text := range map[string]string{
		"tokens.csv": token + `,admin,admin,"system:masters"` + "\n",
		"sa.key":     string(pem.EncodeToMemory(block)),
		"kubeconfig": fmt.Sprintf(kubeconfig, a.port, a.path("apiserver.crt"), token),
	} {
		if err := os.WriteFile(a.path(name), []byte(text), 0o600); err != nil {
			return a, fmt.Errorf("grant access: %w", err)
		}
	}
	return a, nil
}

func (a access) path(name string) string { return filepath.Join(a.dir, name) }

func (a access) arguments() []string {
	return []string{
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", a.port),
		"--cert-dir=" + a.dir, // the server makes its own certificate
		"--token-auth-file=" + a.path("tokens.csv"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-signing-key-file=" + a.path("sa.key"),
		"--service-account-key-file=" + a.path("sa.key"),
	}
}

// freePort asks for a port that nobody has; the server takes no open listener.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not wait
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
