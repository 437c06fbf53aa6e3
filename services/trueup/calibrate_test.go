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
	for _, seen := range [][]summary{
		{
			{Side: "target", Signal: "canary", P99: 1},
			{Side: "target", Signal: "connections", P99: 20},
			{Side: "target", Signal: "history", P99: 2.5e6},
			{Side: "target", Signal: "latency", P99: 3},
			{Side: "target", Signal: "lock_waits", P99: 0.4},
			{Side: "target", Signal: "per_row", P99: 17.3},
			{Side: "target", Signal: "replica_lag", P99: 2},
			{Side: "target", Signal: "snapshot_age", P99: 2},
			{Side: "target", Signal: "threads", P99: 31},
		},
		{{Side: "source", Signal: "connections", P99: 20}},
	} {
		var out strings.Builder
		if err := printProposal(&out, seen); err != nil {
			t.Fatal(err)
		}
		file, err := loadText(t, "source: {dsn: a}\ntarget: {dsn: b}\n"+out.String())
		if err != nil {
			t.Errorf("%v:\n%s", err, out.String())
		}
		if len(seen) == 1 {
			continue
		}
		if l := file.Governor.Target.Limits; l.Canary == nil || l.History == nil || l.Latency == nil || l.LockWaits == nil || l.PerRow == nil || l.Threads == nil {
			t.Errorf("limits %+v of\n%s", l, out.String())
		}
	}
}

func TestWhatARowTakesIsProposedForAsManyWorkersAsThereMayBe(t *testing.T) {
	for crowd, want := range map[float64]string{0: "per_row: 30µs", 1: "per_row: 30µs", 6: "per_row: 180µs"} {
		if got := proposal(summary{Signal: "per_row", P99: 10, Crowd: crowd}); got != want {
			t.Errorf("%v workers a core: %s, want %s", crowd, got, want)
		}
	}
	if got := proposal(summary{Signal: "per_row", P99: 1500, Crowd: 1}); got != "per_row: 4.5ms" {
		t.Error(got)
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
