package sqlsink_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/fix/sqlsink"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

var digestKey = []byte("a key of the test")

// travelled are the outcomes as they come out of a topic.
func travelled(t *testing.T, outcomes []event.Outcome) []event.Outcome {
	t.Helper()
	var out []event.Outcome
	for _, o := range outcomes {
		record, err := event.Encoder{ContentType: event.Protobuf}.Outcome(o)
		if err != nil {
			t.Fatal(err)
		}
		back, err := event.DecodeOutcome(record)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, back)
	}
	return out
}

func stepsOf(outcomes []event.Outcome) []fix.Step {
	var steps []fix.Step
	for _, o := range outcomes {
		for i := range o.Writes {
			steps = append(steps, fix.Step{Outcome: o, Position: i})
		}
	}
	return steps
}

func (k *knotted) undoer(t *testing.T) *fix.Undoer {
	t.Helper()
	u, err := fix.NewUndoer(fix.UndoConfig{
		Pair: k.pair, Side: event.Target, Sink: k.config.Sink, Keep: k.config.Keep, Run: "undo", Epoch: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// undo takes repairs back and says what became of each: undone, already, or why
// it was left.
func (k *knotted) undo(t *testing.T, outcomes []event.Outcome) (words map[string]string, undone []event.Outcome) {
	t.Helper()
	done, err := k.undoer(t).Undo(t.Context(), stepsOf(travelled(t, outcomes)))
	if err != nil {
		t.Fatal(err)
	}
	words = map[string]string{}
	for _, d := range done {
		switch {
		case d.Left != "":
			words[d.Step.Outcome.FindingID] = d.Left
		case d.Already:
			words[d.Step.Outcome.FindingID] = "already"
		default:
			words[d.Step.Outcome.FindingID] = "undone " + d.Outcome.Action.String()
			undone = append(undone, d.Outcome)
		}
	}
	return words, undone
}

func wantWords(t *testing.T, got map[string]string, want ...string) {
	t.Helper()
	for _, w := range want {
		id, text, _ := strings.Cut(w, ": ")
		if !strings.Contains(got[id], text) {
			t.Errorf("%s: %q, want %q", id, got[id], text)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// damaged is a copy with one row of each kind of damage, and one that is well.
func damaged(t *testing.T, engine string, images fix.Images, mask ...string) *knotted {
	k := knot(t, engine, "a varchar(10), b varchar(10)",
		[]string{"1, 'a', 'b'", "2, 'a', 'b'", "4, 'a', 'b'"},
		[]string{"1, 'a', 'x'", "3, 'c', NULL", "4, 'a', 'b'"}, schema.Mapping{})
	k.config.Keep = fix.Keep{Images: images, Mask: mask, DigestKey: digestKey}
	return k
}

const (
	asDamaged  = "1 a x behind 0 | 3 c behind 1 | 4 a b behind 2"
	asRepaired = "1 a b behind 0 | 2 a b own | 4 a b behind 2"
	all        = "id, a, b, private"
)

func TestEveryKindOfRepairIsUndoneAndTheUndoIsUndone(t *testing.T) {
	for _, images := range []fix.Images{fix.ChangedImages, fix.FullImages} {
		onBoth(t, func(t *testing.T, engine string) {
			k := damaged(t, engine, images)
			outcomes := k.repair(t, 1, 2, 3, 4)
			k.want(t, all, asRepaired)
			words, undone := k.undo(t, outcomes)
			wantWords(t, words, "f1: undone update", "f2: undone delete", "f3: undone insert")
			k.want(t, all, asDamaged)

			words, _ = k.undo(t, outcomes)
			wantWords(t, words, "f1: already", "f2: already", "f3: already")
			for _, o := range undone {
				if o.Result != event.Undone || o.Run != "undo" || !strings.HasPrefix(o.UndoOf, o.FindingID+"/") {
					t.Errorf("the outcome of an undo is %+v", o)
				}
			}
			words, _ = k.undo(t, undone)
			wantWords(t, words, "f1: undone update", "f2: undone insert", "f3: undone delete")
			k.want(t, all, asRepaired)
		})
	}
}

func TestRowsThatChangedSinceAreLeftAndTheOthersUndone(t *testing.T) {
	onBoth(t, func(t *testing.T, engine string) {
		k := damaged(t, engine, fix.ChangedImages)
		outcomes := k.repair(t, 1, 2, 3)
		k.exec(t, "UPDATE behind SET b = 'new' WHERE id = 1")
		k.exec(t, "INSERT INTO behind VALUES (3, 'other', 'one', 'now')")
		done, err := k.undoer(t).Undo(t.Context(), stepsOf(travelled(t, outcomes)))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range done {
			if d.Step.Outcome.FindingID == "f1" && (!slices.Equal(d.Columns, []string{"b"}) || d.Now == d.Step.Write().After) {
				t.Errorf("left with columns %v and digest %s of %s", d.Columns, d.Now, d.Step.Write().After)
			}
		}
		words, _ := k.undo(t, outcomes)
		wantWords(t, words, "f1: changed since", "f2: already", "f3: was inserted since")
		k.want(t, all, "1 a new behind 0 | 3 other one now | 4 a b behind 2")
	})
}

func TestRowsThatWentOrCameBackSinceAreLeftOrDoneAlready(t *testing.T) {
	onBoth(t, func(t *testing.T, engine string) {
		k := damaged(t, engine, fix.ChangedImages)
		outcomes := k.repair(t, 1, 2, 3)
		k.exec(t, "DELETE FROM behind WHERE id IN (1, 2)")                    // one that was updated, one that was inserted
		k.exec(t, "INSERT INTO behind VALUES (3, 'c', NULL, 'not the same')") // one that was deleted
		words, _ := k.undo(t, outcomes)
		wantWords(t, words, "f1: deleted since", "f2: already", "f3: already")
		k.exec(t, "INSERT INTO behind VALUES (1, 'a', 'b', 'new')") // as the repair had left it
		words, _ = k.undo(t, outcomes)
		wantWords(t, words, "f1: undone update", "f2: already", "f3: already")
		k.want(t, all, "1 a x new | 3 c not the same | 4 a b behind 2")
	})
}

func TestWithoutImagesOnlyAnInsertIsUndoneAndNoValueIsTold(t *testing.T) {
	onBoth(t, func(t *testing.T, engine string) {
		k := damaged(t, engine, fix.NoImages)
		outcomes := k.repair(t, 1, 2, 3)
		for _, o := range outcomes {
			if len(o.Writes) != 1 || len(o.Writes[0].Columns) > 0 {
				t.Errorf("%s tells %+v", o.FindingID, o.Writes)
			}
		}
		words, _ := k.undo(t, outcomes)
		wantWords(t, words, "f1: images: none", "f2: undone delete", "f3: images: none")
		k.want(t, all, "1 a b behind 0 | 4 a b behind 2")
	})
}

func TestAMaskedValueIsNeitherToldNorUndone(t *testing.T) {
	onBoth(t, func(t *testing.T, engine string) {
		k := damaged(t, engine, fix.FullImages, "b")
		k.exec(t, "INSERT INTO ahead VALUES (5, 'seen', 'hidden', 'x')")
		k.exec(t, "INSERT INTO behind VALUES (5, 'SEEN', 'hidden', 'x')")
		outcomes := k.repair(t, 1, 3, 5)
		for _, o := range outcomes {
			text, err := event.MarshalOutcome(o, event.JSON)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "hidden") || o.FindingID == "f5" && !strings.Contains(string(text), "seen") {
				t.Errorf("a masked value is told, or one that is not masked is not: %s", text)
			}
		}
		words, _ := k.undo(t, outcomes)
		wantWords(t, words, "f1: masked values are not kept: b", "f3: masked values are not kept: b", "f5: undone update")
		k.want(t, all, "1 a b behind 0 | 4 a b behind 2 | 5 SEEN hidden x")
	})
}

func TestAMaskNeedsAKeyAndMayNotCoverTheKey(t *testing.T) {
	k := damaged(t, "postgres", fix.FullImages, "b")
	for text, keep := range map[string]fix.Keep{
		"digest_key":         {Mask: []string{"b"}},
		"belongs to the key": {Mask: []string{"id"}, DigestKey: digestKey},
		"has no column nil":  {Mask: []string{"nil"}, DigestKey: digestKey},
	} {
		k.config.Keep = keep
		if _, err := fix.New(k.config); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v, want %q", err, text)
		}
	}
}

func TestADeletedRowWithAColumnThatIsNotReadIsSaidToBeLost(t *testing.T) {
	k := knot(t, "postgres", "a varchar(10)", nil, []string{"1, 'a'"}, schema.Mapping{},
		"ALTER TABLE behind ADD p point DEFAULT '(1,2)'")
	k.config.Keep = fix.Keep{Images: fix.ChangedImages}
	words, _ := k.undo(t, k.repair(t, 1))
	wantWords(t, words, "f1: types that are not read: p (point)")
}

func TestAnUndoThatMeetsAnotherRowsValueIsLeftAndTheRestUndone(t *testing.T) {
	onBoth(t, func(t *testing.T, engine string) {
		k := knot(t, engine, unique, []string{"1, 'a'", "2, 'b'"}, []string{"1, 'x'", "2, 'y'"}, schema.Mapping{})
		k.config.Keep = fix.Keep{Images: fix.ChangedImages}
		outcomes := k.repair(t, 1, 2)
		k.exec(t, "INSERT INTO behind VALUES (9, 'x', 'later')")
		words, _ := k.undo(t, outcomes)
		wantWords(t, words, "f1: same value in unique key", "f2: undone update")
		k.want(t, "id, u", "1 a | 2 y | 9 x")
	})
}

// crashing is a sink whose batches commit, and end with an error then.
type crashing struct {
	fix.Sink
	err error
	// times is how often; then they end well.
	times *int
}

type lastBatch struct {
	fix.Batch
	crashing
}

func (c crashing) Begin(ctx context.Context, keys []row.Key) (fix.Batch, error) {
	b, err := c.Sink.Begin(ctx, keys)
	return lastBatch{b, c}, err
}

func (b lastBatch) Commit(ctx context.Context) error {
	err := b.Batch.Commit(ctx)
	if *b.times--; err == nil && *b.times >= 0 {
		err = b.err
	}
	return err
}

func (b lastBatch) Through(ctx context.Context, v *schema.View, keys []row.Key) ([]row.Row, error) {
	return b.Batch.(fix.Restorer).Through(ctx, v, keys)
}

func (b lastBatch) Restore(ctx context.Context, v *schema.View, changes []fix.Change) error {
	return b.Batch.(fix.Restorer).Restore(ctx, v, changes)
}

func TestAnUndoThatDiedAfterItsCommitIsSafeToBeginAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, engine string) {
		k := damaged(t, engine, fix.ChangedImages)
		outcomes := k.repair(t, 1, 2, 3)
		sink, once := k.config.Sink, 1
		k.config.Sink = crashing{sink, context.Canceled, &once}
		if _, err := k.undoer(t).Undo(t.Context(), stepsOf(travelled(t, outcomes))); err == nil {
			t.Fatal("it did not die")
		}
		k.config.Sink = sink
		words, _ := k.undo(t, outcomes)
		wantWords(t, words, "f1: already", "f2: already", "f3: already")
		k.want(t, all, asDamaged)
	})
}

func TestAnUndoWhoseAnswerIsLostIsStillTold(t *testing.T) {
	k := damaged(t, "postgres", fix.ChangedImages)
	outcomes := k.repair(t, 1, 2, 3)
	once := 1
	k.config.Sink = crashing{k.config.Sink, &fix.Error{Fault: fix.Transient, Err: errors.New("connection lost")}, &once}
	words, _ := k.undo(t, outcomes)
	wantWords(t, words, "f1: undone update", "f2: undone delete", "f3: undone insert")
	k.want(t, all, asDamaged)
}

func TestALookUndoesNothing(t *testing.T) {
	k := damaged(t, "mysql", fix.ChangedImages)
	steps := stepsOf(travelled(t, k.repair(t, 1, 2, 3)))
	done, err := k.undoer(t).Look(t.Context(), steps, map[string]string{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range done {
		if d.Left != "" || d.Already || d.Outcome.Action == event.NoAction {
			t.Errorf("%+v", d)
		}
	}
	k.want(t, all, asRepaired)
}

// typed are columns of all kinds that an engine has, and two rows of them.
var typed = map[string]struct{ columns, one, other string }{
	"mysql": {
		"i bigint unsigned, d decimal(30,10), f float, g double, t text CHARACTER SET latin1, y year, e enum('a','b'), s set('x','y'), " +
			"b varbinary(20), bb bit(13), dt date, tm time(6), ts datetime(6), inst timestamp(6) NULL, j json, computed bigint AS (y * 2)",
		"18446744073709551615, 12345678901234567890.0123456789, 1.5e-30, 0.1, 'caf\u00e9 ', 2024, 'b', 'x,y', X'00ff', b'1010101010101', " +
			"'2024-02-29', '-838:59:59.000001', '9999-12-31 23:59:59.999999', '2024-03-31 02:30:00.000001', '{\"a\": [1, null]}', DEFAULT",
		"0, -0.0000000001, -3.25, 1e300, '', 1999, 'a', '', X'', b'0', '1000-01-01', '838:59:59', '1000-01-01 00:00:00', NULL, '\"x\"', DEFAULT",
	},
	"postgres": {
		"i bigint, d numeric, f real, g double precision, t text, c char(5), by bytea, u uuid, dt date, tm time, ts timestamp, inst timestamptz, " +
			"iv interval, bo boolean, j json, jb jsonb, bi bit(3), vb varbit, ip inet, computed bigint GENERATED ALWAYS AS (i * 2) STORED",
		"4611686018427387903, 12345678901234567890.01234567890, 'NaN', 5e-324, E'caf\u00e9\\n', 'ab', '\\x00ff', 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6', '0044-03-15 BC', '24:00', " +
			"'infinity', '2024-03-31 02:30:00.000001+02', '1 year -2 days 00:00:01', true, '{\"a\":  1}', '{\"a\": 1}', B'101', B'', '10.0.0.0/8', DEFAULT",
		"-1, 1.10, -0.5, 'Infinity', '', '', '\\x', '00000000-0000-0000-0000-000000000000', 'infinity', '00:00', '0001-01-01', '-infinity', '00:00', false, 'null', 'null', B'000', B'1', '::1', DEFAULT",
	},
}

func TestARowOfEveryTypeComesBackAsItWas(t *testing.T) {
	onBoth(t, func(t *testing.T, engine string) {
		c := typed[engine]
		for _, mapped := range [][]string{nil, {"id", "i"}} { // what the pair leaves out comes back, too
			everyType(t, knot(t, engine, c.columns, []string{"2, " + c.one}, []string{"1, " + c.one, "2, " + c.other}, schema.Mapping{Columns: mapped}))
		}
	})
}

func everyType(t *testing.T, k *knotted) {
	whole := &schema.View{Table: k.pair.Target.Table, Key: []int{0}}
	for _, c := range whole.Table.Columns {
		whole.Columns = append(whole.Columns, schema.ViewColumn{Column: c, As: c.Type})
	}
	rows := func() string {
		t.Helper()
		found, err := sqlsink.NewReader(k.db).Lookup(t.Context(), whole, []row.Key{{row.Value("1")}, {row.Value("2")}})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%q", sorted(found))
	}
	was := rows()
	k.config.Keep = fix.Keep{Images: fix.ChangedImages}
	outcomes := k.repair(t, 1, 2)
	if rows() == was {
		t.Fatal("nothing was repaired")
	}
	words, _ := k.undo(t, outcomes)
	wantWords(t, words, "f1: undone insert", "f2: undone update")
	if is := rows(); is != was {
		t.Errorf("the rows were\n%s\nand are\n%s", was, is)
	}
}

// TestValuesComeBackInTheCopysOwnWords has a copy that spells keys and truth
// values in ways of its own, of which a repair's words are only one.
func TestValuesComeBackInTheCopysOwnWords(t *testing.T) {
	mapping := schema.Mapping{Rules: map[string]canonical.Rule{"f": {Bool: &canonical.BoolWords{True: []string{"Y", "yes"}, False: []string{"N"}}}}}
	const one, two = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "a81d4fae-7dec-11d0-a765-00a0c91e6bf6"
	k := knot(t, "postgres", "f boolean", nil, nil, mapping,
		"DROP TABLE ahead", "DROP TABLE behind", "CREATE TABLE ahead (id uuid PRIMARY KEY, f boolean, private text)",
		"CREATE TABLE behind (id varchar(36) PRIMARY KEY, f varchar(5), private text)",
		"INSERT INTO ahead VALUES ('"+one+"', false, 'ahead')",
		"INSERT INTO behind VALUES ('"+strings.ToUpper(one)+"', 'yes', 'p1'), ('"+strings.ToUpper(two)+"', 'yes', 'p2')")
	k.config.Keep = fix.Keep{Images: fix.ChangedImages}
	r, err := fix.New(k.config)
	if err != nil {
		t.Fatal(err)
	}
	var findings []event.Finding
	for _, id := range []string{one, two} {
		findings = append(findings, event.Finding{
			ID: id[:1], Pair: "pair", Run: "run", Epoch: 1, Kind: event.NotEqual,
			Key: event.Key{{Column: "id", Type: canonical.Type{Kind: canonical.UUID}, Value: row.Value(id)}},
		})
	}
	outcomes, err := r.Repair(t.Context(), findings)
	if err != nil {
		t.Fatal(err)
	}
	k.want(t, "id, f, private", strings.ToUpper(one)+" N p1")
	words, undone := k.undo(t, outcomes)
	wantWords(t, words, "f: undone update", "a: undone insert")
	k.want(t, "id, f, private", strings.ToUpper(two)+" yes p2 | "+strings.ToUpper(one)+" yes p1")
	words, _ = k.undo(t, undone)
	wantWords(t, words, "f: undone update", "a: undone delete")
	k.want(t, "id, f, private", strings.ToUpper(one)+" N p1")
}

func TestARowThatSomebodyHoldsIsLeftAndTheOthersUndone(t *testing.T) {
	onBoth(t, func(t *testing.T, engine string) {
		k := damaged(t, engine, fix.ChangedImages)
		outcomes := k.repair(t, 1, 2, 3)
		free := k.holdRow(t, "behind", 1)
		words, _ := k.undo(t, outcomes)
		wantWords(t, words, "f1: another transaction holds the row", "f2: undone delete", "f3: undone insert")
		free()
		words, _ = k.undo(t, outcomes)
		wantWords(t, words, "f1: undone update", "f2: already", "f3: already")
		k.want(t, all, asDamaged)
	})
}
