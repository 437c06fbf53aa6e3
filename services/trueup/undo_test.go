package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/audit"
	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/services/assembly"
)

func TestUndoAndHistorySayWhatIsMissing(t *testing.T) {
	for line, want := range map[string]string{
		"undo --config f --pair p":                       "say which repairs",
		"undo --pair p --run r":                          "--config is missing",
		"undo --config f --pair p --since yesterday":     "how long ago",
		"undo --config f --pair p --key {":               "KEY {",
		"undo --config f --pair p --run r x":             "x",
		"history orders --config f":                      "want a pair and a key",
		"history orders 7":                               "--config is missing",
		"history orders 7 --config /none --entries 0":    "--entries",
		"history orders 7 --config /no/such/file --json": "no such file",
	} {
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), strings.Fields(line), &stdout, &stderr); status != statusTrouble || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: status %d, %q, want %q", line, status, stderr.String(), want)
		}
	}
}

func TestARowsKeyNeedsItsPair(t *testing.T) {
	pairs := []assembly.Pair{{Name: "orders"}, {Name: "items"}}
	for _, c := range []struct {
		options undoOptions
		pairs   []assembly.Pair
		want    string // the pairs, or what the error says
	}{
		{undoOptions{run: "r"}, pairs, "orders items"},
		{undoOptions{since: "1h", pair: "items"}, pairs, "items"},
		{undoOptions{key: "7", pair: "items"}, pairs, "items"},
		{undoOptions{key: "7"}, pairs[:1], "orders"},
		{undoOptions{key: "7"}, pairs, "add --pair"},
		{undoOptions{run: "r", pair: "lines"}, pairs, "no pair"},
	} {
		chosen, err := c.options.among(c.pairs)
		var got []string
		for _, p := range chosen {
			got = append(got, p.Name)
		}
		if err != nil && !strings.Contains(err.Error(), c.want) || err == nil && strings.Join(got, " ") != c.want {
			t.Errorf("%+v: %v, %v, want %s", c.options, got, err, c.want)
		}
	}
}

func TestAStoryReadsAsWhatHappened(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	text := canonical.Type{Kind: canonical.Text}
	key := event.Key{{Column: "id", Type: canonical.Type{Kind: canonical.Int}, Value: row.Value("7")}}
	repaired := event.Outcome{
		FindingID: "f", Pair: "orders", Key: key, Run: "r", Epoch: 1, Result: event.Repaired, Action: event.Update, Columns: []string{"status"},
		Attempts: 2, DetectedAt: at, At: at.Add(1500 * time.Millisecond), Took: 12 * time.Millisecond,
		Writes: []event.Write{{Side: event.Target, Action: event.Update, Before: "d1", After: "d2", Columns: []event.WrittenColumn{
			{Column: "status", Before: &event.Content{}, After: &event.Content{Type: text, Value: row.Value("paid")}},
			{Column: "email", Before: &event.Content{Masked: "m1"}, After: &event.Content{Masked: "m2"}},
		}}},
	}
	story := []audit.Entry{
		{At: at, Finding: &event.Finding{ID: "f", Kind: event.NotEqual, Pair: "orders", Key: key, Run: "r", Epoch: 1, Columns: []string{"status"}}},
		{At: repaired.At, Outcome: &repaired},
	}
	for asJSON, want := range map[bool]string{
		false: `2026-11-22 09:00:00.000Z  orders  found         neq  status  run r epoch 1
2026-11-22 09:00:01.500Z  orders  repaired      update  status  age 1.5s  2 attempts  took 0.012s  run r epoch 1
    status: NULL → "paid"
    email: masked m1 → masked m2
`,
		true: `{"pair":"orders","at":"2026-11-22T09:00:00Z","event":"found","key":{"id":7},"kind":"neq","columns":["status"],"run":"r","finding":"f","epoch":1}
{"pair":"orders","at":"2026-11-22T09:00:01.5Z","event":"repaired","key":{"id":7},"action":"update","columns":["status"],"run":"r","finding":"f","epoch":1,"age_seconds":1.5,"took_seconds":0.012,"attempts":2,"writes":[{"side":"target","action":"update","before_digest":"d1","after_digest":"d2","values":{"email":{"before":{"masked":"m1"},"after":{"masked":"m2"}},"status":{"before":null,"after":"paid"}}}]}
`,
	} {
		var out bytes.Buffer
		if err := (&app{stdout: &out}).tell("orders", story, asJSON); err != nil || out.String() != want {
			t.Errorf("got\n%s\nwant\n%s\n%v", out.String(), want, err)
		}
	}
}

func TestAnUndoSaysWhatItLeft(t *testing.T) {
	key := event.Key{{Column: "id", Type: canonical.Type{Kind: canonical.Int}, Value: row.Value("7")}}
	step := fix.Step{Outcome: event.Outcome{FindingID: "f", Pair: "orders", Key: key, Writes: []event.Write{{Action: event.Update, Before: "d1", After: "d2"}}}}
	var out bytes.Buffer
	a := &app{stdout: &out}
	u := &undoers{undoing: &undoing{app: a}}
	err := u.report([]fix.Undoing{
		{Step: step, Left: "the row changed since", Columns: []string{"status"}, Now: "d3"},
		{Step: step, Already: true},
		{Step: step, Outcome: event.Outcome{Action: event.Update, Columns: []string{"status"}}},
	})
	const want = `orders  id=7  left: the row changed since (status); digest d3, the repair left d2
orders  id=7  already undone
orders  id=7  undone: update (status)
`
	if err != nil || out.String() != want || a.status != statusDifferences {
		t.Errorf("%v, status %d, got\n%s", err, a.status, out.String())
	}
}
