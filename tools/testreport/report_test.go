package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	cases := map[string]struct {
		files      map[string]string
		allowSkips bool
		status     int
		wants      []string
		last       string
	}{
		"passes, subtests counted": {
			files: map[string]string{"a_test.go": `func TestA(t *testing.T) { t.Run("one", func(*testing.T) {}); t.Run("two", func(*testing.T) {}) }`},
			last:  "3 passed, 0 failed",
		},
		"shows a failure in full and only that": {
			files: map[string]string{"a_test.go": `func TestGood(t *testing.T) { t.Log("quiet") }
func TestBad(t *testing.T) { t.Run("sub", func(t *testing.T) { t.Error("seven is not eight") }) }`},
			status: 1,
			wants:  []string{"FAIL  trial", "seven is not eight", "!quiet"},
			last:   "1 passed, 2 failed",
		},
		"a package that does not build is a failure": {
			files:  map[string]string{"a_test.go": `func TestA(t *testing.T) { undefined() }`},
			status: 1,
			wants:  []string{"does not build", "undefined: undefined"},
			last:   "0 passed, 1 failed",
		},
		"a process that exits early is a failure": {
			files:  map[string]string{"a_test.go": `func TestA(t *testing.T) { os.Exit(3) }`},
			status: 1,
			last:   "0 passed, 1 failed",
		},
		"a panic is shown": {
			files:  map[string]string{"a_test.go": `func TestA(t *testing.T) { panic("overboard") }`},
			status: 1,
			wants:  []string{"overboard"},
			last:   "0 passed, 1 failed",
		},
		"a skip fails where everything must run": {
			files:  map[string]string{"a_test.go": `func TestA(t *testing.T) {}; func TestB(t *testing.T) { t.Skip("no server") }`},
			status: 1,
			wants:  []string{"trial TestB"},
			last:   "1 passed, 0 failed, 1 skipped",
		},
		"a skip may be allowed": {
			files:      map[string]string{"a_test.go": `func TestA(t *testing.T) {}; func TestB(t *testing.T) { t.Skip("no server") }`},
			allowSkips: true,
			last:       "1 passed, 0 failed, 1 skipped",
		},
		"no test at all is a failure": {
			files:  map[string]string{"a.go": ""},
			status: 1,
			wants:  []string{"no test ran"},
			last:   "0 passed, 0 failed",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			args := []string{module(t, c.files), "--", "-count=1"}
			if c.allowSkips {
				args = append([]string{"-allow-skips"}, args...)
			}
			var out strings.Builder
			status := run(context.Background(), args, &out)
			if status != c.status {
				t.Errorf("exit status %d, want %d", status, c.status)
			}
			for _, want := range c.wants {
				unwanted, not := strings.CutPrefix(want, "!")
				if not && strings.Contains(out.String(), unwanted) {
					t.Errorf("output has %q", unwanted)
				}
				if !not && !strings.Contains(out.String(), want) {
					t.Errorf("output lacks %q", want)
				}
			}
			if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); lines[len(lines)-1] != c.last {
				t.Errorf("last line %q, want %q", lines[len(lines)-1], c.last)
			}
			if t.Failed() {
				t.Logf("output:\n%s", out.String())
			}
		})
	}
}

func TestModulesAreAddedUp(t *testing.T) {
	one := module(t, map[string]string{"a_test.go": `func TestA(t *testing.T) {}`})
	two := module(t, map[string]string{"a_test.go": `func TestA(t *testing.T) { t.Fail() }`})
	var out strings.Builder
	if run(context.Background(), []string{one, two}, &out) != 1 || !strings.HasSuffix(out.String(), "\n1 passed, 1 failed\n") {
		t.Errorf("output:\n%s", out.String())
	}
}

func TestAMissingModuleIsAFailure(t *testing.T) {
	var out strings.Builder
	if run(context.Background(), []string{filepath.Join(t.TempDir(), "absent")}, &out) != 1 || !strings.HasSuffix(out.String(), "0 passed, 1 failed\n") {
		t.Errorf("output:\n%s", out.String())
	}
}

// module writes a module called trial whose test files need no header.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module trial\n\ngo 1.26.0\n")
	for name, body := range files {
		header := "package trial\n"
		if strings.HasSuffix(name, "_test.go") {
			header += "import (\"os\"; \"testing\")\nvar _ = os.Exit\n"
		}
		write(t, filepath.Join(dir, name), header+body)
	}
	return dir
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
