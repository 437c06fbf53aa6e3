package integration

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for something that is bound to happen.
const patience = 90 * time.Second

// command runs a command to its end.
func command(t *testing.T, name string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(name), args...)
	cmd.Env = environment(t)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%s %v did not end:\n%s", name, args, errs.String())
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	noPassword(t, out.String()+errs.String(), append(databasePasswords(t), args...)...)
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// noPassword fails the test when the password of one of the URLs shows in a text.
func noPassword(t *testing.T, text string, urls ...string) {
	t.Helper()
	for _, one := range urls {
		u, err := url.Parse(one)
		if err != nil || u.User == nil {
			continue
		}
		if password, _ := u.User.Password(); len(password) >= 6 && strings.Contains(text, password) {
			t.Errorf("a password shows in the output:\n%s", strings.ReplaceAll(text, password, "<PASSWORD>"))
		}
	}
}

// service is a running validator or fixer.
type service struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended and was read

	mu    sync.Mutex
	log   []string
	grown chan struct{} // closed and replaced at every line
}

// start starts a service; it is stopped when the test ends.
func start(t *testing.T, name string, args ...string) *service {
	t.Helper()
	s := &service{t: t, name: name, done: make(chan struct{}), grown: make(chan struct{})}
	s.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), binary(name), args...)
	s.cmd.Env = environment(t)
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go s.read(stderr)
	t.Cleanup(func() {
		s.kill(syscall.SIGKILL)
		log := strings.Join(s.lines(), "\n")
		noPassword(t, log, databasePasswords(t)...)
		if t.Failed() {
			t.Logf("log of %s:\n%s", name, tail(log))
		}
	})
	return s
}

func (s *service) read(stderr io.Reader) {
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		s.mu.Lock()
		s.log = append(s.log, lines.Text())
		close(s.grown)
		s.grown = make(chan struct{})
		s.mu.Unlock()
	}
	_ = s.cmd.Wait() // the status is read from ProcessState
	close(s.done)
}

func (s *service) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.log...)
}

// logged waits for a log line that holds all texts and returns it.
func (s *service) logged(texts ...string) string {
	s.t.Helper()
	deadline := time.After(patience)
	for from := 0; ; {
		s.mu.Lock()
		lines, grown := s.log, s.grown
		s.mu.Unlock()
		for _, line := range lines[from:] {
			if containsAll(line, texts) {
				return line
			}
		}
		from = len(lines)
		select {
		case <-grown:
		case <-s.done:
			if from == len(s.lines()) {
				s.t.Fatalf("%s ended without logging %q:\n%s", s.name, texts, tail(strings.Join(lines, "\n")))
			}
		case <-deadline:
			s.t.Fatalf("%s did not log %q:\n%s", s.name, texts, tail(strings.Join(lines, "\n")))
		}
	}
}

func containsAll(line string, texts []string) bool {
	for _, text := range texts {
		if !strings.Contains(line, text) {
			return false
		}
	}
	return true
}

// stop asks the service to stop and returns its exit status.
func (s *service) stop() int {
	s.t.Helper()
	s.kill(syscall.SIGTERM)
	return s.cmd.ProcessState.ExitCode()
}

// kill sends a signal and waits for the end.
func (s *service) kill(signal syscall.Signal) {
	s.t.Helper()
	_ = s.cmd.Process.Signal(signal) // an error says that it has ended already
	select {
	case <-s.done:
	case <-time.After(patience):
		s.t.Errorf("%s did not end after %v", s.name, signal)
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}

// get fetches a path of the service's HTTP server.
func (s *service) get(path string) (status int, body string) {
	s.t.Helper()
	var line struct{ Address string }
	if err := json.Unmarshal([]byte(s.logged("serving http")), &line); err != nil {
		s.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+line.Address+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// readiness waits until /readyz answers with the status and a body that holds
// the text.
func (s *service) readiness(status int, text string) {
	s.t.Helper()
	eventually(s.t, func() (bool, string) {
		code, body := s.get("/readyz")
		return code == status && strings.Contains(body, text), body
	})
}

// eventually polls what has no signal to wait for: another process's HTTP
// answer, a consumer group's offsets.
func eventually(t *testing.T, met func() (ok bool, state string)) {
	t.Helper()
	ticks := time.NewTicker(50 * time.Millisecond)
	defer ticks.Stop()
	deadline := time.After(patience)
	for {
		ok, state := met()
		if ok {
			return
		}
		select {
		case <-ticks.C:
		case <-deadline:
			t.Fatalf("it did not come to pass; at last:\n%s", state)
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}

// tail is the end of a long log.
func tail(log string) string {
	const most = 6000
	if len(log) > most {
		return "…" + log[len(log)-most:]
	}
	return log
}
