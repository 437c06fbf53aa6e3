package page

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
)

const top = "../.."

// patience bounds every wait for something that is bound to happen.
const patience = 90 * time.Second

var binaries string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "trueup-page-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		build := exec.Command("go", "build", "-o", dir, "./services/...") //nolint:noctx // TestMain has no context, and go build ends by itself
		build.Dir = top
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the commands: %v\n%s", err, out)
			return 1
		}
		binaries = dir
		return m.Run()
	}())
}

// world is two databases and topics of a test's own.
type world struct {
	t              *testing.T
	source, target string
	config         string
}

// newWorld makes them, and a configuration with the pair orders; more stands in its
// map http.
func newWorld(t *testing.T, more string) *world {
	t.Helper()
	needsBrowser(t)
	w := &world{t: t, source: testenv.MySQL(t), target: testenv.Postgres(t)}
	text := fmt.Sprintf("source: {dsn: %q}\ntarget: {dsn: %q}\nkafka: {brokers: [%q], prefix: %q, partitions: 6}\nhttp: {listen: \"127.0.0.1:0\"%s}\n"+
		"pairs: [{name: orders}]\nvalidator: {confirm: 0s}\n"+
		// Other tests load the servers too, and none is to wait for them.
		"governor: {source: {limits: {canary: 1m, threads: 0, latency: 1m, per_row: 1m, history: 0, snapshot_age: 0s, lock_waits: 0}}, target: {adapt: false}}\n",
		hidePassword(t, "SOURCE_PASSWORD", w.source), hidePassword(t, "TARGET_PASSWORD", w.target), strings.Join(testenv.Kafka(t), `", "`), testenv.Prefix(t), more)
	w.config = filepath.Join(t.TempDir(), "trueup.yaml")
	if err := os.WriteFile(w.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.trueup("topics", "create", "--config", w.config)
	return w
}

// hidePassword moves the password of a URL to an environment variable.
func hidePassword(t *testing.T, variable, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("a test database has no valid URL")
	}
	password, _ := u.User.Password()
	t.Setenv(variable, password)
	return strings.Replace(dsn, ":"+password+"@", ":${"+variable+"}@", 1)
}

// fill creates the table orders on both sides, with the same rows.
func (w *world) fill(rows int) {
	w.t.Helper()
	var values []string
	for id := range rows {
		values = append(values, fmt.Sprintf("(%d, 'new')", id+1))
	}
	for _, dsn := range []string{w.source, w.target} {
		testenv.Exec(w.t, dsn, orders, "INSERT INTO orders VALUES "+strings.Join(values, ", "))
	}
}

// trueup runs a command that has to succeed.
func (w *world) trueup(args ...string) {
	w.t.Helper()
	if out, ok := w.tried(args...); !ok {
		w.t.Fatalf("trueup %v:\n%s", args, out)
	}
}

// tried runs a command and says whether it succeeded.
func (w *world) tried(args ...string) (out string, ok bool) {
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	text, err := exec.CommandContext(ctx, filepath.Join(binaries, "trueup"), args...).CombinedOutput()
	return string(text), err == nil
}

// service is a running validator or fixer.
type service struct {
	cmd   *exec.Cmd
	ended chan struct{}
	// url is where it serves HTTP.
	url string
}

// start starts a service, which ends with the test, and waits until it serves HTTP.
func (w *world) start(name string, args ...string) *service {
	w.t.Helper()
	s := &service{ended: make(chan struct{})}
	s.cmd = exec.CommandContext(context.WithoutCancel(w.t.Context()), filepath.Join(binaries, name), append([]string{"--config", w.config}, args...)...)
	stderr, err := s.cmd.StderrPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	address := make(chan string, 1)
	var mu sync.Mutex
	var log bytes.Buffer
	go func() {
		defer close(s.ended)
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 4<<20)
		for lines.Scan() {
			mu.Lock()
			log.WriteString(lines.Text() + "\n")
			mu.Unlock()
			var line struct{ Message, Address string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Message == "serving http" {
				address <- line.Address
			}
		}
		_ = s.cmd.Wait() // how it ended is of no interest
	}()
	said := func() string {
		mu.Lock()
		defer mu.Unlock()
		return log.String()
	}
	w.t.Cleanup(func() {
		s.kill()
		if w.t.Failed() {
			w.t.Logf("log of %s:\n%s", name, said())
		}
	})
	select {
	case at := <-address:
		s.url = "http://" + at
	case <-s.ended:
		w.t.Fatalf("%s ended:\n%s", name, said())
	case <-time.After(patience):
		w.t.Fatalf("%s does not serve HTTP:\n%s", name, said())
	}
	if name == "validator" {
		w.reached(s)
	}
	return s
}

// reached waits until a validator has reached its databases and Kafka.
func (w *world) reached(s *service) {
	w.t.Helper()
	pulse := time.NewTicker(100 * time.Millisecond)
	defer pulse.Stop()
	for deadline := time.Now().Add(patience); ; <-pulse.C {
		out, ok := w.tried("status", "--config", w.config, "--server", s.url)
		switch {
		case ok:
			return
		case time.Now().After(deadline):
			w.t.Fatalf("the validator does not begin: %s", out)
		}
	}
}

// kill ends the service and returns when it has.
func (s *service) kill() {
	_ = s.cmd.Process.Kill() // it may have ended
	<-s.ended
}
