package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/debezium"
)

// Connect is a Kafka Connect worker of a test's own, with Debezium's connectors.
type Connect struct {
	t      testing.TB
	worker *debezium.Worker
}

// HasConnect says whether Kafka Connect can run here: it takes Java, and Maven to
// fetch it with.
func HasConnect() bool {
	_, java := program("java")
	_, maven := program("mvn")
	return java && maven
}

// ConnectJars is the directory with the jars of Kafka Connect and Debezium, which
// are fetched the first time.
func ConnectJars(t testing.TB) string {
	t.Helper()
	jars, err := exec.CommandContext(t.Context(), findScript(t, "connect.sh")).Output()
	if err != nil {
		t.Fatalf("fetch Kafka Connect: %v: run scripts/connect.sh to see why", err)
	}
	return strings.TrimSpace(string(jars))
}

// NewConnect starts a worker that runs the connectors, each with its settings;
// they read and write the test cluster. It keeps its offsets over Kill and
// Start, and ends with the test.
func NewConnect(t testing.TB, connectors ...map[string]string) *Connect {
	t.Helper()
	worker, err := debezium.New(ConnectJars(t), t.TempDir(), Kafka(t), connectors...)
	if err != nil {
		t.Fatal(err)
	}
	c := &Connect{t: t, worker: worker}
	t.Cleanup(func() {
		worker.Kill()
		if t.Failed() {
			t.Logf("the Connect worker:\n%s", worker.Log(6000))
		}
	})
	c.Start()
	return c
}

// Start starts the worker and returns once all connectors run.
func (c *Connect) Start() {
	c.t.Helper()
	if err := c.worker.Start(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
}

// Kill ends the worker as a power cut does.
func (c *Connect) Kill() { c.worker.Kill() }

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
