package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/services/assembly"
)

func TestAProposalGoesByTheBusiestHourSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "load.jsonl")
	at := time.Date(2026, 1, 1, 3, 0, 0, 0, time.UTC)
	for _, hour := range [][]summary{
		{{At: at, Side: "source", Signal: "canary", Unit: "ms", Limit: 25, P50: 0.3, P99: 1.2, Max: 3}},
		{
			{At: at.Add(9 * time.Hour), Side: "source", Signal: "canary", Unit: "ms", Limit: 25, P50: 2, P99: 7.1, Max: 90},
			{At: at.Add(9 * time.Hour), Side: "source", Signal: "threads", Limit: 22, P50: 3, P99: 30, Max: 41},
			{At: at.Add(9 * time.Hour), Side: "source", Signal: "connections", Unit: "%", Limit: 85, P50: 3, P99: 30, Max: 41},
			{At: at.Add(9 * time.Hour), Side: "target", Signal: "lock_waits", Limit: 20, P99: 1},
		},
	} {
		if err := keepSummaries(path, hour); err != nil {
			t.Fatal(err)
		}
	}
	all, err := readSummaries(path)
	if err != nil || len(all) != 5 {
		t.Fatalf("%d summaries, %v", len(all), err)
	}
	var out strings.Builder
	if err := printProposal(&out, all); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"governor:\n  source:\n", "# canary, 0 s from 2026-01-01T12:00:00Z: half below 2 ms, 99 % below 7.1 ms, at most 90 ms\n",
		"      canary: 22ms\n", "      threads: 45\n", "  target:\n", "      lock_waits: 20\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the proposal lacks %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "      connections:") {
		t.Errorf("a limit that does not depend on the server was proposed:\n%s", out.String())
	}
}

func TestAProposalIsConfiguration(t *testing.T) {
	var out strings.Builder
	if err := printProposal(&out, []summary{{Side: "target", Signal: "canary", P99: 1}, {Side: "target", Signal: "latency", P99: 3}}); err != nil {
		t.Fatal(err)
	}
	if _, err := loadText(t, "source: {dsn: a}\ntarget: {dsn: b}\n"+out.String()); err != nil {
		t.Errorf("%v:\n%s", err, out.String())
	}
}

func loadText(t *testing.T, text string) (assembly.File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trueup.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return assembly.Load(path)
}
