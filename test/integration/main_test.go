// Package integration runs the real binaries against real databases and a real
// Kafka, and holds them to what the documentation promises.
package integration

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binaries is the directory the commands were built into.
var binaries string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	if testing.Short() {
		return m.Run() // every test here needs servers, and skips itself
	}
	dir, err := os.MkdirTemp("", "trueup-integration-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", dir, //nolint:noctx // TestMain has no context, and go build ends by itself
		"../../services/validator", "../../services/fixer", "../../services/trueup")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the commands: %v\n%s", err, out)
		return 1
	}
	binaries = dir
	// Most of a test is waiting: for groups to form, delays to pass, servers to start.
	if err := flag.Set("test.parallel", "4"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func binary(name string) string { return filepath.Join(binaries, name) }
