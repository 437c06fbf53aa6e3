package fix_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

func TestTheAuthorityDecidesWhateverTheFindingSays(t *testing.T) {
	b := newBench()
	b.authority = newTable(&b.pair.Source, record(1, "a", "1"), record(2, "b", "2"), record(3, "c", "3"))
	b.copy = newTable(&b.pair.Target, record(2, "b", "9"), record(3, "c", "3"), record(4, "d", "4"))
	b.config.Authority, b.config.Sink = b.authority, b.copy

	got := b.repair(t, 1, 2, 3, 4, 5)
	wantOutcome(t, got["f1"], event.Repaired, event.Insert)
	wantOutcome(t, got["f2"], event.Repaired, event.Update)
	wantOutcome(t, got["f3"], event.AlreadyEqual, event.NoAction)
	wantOutcome(t, got["f4"], event.Repaired, event.Delete)
	wantOutcome(t, got["f5"], event.Vanished, event.NoAction)
	if fmt.Sprint(got["f2"].Columns) != "[amount]" {
		t.Errorf("the update changed %v, want amount only", got["f2"].Columns)
	}
	b.wantEqual(t)
}

func TestTheTargetCanBeTheAuthority(t *testing.T) {
	b := newBench()
	b.authority, b.copy = newTable(&b.pair.Target, record(1, "a", "1")), newTable(&b.pair.Source, record(2, "b", "2"))
	b.config.Side, b.config.Authority, b.config.Sink = event.Target, b.authority, b.copy
	got := b.repair(t, 1, 2)
	wantOutcome(t, got["f1"], event.Repaired, event.Insert)
	wantOutcome(t, got["f2"], event.Repaired, event.Delete)
	b.wantEqual(t)
}

func TestFindingsOfOneKeyShareItsRepairAndEachGetsAnOutcome(t *testing.T) {
	b := newBench()
	b.authority.put(record(1, "a", "1"))
	findings := []event.Finding{finding(1), finding(1), finding(1)}
	for i := range findings {
		findings[i].ID, findings[i].Run = fmt.Sprint("f", i), fmt.Sprint("run", i)
	}
	outcomes, err := b.repairer(t).Repair(t.Context(), findings)
	if err != nil || len(outcomes) != 3 {
		t.Fatalf("%d outcomes, %v", len(outcomes), err)
	}
	for i, o := range outcomes {
		wantOutcome(t, o, event.Repaired, event.Insert)
		if o.FindingID != findings[i].ID || o.Run != findings[i].Run || o.Attempts != 1 {
			t.Errorf("outcome %d is of finding %s, run %s, after %d attempts", i, o.FindingID, o.Run, o.Attempts)
		}
	}
	if b.copy.writes != 1 {
		t.Errorf("%d writes for one key", b.copy.writes)
	}
}

func TestAnOutcomeContinuesTheTraceOfItsFinding(t *testing.T) {
	b := damaged(4)
	repaired, twin, refused := finding(1), finding(1), finding(2)
	repaired.TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	twin.ID, twin.TraceParent = "twin", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
	refused.Key, refused.TraceParent = nil, "00-80e1afed08e019fc1110464cfa66635c-7a085853722dc6d2-01"
	want := map[string]string{}
	for _, f := range []event.Finding{repaired, twin, refused, finding(3)} {
		want[f.ID] = f.TraceParent
	}
	outcomes, err := b.repairer(t).Repair(t.Context(), []event.Finding{repaired, twin, refused, finding(3)})
	if err != nil || len(outcomes) != len(want) {
		t.Fatalf("%d outcomes, %v", len(outcomes), err)
	}
	for _, o := range outcomes {
		if o.TraceParent != want[o.FindingID] {
			t.Errorf("%s: trace %q, want %q", o.FindingID, o.TraceParent, want[o.FindingID])
		}
	}
}

func TestOnlyMappedDifferingWritableColumnsAreWritten(t *testing.T) {
	b := newBench()
	b.authority.put(row.Row{row.Value("1"), row.Value("a"), row.Value("2"), row.Value("7")})
	b.copy.put(row.Row{row.Value("1"), row.Value("a  "), row.Value("1"), row.Value("0")})
	wantOutcome(t, b.repair(t, 1)["f1"], event.Repaired, event.Update)
	got := b.copy.get(1)
	if string(got[colAmount]) != "2" || string(got[colSum]) != "0" || string(got[colName]) != "a  " {
		t.Errorf("the copy's row is %q: the amount alone was to be written; a rule forgives the name, and the server computes the sum", got)
	}
}

func TestADifferenceTheCopyComputesItselfIsDead(t *testing.T) {
	b := newBench()
	b.authority.put(row.Row{row.Value("1"), row.Value("a"), row.Value("1"), row.Value("7")})
	b.copy.put(record(1, "a", "1"))
	o := b.repair(t, 1)["f1"]
	wantOutcome(t, o, event.Dead, event.NoAction)
	if o.Class != fix.ClassNotWritable || !strings.Contains(o.Reason, "sum") || b.copy.writes != 0 {
		t.Errorf("class %q, reason %q, %d writes", o.Class, o.Reason, b.copy.writes)
	}
}

func TestAHeldRowKeepsNoOtherWaitingAndIsRepairedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		for id := range 5 {
			b.authority.put(record(id, "new", "1"))
			b.copy.put(record(id, "old", "1"))
		}
		free := b.copy.seize(2)
		watch := &watcher{}
		b.config.Observer = watch
		watch.waiting = func(error, time.Duration) {
			for id := range 5 {
				if got := string(b.copy.get(id)[colName]); (id == 2) != (got == "old") {
					t.Errorf("while row 2 is held, row %d is %s", id, got)
				}
			}
			free()
		}
		got := b.repair(t, 0, 1, 2, 3, 4)
		wantOutcome(t, got["f2"], event.Repaired, event.Update)
		if got["f2"].Attempts != 2 {
			t.Errorf("%d attempts", got["f2"].Attempts)
		}
		b.wantEqual(t)
	})
}

func TestAHeldRowIsNeverTakenForAbsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.authority.put(record(1, "new", "1"))
		b.copy.put(record(1, "old", "1"))
		b.copy.seize(1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		outcomes, err := b.repairer(t).Repair(ctx, []event.Finding{finding(1)})
		if !errors.Is(err, context.DeadlineExceeded) || len(outcomes) != 0 || b.copy.writes != 0 {
			t.Errorf("outcomes %v, %v, %d writes", outcomes, err, b.copy.writes)
		}
	})
}

func TestABlockedUniqueValueGoesDeadAndBlocksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.copy.unique = colName
		b.copy.put(record(99, "taken", "1")) // no finding names this row
		b.authority.put(record(99, "taken", "1"))
		var ids []int
		for id := range 40 {
			b.authority.put(record(id, fmt.Sprint("name", id), "1"))
			ids = append(ids, id)
		}
		b.authority.put(record(7, "taken", "1"))
		got := b.repair(t, ids...)
		o := got["f7"]
		wantOutcome(t, o, event.Dead, event.NoAction)
		if o.Class != fix.ClassDuplicate || o.Reason != "another row has the name" || b.copy.get(7) != nil {
			t.Errorf("class %q, reason %q, the copy has %q", o.Class, o.Reason, b.copy.get(7))
		}
		for _, id := range ids {
			if id != 7 {
				wantOutcome(t, got[fmt.Sprint("f", id)], event.Repaired, event.Insert)
			}
		}
	})
}

func TestAUniqueValueFreedByTheSameBacklogIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.copy.unique = colName
		b.config.BatchKeys = 1 // each in a batch of its own, the blocked ones first
		b.authority.put(record(1, "x", "1"))
		b.authority.put(record(2, "y", "1"))
		b.authority.put(record(3, "z", "1"))
		b.copy.put(record(2, "x", "1"))
		b.copy.put(record(3, "y", "1"))
		got := b.repair(t, 1, 2, 3)
		wantOutcome(t, got["f1"], event.Repaired, event.Insert)
		wantOutcome(t, got["f2"], event.Repaired, event.Update)
		b.wantEqual(t)
	})
}

func TestARowThatGoesAwayFreesItsUniqueValueWithinTheBatch(t *testing.T) {
	b := newBench()
	b.copy.unique = colName
	b.authority.put(record(1, "x", "1"))
	b.authority.put(record(2, "z", "1"))
	b.authority.put(record(3, "y", "1"))
	b.copy.put(record(2, "y", "1")) // gives y to 3 by an update
	b.copy.put(record(4, "x", "1")) // gives x to 1 by its delete
	for _, o := range b.repair(t, 1, 2, 3, 4) {
		if o.Result != event.Repaired || o.Attempts != 1 {
			t.Errorf("%s: %s after %d attempts", o.FindingID, o.Result, o.Attempts)
		}
	}
	b.wantEqual(t)
}

func TestARefusedRowGoesDeadAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		for id := range 10 {
			b.authority.put(record(id, "a", "1"))
		}
		b.authority.put(row.Row{row.Value("4"), nil, row.Value("1"), row.Value("0")})
		got := b.repair(t, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
		wantOutcome(t, got["f4"], event.Dead, event.NoAction)
		if got["f4"].Class != fix.ClassRefused || got["f4"].Reason != "column name does not take NULL" {
			t.Errorf("class %q, reason %q", got["f4"].Class, got["f4"].Reason)
		}
		if b.copy.writes != 9 {
			t.Errorf("%d of 9 rows were written", b.copy.writes)
		}
	})
}

// A copy may round, cut or fill up what it is given and report success.
func TestARowTheCopyAltersIsNotCalledRepaired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		for id := range 10 {
			b.authority.put(record(id, "a", "1"))
		}
		b.authority.put(record(4, "a", "1.5"))
		b.copy.put(record(4, "a", "7"))
		b.config.Pair.Target.Table.Triggers = []string{"round"}
		b.copy.alter = func(r row.Row) {
			if string(r[colAmount]) == "1.5" {
				r[colAmount] = row.Value("2")
			}
		}
		got := b.repair(t, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
		wantOutcome(t, got["f4"], event.Dead, event.NoAction)
		if got["f4"].Class != fix.ClassRefused || !strings.Contains(got["f4"].Reason, "stores amount as another value") {
			t.Errorf("class %q, reason %q", got["f4"].Class, got["f4"].Reason)
		}
		if b.copy.writes != 9 || string(b.copy.get(4)[colAmount]) != "7" {
			t.Errorf("%d of 9 rows were written; the altered row holds %s", b.copy.writes, b.copy.get(4)[colAmount])
		}
	})
}

// steps are all points at which a repair can be interrupted.
var steps = []string{"begin", "locked", "lookup", "looked", "apply", "applied", "commit", "committed"}

func TestTransientErrorsAtEveryStepAreWaitedOut(t *testing.T) {
	for _, step := range steps {
		t.Run(step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := damaged(20)
				watch := &watcher{}
				b.config.Observer = watch
				fails := 2
				b.hook(func(_ context.Context, name string, _ []row.Key) error {
					if name == step && fails > 0 {
						fails--
						return &fix.Error{Fault: fix.Transient, Err: errors.New("connection reset")}
					}
					return nil
				})
				outcomes, err := b.repairer(t).Repair(t.Context(), damagedFindings(20))
				if err != nil || len(outcomes) != 20 || fails != 0 {
					t.Fatalf("%d outcomes, %v, %d failures left", len(outcomes), err, fails)
				}
				for _, o := range outcomes {
					if o.Result != event.Repaired && o.Result != event.AlreadyEqual {
						t.Errorf("%s: %s %s", o.FindingID, o.Result, o.Reason)
					}
				}
				if watch.waits == 0 {
					t.Error("nobody was told that the repair waits")
				}
				b.wantEqual(t)
			})
		})
	}
}

func TestACommitWhoseAnswerIsLostCountsAsRepaired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.authority.put(record(1, "a", "1"))
		b.copy.put(record(2, "b", "1"))
		b.copy.at = once("committed", 1, func() error {
			return &fix.Error{Fault: fix.Transient, Err: errors.New("connection reset")}
		})
		got := b.repair(t, 1, 2)
		wantOutcome(t, got["f1"], event.Repaired, event.Insert)
		wantOutcome(t, got["f2"], event.Repaired, event.Delete)
		if !strings.Contains(got["f1"].Reason, "lost") {
			t.Errorf("reason %q does not say that the answer was lost", got["f1"].Reason)
		}
	})
}

func TestAPermanentErrorIsReturnedAndSettlesNothing(t *testing.T) {
	for _, step := range steps {
		t.Run(step, func(t *testing.T) {
			b := damaged(4)
			denied := errors.New("permission denied")
			b.hook(once(step, 1, func() error { return denied }))
			outcomes, err := b.repairer(t).Repair(t.Context(), damagedFindings(4))
			if !errors.Is(err, denied) || !strings.Contains(err.Error(), "orders") {
				t.Errorf("error %v", err)
			}
			for _, o := range outcomes {
				if o.Result != event.AlreadyEqual { // the one row that needed no write
					t.Errorf("%s: %s", o.FindingID, o.Result)
				}
			}
			if b.copy.locked() != 0 {
				t.Error("rows are still locked")
			}
			b.wantRepairedByAnother(t, 4)
		})
	}
}

func TestALimitIsMetBySmallerBatchesAndALoneRowBeyondItIsDead(t *testing.T) {
	limit := 3
	b := damaged(20)
	b.authority.at = func(_ context.Context, name string, keys []row.Key) error {
		if name == "lookup" && len(keys) > limit {
			return &fix.Error{Fault: fix.Limit, Err: errors.New("packet too large")}
		}
		return nil
	}
	outcomes, err := b.repairer(t).Repair(t.Context(), damagedFindings(20))
	if err != nil || len(outcomes) != 20 {
		t.Fatalf("%d outcomes, %v", len(outcomes), err)
	}
	b.wantEqual(t)
	// A row that no batch can hold keeps nobody from repairing the others.
	b = damaged(20)
	b.copy.at = func(_ context.Context, name string, keys []row.Key) error {
		if name == "apply" && slices.ContainsFunc(keys, func(k row.Key) bool { return k.String() == "8" }) {
			return &fix.Error{Fault: fix.Limit, Reason: "it is too large", Err: errors.New("packet too large")}
		}
		return nil
	}
	outcomes, err = b.repairer(t).Repair(t.Context(), damagedFindings(20))
	if err != nil || len(outcomes) != 20 {
		t.Fatalf("%d outcomes, %v", len(outcomes), err)
	}
	for _, o := range outcomes {
		if large := o.Key.Values().String() == "8"; large != (o.Result == event.Dead) || large && (o.Class != fix.ClassLimit || o.Reason != "it is too large" || o.Attempts > 10) {
			t.Errorf("%+v", o)
		}
	}
}

func TestContentionIsRetriedWithoutTheRowThatCausesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := damaged(20)
		left := 3
		b.copy.at = func(_ context.Context, name string, keys []row.Key) error {
			for _, k := range keys {
				if name == "apply" && k.String() == "8" && left > 0 {
					if len(keys) == 1 {
						left--
					}
					return &fix.Error{Fault: fix.Contention, Err: errors.New("lock wait timeout")}
				}
			}
			return nil
		}
		outcomes, err := b.repairer(t).Repair(t.Context(), damagedFindings(20))
		if err != nil || len(outcomes) != 20 {
			t.Fatalf("%d outcomes, %v", len(outcomes), err)
		}
		if got := outcomes[19]; got.FindingID != "f8" {
			t.Errorf("the last outcome is of %s: row 8 kept others waiting", got.FindingID)
		}
		b.wantEqual(t)
	})
}

func TestAContextThatEndsAtAnyStepLeavesAStateThatRepeatingRepairs(t *testing.T) {
	for _, step := range steps {
		for n := 1; n <= 3; n++ {
			t.Run(fmt.Sprint(step, n), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := damaged(6)
					b.config.BatchKeys = 2
					ctx, cancel := context.WithCancel(t.Context())
					b.hook(once(step, n, func() error { cancel(); return nil }))
					outcomes, err := b.repairer(t).Repair(ctx, damagedFindings(6))
					if !errors.Is(err, context.Canceled) {
						t.Fatalf("error %v", err)
					}
					for _, o := range outcomes {
						if o.Result == event.Repaired && fmt.Sprintf("%q", b.copy.lookup([]row.Key{o.Key.Values()})) != fmt.Sprintf("%q", b.authority.lookup([]row.Key{o.Key.Values()})) {
							t.Errorf("%s is said to be repaired and is not", o.FindingID)
						}
					}
					b.wantRepairedByAnother(t, 6)
				})
			})
		}
	}
}

func TestShuffledAndRepeatedFindingsConverge(t *testing.T) {
	b := damaged(200)
	findings := append(damagedFindings(200), damagedFindings(200)...)
	rand.Shuffle(len(findings), func(i, j int) { findings[i], findings[j] = findings[j], findings[i] })
	r := b.repairer(t)
	for len(findings) > 0 {
		n := min(1+rand.IntN(90), len(findings))
		outcomes, err := r.Repair(t.Context(), findings[:n])
		if err != nil || len(outcomes) != n {
			t.Fatalf("%d outcomes for %d findings, %v", len(outcomes), n, err)
		}
		findings = findings[n:]
	}
	b.wantEqual(t)
}

func TestAnswersAboutOtherKeysAreRefused(t *testing.T) {
	cases := map[string][]row.Row{
		"not asked for":    {record(2, "a", "1")},
		"several rows":     {record(1, "a", "1"), record(1, "b", "1")},
		"columns instead":  {{row.Value("1")}},
		"not asked for, 3": {record(1, "a", "1"), record(3, "a", "1")},
	}
	for want, answer := range cases {
		t.Run(want, func(t *testing.T) {
			b := newBench()
			b.copy.put(record(1, "old", "1"))
			b.config.Authority = fixed(answer)
			outcomes, err := b.repairer(t).Repair(t.Context(), []event.Finding{finding(1)})
			if err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(want, ", 3")) || len(outcomes) != 0 || b.copy.writes != 0 {
				t.Errorf("%d outcomes, %v, %d writes", len(outcomes), err, b.copy.writes)
			}
		})
	}
}

func TestSetupNamesTheFieldAtFault(t *testing.T) {
	cases := map[string]func(*fix.Config){
		"Pair":        func(c *fix.Config) { c.Pair = nil },
		"Side":        func(c *fix.Config) { c.Side = event.SideUnknown },
		"Authority":   func(c *fix.Config) { c.Authority = nil },
		"BatchKeys":   func(c *fix.Config) { c.BatchKeys = -1 },
		"BatchBytes":  func(c *fix.Config) { c.BatchBytes = -1 },
		"MaxRounds":   func(c *fix.Config) { c.MaxRounds = -1 },
		"MaxRefusals": func(c *fix.Config) { c.MaxRefusals = -1 },
		"Script":      func(c *fix.Config) { c.Script, c.Sink = func(string) {}, struct{ fix.Sink }{c.Sink} },
		"column id":   func(c *fix.Config) { c.Pair.Target.Columns[colID].Generated = true },
	}
	for field, spoil := range cases {
		b := newBench()
		spoil(&b.config)
		if _, err := fix.New(b.config); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("a wrong %s gives %v", field, err)
		}
	}
}

// damaged is a bench whose n rows are wrong in all ways: key 4k is missing in
// the copy, 4k+1 differs, 4k+2 is the copy's alone, 4k+3 is well.
func damaged(n int) *bench {
	b := newBench()
	for id := range n {
		if id%4 != 2 {
			b.authority.put(record(id, "right", "1"))
		}
		switch id % 4 {
		case 1, 2:
			b.copy.put(record(id, "wrong", "1"))
		case 3:
			b.copy.put(record(id, "right", "1"))
		}
	}
	return b
}

func damagedFindings(n int) []event.Finding {
	findings := make([]event.Finding, n)
	for id := range findings {
		findings[id] = finding(id)
	}
	return findings
}

func (b *bench) hook(at func(context.Context, string, []row.Key) error) {
	b.authority.at, b.copy.at = at, at
}

// wantRepairedByAnother fails unless another fixer finishes what one left.
func (b *bench) wantRepairedByAnother(t *testing.T, n int) {
	t.Helper()
	b.hook(nil)
	outcomes, err := b.repairer(t).Repair(t.Context(), damagedFindings(n))
	if err != nil || len(outcomes) != n {
		t.Fatalf("%d outcomes, %v", len(outcomes), err)
	}
	b.wantEqual(t)
}

// fixed is a Reader that answers the same to everything.
type fixed []row.Row

func (f fixed) Lookup(context.Context, *schema.View, []row.Key) ([]row.Row, error) { return f, nil }

// watcher is an Observer.
type watcher struct {
	waiting func(error, time.Duration)
	waits   int
	settled []event.Outcome
}

func (w *watcher) Batch(string, int, time.Duration) {}
func (w *watcher) Settled(o event.Outcome)          { w.settled = append(w.settled, o) }
func (w *watcher) Waiting(_ string, err error, d time.Duration) {
	w.waits++
	if w.waiting != nil {
		w.waiting(err, d)
	}
}
