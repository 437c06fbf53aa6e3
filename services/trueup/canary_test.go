package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/canary"
	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/services/assembly"
)

func TestACanarySaysWhatIsMissing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trueup.yaml")
	text := "source: {dsn: a}\ntarget: {dsn: b}\nkafka: {brokers: [\"127.0.0.1:1\"]}\npairs: [{name: plain}, {name: orders, canary: {key: {id: 1}}}]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"canary -f f":                          "want the name of one pair",
		"canary orders":                        "--config is missing",
		"canary orders -f f --kind other":      "neq, target_missing or base_missing",
		"canary orders -f f --timeout 0s":      "--timeout 0s",
		"canary orders -f /no/such/file":       "no such file",
		"canary plain --config " + file:        "pair plain has no canary",
		"canary nothing --config " + file:      "those with a canary are orders",
		"canary orders --config " + file:       "no broker answers",
		"canary orders -f " + file + " --json": "no broker answers",
	} {
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), strings.Fields(line), &stdout, &stderr); status != statusTrouble || !strings.Contains(stderr.String(), want) || stdout.Len() > 0 {
			t.Errorf("%s: status %d, %q, want %q", line, status, stderr.String(), want)
		}
	}
}

func TestACanaryReadsAsWhatHappened(t *testing.T) {
	report := canary.Report{
		Pair: "orders", Kind: event.NotEqual, Column: "note", Asked: true, At: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC),
		Key:     event.Key{{Column: "id", Type: canonical.Type{Kind: canonical.Int}, Value: row.Value("7")}},
		Reached: map[canary.Stage]time.Duration{canary.Planted: time.Microsecond, canary.Found: 1234567 * time.Microsecond},
		Finding: &event.Finding{ID: "f", Run: "r"},
		Missed:  canary.Repaired, Reason: "held (breaker): too many", Row: canary.GivenBack,
	}
	proven := report
	proven.Reached = map[canary.Stage]time.Duration{canary.Found: time.Second, canary.Repaired: 2 * time.Second, canary.Equal: 3 * time.Second}
	proven.Missed, proven.Reason, proven.Row = "", "", canary.ByFixer
	left := report
	left.Row, left.Why = canary.Left, "the row changed since"
	for _, c := range []struct {
		report canary.Report
		json   bool
		status int
		want   string
	}{
		{report, true, 1, `{"canary":{"pair":"orders","kind":"neq","key":{"id":7},"column":"note","proven":false,"asked":true,"seconds":{"found":1.234},"planted_at":"2026-11-22T09:00:00Z","run":"r","finding":"f","missed":"repaired","reason":"held (breaker): too many","row":"restored"}}` + "\n"},
		{report, false, 1, "orders: found, but not repaired: held (breaker): too many.\nThe row was given back as it was.\n"},
		{left, false, 1, "orders: found, but not repaired: held (breaker): too many.\nThe row is left as it is: the row changed since\n"},
		{proven, true, 0, `{"canary":{"pair":"orders","kind":"neq","key":{"id":7},"column":"note","proven":true,"asked":true,"seconds":{"equal":3,"found":1,"repaired":2},"planted_at":"2026-11-22T09:00:00Z","run":"r","finding":"f","row":"repaired"}}` + "\n"},
		{proven, false, 0, "orders: proven, a difference of kind neq was found, repaired and read equal. A validator was asked to look, so the seconds do not say when it would have looked by itself.\n"},
	} {
		var stdout bytes.Buffer
		a := &app{stdout: &stdout}
		if err := a.tellCanary(c.report, c.json); err != nil || stdout.String() != c.want || a.status != c.status {
			t.Errorf("status %d, %v\n%s\nwant\n%s", a.status, err, stdout.String(), c.want)
		}
	}
}

func TestNobodyIsAskedWhereTheCopysChangesAreFollowed(t *testing.T) {
	for _, c := range []struct {
		authority string
		changes   assembly.Changes
		want      bool
	}{
		{"source", assembly.Changes{Target: "t"}, true},
		{"source", assembly.Changes{Source: "t"}, false},
		{"target", assembly.Changes{Source: "t"}, true},
		{"target", assembly.Changes{Target: "t"}, false},
	} {
		held := &cage{asked: &assembly.Pair{Authority: c.authority, Changes: c.changes}}
		if got := held.followed(); got != c.want {
			t.Errorf("authority %s, %+v: followed is %t", c.authority, c.changes, got)
		}
	}
}
