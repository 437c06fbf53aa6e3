package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/services/assembly"
)

func TestAKeyIsReadAsItIsPrinted(t *testing.T) {
	whole, text := canonical.Type{Kind: canonical.Int}, canonical.Type{Kind: canonical.Text}
	for _, key := range []event.Key{
		{{Column: "id", Type: whole, Value: row.Value("18446744073709551616")}},
		{{Column: "id", Type: whole, Value: row.Value("-7")}},
		{{Column: "name", Type: text, Value: row.Value("")}},
		{{Column: "name", Type: text, Value: row.Value(` a=b, "c" ☃`)}},
		{{Column: "shop", Type: text, Value: row.Value("a,b")}, {Column: "id", Type: whole, Value: row.Value("2")}},
		{{Column: "on", Type: canonical.Type{Kind: canonical.Bool}, Value: row.Value("1")}, {Column: "at", Type: canonical.Type{Kind: canonical.Date}, Value: row.Value("2026-01-02")}},
	} {
		asJSON, err := json.Marshal(jsonKey(key))
		if err != nil {
			t.Fatal(err)
		}
		for _, printed := range []string{assembly.DescribeKey(key), string(asJSON)} {
			got, err := parseKey(printed)
			if err != nil || got.ID() != key.Values().ID() {
				t.Errorf("%s is read as %q, %v", printed, got, err)
			}
		}
	}
}

func TestABareKeyIsItsOneValue(t *testing.T) {
	for text, want := range map[string]string{
		"7": "7", "a,b": "a,b", `"x=y"`: "x=y", "2026-01-02 03:04:05.000000": "2026-01-02 03:04:05.000000", `""`: "",
	} {
		got, err := parseKey(text)
		if err != nil || len(got) != 1 || string(got[0]) != want || got[0].IsNull() {
			t.Errorf("%s is read as %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "{}", `{"id":`, `{"id":null}`, `{"id":[1]}`, `id="x`, `"x`, "id=1, x"} {
		if got, err := parseKey(text); err == nil {
			t.Errorf("%s is read as %q", text, got)
		}
	}
}

func TestSinceIsAMomentOrHowLongAgo(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"": {}, "90m": now.Add(-90 * time.Minute), "2026-11-22T08:00:00+01:00": now.Add(-2 * time.Hour),
		"2026-11-22": now.Add(-9 * time.Hour), "2026-11-22 08:59:59": now.Add(-time.Second),
	} {
		if got, err := parseSince(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"yesterday", "-5m", "7"} {
		if got, err := parseSince(text, now); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}
}
