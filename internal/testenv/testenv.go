// Package testenv hands tests the real servers they need: databases of their
// own on a running MariaDB and PostgreSQL, and the brokers of a running Kafka.
//
// Where the servers are comes from TRUEUP_TEST_MYSQL, TRUEUP_TEST_POSTGRES and
// TRUEUP_TEST_KAFKA in the environment, else from .services/env, which
// `make services-up` writes at the top of the checkout. Under -short a test that
// asks for a server is skipped; otherwise a missing server fails it, so that a
// green run has really run everything.
package testenv

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The names, in the environment and in .services/env alike.
const (
	mysqlVariable    = "TRUEUP_TEST_MYSQL"
	postgresVariable = "TRUEUP_TEST_POSTGRES"
	kafkaVariable    = "TRUEUP_TEST_KAFKA"
)

// server returns the address stored under variable; what names the server in
// messages.
func server(t testing.TB, variable, what string) string {
	t.Helper()
	if testing.Short() {
		t.Skipf("needs a real %s, which -short leaves out", what)
	}
	address, err := lookup(variable)
	if err != nil {
		t.Fatalf("needs a real %s: %v; run `make services-up`, or export %s", what, err, variable)
	}
	return address
}

func lookup(variable string) (string, error) {
	if address := os.Getenv(variable); address != "" {
		return address, nil
	}
	file, err := findEnv()
	if err != nil {
		return "", err
	}
	values, err := readEnv(file)
	if err != nil {
		return "", err
	}
	if values[variable] == "" {
		return "", fmt.Errorf("%s does not name %s", file, variable)
	}
	return values[variable], nil
}

// findEnv looks for .services/env from the working directory (a test's own
// package) upwards: past the module's top, since a nested module shares the
// checkout's servers.
func findEnv() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find .services/env: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		file := filepath.Join(dir, ".services", "env")
		switch _, err := os.Stat(file); {
		case err == nil:
			return file, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", fmt.Errorf("find .services/env: %w", err)
		case dir == filepath.Dir(dir):
			return "", fmt.Errorf("no .services/env in %s or above", start)
		}
	}
}

// readEnv reads lines of NAME=value; empty lines and # comments are skipped.
func readEnv(file string) (map[string]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read the servers' addresses: %w", err)
	}
	defer f.Close()
	values := map[string]string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if !found {
			return nil, fmt.Errorf("read %s: %q is not NAME=value", file, line)
		}
		values[name] = value
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return values, nil
}

// unique returns a name no other test has: the test's own name, with everything
// but letters and digits replaced by separator and cut to 24 characters, then 8
// random hex digits.
func unique(t testing.TB, separator string) string {
	t.Helper()
	var random [4]byte
	if _, err := rand.Read(random[:]); err != nil {
		t.Fatalf("pick a unique name: %v", err)
	}
	const longest = 24
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return rune(separator[0])
	}, strings.ToLower(t.Name()))
	return name[:min(len(name), longest)] + separator + hex.EncodeToString(random[:])
}
