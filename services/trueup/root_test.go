package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/kafka"
)

// leaves are the commands that do something themselves.
func leaves(cmd *cobra.Command) (list []*cobra.Command) {
	if len(documented(cmd)) == 0 {
		return []*cobra.Command{cmd}
	}
	for _, below := range documented(cmd) {
		list = append(list, leaves(below)...)
	}
	return list
}

func TestEveryCommandHasHelpWorthReading(t *testing.T) {
	for _, cmd := range leaves((&app{}).rootCommand()) {
		path := cmd.CommandPath()
		switch {
		case cmd.Short == "" || strings.HasSuffix(cmd.Short, "."):
			t.Errorf("%s: the short text is %q; write one sentence without a full stop", path, cmd.Short)
		case !strings.HasPrefix(strings.TrimSpace(cmd.Example), "trueup ") || !strings.Contains(cmd.Example, path):
			t.Errorf("%s: no example of it in %q", path, cmd.Example)
		}
		for line := range strings.Lines(cmd.Long + "\n" + cmd.Example) {
			if len([]rune(line)) > 110 {
				t.Errorf("%s: a line too long for a terminal: %s", path, line)
			}
		}
	}
}

// TestEveryCommandThatPrintsHasJSON, with a reason for each that has not.
func TestEveryCommandThatPrintsHasJSON(t *testing.T) {
	without := map[string]string{
		"trueup man": "writes files and prints nothing",
	}
	for _, cmd := range leaves((&app{}).rootCommand()) {
		flag := cmd.Flags().Lookup("json")
		if reason := without[cmd.CommandPath()]; (flag == nil) != (reason != "") {
			t.Errorf("%s: --json is there: %v, and the reason why not is %q", cmd.CommandPath(), flag != nil, reason)
		}
		if flag != nil && flag.Usage != "print one JSON object a line" && !strings.HasPrefix(flag.Usage, "print one JSON object") {
			t.Errorf("%s: --json says %q; say whether it is one object or one a line", cmd.CommandPath(), flag.Usage)
		}
	}
}

func TestVersionIsForPeopleAndPrograms(t *testing.T) {
	_, want, _ := trueup(t, "version")
	if status, out, _ := trueup(t, "--version"); status != 0 || out != want || !strings.Contains(out, "go1.") {
		t.Errorf("status %d: %q, and version says %q", status, out, want)
	}
	_, out, _ := trueup(t, "version", "--json")
	var build struct{ Version, Go, Platform string }
	if err := json.Unmarshal([]byte(out), &build); err != nil || build.Version == "" || !strings.HasPrefix(build.Go, "go1.") || !strings.Contains(build.Platform, "/") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestEveryCommandHasAManualPage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	if status, out, stderr := trueup(t, "man", dir); status != 0 || out != "" {
		t.Fatalf("status %d: %s%s", status, out, stderr)
	}
	pages := map[string]bool{}
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		name := pageName(cmd)
		text, err := os.ReadFile(filepath.Join(dir, name+".1"))
		if err != nil {
			t.Error(err)
		}
		for _, section := range []string{".TH ", ".SH NAME\n", ".SH SYNOPSIS\n", ".SH DESCRIPTION\n", ".SH SEE ALSO\n"} {
			if !strings.Contains(string(text), section) {
				t.Errorf("%s has no %q", name, section)
			}
		}
		pages[name+".1"] = true
		for _, below := range documented(cmd) {
			walk(below)
		}
	}
	root := (&app{stdout: io.Discard, stderr: io.Discard}).rootCommand()
	walk(root)
	files, err := os.ReadDir(dir)
	for _, file := range files {
		if !pages[file.Name()] && !strings.HasPrefix(file.Name(), "trueup-completion") {
			t.Errorf("%s is of no command", file.Name())
		}
	}
	if status, _, stderr := trueup(t, "man"); err != nil || status != statusTrouble || !strings.Contains(stderr, "want the name of one directory") {
		t.Errorf("%v, status %d: %s", err, status, stderr)
	}
}

func TestTheShellIsOfferedWhatFlagsAndArgumentsTake(t *testing.T) {
	config := filepath.Join(t.TempDir(), "trueup.yaml")
	text := "pairs:\n- {name: orders}\n- {name: items}\n- {name: parts, shards: [{source: shop_0.parts, constants: {shard: 0}}, {source: shop_1.parts, constants: {shard: 1}}]}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	all := "orders items parts parts@shop_0.parts parts@shop_1.parts"
	for line, want := range map[string]string{
		"diff --config FILE ":                        all,
		"diff --config FILE items ":                  "orders parts parts@shop_0.parts parts@shop_1.parts",
		"fix --config FILE ":                         all,
		"plan -f FILE ":                              all,
		"plan ":                                      "",
		"plan -f nowhere.yaml ":                      "",
		"canary --config FILE ":                      all,
		"canary --config FILE orders ":               "",
		"release --config FILE ":                     all,
		"history --config FILE ":                     all,
		"undo --config FILE --pair ":                 all,
		"dead list --config FILE --pair ":            all,
		"pause --server 127.0.0.1:1 -f FILE ":        all,
		"pause --server 127.0.0.1:1 -f FILE orders ": "items parts parts@shop_0.parts parts@shop_1.parts",
		"status --server 127.0.0.1:1 --config FILE ": all,
		"promote --to ":                              "source target",
		"run --mode ":                                "full reverse count",
		"diff --mode ":                               "full reverse count",
		"diff --method ":                             "auto checksum merge lookup",
		"canary --kind ":                             "neq target_missing base_missing",
		"grants --role ":                             "validator fixer all",
		"plan -f ":                                   "yaml yml",
		"topics create --config ":                    "yaml yml",
		"completion ":                                "bash fish powershell zsh",
	} {
		args := append([]string{"__completeNoDesc"}, strings.Split(strings.ReplaceAll(line, "FILE", config), " ")...)
		_, out, _ := trueup(t, args...)
		offered, _, _ := strings.Cut(out, ":")
		if got := strings.Join(strings.Fields(offered), " "); got != want {
			t.Errorf("%s: offered %q, want %q", line, got, want)
		}
	}
}

func TestCompletionIsThereForEveryShell(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if status, out, stderr := trueup(t, "completion", shell); status != 0 || !strings.Contains(out, "trueup") || stderr != "" {
			t.Errorf("%s: status %d, %s", shell, status, stderr)
		}
	}
}

// objects holds that a text is one JSON object a line, and returns them.
func objects(t *testing.T, text string) (list []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		var object map[string]any
		decoder := json.NewDecoder(bytes.NewReader([]byte(line)))
		if err := decoder.Decode(&object); err != nil || decoder.More() || !strings.HasSuffix(line, "\n") {
			t.Errorf("%q is not one JSON object: %v", line, err)
			continue
		}
		list = append(list, object)
	}
	return list
}

func TestJSONIsOneObjectALine(t *testing.T) {
	config := filepath.Join(t.TempDir(), "trueup.yaml")
	text := "source: {dsn: 'mysql://app@db1/shop'}\ntarget: {dsn: 'postgres://app@db2/shop'}\npairs: [{name: orders}]\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(tokenVariable, "right-token-of-sixteen")
	for line, want := range map[string]string{
		"version --json":                 "version",
		"grants --json --config FILE":    "statement",
		"status --json":                  "pair",
		"verdicts --json":                "covers",
		"pause orders --json --why test": "pair",
	} {
		status, out, stderr := ask(t, validator{}, strings.Split(strings.ReplaceAll(line, "FILE", config), " ")...)
		lines := objects(t, out)
		if status != 0 || len(lines) == 0 || stderr != "" {
			t.Fatalf("%s: status %d, %s%s", line, status, out, stderr)
		}
		if _, there := lines[0][want]; !there {
			t.Errorf("%s: no %s in %v", line, want, lines[0])
		}
	}
	var topics bytes.Buffer
	if err := newOutput(&topics, true).topics([]kafka.Created{{Topic: "trueup.findings", Partitions: 12}, {Topic: "trueup.state"}}); err != nil {
		t.Fatal(err)
	}
	lines := objects(t, topics.String())
	if len(lines) != 2 || lines[0]["created"] != true || lines[0]["partitions"] != 12.0 || lines[1]["created"] != false {
		t.Errorf("%s", topics.String())
	}
}

func TestAReleaseAsJSONIsOneLineForAPair(t *testing.T) {
	for _, dry := range []bool{true, false} {
		out, err := tripped(t).release(t, releaseOptions{json: true, dryRun: dry})
		lines := objects(t, out)
		if err != nil || len(lines) != 1 || lines[0]["pair"] != "orders" || lines[0]["tripped"] != true || lines[0]["findings"] != 5.0 || lines[0]["reason"] != "too many" {
			t.Errorf("%v: %s", err, out)
		}
		if _, told := lines[0]["dry_run"]; told != dry {
			t.Errorf("dry run %v: %s", dry, out)
		}
	}
}

func TestACalibrationAsJSONHasTheLimitItProposes(t *testing.T) {
	var out bytes.Buffer
	err := printSummaries(&out, []summary{{Side: "source", Signal: "canary", Unit: "ms", P99: 4}, {Side: "target", Signal: "replica_lag", P99: 4}})
	lines := objects(t, out.String())
	if err != nil || len(lines) != 2 || lines[0]["proposed"] != "12ms" || lines[0]["side"] != "source" || lines[1]["proposed"] != nil {
		t.Errorf("%v: %s", err, out.String())
	}
}
