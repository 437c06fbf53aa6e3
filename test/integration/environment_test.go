package integration

import (
	"os"
	"strings"
	"sync"
	"testing"
)

// environments are the variables that tests have set for the programs they start,
// by the test's name. The process's own would be those of all tests at once.
var environments = struct {
	sync.Mutex
	of map[string][]string
}{of: map[string][]string{}}

// setenv sets a variable for what this test and its subtests start from now on.
func setenv(t testing.TB, name, value string) {
	t.Helper()
	environments.Lock()
	defer environments.Unlock()
	if _, known := environments.of[t.Name()]; !known {
		t.Cleanup(func() {
			environments.Lock()
			defer environments.Unlock()
			delete(environments.of, t.Name())
		})
	}
	environments.of[t.Name()] = append(environments.of[t.Name()], name+"="+value)
}

// environment is the process's with what the test, and those it is part of, have set;
// of several values the last counts (package exec).
func environment(t testing.TB) []string {
	t.Helper()
	environments.Lock()
	defer environments.Unlock()
	out := os.Environ()
	parts := strings.Split(t.Name(), "/")
	for i := range parts {
		out = append(out, environments.of[strings.Join(parts[:i+1], "/")]...)
	}
	return out
}
