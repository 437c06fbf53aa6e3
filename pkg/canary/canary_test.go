package canary

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// table is a side in memory.
type table struct {
	rows map[string]row.Row
	fail error
}

func (t *table) Lookup(_ context.Context, _ *schema.View, keys []row.Key) ([]row.Row, error) {
	var out []row.Row
	for _, key := range keys {
		if r, ok := t.rows[key.ID()]; ok {
			out = append(out, r.Clone())
		}
	}
	return out, t.fail
}

func (t *table) put(values ...string) {
	r := rowOf(values...)
	t.rows[row.Key(r[:1]).ID()] = r
}

func rowOf(values ...string) row.Row {
	var out row.Row
	for _, v := range values {
		out = append(out, row.Value(v))
	}
	return out
}

// world is both sides, the topics, and a planter.
type world struct {
	*Canary
	authority, copy *table
	findings        []event.Finding
	outcomes        []event.Outcome
	topics          error
	planted         []fix.Change
	refuse          func(fix.Change) error
	before          row.Row
	asked           int
	undo            error
	// away is how often the row cannot be given back before it can.
	away int
	// script runs at each look at the topics.
	script func(look int)
	looks  int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	column := func(name string, kind canonical.Kind) schema.ViewColumn {
		as := canonical.Type{Kind: kind}
		return schema.ViewColumn{Column: schema.Column{Name: name, Type: as}, As: as}
	}
	view := func() schema.View {
		columns := []schema.ViewColumn{column("id", canonical.Int), column("note", canonical.Text), column("price", canonical.Decimal)}
		table := &schema.Table{Name: schema.Name{Table: "orders"}, AllReferences: true, Keys: []schema.UniqueKey{{Name: "PRIMARY", Columns: []string{"id"}, Primary: true}}}
		for _, c := range columns {
			table.Columns = append(table.Columns, c.Column)
		}
		return schema.View{Table: table, Columns: columns, Key: []int{0}}
	}
	w := &world{authority: &table{rows: map[string]row.Row{}}, copy: &table{rows: map[string]row.Row{}}}
	w.authority.put("9", "reserved", "1.5")
	w.copy.put("9", "reserved", "1.5")
	w.Canary = &Canary{
		Pair:      &schema.Pair{Name: "orders", Source: view(), Target: view(), Names: []string{"id", "note", "price"}, Rules: make([]canonical.Rule, 3)},
		Authority: event.Source, Epoch: 3, Kind: event.NotEqual, Key: row.Key(rowOf("9")), Extra: row.Key(rowOf("10")),
		Run: "canary-1", Skew: time.Second, Timeout: time.Minute, Source: w.authority, Target: w.copy, Planter: w, Topics: w,
	}
	w.Ask = func(context.Context, event.Key) error {
		w.asked++
		return nil
	}
	return w
}

func (w *world) Plant(_ context.Context, change fix.Change, was row.Row, accept func(row.Row) error) (*fix.Step, error) {
	id := change.Key.ID()
	if w.refuse != nil {
		if err := w.refuse(change); err != nil {
			return nil, err
		}
	}
	w.before = w.copy.rows[id]
	if !slices.EqualFunc(w.before, was, func(a, b row.Value) bool { return string(a) == string(b) }) {
		return nil, fix.ErrMoved
	}
	now := change.Row
	if err := accept(now); err != nil {
		return nil, err
	}
	w.planted = append(w.planted, change)
	w.write(id, now)
	return &fix.Step{Outcome: event.Outcome{Writes: []event.Write{{Action: change.Action}}}}, nil
}

func (w *world) write(id string, r row.Row) {
	if r == nil {
		delete(w.copy.rows, id)
		return
	}
	w.copy.rows[id] = r
}

func (w *world) Undo(ctx context.Context, steps []fix.Step) ([]fix.Undoing, error) {
	if ctx.Err() != nil || w.undo != nil {
		return nil, errors.Join(ctx.Err(), w.undo)
	}
	if w.away > 0 {
		w.away--
		time.Sleep(time.Second)
		if w.away%2 == 0 {
			return []fix.Undoing{{Step: steps[0], Held: true, Left: "held"}}, nil
		}
		return nil, &fix.Error{Fault: fix.Transient, Err: errors.New("connection refused")}
	}
	change := w.planted[0]
	now := w.copy.rows[change.Key.ID()]
	same := func(r row.Row) bool {
		return (now == nil) == (r == nil) && slices.EqualFunc(now, r, func(a, b row.Value) bool { return string(a) == string(b) })
	}
	done := fix.Undoing{Step: steps[0]}
	switch {
	case same(w.before):
		done.Already = true
	case !same(change.Row):
		done.Left = "the row changed since"
	default:
		w.write(change.Key.ID(), w.before)
	}
	return []fix.Undoing{done}, nil
}

func (w *world) Watch(context.Context, event.Key) error { return nil }

func (w *world) Read(context.Context) ([]event.Finding, []event.Outcome, error) {
	w.looks++
	if w.script != nil {
		w.script(w.looks)
	}
	if w.topics != nil {
		return nil, nil, w.topics
	}
	findings, outcomes := w.findings, w.outcomes
	w.findings, w.outcomes = nil, nil
	return findings, outcomes, nil
}

func (w *world) finds(change func(*event.Finding)) {
	f := event.Finding{ID: "f1", Kind: w.Kind, Pair: "orders", Run: w.Run, Epoch: w.Epoch, DetectedAt: time.Now()}
	if w.Kind == event.NotEqual {
		f.Columns = []string{"note"}
	}
	if change != nil {
		change(&f)
	}
	w.findings = append(w.findings, f)
}

func (w *world) settles(change func(*event.Outcome)) {
	o := event.Outcome{FindingID: "f1", Result: event.Repaired, Action: event.Update}
	if change != nil {
		change(&o)
	}
	w.outcomes = append(w.outcomes, o)
}

// repairs does what a fixer does.
func (w *world) repairs() {
	id := w.planted[0].Key.ID()
	w.write(id, w.authority.rows[id])
}

// run runs the canary and wants the copy to be as it was.
func (w *world) run(t *testing.T) (Report, error) {
	t.Helper()
	before := w.copy.rows[w.Key.ID()].Clone()
	r, err := w.Prove(t.Context())
	after := w.copy.rows[w.Key.ID()]
	if w.undo == nil && r.Row != Left && !slices.EqualFunc(before, after, func(a, b row.Value) bool { return string(a) == string(b) }) {
		t.Errorf("the row was %q and is %q", before, after)
	}
	if _, extra := w.copy.rows[w.Extra.ID()]; extra && w.undo == nil {
		t.Error("the extra row is still there")
	}
	return r, err
}

func TestACanaryEndsWhenTheRowIsReadEqual(t *testing.T) {
	for _, kind := range []event.Kind{event.NotEqual, event.TargetMissing, event.BaseMissing} {
		t.Run(kind.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.Kind = kind
				var told []Stage
				w.Told = func(_ Report, s Stage) { told = append(told, s) }
				w.script = func(look int) {
					switch look {
					case 5:
						w.finds(nil)
					case 10:
						w.settles(nil)
					case 12: // the outcome may be seen before the row
						w.repairs()
					}
				}
				r, err := w.run(t)
				if err != nil || !r.Proven() || r.Missed != "" || r.Row != ByFixer || w.asked != 1 || !r.Asked {
					t.Errorf("%+v, %v", r, err)
				}
				if !slices.Equal(told, []Stage{Planted, Found, Repaired, Equal}) {
					t.Errorf("told %v", told)
				}
				for stage, want := range map[Stage]time.Duration{Found: 400 * time.Millisecond, Repaired: 900 * time.Millisecond, Equal: 1100 * time.Millisecond} {
					if r.Reached[stage] != want {
						t.Errorf("%s after %v, want %v", stage, r.Reached[stage], want)
					}
				}
			})
		})
	}
}

func TestTheStageThatDidNotComeToPassIsNamedAndTheRowGivenBack(t *testing.T) {
	for name, c := range map[string]struct {
		script func(w *world, look int)
		missed Stage
		reason string
		row    Fate
	}{
		"not found":    {func(*world, int) {}, Found, "does a validator run", GivenBack},
		"not repaired": {func(w *world, look int) { w.once(look, func() { w.finds(nil) }) }, Repaired, "does a fixer run", GivenBack},
		"held": {func(w *world, look int) {
			w.once(look, func() {
				w.finds(nil)
				w.settles(func(o *event.Outcome) { o.Result, o.Class, o.Reason = event.Held, "breaker", "too many" })
			})
		}, Repaired, "held (breaker): too many", GivenBack},
		"dead": {func(w *world, look int) {
			w.once(look, func() {
				w.finds(nil)
				w.settles(func(o *event.Outcome) { o.Result, o.Class, o.Reason = event.Dead, "refused", "a constraint" })
			})
		}, Repaired, "dead (refused): a constraint", GivenBack},
		"dry run": {func(w *world, look int) {
			w.once(look, func() {
				w.finds(nil)
				w.settles(func(o *event.Outcome) { o.DryRun = true })
			})
		}, Repaired, "dry run", GivenBack},
		"repaired by another": {func(w *world, look int) {
			w.once(look, func() {
				w.finds(nil)
				w.repairs()
				w.settles(func(o *event.Outcome) { o.Result = event.AlreadyEqual })
			})
		}, Repaired, "somebody else wrote to the row first", AsBefore},
		"written by another": {func(w *world, look int) { w.once(look, func() { w.copy.put("9", "mine", "1.5") }) }, Found, "no finding", Left},
		"replicated back":    {func(w *world, look int) { w.once(look, func() { w.authority.put("9", "xeserved", "1.5") }) }, Found, "carries changes of the target back", GivenBack},
		"never equal": {func(w *world, look int) {
			w.once(look, func() {
				w.finds(nil)
				w.copy.put("9", "mine", "1.5")
				w.settles(nil)
			})
		}, Equal, "somebody else writes to it", Left},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.script = func(look int) { c.script(w, look) }
				r, err := w.run(t)
				if err != nil || r.Proven() || r.Missed != c.missed || !strings.Contains(r.Reason, c.reason) || r.Row != c.row {
					t.Errorf("%+v, %v", r, err)
				}
				if (r.Row == Left) != (r.Why != "") {
					t.Errorf("the row is %s: %q", r.Row, r.Why)
				}
			})
		})
	}
}

// once acts at the third look.
func (w *world) once(look int, act func()) {
	if look == 3 {
		act()
	}
}

func TestFindingsAboutSomethingElseAreNotTheCanarys(t *testing.T) {
	for name, change := range map[string]func(*event.Finding){
		"of another kind":       func(f *event.Finding) { f.Kind = event.TargetMissing },
		"of an older epoch":     func(f *event.Finding) { f.Epoch-- },
		"of another column":     func(f *event.Finding) { f.Columns = []string{"price"} },
		"of an earlier finding": func(f *event.Finding) { f.Run, f.DetectedAt = "nightly", f.DetectedAt.Add(-time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.script = func(look int) {
					w.once(look, func() {
						w.finds(change)
						w.settles(nil)
					})
				}
				if r, err := w.run(t); err != nil || r.Missed != Found {
					t.Errorf("%+v, %v", r, err)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Ask = nil
		w.script = func(look int) {
			w.once(look, func() {
				w.finds(func(f *event.Finding) { f.Run = "nightly" })
				w.settles(nil)
				w.repairs()
			})
		}
		if r, err := w.run(t); err != nil || !r.Proven() || r.Asked || r.Finding.Run != "nightly" {
			t.Errorf("a run of its own finds it: %+v, %v", r, err)
		}
	})
}

func TestOfTwoFindingsTheOneThatWasRepairedCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.script = func(look int) {
			w.once(look, func() {
				w.finds(nil)
				w.finds(func(f *event.Finding) { f.ID, f.Run = "f2", "nightly" })
				w.repairs()
				w.settles(func(o *event.Outcome) { o.Result = event.AlreadyEqual })
				w.settles(func(o *event.Outcome) { o.FindingID = "f2" })
			})
		}
		if r, err := w.run(t); err != nil || !r.Proven() || r.Finding.ID != "f2" {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestWhoCouldNotLookDoesNotSayThatNothingWasFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.topics = errors.New("no broker")
		r, err := w.run(t)
		if !errors.Is(err, w.topics) || r.Missed != "" || r.Row != GivenBack {
			t.Errorf("%+v, %v", r, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		away := errors.New("no broker")
		w.Ask = func(context.Context, event.Key) error { return away }
		if r, err := w.run(t); !errors.Is(err, away) || r.Row != GivenBack {
			t.Errorf("%+v, %v", r, err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // it passes
		w := newWorld(t)
		w.script = func(look int) {
			w.topics = nil
			if look < 100 {
				w.topics = errors.New("no broker")
			}
			if look == 100 {
				w.finds(nil)
				w.settles(nil)
				w.repairs()
			}
		}
		if r, err := w.run(t); err != nil || !r.Proven() {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestAnInterruptedCanaryIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		w.script = func(look int) { w.once(look, cancel) }
		r, err := w.Prove(ctx)
		if !errors.Is(err, context.Canceled) || r.Row != GivenBack || r.Missed != "" {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestARowIsGivenBackOnceThatIsPossible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.away = 20
		if r, err := w.run(t); err != nil || r.Row != GivenBack {
			t.Errorf("%+v, %v", r, err)
		}
		w.away = 1 << 30
		if _, err := w.Prove(t.Context()); err == nil || !strings.Contains(err.Error(), "may still have") {
			t.Errorf("%v", err)
		}
	})
}

func TestARowThatCannotBeGivenBackIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.undo = errors.New("connection refused")
		r, err := w.run(t)
		if !errors.Is(err, w.undo) || !strings.Contains(err.Error(), "may still have what the canary planted") || r.Missed != Found {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestNothingIsPlantedWhereItWouldProveNothing(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world)
		want   string
	}{
		"no reserved row":    {func(w *world) { clear(w.authority.rows) }, "is not at the source"},
		"it differs already": {func(w *world) { w.copy.put("9", "other", "1.5") }, "differs already (neq)"},
		"the copy lacks it":  {func(w *world) { clear(w.copy.rows) }, "differs already (target_missing)"},
		"no extra key":       {func(w *world) { w.Kind, w.Extra = event.BaseMissing, nil }, "canary.extra"},
		"the extra key is used": {func(w *world) {
			w.Kind = event.BaseMissing
			w.authority.put("10", "somebody's", "1")
		}, "extra key 10"},
		"the extra row is left": {func(w *world) {
			w.Kind = event.BaseMissing
			w.copy.put("10", "somebody's", "1")
		}, "already"},
		"moved": {func(w *world) { w.refuse = func(fix.Change) error { return fix.ErrMoved } }, "changed just now"},
		"held": {func(w *world) {
			w.refuse = func(fix.Change) error { return &fix.Error{Fault: fix.Contention} }
		}, "held by another transaction"},
		"refused": {func(w *world) {
			w.refuse = func(fix.Change) error { return &fix.Error{Fault: fix.RowRefused, Reason: "a constraint"} }
		}, "takes no canary: a constraint"},
		"others would go with it": {func(w *world) {
			w.Kind = event.TargetMissing
			w.Pair.Target.Table.ReferencedBy = []schema.ForeignKey{{Name: "fk", OnDelete: schema.Cascade}}
		}, "use --kind neq"},
		"no column": {func(w *world) {
			w.Pair.Target.Columns[1].Generated = true
			w.Pair.Target.Table.References = []schema.ForeignKey{{Columns: []string{"price"}}}
		}, "note is computed by the server, price refers to another table"},
		"a column that is no help": {func(w *world) {
			w.Column = "price"
			w.Pair.Rules[2] = canonical.Rule{Tolerance: 1000}
		}, "price has no other value"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.change(w)
			r, err := w.Prove(t.Context())
			refusal, ok := errors.AsType[*RefusedError](err)
			if !ok || !strings.Contains(refusal.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if len(w.planted) > 0 || w.asked > 0 || len(r.Reached) > 0 {
				t.Errorf("planted %v, asked %d", w.planted, w.asked)
			}
		})
	}
	t.Run("it could not look", func(t *testing.T) {
		w := newWorld(t)
		w.authority.fail = errors.New("connection refused")
		if _, err := w.Prove(t.Context()); !errors.Is(err, w.authority.fail) {
			t.Errorf("%v", err)
		}
	})
}

func TestAColumnThatTheCopyRefusesIsFollowedByTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.refuse = func(c fix.Change) error {
			if slices.Equal(c.Columns, []int{1}) {
				return &fix.Error{Fault: fix.RowRefused, Reason: "a check"}
			}
			return nil
		}
		r, err := w.run(t)
		if err != nil || r.Column != "price" || len(w.planted) != 1 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestAnExtraRowHasOtherUniqueValues(t *testing.T) {
	w := newWorld(t)
	w.Kind = event.BaseMissing
	table := w.Pair.Target.Table
	table.Keys = append(table.Keys, schema.UniqueKey{Name: "u", Columns: []string{"note"}}, schema.UniqueKey{Name: "v", Columns: []string{"id", "price"}})
	attempts, err := w.addition(rowOf("9", "reserved", "1.5"))
	if err != nil {
		t.Fatal(err)
	}
	if r := attempts[0].Row; string(r[0]) != "10" || string(r[1]) == "reserved" || string(r[2]) != "1.5" {
		t.Errorf("%q", r)
	}
}
