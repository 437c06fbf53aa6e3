// Package debezium runs Kafka Connect with Debezium's connectors, where a test, the
// soak or a benchmark needs the change events of a database.
//
//	worker.go    a worker, which may be killed
//	settings.go  the settings of a connector
package debezium

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Worker is a process of Kafka Connect in standalone mode: all its connectors
// and their tasks. It keeps its offsets in a file, over Kill and Start.
type Worker struct {
	jars, dir, address string
	connectors         []string // files with their settings

	cmd *exec.Cmd
}

// New prepares a worker with the jars that scripts/connect.sh has fetched. It
// keeps its files and its log in dir, and its connectors, each with its settings, write to
// the brokers (host:port).
func New(jars, dir string, brokers []string, connectors ...map[string]string) (*Worker, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	w := &Worker{jars: jars, dir: dir, address: address}
	for i, settings := range connectors {
		w.connectors = append(w.connectors, filepath.Join(dir, fmt.Sprintf("connector%d.properties", i)))
		if err := write(w.connectors[i], settings); err != nil {
			return nil, err
		}
	}
	return w, write(w.settings(), map[string]string{
		"bootstrap.servers":            strings.Join(brokers, ","),
		"key.converter":                converter,
		"value.converter":              converter,
		"offset.storage.file.filename": filepath.Join(dir, "offsets"),
		"offset.flush.interval.ms":     "500",
		"listeners":                    "http://" + address,
		"plugin.discovery":             "service_load",
	})
}

const converter = "org.apache.kafka.connect.json.JsonConverter"

func (w *Worker) settings() string { return filepath.Join(w.dir, "worker.properties") }
func (w *Worker) log() string      { return filepath.Join(w.dir, "connect.log") }

func write(path string, settings map[string]string) error {
	var text strings.Builder
	for k, v := range settings {
		fmt.Fprintf(&text, "%s=%s\n", k, v)
	}
	return os.WriteFile(path, []byte(text.String()), 0o600) // it may hold a password
}

// patience is how long a worker may take to start.
const patience = 120 * time.Second

// Start starts the worker and returns once all connectors run.
func (w *Worker) Start(ctx context.Context) error {
	args := append([]string{
		"-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-cp", w.jars + "/*", "org.apache.kafka.connect.cli.ConnectStandalone", w.settings(),
	}, w.connectors...)
	w.cmd = exec.Command("java", args...) //nolint:noctx // Kill ends it
	log, err := os.OpenFile(w.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() // the process has its own
	w.cmd.Stdout, w.cmd.Stderr, w.cmd.Dir = log, log, w.dir
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := w.cmd.Start(); err != nil {
		return fmt.Errorf("start Kafka Connect: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond) // a process that starts gives no sign
	defer tick.Stop()
	for {
		running, err := w.Running(ctx)
		if err != nil || running == len(w.connectors) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for Kafka Connect, of whose %d connectors %d run: %w", len(w.connectors), running, ctx.Err())
		}
	}
}

// Running counts the tasks that run, one a connector; none while the worker
// does not answer. One that has failed is an error with its trace.
func (w *Worker) Running(ctx context.Context) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, (&url.URL{
		Scheme: "http", Host: w.address, Path: "/connectors", RawQuery: "expand=status",
	}).String(), nil)
	if err != nil {
		return 0, err
	}
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil // it is starting, or was killed
	}
	defer response.Body.Close()
	var connectors map[string]struct {
		Status struct {
			Tasks []struct{ State, Trace string }
		}
	}
	if json.NewDecoder(response.Body).Decode(&connectors) != nil {
		return 0, nil // an error's text, of a worker that is starting
	}
	running := 0
	for name, connector := range connectors {
		for _, task := range connector.Status.Tasks {
			switch task.State {
			case "FAILED":
				return running, fmt.Errorf("connector %s failed: %s", name, task.Trace)
			case "RUNNING":
				running++
			}
		}
	}
	return running, nil
}

// Kill ends the worker as a power cut does.
func (w *Worker) Kill() {
	if w.cmd == nil || w.cmd.Process == nil {
		return
	}
	_ = w.cmd.Process.Kill() // an error says that it has ended already
	_ = w.cmd.Wait()
	w.cmd = nil
}

// Log is the end of what the worker has printed, n bytes at most.
func (w *Worker) Log(n int) string {
	text, err := os.ReadFile(w.log())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-n):])
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is closed at once
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}
