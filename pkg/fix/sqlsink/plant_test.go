package sqlsink_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// plantable is a pair whose copy is well.
func plantable(t *testing.T, engine string, mapping schema.Mapping, statements ...string) (*knotted, *fix.Undoer) {
	t.Helper()
	k := knot(t, engine, "a varchar(10), b varchar(10)", []string{"1, 'a', 'b'"}, []string{"1, 'a', 'b'"}, mapping, statements...)
	k.config.Keep = fix.Keep{Images: fix.ChangedImages, DigestKey: digestKey}
	return k, k.undoer(t)
}

func text(values ...string) row.Row {
	var out row.Row
	for _, v := range values {
		out = append(out, row.Value(v))
	}
	return out
}

var accepted = func(row.Row) error { return nil }

func plants() map[string]struct {
	change  fix.Change
	was     row.Row
	planted string
} {
	was := text("1", "a", "b")
	return map[string]struct {
		change  fix.Change
		was     row.Row
		planted string
	}{
		"update": {fix.Change{Action: event.Update, Key: row.Key(text("1")), Row: text("1", "a", "x"), Columns: []int{2}}, was, "1 a x behind 0"},
		"delete": {fix.Change{Action: event.Delete, Key: row.Key(text("1"))}, was, ""},
		"insert": {fix.Change{Action: event.Insert, Key: row.Key(text("7")), Row: text("7", "a", "b")}, nil, "1 a b behind 0 | 7 a b own"},
	}
}

func TestWhatIsPlantedIsTakenBackWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, engine string) {
		for name, p := range plants() {
			t.Run(name, func(t *testing.T) {
				k, u := plantable(t, engine, schema.Mapping{})
				step, err := u.Plant(t.Context(), p.change, p.was, accepted)
				if err != nil {
					t.Fatal(err)
				}
				k.want(t, all, p.planted)
				for _, already := range []bool{false, true} {
					done, err := u.Undo(t.Context(), []fix.Step{*step})
					if err != nil || len(done) != 1 || done[0].Left != "" || done[0].Already != already {
						t.Errorf("%+v, %v", done, err)
					}
					k.want(t, all, "1 a b behind 0")
				}
			})
		}
	})
}

func TestWhatSomebodyElseWroteSinceIsLeft(t *testing.T) {
	onBoth(t, func(t *testing.T, engine string) {
		for name, write := range map[string]string{
			"update": "UPDATE behind SET b = 'mine' WHERE id = 1",
			"delete": "INSERT INTO behind (id, a, b) VALUES (1, 'mine', 'mine')",
			"insert": "UPDATE behind SET b = 'mine' WHERE id = 7",
		} {
			t.Run(name, func(t *testing.T) {
				k, u := plantable(t, engine, schema.Mapping{})
				p := plants()[name]
				step, err := u.Plant(t.Context(), p.change, p.was, accepted)
				if err != nil {
					t.Fatal(err)
				}
				k.exec(t, write)
				done, err := u.Undo(t.Context(), []fix.Step{*step})
				if err != nil || done[0].Left == "" || done[0].Held {
					t.Errorf("%+v, %v", done, err)
				}
			})
		}
	})
}

func TestNothingIsPlantedInARowThatIsNotAsItWas(t *testing.T) {
	onBoth(t, func(t *testing.T, engine string) {
		for name, p := range plants() {
			k, u := plantable(t, engine, schema.Mapping{})
			was := text("1", "a", "older")
			if _, err := u.Plant(t.Context(), p.change, was, accepted); !errors.Is(err, fix.ErrMoved) {
				t.Errorf("%s: %v", name, err)
			}
			free := k.holdRow(t, "behind", 1)
			if _, err := u.Plant(t.Context(), p.change, p.was, accepted); name != "insert" && fix.FaultOf(err) != fix.Contention {
				t.Errorf("%s, held: %v", name, err)
			}
			free()
			if name != "insert" {
				k.want(t, all, "1 a b behind 0")
			}
		}
	})
}

func TestAPlantThatIsNotAcceptedLeavesNoTrace(t *testing.T) {
	no := errors.New("not like this")
	onBoth(t, func(t *testing.T, engine string) {
		for name, p := range plants() {
			k, u := plantable(t, engine, schema.Mapping{})
			step, err := u.Plant(t.Context(), p.change, p.was, func(now row.Row) error {
				if (now == nil) != (p.change.Action == event.Delete) {
					t.Errorf("%s: it is shown %q", name, now)
				}
				return no
			})
			if step != nil || !errors.Is(err, no) {
				t.Errorf("%s: %v, %v", name, step, err)
			}
			k.want(t, all, "1 a b behind 0")
		}
	})
}

func TestAPlantThatTheFilterHidesOrATriggerAltersIsSeen(t *testing.T) {
	triggers := map[string][]string{
		"mysql": {"CREATE TRIGGER touches BEFORE UPDATE ON behind FOR EACH ROW SET NEW.private = 'touched'"},
		"postgres": {
			"CREATE FUNCTION touches() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.private := ''touched''; RETURN NEW; END'",
			"CREATE TRIGGER touches BEFORE UPDATE ON behind FOR EACH ROW EXECUTE FUNCTION touches()",
		},
	}
	onBoth(t, func(t *testing.T, engine string) {
		k, u := plantable(t, engine, schema.Mapping{SourceWhere: "b = 'b'", TargetWhere: "b = 'b'"})
		p := plants()["update"]
		hidden := false
		_, _ = u.Plant(t.Context(), p.change, p.was, func(now row.Row) error {
			hidden = now == nil
			return errors.New("no")
		})
		if !hidden {
			t.Error("a row that the filter leaves out is shown")
		}
		k.want(t, all, "1 a b behind 0")

		k, u = plantable(t, engine, schema.Mapping{}, triggers[engine]...)
		step, err := u.Plant(t.Context(), p.change, p.was, accepted)
		if step != nil || fix.FaultOf(err) != fix.RowRefused || !strings.Contains(fix.ReasonOf(err), "private") {
			t.Errorf("%v, %v", step, err)
		}
		k.want(t, all, "1 a b behind 0")
	})
}
