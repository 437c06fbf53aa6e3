package testenv

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Connect is a Kafka Connect worker of a test's own, with Debezium's connectors.
type Connect struct {
	t    testing.TB
	jars string
	dir  string
	port int

	cmd *exec.Cmd
	log logBuffer
}

// logBuffer gathers what a process prints while others read it.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) tail(n int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.text.String()
	return text[max(0, len(text)-n):]
}

// HasConnect says whether Kafka Connect can run here: it takes Java, and Maven to
// fetch it with.
func HasConnect() bool {
	_, java := program("java")
	_, maven := program("mvn")
	return java && maven
}

// NewConnect starts a worker that runs the connectors, each with its settings;
// they read and write the test cluster. It keeps its offsets over Kill and
// Start, and ends with the test.
func NewConnect(t testing.TB, connectors ...map[string]string) *Connect {
	t.Helper()
	jars, err := exec.CommandContext(t.Context(), findScript(t, "connect.sh")).Output()
	if err != nil {
		t.Fatalf("fetch Kafka Connect: %v: run scripts/connect.sh to see why", err)
	}
	c := &Connect{t: t, jars: strings.TrimSpace(string(jars)), dir: t.TempDir(), port: freePort(t)}
	c.write("worker.properties", map[string]string{
		"bootstrap.servers":            strings.Join(Kafka(t), ","),
		"key.converter":                "org.apache.kafka.connect.json.JsonConverter",
		"value.converter":              "org.apache.kafka.connect.json.JsonConverter",
		"offset.storage.file.filename": filepath.Join(c.dir, "offsets"),
		"offset.flush.interval.ms":     "500",
		"listeners":                    fmt.Sprintf("http://127.0.0.1:%d", c.port),
		"plugin.discovery":             "service_load",
	})
	for i, settings := range connectors {
		c.write(fmt.Sprintf("connector%d.properties", i), settings)
	}
	c.write("log4j2.properties", map[string]string{
		"appender.out.type": "Console", "appender.out.name": "out", "appender.out.layout.type": "PatternLayout",
		"appender.out.layout.pattern": "%p %c: %m%n", "rootLogger.level": "WARN", "rootLogger.appenderRef.out.ref": "out",
	})
	t.Cleanup(func() {
		c.Kill()
		if t.Failed() {
			t.Logf("the Connect worker:\n%s", c.log.tail(6000))
		}
	})
	c.Start()
	return c
}

func (c *Connect) write(name string, settings map[string]string) {
	c.t.Helper()
	var text strings.Builder
	for k, v := range settings {
		fmt.Fprintf(&text, "%s=%s\n", k, v)
	}
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text.String()), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// Start starts the worker and returns once all connectors run.
func (c *Connect) Start() {
	c.t.Helper()
	files, err := filepath.Glob(filepath.Join(c.dir, "connector*.properties"))
	if err != nil {
		c.t.Fatal(err)
	}
	args := append([]string{
		"-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.configurationFile=" + filepath.Join(c.dir, "log4j2.properties"),
		"-cp", c.jars + "/*", "org.apache.kafka.connect.cli.ConnectStandalone", filepath.Join(c.dir, "worker.properties"),
	}, files...)
	c.cmd = exec.CommandContext(context.WithoutCancel(c.t.Context()), "java", args...)
	c.cmd.Stdout, c.cmd.Stderr, c.cmd.Dir = &c.log, &c.log, c.dir
	if err := c.cmd.Start(); err != nil {
		c.t.Fatalf("start Kafka Connect: %v", err)
	}
	const patience = 120 * time.Second
	deadline := time.Now().Add(patience)
	for running := 0; running < len(files); {
		if time.Now().After(deadline) {
			c.t.Fatalf("of %d connectors %d run after %s", len(files), running, patience)
		}
		<-time.After(100 * time.Millisecond) // a process that starts gives no sign
		running = c.running()
	}
}

// running counts the connectors of which every task runs.
func (c *Connect) running() int {
	request, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/connectors?expand=status", c.port), nil)
	if err != nil {
		return 0
	}
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	var connectors map[string]struct {
		Status struct {
			Tasks []struct{ State, Trace string }
		}
	}
	if json.NewDecoder(response.Body).Decode(&connectors) != nil {
		return 0
	}
	running := 0
	for name, connector := range connectors {
		for _, task := range connector.Status.Tasks {
			if task.State == "FAILED" {
				c.t.Fatalf("connector %s: %s", name, task.Trace)
			}
			if task.State == "RUNNING" {
				running++
			}
		}
	}
	return running
}

// Kill ends the worker as a power cut does.
func (c *Connect) Kill() {
	if c.cmd == nil || c.cmd.Process == nil {
		return
	}
	_ = c.cmd.Process.Kill() // an error says that it has ended already
	_ = c.cmd.Wait()
	c.cmd = nil
}

// findScript looks for a script of the checkout from the working directory
// upwards.
func findScript(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		path := filepath.Join(dir, "scripts", name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
		if dir == filepath.Dir(dir) {
			t.Fatalf("there is no scripts/%s above the test", name)
		}
		dir = filepath.Dir(dir)
	}
}
