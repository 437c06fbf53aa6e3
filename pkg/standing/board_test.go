package standing_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/standing"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

func key(id int) event.Key {
	return event.Key{{Column: "id", Type: canonical.Type{Kind: canonical.Int}, Value: row.Value(strconv.Itoa(id))}}
}

func finding(id string, row, seconds int) event.Finding {
	return event.Finding{ID: id, Pair: "orders", Kind: event.NotEqual, Key: key(row), DetectedAt: at(seconds)}
}

func outcome(f event.Finding, result event.Result, seconds int) event.Outcome {
	return event.Outcome{FindingID: f.ID, Pair: f.Pair, Kind: f.Kind, Key: f.Key, Result: result, DetectedAt: f.DetectedAt, At: at(seconds)}
}

func newBoard(limit int) *standing.Board {
	return standing.NewBoard(limit, map[string]string{"orders": "config"})
}

// stands is how the only pair stands, with everything read.
func stands(b *standing.Board, seconds int) standing.Pair {
	return b.Snapshot(at(seconds), at(seconds))[0]
}

// partition is what stands in one partition of a topic, in its order.
type partition []func(*standing.Board)

// story makes up what runs and fixers might have told of some rows: each finding is
// published, perhaps twice, perhaps put off, and perhaps answered, once or more.
func story(r *rand.Rand) []partition {
	const rows, parts = 6, 2
	var findings, outcomes, retries, dead [parts]partition
	for step := range 60 {
		id := r.IntN(rows)
		p := id % parts
		f := finding(fmt.Sprintf("%d/%d", id, r.IntN(4)), id, step)
		// What is published again was seen at the same time.
		f.DetectedAt = at(int(f.ID[len(f.ID)-1]-'0') * 20)
		f.Kind = []event.Kind{event.TargetMissing, event.NotEqual, event.BaseMissing}[id%3]
		publish := func(b *standing.Board) { b.Found(f, at(step)) }
		findings[p] = append(findings[p], publish)
		if r.IntN(3) == 0 {
			findings[p] = append(findings[p], publish)
		}
		if r.IntN(4) == 0 {
			retries[p] = append(retries[p], func(b *standing.Board) { b.PutOff(f, at(step)) })
		}
		if r.IntN(3) == 0 {
			continue // it waits
		}
		results := []event.Result{event.Repaired, event.AlreadyEqual, event.Vanished, event.Held, event.Dead, event.Undone}
		o := outcome(f, results[r.IntN(len(results))], step)
		o.DryRun = r.IntN(10) == 0
		if o.Result == event.Repaired && r.IntN(3) == 0 {
			o.Class = fix.ClassStillChanging
		}
		spot := standing.Spot{Partition: int32(p), Offset: int64(len(outcomes[p])), At: at(step)}
		outcomes[p] = append(outcomes[p], func(b *standing.Board) { b.Settled(o, spot) })
		if o.Result == event.Dead {
			letter := standing.Spot{Partition: int32(p), Offset: int64(len(dead[p])), At: at(step)}
			dead[p] = append(dead[p], func(b *standing.Board) { b.Buried(f, letter) })
			if r.IntN(2) == 0 {
				dead[p] = append(dead[p], func(b *standing.Board) { b.Dropped(event.RowKey("orders", f.Key.Values()), letter.Offset+1) })
			}
		}
	}
	verdicts := partition{func(b *standing.Board) {
		b.Concluded(event.Verdicts{Pair: "orders", List: []event.Verdict{{Run: "1", Mode: "full", Complete: true, Began: at(45), Ended: at(99), Config: "config"}}})
	}}
	return slices.Concat(findings[:], outcomes[:], retries[:], dead[:], []partition{verdicts})
}

// shuffled reads the partitions in turns, each in its own order, and now and then
// goes back in one of them.
func shuffled(r *rand.Rand, parts []partition, b *standing.Board) {
	next, back := make([]int, len(parts)), 10
	unread := func() bool {
		for i := range parts {
			if next[i] < len(parts[i]) {
				return true
			}
		}
		return false
	}
	for unread() {
		p := r.IntN(len(parts))
		if next[p] > 0 && back > 0 && r.IntN(10) == 0 {
			next[p] -= r.IntN(next[p])
			back--
		}
		if next[p] < len(parts[p]) {
			parts[p][next[p]](b)
			next[p]++
		}
	}
}

// TestTheBoardIsTheSameInWhateverOrderTopicsAreRead: partitions are read in any
// order and again from somewhere before.
func TestTheBoardIsTheSameInWhateverOrderTopicsAreRead(t *testing.T) {
	open := 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		parts := story(r)
		want := newBoard(100)
		for _, p := range parts {
			for _, tell := range p {
				tell(want)
			}
		}
		first := stands(want, 1000)
		open += first.Open
		for range 5 {
			b := newBoard(100)
			shuffled(r, parts, b)
			if got := stands(b, 1000); !reflect.DeepEqual(got, first) {
				t.Fatalf("seed %d:\n%+v\nwant\n%+v", seed, got, first)
			}
		}
	}
	if open < 300 {
		t.Errorf("only %d rows were open in all stories: they say little", open)
	}
}

func TestAnOutcomeThatIsReadBeforeItsFindingClosesIt(t *testing.T) {
	b := newBoard(10)
	f := finding("f", 1, 0)
	b.Settled(outcome(f, event.Repaired, 3), standing.Spot{Offset: 7})
	b.Found(f, at(1))
	if p := stands(b, 40); p.Open != 0 || p.Outcomes["repaired"] != 1 {
		t.Errorf("%+v", p)
	}
}

// TestAnOutcomeThatIsReadAnewDoesNotOutrankALaterOne in the middle of reading a
// partition again.
func TestAnOutcomeThatIsReadAnewDoesNotOutrankALaterOne(t *testing.T) {
	b := newBoard(10)
	f := finding("f", 1, 0)
	held, repaired := outcome(f, event.Held, 3), outcome(f, event.Repaired, 2) // by another clock
	b.Settled(held, standing.Spot{Offset: 1})
	b.Settled(repaired, standing.Spot{Offset: 2})
	b.Settled(held, standing.Spot{Offset: 1})
	if p := stands(b, 40); p.Open != 0 || p.Outcomes["held"] != 1 {
		t.Errorf("%+v", p)
	}
}

// TestAFindingIsAsOldAsItsValidatorSays although the fixer's clock is an hour off.
func TestAFindingIsAsOldAsItsValidatorSays(t *testing.T) {
	for _, skew := range []int{-3600, 3600} {
		b := newBoard(10)
		f := finding("f", 1, 0)
		b.Found(f, at(1))
		b.Settled(outcome(f, event.Held, skew), standing.Spot{At: at(skew)})
		if p := stands(b, 40); p.OldestSeconds != 40 || p.Held != 1 {
			t.Errorf("with a clock %d s off: %+v", skew, p)
		}
	}
}

// TestAHeldRowIsClosedByTheOutcomeOfAnyOfItsFindings: what is released publishes
// the last of them again, and not the others.
func TestAHeldRowIsClosedByTheOutcomeOfAnyOfItsFindings(t *testing.T) {
	b := newBoard(10)
	for night := range 3 {
		f := finding(strconv.Itoa(night), 1, night)
		b.Found(f, at(night))
		b.Settled(outcome(f, event.Held, night), standing.Spot{Offset: int64(night)})
	}
	if p := stands(b, 40); p.Open != 1 || p.Held != 1 || p.OldestSeconds != 40 {
		t.Errorf("%+v", p)
	}
	b.Settled(outcome(finding("2", 1, 2), event.Repaired, 50), standing.Spot{Offset: 3})
	if p := stands(b, 60); p.Open != 0 {
		t.Errorf("%+v", p)
	}
	again := finding("3", 1, 70)
	b.Found(again, at(70))
	if p := stands(b, 80); p.Open != 1 || p.Held != 0 || p.OldestSeconds != 10 {
		t.Errorf("found again: %+v", p)
	}
}

// TestACompleteRunOutranksWhatNobodyAnswered: a person has put a dead row right by
// hand, and a finding has expired before a fixer came.
func TestACompleteRunOutranksWhatNobodyAnswered(t *testing.T) {
	dead, expired, fresh := finding("dead", 1, 0), finding("expired", 2, 0), finding("fresh", 3, 400)
	for name, c := range map[string]struct {
		verdict event.Verdict
		open    int
	}{
		"complete":              {event.Verdict{Mode: "full", Complete: true, Config: "config"}, 1},
		"incomplete":            {event.Verdict{Mode: "full", Config: "config"}, 3},
		"rows undecided":        {event.Verdict{Mode: "full", Complete: true, Undecided: 1, Config: "config"}, 3},
		"another way":           {event.Verdict{Mode: "reverse", Complete: true, Config: "config"}, 3},
		"another configuration": {event.Verdict{Mode: "full", Complete: true, Config: "other"}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBoard(10)
			for _, f := range []event.Finding{dead, expired, fresh} {
				b.Found(f, f.DetectedAt)
			}
			b.Settled(outcome(dead, event.Dead, 1), standing.Spot{})
			c.verdict.Run, c.verdict.Began, c.verdict.Ended = "r", at(300), at(500)
			b.Concluded(event.Verdicts{Pair: "orders", List: []event.Verdict{c.verdict}})
			if p := stands(b, 600); p.Open != c.open {
				t.Errorf("%d rows are open, want %d: %+v", p.Open, c.open, p)
			}
		})
	}
}

func TestALetterThatAPersonDroppedIsNotOpen(t *testing.T) {
	b := newBoard(10)
	f := finding("f", 1, 0)
	b.Buried(f, standing.Spot{Offset: 4})
	b.Settled(outcome(f, event.Dead, 1), standing.Spot{})
	b.Dropped(event.RowKey("orders", f.Key.Values()), 4)
	if p := stands(b, 2); p.Dead != 1 {
		t.Errorf("dropped before it came: %+v", p)
	}
	b.Dropped(event.RowKey("orders", f.Key.Values()), 5)
	if p := stands(b, 2); p.Open != 0 {
		t.Errorf("%+v", p)
	}
}

// TestARowThatWasStillChangingIsSettledByWhatFollowsChanges: it changed at the
// authority, so it was looked at again.
func TestARowThatWasStillChangingIsSettledByWhatFollowsChanges(t *testing.T) {
	b := newBoard(10)
	f := finding("f", 1, 0)
	o := outcome(f, event.Repaired, 5)
	o.Class = fix.ClassStillChanging
	b.Settled(o, standing.Spot{})
	if p := stands(b, 10); p.Hot != 1 || p.Open != 1 {
		t.Errorf("%+v", p)
	}
	b.Verified("orders", standing.Watermark{Mode: "incremental", Until: at(300), At: at(302)})
	if p := stands(b, 303); p.Open != 0 {
		t.Errorf("%+v", p)
	}
}

func TestPastItsBoundTheBoardSaysAtLeast(t *testing.T) {
	b := newBoard(100)
	for id := range 1000 {
		b.Found(finding(strconv.Itoa(id), id, id/100), at(id/100))
	}
	if p := stands(b, 20); p.Open != 100 || !p.AtLeast || !strings.Contains(p.Line, "at least 100 rows open") {
		t.Errorf("%+v", p)
	}
	for id := range 1000 {
		b.Settled(outcome(finding(strconv.Itoa(id), id, 0), event.Repaired, 30), standing.Spot{Offset: int64(id)})
	}
	if p := stands(b, 40); p.Open != 0 || !p.AtLeast {
		t.Errorf("%+v", p)
	}
	b.Concluded(event.Verdicts{Pair: "orders", List: []event.Verdict{{Run: "r", Mode: "full", Complete: true, Began: at(100), Ended: at(200), Config: "config"}}})
	if p := stands(b, 300); p.Open != 0 || p.AtLeast {
		t.Errorf("%+v", p)
	}
}

func TestAnotherPairsRowsAreNobodysHere(t *testing.T) {
	b := newBoard(10)
	f := finding("f", 1, 0)
	f.Pair = "items"
	b.Found(f, at(0))
	b.Settled(outcome(f, event.Held, 1), standing.Spot{})
	if all := b.Snapshot(at(1), at(1)); len(all) != 1 || all[0].Open != 0 || len(all[0].Outcomes) != 0 {
		t.Errorf("%+v", all)
	}
}

func TestOpenRowsAreCountedByTheirAge(t *testing.T) {
	b := newBoard(10)
	day := int((24 * time.Hour).Seconds())
	for row, age := range []int{0, 59, 60, 3599, 3600, day - 1, day, 5 * day} {
		b.Found(finding("f"+strconv.Itoa(row), row, 5*day-age), at(5*day))
	}
	if got := stands(b, 5*day).Ages["neq"]; got != (standing.Ages{2, 2, 2, 2}) {
		t.Errorf("%v", got)
	}
}
