package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTheWatchFindsARowThatWentBack(t *testing.T) {
	onBothEngines(t, func(t *testing.T, e engine) {
		authority, target, w := freshPair(t, e)
		var wrong []string
		watch := &watch{db: target, verdicts: verdicts{log: "none"}, wrong: func(text string) { wrong = append(wrong, text) }}
		look := func(at time.Time) {
			t.Helper()
			if err := watch.look(t.Context(), func() time.Time { return at }); err != nil {
				t.Fatal(err)
			}
		}
		s := w.pick(tables[1], 1, (*slot).live)[0]
		newer := w.changed(s)
		bring(t, authority, target, newer)
		look(time.Now())
		if len(wrong) > 0 {
			t.Fatalf("the replicator brought a version: %v", wrong)
		}
		must(t, target, "UPDATE entries SET version = version + 1 WHERE "+s.table.isKey(), s.key()...)
		look(time.Now())
		if len(wrong) > 0 {
			t.Fatalf("a repair was ahead of the replicator: %v", wrong)
		}
		must(t, target, "UPDATE entries SET version = version - 2 WHERE "+s.table.isKey(), s.key()...)
		look(time.Now())
		if len(wrong) != 1 || !strings.HasPrefix(wrong[0], "older: entries") {
			t.Errorf("a repair wrote an older version: %v", wrong)
		}
	})
}

func TestACleanVerdictOverADeletedRowIsFound(t *testing.T) {
	authority, target, w := freshPair(t, postgres)
	var wrong []string
	watch := &watch{db: target, verdicts: verdicts{log: filepath.Join(t.TempDir(), "log")}, wrong: func(text string) { wrong = append(wrong, text) }}
	s := w.pick(tables[1], 1, (*slot).live)[0]
	old := s.change
	bring(t, authority, target, s.dead())
	start := time.Now()
	// A run of a second that ends at the time of a look.
	says := func(after time.Duration, clean bool) {
		line := fmt.Sprintf(`{"verdict":{"pair":"entries","mode":"full","complete":true,"clean":%t,"seconds":1},"time":%q}`, clean, start.Add(after).Format(time.RFC3339Nano))
		log, err := os.OpenFile(watch.verdicts.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = log.WriteString(line + "\n")
		}
		if err := errors.Join(err, log.Close()); err != nil {
			t.Fatal(err)
		}
	}
	for i, step := range []struct {
		after time.Duration
		do    func()
		clean bool
		wrong int
	}{
		{5 * time.Second, func() {}, true, 0},
		{10 * time.Second, func() { resurrect(t, target, old) }, true, 0}, // it may have come after the run had passed
		{10500 * time.Millisecond, func() {}, true, 0},
		{15 * time.Second, func() {}, false, 0},
		{20 * time.Second, func() { must(t, target, "DELETE FROM entries WHERE "+s.table.isKey(), s.key()...) }, true, 0},
		{25 * time.Second, func() { resurrect(t, target, old) }, true, 0},
		{30 * time.Second, func() {}, true, 1},
	} {
		step.do()
		says(step.after, step.clean)
		if err := watch.look(t.Context(), func() time.Time { return start.Add(step.after) }); err != nil {
			t.Fatal(err)
		}
		if len(wrong) != step.wrong {
			t.Fatalf("step %d: %v", i, wrong)
		}
	}
	if watch.longest != 5*time.Second {
		t.Errorf("a deleted row was seen for %v at the longest", watch.longest)
	}
}

// TestARowThatCameDuringALookIsNotHeldAgainstARunOfThatTime has the row come when
// the look asks for the time, which it must have done only after it has looked.
func TestARowThatCameDuringALookIsNotHeldAgainstARunOfThatTime(t *testing.T) {
	authority, target, w := freshPair(t, postgres)
	var wrong []string
	watch := &watch{db: target, wrong: func(text string) { wrong = append(wrong, text) }}
	s := w.pick(tables[1], 1, (*slot).live)[0]
	old := s.change
	bring(t, authority, target, s.dead())
	start, asked := time.Now(), 0
	clock := func() time.Time {
		if asked++; asked == 2 { // entries are the second table
			resurrect(t, target, old)
		}
		return start
	}
	for range 2 {
		if err := watch.look(t.Context(), clock); err != nil {
			t.Fatal(err)
		}
		clock = func() time.Time { return start.Add(2 * time.Second) }
	}
	watch.doubt(verdict{Pair: "entries", Complete: true, Clean: true, Seconds: 0.5, ended: start.Add(time.Second)})
	if len(wrong) > 0 {
		t.Error(wrong)
	}
}

func resurrect(t *testing.T, target *database, c change) {
	t.Helper()
	must(t, target, "INSERT INTO entries (order_id, line, lang, version) VALUES (?, ?, ?, ?)", append(c.key(), c.version())...)
}

func TestOnlyVerdictsThatBeganAfterTheLastWriteCount(t *testing.T) {
	now := time.Now()
	list := func(began time.Time, clean bool) []verdict {
		var out []verdict
		for _, table := range tables {
			for _, mode := range []string{"full", "reverse"} {
				out = append(out, verdict{Pair: table.name, Mode: mode, Complete: true, Clean: clean, Seconds: 2, ended: began.Add(2 * time.Second)})
			}
		}
		return out
	}
	after, before := list(now.Add(time.Second), true), list(now.Add(-time.Second), true)
	for name, c := range map[string]struct {
		list []verdict
		want bool
	}{
		"all after":            {after, true},
		"all before":           {before, false},
		"one is missing":       {after[1:], false},
		"found something last": {slices.Concat(after, list(now.Add(2*time.Second), false)[3:4]), false},
		"clean again":          {slices.Concat(list(now.Add(time.Second), false), list(now.Add(2*time.Second), true)), true},
	} {
		if got := allClean(c.list, now); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
