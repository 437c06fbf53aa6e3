package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// workshop is where trueup's programs run: one configuration file for all.
type workshop struct {
	bin     string
	dir     string
	config  string
	source  string
	target  string
	brokers []string
}

func newWorkshop(bin, source, target string, brokers []string) (*workshop, error) {
	for _, name := range []string{"trueup", "validator", "fixer"} {
		if _, err := os.Stat(filepath.Join(bin, name)); err != nil {
			return nil, fmt.Errorf("the program %s is not built; run `make demo`, or `make build` first: %w", name, err)
		}
	}
	dir, err := os.MkdirTemp("", "trueup-demo-")
	if err != nil {
		return nil, err
	}
	w := &workshop{bin: bin, dir: dir, config: filepath.Join(dir, "trueup.yaml"), source: source, target: target, brokers: brokers}
	return w, os.WriteFile(w.config, []byte(w.yaml()), 0o600)
}

func (w *workshop) clean() {
	if err := os.RemoveAll(w.dir); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
	}
}

func (w *workshop) program(name string) string { return filepath.Join(w.bin, name) }
func (w *workshop) sourceURL() string          { return "mysql://root@" + w.source + "/shop" }
func (w *workshop) targetURL() string          { return "mysql://root@" + w.target + "/shop" }

func (w *workshop) yaml() string {
	var b strings.Builder
	fmt.Fprintf(&b, "source: {dsn: %q}\ntarget: {dsn: %q}\n", w.sourceURL(), w.targetURL())
	fmt.Fprintf(&b, "kafka: {brokers: [\"%s\"], partitions: %d, replication: 1}\n", strings.Join(w.brokers, `", "`), partitions)
	b.WriteString("pairs:\n")
	for _, t := range shop {
		fmt.Fprintf(&b, "  - {name: %s}\n", t.name)
	}
	b.WriteString("validator: {confirm: 1s}\nhttp: {listen: \"127.0.0.1:0\"}\n")
	return b.String()
}

// service is one of trueup's programs while it runs.
type service struct {
	name string
	cmd  *exec.Cmd
	log  *journal
	// client asks for the service's metrics.
	client http.Client
	done   chan struct{} // closed once the program ended
	err    error         // how it ended; read after done
}

// start starts a service and waits until it serves its metrics.
func (w *workshop) start(ctx context.Context, name string, args ...string) (*service, error) {
	s := &service{
		name: name,
		cmd:  exec.CommandContext(ctx, w.program(name), append([]string{"--config", w.config}, args...)...),
		log:  &journal{listening: make(chan struct{})},
		done: make(chan struct{}),
	}
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the %s: %w", name, err)
	}
	go func() {
		s.log.read(stderr)
		s.err = s.cmd.Wait()
		close(s.done)
	}()
	select {
	case <-s.log.listening:
		return s, nil
	case <-s.done:
		return nil, fmt.Errorf("the %s ended at once (%w):\n%s", name, s.err, s.log.tail())
	}
}

// stop asks the service to end and waits for it.
func (s *service) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the %s: %w", s.name, err)
	}
	<-s.done
	if s.err != nil {
		return fmt.Errorf("the %s did not stop in order (%w):\n%s", s.name, s.err, s.log.tail())
	}
	return nil
}

// metric sums the samples of a metric whose labels contain all the given texts.
func (s *service) metric(ctx context.Context, name string, labels ...string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.log.address()+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }() // nothing was written
	sum := 0.0
	lines := bufio.NewScanner(response.Body)
next:
	for lines.Scan() {
		sample, value, ok := strings.Cut(lines.Text(), "} ")
		if !ok || !strings.HasPrefix(sample, name+"{") {
			continue
		}
		for _, label := range labels {
			if !strings.Contains(sample, label) {
				continue next
			}
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("read metric %s: %w", name, err)
		}
		sum += number
	}
	return sum, lines.Err()
}

// journal keeps what a service logs.
type journal struct {
	listening chan struct{}

	mu      sync.Mutex
	serving string
	lines   []string
}

func (j *journal) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var entry struct {
			Message string `json:"message"`
			Address string `json:"address"`
		}
		line := bytes.TrimSpace(lines.Bytes())
		isEntry := json.Unmarshal(line, &entry) == nil
		j.mu.Lock()
		j.lines = append(j.lines, string(line))
		if isEntry && entry.Message == "serving http" && j.serving == "" {
			j.serving = entry.Address
			close(j.listening)
		}
		j.mu.Unlock()
	}
}

func (j *journal) address() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.serving
}

// tail is the end of the log, for an error message.
func (j *journal) tail() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.lines[max(0, len(j.lines)-10):], "\n")
}

// verdicts are the verdicts a service logged.
func (j *journal) verdicts() []verdict {
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []verdict
	for _, line := range j.lines {
		var entry struct {
			Verdict *verdict `json:"verdict"`
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Verdict != nil {
			found = append(found, *entry.Verdict)
		}
	}
	return found
}

// verdict is what the demo shows of a run's verdict.
type verdict struct {
	Pair     string `json:"pair"`
	Complete bool   `json:"complete"`
	Clean    bool   `json:"clean"`
	Rows     struct{ Source, Target int64 }
	Findings struct {
		Missing int64 `json:"target_missing"`
		Changed int64 `json:"neq"`
		Extra   int64 `json:"base_missing"`
	} `json:"findings"`
	Seconds float64 `json:"seconds"`
}
