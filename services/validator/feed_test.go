package main

import (
	"testing"
	"time"
)

// TestOnlyTheAuthoritysCommitsTellUpToWhenChangesAreKnown: what happened at the
// copy, when a connector wrote a record, and when it read a row say nothing of
// changes at the authority that may still be on their way.
func TestOnlyTheAuthoritysCommitsTellUpToWhenChangesAreKnown(t *testing.T) {
	f, r := newTestFeed(t)
	committed := `{"op":"c","source":{"table":"orders","ts_ms":1000}}`
	r.send("a", 5, `{"id":7}`, committed)
	if c := next(t, f); !c.At.Equal(time.UnixMilli(1000)) {
		t.Errorf("a commit of the authority's: %v", c.At)
	}
	for name, message := range map[string][3]string{
		"the copy's commit":       {"b", `{"nr":8}`, committed},
		"a row of a snapshot":     {"a", `{"id":8}`, `{"op":"r","source":{"table":"orders","ts_ms":1000,"snapshot":"true"}}`},
		"a row without its event": {"a", `{"id":8}`, `{"id":8}`},
		"a tombstone":             {"a", `{"id":8}`, ""},
		"no event":                {"a", "\x00", "\x00"},
	} {
		r.send(message[0], 6, message[1], message[2])
		if c := next(t, f); !c.At.IsZero() {
			t.Errorf("%s: %v", name, c.At)
		}
	}
}
