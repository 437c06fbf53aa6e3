// Package sinktest is the contract that every fix.Sink passes.
package sinktest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Subject is a sink over a table of known content.
type Subject struct {
	Sink fix.Sink
	View *schema.View
	// Present are all rows of the table, at least three; Absent are rows it
	// could take, at least two.
	Present []row.Row
	Absent  []row.Row
	// Refused is a row that a constraint keeps out. The text Secret stands in
	// it and must not stand in the reason. Nil leaves that part out.
	Refused row.Row
	Secret  string
	// Change is the position of a column, outside the key, that takes the
	// values of any other row; Other is one that differs between the rows, too.
	Change, Other int
}

// Exercise runs the contract. Each part asks for a subject of its own.
func Exercise(t *testing.T, fresh func(t *testing.T) Subject) {
	parts := map[string]func(*testing.T, Subject){
		"reads what is there and nothing else":       reads,
		"holds the rows that are there":              holds,
		"does not wait for a row that is held":       skips,
		"shows nothing before the commit":            isolates,
		"undoes everything at a rollback":            undoes,
		"writes the columns of an update alone":      updates,
		"gives each of several updates its own":      updatesTogether,
		"never overwrites by an insert":              inserts,
		"corrects an insert before it is seen":       corrects,
		"lets one of two inserts of a key win":       races,
		"says that a row is refused, and no value":   refuses,
		"gives everything back when a context ended": cancels,
	}
	for name, part := range parts {
		t.Run(name, func(t *testing.T) { part(t, fresh(t)) })
	}
}

func reads(t *testing.T, s Subject) {
	all := append(s.keys(s.Present), s.keys(s.Absent)...)
	rows, err := s.Sink.Read(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "read", rows, s.Present)
	rows, err = s.Sink.Read(t.Context(), s.keys(s.Absent))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "read of absent keys", rows, nil)
}

func holds(t *testing.T, s Subject) {
	b := s.begin(t, append(s.keys(s.Present), s.keys(s.Absent)...))
	defer b.Rollback()
	same(t, "held", b.Rows(), s.Present)
	if len(b.Busy()) != 0 {
		t.Errorf("busy: %v, and nobody else holds a row", b.Busy())
	}
	if err := b.Commit(t.Context()); err != nil {
		t.Errorf("commit of a batch without changes: %v", err)
	}
}

func skips(t *testing.T, s Subject) {
	first := s.begin(t, s.keys(s.Present[:1]))
	defer first.Rollback()
	second := s.begin(t, append(s.keys(s.Present), s.keys(s.Absent)...))
	same(t, "held", second.Rows(), s.Present[1:])
	if want := s.keys(s.Present[:1]); len(second.Busy()) != 1 || second.Busy()[0].ID() != want[0].ID() {
		t.Errorf("busy: %v, want %v", second.Busy(), want)
	}
	second.Rollback()
	first.Rollback()
	third := s.begin(t, s.keys(s.Present))
	defer third.Rollback()
	same(t, "held once it was free", third.Rows(), s.Present)
}

func isolates(t *testing.T, s Subject) {
	b := s.begin(t, append(s.keys(s.Present), s.keys(s.Absent)...))
	defer b.Rollback()
	changed := s.with(s.Present[0], s.Present[1], s.Change)
	apply(t, b,
		fix.Change{Action: event.Delete, Key: s.key(s.Present[1])},
		fix.Change{Action: event.Delete, Key: s.key(s.Present[2])},
		s.update(changed, s.Change),
		s.insert(s.Absent[0]), s.insert(s.Absent[1]),
	)
	s.wantTable(t, "before the commit", s.Present)
	if err := b.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.Rollback() // after the commit it does nothing
	want := append([]row.Row{changed, s.Absent[0], s.Absent[1]}, s.Present[3:]...)
	s.wantTable(t, "after the commit", want)
}

func undoes(t *testing.T, s Subject) {
	b := s.begin(t, append(s.keys(s.Present), s.keys(s.Absent)...))
	apply(t, b,
		fix.Change{Action: event.Delete, Key: s.key(s.Present[1])},
		s.update(s.with(s.Present[0], s.Present[1], s.Change), s.Change),
		s.insert(s.Absent[0]),
	)
	b.Rollback()
	b.Rollback() // may be called twice
	s.wantTable(t, "after the rollback", s.Present)
}

func updates(t *testing.T, s Subject) {
	b := s.begin(t, s.keys(s.Present[:1]))
	defer b.Rollback()
	// The change's row differs in two columns, and names one of them.
	both := s.with(s.with(s.Present[0], s.Present[1], s.Change), s.Present[1], s.Other)
	apply(t, b, s.update(both, s.Change))
	if err := b.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := append([]row.Row{s.with(s.Present[0], s.Present[1], s.Change)}, s.Present[1:]...)
	s.wantTable(t, "after the update", want)
}

// updatesTogether gives several rows their own values in their own columns.
func updatesTogether(t *testing.T, s Subject) {
	b := s.begin(t, s.keys(s.Present[:3]))
	defer b.Rollback()
	want := slices.Clone(s.Present)
	want[0] = s.with(want[0], s.Present[1], s.Change)
	want[1] = s.with(want[1], s.Present[2], s.Other)
	want[2] = s.with(want[2], s.Present[0], s.Change)
	apply(t, b, s.update(want[0], s.Change), s.update(want[1], s.Other), s.update(want[2], s.Change))
	if err := b.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wantTable(t, "after the updates", want)
}

func inserts(t *testing.T, s Subject) {
	b := s.begin(t, nil)
	existing := s.with(s.Present[0], s.Present[1], s.Change)
	err := b.Apply(t.Context(), []fix.Change{s.insert(s.Absent[0]), s.insert(existing)})
	if fix.FaultOf(err) != fix.Duplicate {
		t.Errorf("insert of a key that exists: %v", err)
	}
	if err := b.Commit(t.Context()); err == nil {
		t.Error("a batch that failed was committed")
	}
	b.Rollback()
	s.wantTable(t, "after the insert was refused", s.Present)
}

func corrects(t *testing.T, s Subject) {
	b := s.begin(t, s.keys(s.Absent))
	defer b.Rollback()
	apply(t, b, s.insert(s.Absent[0]), s.insert(s.Absent[1]))
	other := s.begin(t, s.keys(s.Absent)) // sees neither
	if len(other.Rows())+len(other.Busy()) != 0 {
		t.Errorf("an insert that is not committed is seen: %v, busy %v", other.Rows(), other.Busy())
	}
	other.Rollback()
	changed := s.with(s.Absent[1], s.Present[0], s.Change)
	apply(t, b, fix.Change{Action: event.Delete, Key: s.key(s.Absent[0])}, s.update(changed, s.Change))
	if err := b.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wantTable(t, "after the corrections", append([]row.Row{changed}, s.Present...))
}

// races has two batches insert one key. The second waits for the first or is
// turned away; it never succeeds, nor does it before the first has ended.
func races(t *testing.T, s Subject) {
	first, second := s.begin(t, s.keys(s.Absent[:1])), s.begin(t, s.keys(s.Absent[:1]))
	defer first.Rollback()
	defer second.Rollback()
	apply(t, first, s.insert(s.Absent[0]))
	answer := make(chan error)
	go func() {
		answer <- second.Apply(t.Context(), []fix.Change{s.insert(s.with(s.Absent[0], s.Present[0], s.Change))})
	}()
	if err := first.Commit(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-answer; fix.FaultOf(err) != fix.Duplicate && fix.FaultOf(err) != fix.Contention {
		t.Errorf("the second insert: %v", err)
	}
	second.Rollback()
	s.wantTable(t, "after the race", append([]row.Row{s.Absent[0]}, s.Present...))
}

func refuses(t *testing.T, s Subject) {
	if s.Refused == nil {
		return
	}
	b := s.begin(t, s.keys([]row.Row{s.Refused}))
	defer b.Rollback()
	err := b.Apply(t.Context(), []fix.Change{s.insert(s.Refused)})
	if err == nil {
		err = b.Commit(t.Context())
	}
	if f := fix.FaultOf(err); f != fix.RowRefused && f != fix.Duplicate {
		t.Fatalf("a row that a constraint keeps out: %v", err)
	}
	if reason := fix.ReasonOf(err); reason == "" || strings.Contains(reason, s.Secret) {
		t.Errorf("the reason %q is to say what is wrong without the value %q", reason, s.Secret)
	}
	b.Rollback()
	s.wantTable(t, "after the refusal", s.Present)
}

func cancels(t *testing.T, s Subject) {
	ended, cancel := context.WithCancel(t.Context())
	b, err := s.Sink.Begin(ended, s.keys(s.Present))
	if err != nil {
		t.Fatal(err)
	}
	apply(t, b, fix.Change{Action: event.Delete, Key: s.key(s.Present[0])})
	cancel()
	if err := b.Apply(ended, []fix.Change{s.insert(s.Absent[0])}); err == nil {
		t.Error("a change was applied after the context had ended")
	}
	b.Rollback()
	if _, err := s.Sink.Begin(ended, s.keys(s.Present)); err == nil {
		t.Error("a batch began after the context had ended")
	}
	if _, err := s.Sink.Read(ended, s.keys(s.Present)); err == nil {
		t.Error("rows were read after the context had ended")
	}
	again := s.begin(t, s.keys(s.Present))
	defer again.Rollback()
	same(t, "held afterwards", again.Rows(), s.Present)
}

func (s Subject) key(r row.Row) row.Key { return r.Key(s.View.Key) }

func (s Subject) keys(rows []row.Row) []row.Key {
	keys := make([]row.Key, len(rows))
	for i, r := range rows {
		keys[i] = s.key(r)
	}
	return keys
}

// with is r with one value of another row.
func (s Subject) with(r, from row.Row, position int) row.Row {
	out := r.Clone()
	out[position] = from[position].Clone()
	return out
}

func (s Subject) insert(r row.Row) fix.Change {
	return fix.Change{Action: event.Insert, Key: s.key(r), Row: r}
}

func (s Subject) update(r row.Row, position int) fix.Change {
	return fix.Change{Action: event.Update, Key: s.key(r), Row: r, Columns: []int{position}}
}

func (s Subject) begin(t *testing.T, keys []row.Key) fix.Batch {
	t.Helper()
	b, err := s.Sink.Begin(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func apply(t *testing.T, b fix.Batch, changes ...fix.Change) {
	t.Helper()
	if err := b.Apply(t.Context(), changes); err != nil {
		b.Rollback()
		t.Fatal(err)
	}
}

// wantTable compares all known keys with what is to be there.
func (s Subject) wantTable(t *testing.T, when string, want []row.Row) {
	t.Helper()
	keys := append(s.keys(s.Present), s.keys(s.Absent)...)
	if s.Refused != nil {
		keys = append(keys, s.key(s.Refused))
	}
	rows, err := s.Sink.Read(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	same(t, when, rows, want)
}

func same(t *testing.T, what string, got, want []row.Row) {
	t.Helper()
	if g, w := texts(got), texts(want); !slices.Equal(g, w) {
		t.Errorf("%s: %s, want %s", what, g, w)
	}
}

func texts(rows []row.Row) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		for _, v := range r {
			if v.IsNull() {
				out[i] += "NULL "
			} else {
				out[i] += fmt.Sprintf("%q ", v)
			}
		}
	}
	slices.Sort(out)
	return out
}
