package fix_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
)

func breaker(limits fix.Limits, rows int64) *fix.Breaker {
	return fix.NewBreaker(fix.BreakerConfig{Pair: "orders", Limits: limits, Rows: rows, WayOut: "look, then release"})
}

// passed makes repairs until one is held, or n were made, and returns how many.
func passed(b *fix.Breaker, a event.Action, n int) int {
	for i := range n {
		if b.Admit(a) != "" {
			return i
		}
		b.Settle(a, true)
	}
	return n
}

func TestABreakerTripsOnceALimitIsMetAndStaysSo(t *testing.T) {
	for _, c := range []struct {
		name   string
		limits fix.Limits
		rows   int64
		action event.Action
		want   int
	}{
		{"a share of a large table", fix.Limits{Share: fix.Bound{Share: 0.2}}, 20_000, event.Update, 4000},
		{"a share of a small table", fix.Limits{Share: fix.Bound{Share: 0.2}}, 100, event.Update, fix.FewRows},
		{"a share of a table of unknown size", fix.Limits{Share: fix.Bound{Share: 0.2}}, 0, event.Delete, fix.FewRows},
		{"a number of deletes", fix.Limits{Deletes: fix.Bound{Rows: 7}}, 20_000, event.Delete, 7},
		{"a number of repairs a minute", fix.Limits{PerMinute: fix.Bound{Rows: 9}}, 20_000, event.Insert, 9},
		{"inserts replace nothing", fix.Limits{Share: fix.Bound{Share: 0.1}, Deletes: fix.Bound{Rows: 1}}, 0, event.Insert, 5000},
		{"updates delete nothing", fix.Limits{Deletes: fix.Bound{Rows: 1}}, 0, event.Update, 5000},
		{"no limit", fix.Limits{}, 10, event.Delete, 5000},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := breaker(c.limits, c.rows)
			if got := passed(b, c.action, 5000); got != c.want {
				t.Errorf("%d passed, want %d", got, c.want)
			}
			if tripped := c.want < 5000; b.Tripped() != tripped {
				t.Errorf("tripped is %t", b.Tripped())
			} else if tripped && b.Admit(event.Insert) == "" {
				t.Error("an insert passes a tripped breaker")
			}
		})
	}
}

func TestTheReasonNamesTheLimitTheCountAndTheWayOut(t *testing.T) {
	b := breaker(fix.Limits{Share: fix.Bound{Share: 0.2}}, 20_000)
	passed(b, event.Update, 5000)
	want := "breaker: 4000 rows of the copy were changed or deleted within 24h0m0s, and share allows 4000 (20% of about 20000 rows); look, then release"
	if got := b.Admit(event.Update); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestRepairsAreForgottenAfterTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		minute := breaker(fix.Limits{PerMinute: fix.Bound{Rows: 60}}, 0)
		for range 600 { // one a second, for ten minutes
			if reason := minute.Admit(event.Update); reason != "" {
				t.Fatal(reason)
			}
			minute.Settle(event.Update, true)
			time.Sleep(time.Second)
		}
		if got := passed(minute, event.Update, 100); got != 1 {
			t.Errorf("%d more passed at once, want 1: 59 are of the last minute", got)
		}
		day := breaker(fix.Limits{Deletes: fix.Bound{Rows: 10}}, 0)
		passed(day, event.Delete, 6)
		time.Sleep(fix.BreakerSpan - time.Hour)
		passed(day, event.Delete, 4)
		time.Sleep(2 * time.Hour)
		if got := passed(day, event.Delete, 100); got != 6 {
			t.Errorf("%d passed after a day, want 6", got)
		}
	})
}

func TestWhatWasAdmittedAndNotMadeDoesNotCount(t *testing.T) {
	b := breaker(fix.Limits{Deletes: fix.Bound{Rows: 5}}, 0)
	for range 100 {
		if reason := b.Admit(event.Delete); reason != "" {
			t.Fatal(reason)
		}
		b.Settle(event.Delete, false)
	}
	if got := passed(b, event.Delete, 100); got != 5 {
		t.Errorf("%d passed, want 5", got)
	}
}

func TestWhatIsUnderWayCounts(t *testing.T) {
	b := breaker(fix.Limits{Deletes: fix.Bound{Rows: 100}}, 0)
	var admitted atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if b.Admit(event.Delete) == "" {
					admitted.Add(1)
				}
			}
		})
	}
	all.Wait()
	if admitted.Load() != 100 {
		t.Errorf("%d admitted at once, want 100", admitted.Load())
	}
}

func outcomeOf(result event.Result, a event.Action, at time.Time) event.Outcome {
	return event.Outcome{Pair: "orders", Result: result, Action: a, At: at}
}

func TestTheRepairsOfOthersCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker(fix.Limits{Deletes: fix.Bound{Rows: 10}}, 0)
		now := time.Now()
		for range 4 {
			b.Count(outcomeOf(event.Repaired, event.Delete, now.Add(-time.Hour)))
		}
		b.Count(outcomeOf(event.Repaired, event.Delete, now.Add(time.Hour))) // a clock that is ahead
		dry := outcomeOf(event.Repaired, event.Delete, now)
		dry.DryRun = true
		for _, o := range []event.Outcome{
			dry, outcomeOf(event.Held, event.NoAction, now), outcomeOf(event.Undone, event.Delete, now),
			outcomeOf(event.Repaired, event.Delete, now.Add(-fix.BreakerSpan)),
		} {
			b.Count(o)
		}
		if got := passed(b, event.Delete, 100); got != 5 {
			t.Errorf("%d passed, want 5", got)
		}
	})
}

func TestAReleaseStartsTheCountAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker(fix.Limits{Deletes: fix.Bound{Rows: 10}}, 0)
		before := time.Now()
		passed(b, event.Delete, 100)
		time.Sleep(time.Minute)
		b.Learn(event.BreakerState{Pair: "orders", Number: 1, Released: time.Now()})
		if b.Tripped() {
			t.Fatal("it is still tripped")
		}
		b.Count(outcomeOf(event.Repaired, event.Delete, before)) // read late
		if got := passed(b, event.Delete, 100); got != 10 {
			t.Errorf("%d passed, want 10", got)
		}
	})
}

func TestATripIsPendingUntilItIsKnownToAll(t *testing.T) {
	b := breaker(fix.Limits{Deletes: fix.Bound{Rows: 1}}, 0)
	if _, pending := b.Pending(); pending {
		t.Error("a breaker that has not tripped has something to tell")
	}
	passed(b, event.Delete, 2)
	state, pending := b.Pending()
	if !pending || !state.Tripped || state.Pair != "orders" || state.Number != 0 || !strings.Contains(state.Reason, "deletes") {
		t.Errorf("pending %t, %+v", pending, state)
	}
	b.Learn(state)
	if _, pending := b.Pending(); pending {
		t.Error("it is known and still pending")
	}
}

// TestStatesMayComeInAnyOrder gives every order of two trips and two releases,
// some of them twice, as several processes may write them at the same moment.
func TestStatesMayComeInAnyOrder(t *testing.T) {
	states := []event.BreakerState{
		{Pair: "orders", Number: 0, Tripped: true, Reason: "first"},
		{Pair: "orders", Number: 1},
		{Pair: "orders", Number: 1, Tripped: true, Reason: "second"},
		{Pair: "orders", Number: 2},
		{Pair: "orders", Number: 2, Tripped: true, Reason: "third"},
	}
	for length, want := range map[int]bool{1: true, 2: false, 3: true, 4: false, 5: true} {
		permutations(length, func(order []int) {
			b := breaker(fix.Limits{}, 0)
			for _, i := range order {
				b.Learn(states[i])
				b.Learn(states[order[0]])
			}
			if b.Tripped() != want {
				t.Errorf("after %v tripped is %t, want %t", order, b.Tripped(), want)
			}
		})
	}
}

func permutations(n int, use func([]int)) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	var swap func(int)
	swap = func(k int) {
		if k == n {
			use(order)
			return
		}
		for i := k; i < n; i++ {
			order[k], order[i] = order[i], order[k]
			swap(k + 1)
			order[k], order[i] = order[i], order[k]
		}
	}
	swap(0)
}

func TestEachChangeIsToldOnce(t *testing.T) {
	var told []bool
	b := fix.NewBreaker(fix.BreakerConfig{
		Pair: "orders", Limits: fix.Limits{Deletes: fix.Bound{Rows: 1}},
		Changed: func(s event.BreakerState) { told = append(told, s.Tripped) },
	})
	passed(b, event.Delete, 2)
	b.Admit(event.Delete)
	state, _ := b.Pending()
	b.Learn(state)
	b.Learn(event.BreakerState{Pair: "orders", Number: 1})
	b.Learn(event.BreakerState{Pair: "orders", Number: 1})
	if len(told) != 2 || !told[0] || told[1] {
		t.Errorf("told %v", told)
	}
}

func TestALimitIsReadAsItIsSpelled(t *testing.T) {
	for text, want := range map[string]fix.Bound{
		"off": {}, "0": {}, "1000": {Rows: 1000}, "5%": {Share: 0.05}, "0.05": {Share: 0.05}, " 20 % ": {Share: 0.2}, "100%": {Share: 1},
	} {
		got, err := fix.ParseBound(text)
		if err != nil || got != want {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
		if again, err := fix.ParseBound(got.String()); err != nil || again != want {
			t.Errorf("%q is spelled %q, which is %+v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "-1", "-5%", "101%", "0%", "1.5", "many", "NaN", "1.0"} {
		if got, err := fix.ParseBound(text); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}

// TestARowIsAdmittedOnceHoweverOftenItIsTried has transactions fail, before and
// after their commit, with a limit of just what there is to repair.
func TestARowIsAdmittedOnceHoweverOftenItIsTried(t *testing.T) {
	b := damaged(40) // 30 rows differ
	gate := breaker(fix.Limits{PerMinute: fix.Bound{Rows: 30}}, 0)
	b.config.Gate = gate
	failures := map[string]int{"apply": 3, "commit": 2, "committed": 1}
	b.hook(func(_ context.Context, step string, _ []row.Key) error {
		if failures[step]--; failures[step] >= 0 {
			return &fix.Error{Fault: fix.Transient, Err: errors.New("the connection is lost")}
		}
		return nil
	})
	synctest.Test(t, func(t *testing.T) {
		outcomes, err := b.repairer(t).Repair(t.Context(), damagedFindings(40))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range outcomes {
			if o.Result == event.Held {
				t.Fatal(o.Reason)
			}
		}
		if got := passed(gate, event.Insert, 100); got != 0 {
			t.Errorf("%d more pass after as many repairs as are allowed", got)
		}
	})
	b.wantEqual(t)
}

func TestWhatARepairLeavesUndoneDoesNotCount(t *testing.T) {
	b := damaged(40)
	gate := breaker(fix.Limits{PerMinute: fix.Bound{Rows: 30}}, 0)
	b.config.Gate = gate
	b.copy.at = once("apply", 1, func() error { return errors.New("no privilege") })
	if _, err := b.repairer(t).Repair(t.Context(), damagedFindings(40)); err == nil {
		t.Fatal("no error")
	}
	if got := passed(gate, event.Insert, 100); got != 30 {
		t.Errorf("%d pass, want 30", got)
	}
}

func TestPastTheLimitNothingIsWritten(t *testing.T) {
	b := damaged(400) // 300 rows differ
	b.config.Gate = breaker(fix.Limits{PerMinute: fix.Bound{Rows: 70}}, 0)
	outcomes, err := b.repairer(t).Repair(t.Context(), damagedFindings(400))
	if err != nil {
		t.Fatal(err)
	}
	got := map[event.Result]int{}
	for _, o := range outcomes {
		got[o.Result]++
		if o.Result == event.Held && (o.Class != fix.ClassBreaker || o.Kind == event.KindUnknown) {
			t.Errorf("held as %s of kind %s", o.Class, o.Kind)
		}
	}
	if got[event.Repaired] != 70 || got[event.Held] != 230 || got[event.AlreadyEqual] != 100 {
		t.Errorf("got %v", got)
	}
	if b.copy.writes != 70 {
		t.Errorf("%d writes", b.copy.writes)
	}
}

// TestARowThatSeveralFindingsNameCountsOnce at other processes as at the one that
// repaired it: full runs and those that follow changes find the same rows.
func TestARowThatSeveralFindingsNameCountsOnce(t *testing.T) {
	b := newBench()
	var findings []event.Finding
	for id := range 10 {
		b.authority.put(record(id, "right", "1"))
		b.copy.put(record(id, "wrong", "1"))
		for run := range 3 {
			f := finding(id)
			f.ID, f.Run = fmt.Sprint("f", id, run), fmt.Sprint("run", run)
			findings = append(findings, f)
		}
	}
	outcomes, err := b.repairer(t).Repair(t.Context(), findings)
	if err != nil || len(outcomes) != 30 {
		t.Fatalf("%d outcomes, %v", len(outcomes), err)
	}
	other := breaker(fix.Limits{PerMinute: fix.Bound{Rows: 11}}, 0)
	for _, o := range outcomes {
		other.Count(o)
	}
	if reason := other.Admit(event.Update); reason != "" {
		t.Errorf("the eleventh row: %s", reason)
	}
	if reason := other.Admit(event.Update); reason == "" {
		t.Error("the twelfth row passes a limit of eleven")
	}
}

// TestARowThatIsDamagedAgainCountsAgain however alike the damage is: a limit is there
// for the writer that undoes each repair, too.
func TestARowThatIsDamagedAgainCountsAgain(t *testing.T) {
	b := newBench()
	b.authority.put(record(1, "right", "1"))
	b.copy.put(record(1, "wrong", "1"))
	outcomes, err := b.repairer(t).Repair(t.Context(), []event.Finding{finding(1)})
	if err != nil || len(outcomes) != 1 {
		t.Fatalf("%d outcomes, %v", len(outcomes), err)
	}
	other := breaker(fix.Limits{PerMinute: fix.Bound{Rows: 3}}, 0)
	again := outcomes[0]
	again.At = again.At.Add(-20 * time.Second)
	for range 3 {
		other.Count(again)
		again.At = again.At.Add(5 * time.Second)
	}
	if reason := other.Admit(event.Update); reason == "" {
		t.Error("a row that was repaired three times counts less than a limit of three")
	}
}

func TestALimitIsNearWhenSoManyMoreMightPassIt(t *testing.T) {
	b := breaker(fix.Limits{Deletes: fix.Bound{Rows: 10}, PerMinute: fix.Bound{Rows: 30}}, 0)
	for _, c := range []struct {
		deletes, inserts int
		repairs          int64
		want             bool
	}{
		{0, 0, 10, false},
		{0, 0, 11, true},
		{4, 0, 6, false},
		{0, 0, 7, true},
		{0, 20, 6, false},
		{0, 1, 6, true}, // 25 in a minute
		{7, 0, 1, false},
	} {
		passed(b, event.Delete, c.deletes)
		passed(b, event.Insert, c.inserts)
		if got := b.Near(c.repairs); got != c.want {
			t.Errorf("after %+v near is %t", c, got)
		}
	}
	if !b.Tripped() {
		t.Error("the last of them trips")
	}
	if breaker(fix.Limits{}, 0).Near(1 << 40) {
		t.Error("near a limit that is none")
	}
}
