package sqlsink_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/schema"
)

// circled fills both sides with n rows; on the copy each has the next one's email.
func (b *bench) circled(t *testing.T, n int) (ids []int) {
	t.Helper()
	var right, wrong []order
	for id := range n {
		o := order{id: id, email: fmt.Sprint("e", id), amount: "1", note: "n"}
		right, ids = append(right, o), append(ids, id)
		o.email, o.private = fmt.Sprint("e", (id+1)%n), fmt.Sprint("own ", id)
		wrong = append(wrong, o)
	}
	b.source.insert(t, right...)
	b.target.insert(t, wrong...)
	return ids
}

func TestRowsThatHaveChangedPlacesAreRepairedOnEveryPairOfEngines(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		for _, n := range []int{2, 3, 5} {
			for _, strategy := range []fix.Strategy{fix.Unified, fix.Merged, fix.PerKind} {
				b.source.exec(t, "DELETE FROM orders")
				b.target.exec(t, "DELETE FROM orders")
				b.config.Strategy = strategy
				for id, o := range b.repair(t, b.findings(b.circled(t, n)...)) {
					if o.Result != event.Repaired || o.Action != event.Update {
						t.Errorf("%d rows, %s: %s is %s (%s) %s", n, strategy, id, o.Result, o.Action, o.Reason)
					}
				}
				b.wantEqual(t, n)
				for id := range n {
					if own := b.target.text(t, fmt.Sprint("SELECT private FROM orders WHERE id = ", id)); own != fmt.Sprint("own ", id) {
						t.Errorf("row %d has %q in a column that is not mapped", id, own)
					}
				}
			}
		}
	})
}

// One row of a circle is held by an application for longer than a repair waits.
func TestACircleThatSomebodyHoldsARowOfWaitsAndIsNotDead(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		ids := b.circled(t, 3)
		b.config.PutOff, b.config.MaxRefusals = true, 1
		free := b.target.hold(t, 1)
		defer free()
		r, err := fix.New(b.config)
		if err != nil {
			t.Fatal(err)
		}
		outcomes, err := r.Repair(t.Context(), b.findings(ids...))
		later, waits := errors.AsType[*fix.Later](err)
		if !waits || len(later.Findings) != 3 || len(outcomes) != 0 {
			t.Fatalf("%v, %+v", err, outcomes)
		}
		for _, w := range later.Findings {
			if w.Outcome.Class != fix.ClassBusy {
				t.Errorf("%s waits as %s: %s", w.Finding.ID, w.Outcome.Class, w.Outcome.Reason)
			}
		}
		free()
		if outcomes, err = r.Repair(t.Context(), b.findings(ids...)); err != nil || len(outcomes) != 3 {
			t.Errorf("%v, %+v", err, outcomes)
		}
		b.wantEqual(t, 3)
	})
}

// Rows refer to others of their table, by keys in no order: parents are inserted
// before their children and deleted after them, as far as one repair can.
func TestRowsThatReferToTheirOwnTableAreRepaired(t *testing.T) {
	onBoth(t, func(t *testing.T, engine string) {
		const n = 12
		rows := func(shift int) (out []string) {
			for i := range n {
				parent := fmt.Sprint(shift + (i+5)%n)
				if i == 7 { // the root: each other row is five places before its parent
					parent = "NULL"
				}
				out = append(out, fmt.Sprintf("%d, %s", shift+i, parent))
			}
			return out
		}
		k := knot(t, engine, "parent bigint", rows(0), rows(100), schema.Mapping{},
			"ALTER TABLE behind ADD FOREIGN KEY (parent) REFERENCES behind (id)")
		k.config.PutOff = true
		findings := k.findings(append(upTo(0, n), upTo(100, 100+n)...)...)
		r, err := fix.New(k.config)
		if err != nil {
			t.Fatal(err)
		}
		for range n + 1 { // as from the retry topic, in no order that helps
			outcomes, err := r.Repair(t.Context(), findings)
			for _, o := range outcomes {
				if o.Result == event.Dead {
					t.Fatalf("%s: %s", o.FindingID, o.Reason)
				}
			}
			later, waits := errors.AsType[*fix.Later](err)
			if !waits {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
			findings = nil
			for _, w := range later.Findings {
				findings = append(findings, w.Finding)
			}
		}
		var want []string
		for _, line := range rows(0) {
			want = append(want, strings.ReplaceAll(strings.ReplaceAll(line, ",", ""), " NULL", ""))
		}
		k.want(t, "id, parent", strings.Join(want, " | "))
	})
}

func upTo(from, to int) (ids []int) {
	for id := from; id < to; id++ {
		ids = append(ids, id)
	}
	return ids
}
