package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/validate"
)

func TestWindowLengths(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "auto": 0, "15m": 15 * time.Minute, "1h": time.Hour, "1d": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "90s": 90 * time.Second,
	} {
		if got, err := parseWindow(text); err != nil || got != want {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"0", "-1h", "1.5s", "500ms", "d", "-3d", "40000d", "week"} {
		if got, err := parseWindow(text); err == nil {
			t.Errorf("%q is %s, want an error", text, got)
		}
	}
}

func day(n int) time.Time { return time.Date(2024, 1, n, 0, 0, 0, 0, time.UTC) }

func countedVerdict() validate.Verdict {
	during := func(from, until time.Time) (string, string) {
		return "s " + instant(from, time.DateOnly) + "/" + instant(until, time.DateOnly), "t"
	}
	window := func(place string, from, until time.Time, source, target int64) validate.Window {
		w := validate.Window{Place: place, From: from, Until: until, Source: source, Target: target}
		w.SourceWhere, w.TargetWhere = during(from, until)
		return w
	}
	return validate.Verdict{Pair: "orders", Mode: "count", Windows: &validate.Windows{
		Column: "at", Width: 24 * time.Hour, Counted: 30, Unequal: 4, During: during,
		Listed: []validate.Window{
			window("", day(1), day(2), 10, 9), window("", day(5), day(6), 10, 8), window("", day(6), day(7), 8, 10),
			window(validate.PlaceNone, time.Time{}, time.Time{}, 3, 0),
		},
	}}
}

func TestWindowsThatDifferAreShownWithWhereToLook(t *testing.T) {
	var text bytes.Buffer
	next := func(w validate.Window) string { return "look " + w.SourceWhere }
	if err := newOutput(&text, false).windows(countedVerdict(), next); err != nil {
		t.Fatal(err)
	}
	// Neighbours are one place to look, and the largest comes first.
	looks := text.String()[strings.Index(text.String(), "  look"):]
	if want := "  look s 2024-01-05/2024-01-07\n  look s /\n  look s 2024-01-01/2024-01-02\n"; looks != want {
		t.Errorf("%s\nwant\n%s", text.String(), want)
	}
	if !strings.Contains(text.String(), "NULL") || !strings.Contains(text.String(), "+2") || !strings.Contains(text.String(), "-2") {
		t.Error(text.String())
	}
}

func TestWindowsAsJSONAreOneObjectALine(t *testing.T) {
	var text bytes.Buffer
	if err := newOutput(&text, true).windows(countedVerdict(), nil); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	first := `{"pair":"orders","window":{"from":"2024-01-01T00:00:00Z","until":"2024-01-02T00:00:00Z","source":10,"target":9,"difference":-1,"source_where":"s 2024-01-01/2024-01-02","target_where":"t"}}`
	last := `{"pair":"orders","window":{"place":"no time","source":3,"target":0,"difference":-3,"source_where":"s /","target_where":"t"}}`
	if len(lines) != 4 || lines[0] != first || lines[3] != last {
		t.Error(text.String())
	}
}
