package main

import (
	"fmt"
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

// TestATopicOfSeveralPartitionsIsKnownUpToTheOneThatIsFurthestBehind: an event of
// one says nothing of those of another that were committed before and are not
// read yet.
func TestATopicOfSeveralPartitionsIsKnownUpToTheOneThatIsFurthestBehind(t *testing.T) {
	f, r := newTestFeed(t)
	r.partitions = 2
	for _, c := range []struct {
		partition     int32
		seconds, want int64
	}{{0, 9, 0}, {0, 10, 0}, {1, 3, 3}, {1, 4, 4}, {0, 11, 4}, {1, 20, 11}} {
		r.sendTo("a", c.partition, 5, `{"id":7}`, fmt.Sprintf(`{"op":"c","source":{"table":"orders","ts_ms":%d}}`, 1000*c.seconds))
		want := time.Time{}
		if c.want > 0 {
			want = time.Unix(c.want, 0)
		}
		if got := next(t, f).At; !got.Equal(want) {
			t.Errorf("after second %d of partition %d: %v, want %v", c.seconds, c.partition, got, want)
		}
	}
}
