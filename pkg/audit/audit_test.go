package audit_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/audit"
	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// memory is topics of one partition in memory; largest is the longest stretch
// that was read.
type memory struct {
	topics  map[string][]event.Record
	largest int64
}

func (m *memory) Partitions(string) ([]int32, error) { return []int32{0}, nil }

func (m *memory) PartitionOf(string, []byte) (int32, error) { return 0, nil }

func (m *memory) Span(_ context.Context, topic string, _ int32, _ time.Time) (int64, int64, error) {
	return 0, int64(len(m.topics[topic])), nil
}

func (m *memory) Read(_ context.Context, topic string, _ int32, from, to int64, apply func(event.Record) error) error {
	m.largest = max(m.largest, to-from)
	for _, r := range m.topics[topic][from:to] {
		if err := apply(r); err != nil {
			return fmt.Errorf("read: %w", err)
		}
	}
	return nil
}

func (m *memory) log() audit.Log {
	return audit.Log{Source: m, Findings: "findings", Outcomes: "outcomes"}
}

func keyOf(n int) event.Key {
	return event.Key{{Column: "id", Type: canonical.Type{Kind: canonical.Int}, Value: row.Value(fmt.Sprint(n))}}
}

// outcome is the n-th one in time, about a row, with one write.
func (m *memory) outcome(t *testing.T, n, id int, run string, change ...func(*event.Outcome)) event.Outcome {
	t.Helper()
	o := event.Outcome{
		FindingID: fmt.Sprint("f", n), Pair: "orders", Key: keyOf(id), Run: run, Epoch: 1, Result: event.Repaired, Action: event.Update,
		At: start.Add(time.Duration(n) * time.Second), Writes: []event.Write{{Side: event.Target, Action: event.Update, Before: "b", After: "a"}},
	}
	for _, c := range change {
		c(&o)
	}
	r, err := event.Encoder{ContentType: event.Protobuf}.Outcome(o)
	if err != nil {
		t.Fatal(err)
	}
	m.topics["outcomes"] = append(m.topics["outcomes"], r)
	return o
}

func (m *memory) repairs(t *testing.T, sel audit.Selection, n int) string {
	t.Helper()
	sel.Pair = "orders"
	var batches []string
	err := m.log().Repairs(t.Context(), sel, n, func(steps []fix.Step) error {
		var ids []string
		for _, s := range steps {
			ids = append(ids, fmt.Sprintf("%s/%d", s.Outcome.FindingID, s.Position))
		}
		batches = append(batches, strings.Join(ids, " "))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(batches, " | ")
}

func newMemory() *memory { return &memory{topics: map[string][]event.Record{}} }

func undoOf(o event.Outcome, position int) func(*event.Outcome) {
	return func(u *event.Outcome) { u.UndoOf, u.Result = o.WriteID(position), event.Undone }
}

func TestRepairsComeNewestFirstAndABatchNamesNoRowTwice(t *testing.T) {
	m := newMemory()
	m.outcome(t, 1, 1, "r1")
	m.outcome(t, 2, 2, "r1")
	m.outcome(t, 3, 1, "r2", func(o *event.Outcome) { o.Writes = append(o.Writes, o.Writes[0]) })
	m.outcome(t, 4, 3, "r2")
	m.outcome(t, 5, 4, "r2", func(o *event.Outcome) { o.DryRun = true })
	m.outcome(t, 6, 4, "r2", func(o *event.Outcome) { o.Pair = "others" })
	m.outcome(t, 7, 4, "r2", func(o *event.Outcome) { o.Writes = nil })
	for want, got := range map[string]string{
		"f4/0 f3/1 | f3/0 f2/0 | f1/0":     m.repairs(t, audit.Selection{}, 10),
		"f4/0 f3/1 | f3/0":                 m.repairs(t, audit.Selection{Run: "r2"}, 10),
		"f2/0 f1/0":                        m.repairs(t, audit.Selection{Run: "r1"}, 10),
		"f3/1 | f3/0 | f1/0":               m.repairs(t, audit.Selection{Key: event.RowKey("orders", keyOf(1).Values())}, 10),
		"f4/0":                             m.repairs(t, audit.Selection{Since: start.Add(4 * time.Second)}, 10),
		"f4/0 | f3/1 | f3/0 | f2/0 | f1/0": m.repairs(t, audit.Selection{}, 1),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestWhatWasTakenBackIsNotTakenBackAgain(t *testing.T) {
	m := newMemory()
	first := m.outcome(t, 1, 1, "r")
	m.outcome(t, 2, 2, "r")
	undo := m.outcome(t, 3, 1, "undo", undoOf(first, 0))
	if got := m.repairs(t, audit.Selection{Run: "r"}, 10); got != "f2/0" {
		t.Errorf("after an undo: %s", got)
	}
	if got := m.repairs(t, audit.Selection{Since: start}, 10); got != "f2/0" {
		t.Errorf("an undo is no repair unless it is named: %s", got)
	}
	if got := m.repairs(t, audit.Selection{Run: "undo"}, 10); got != "f3/0" {
		t.Errorf("the undo by its name: %s", got)
	}
	m.outcome(t, 4, 1, "undo of undo", undoOf(undo, 0))
	if got := m.repairs(t, audit.Selection{Run: "undo"}, 10); got != "" {
		t.Errorf("an undo that was taken back: %s", got)
	}
	if got := m.repairs(t, audit.Selection{Run: "r"}, 10); got != "f2/0 f1/0" {
		t.Errorf("a repair whose undo was taken back: %s", got)
	}
}

func TestALongTopicOfLargeOutcomesIsReadInStretches(t *testing.T) {
	m := newMemory()
	const n = 10_000
	for i := range n {
		m.outcome(t, i, i, "r", func(o *event.Outcome) {
			if i > n-100 { // more than is read at once
				o.Writes[0].Incomplete = strings.Repeat("x", 1<<20)
			}
		})
	}
	seen := 0
	err := m.log().Repairs(t.Context(), audit.Selection{Pair: "orders"}, 64, func(steps []fix.Step) error {
		for _, s := range steps {
			if seen++; s.Outcome.FindingID != fmt.Sprint("f", n-seen) {
				t.Fatalf("%s is the %dth", s.Outcome.FindingID, seen)
			}
		}
		return nil
	})
	if err != nil || seen != n {
		t.Errorf("%d of %d came, %v", seen, n, err)
	}
	if m.largest >= n {
		t.Error("the topic was read at once")
	}
}

func TestAStoryIsInTheOrderOfTimeAndTheNewestOfIt(t *testing.T) {
	m := newMemory()
	for n := range 4 {
		f := event.Finding{ID: fmt.Sprint("f", 2*n), Kind: event.NotEqual, Pair: "orders", Key: keyOf(1), DetectedAt: start.Add(time.Duration(2*n) * time.Second)}
		r, err := event.Encoder{ContentType: event.Protobuf}.Finding(f)
		if err != nil {
			t.Fatal(err)
		}
		m.topics["findings"] = append(m.topics["findings"], r)
		m.outcome(t, 2*n+n%2, 1, "r") // at the time of the finding, or later
		m.outcome(t, 2*n, 2, "r")
	}
	story, err := m.log().Story(t.Context(), event.RowKey("orders", keyOf(1).Values()), time.Time{}, 5)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range story {
		if e.Finding != nil {
			got = append(got, "found "+e.Finding.ID)
		} else {
			got = append(got, "outcome "+e.Outcome.FindingID)
		}
	}
	if text := strings.Join(got, ", "); text != "outcome f3, found f4, outcome f4, found f6, outcome f7" {
		t.Error(text)
	}
}

func TestAnOutcomeThatCannotBeReadStopsAnUndo(t *testing.T) {
	m := newMemory()
	m.outcome(t, 1, 1, "r")
	m.topics["outcomes"] = append(m.topics["outcomes"], event.Record{Key: event.RowKey("orders", keyOf(2).Values()), Value: []byte("\xff")}, event.Record{Key: event.RowKey("others", keyOf(2).Values()), Value: []byte("\xff")})
	if err := m.log().Repairs(t.Context(), audit.Selection{Pair: "third"}, 10, func([]fix.Step) error { return nil }); err != nil {
		t.Errorf("outcomes of other pairs: %v", err)
	}
	err := m.log().Repairs(t.Context(), audit.Selection{Pair: "orders"}, 10, func([]fix.Step) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "may be one to undo") {
		t.Errorf("got %v", err)
	}
}
