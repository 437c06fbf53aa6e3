package event

import (
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"
)

func verdictAt(run string, minute int) Verdict {
	began := time.Date(2026, 11, 22, 3, minute, 0, 0, time.UTC)
	return Verdict{
		Pair: "orders", Run: run, Mode: "full", Method: "checksum", Epoch: 3, Authority: "source", Began: began, Ended: began.Add(time.Second),
		Complete: true, SourceRows: 10, TargetRows: 9, TargetMissing: 1, NotEqual: 2, BaseMissing: 3, Unreadable: 4, Undecided: 5, Reason: "why",
		Covers: Covers{Source: "orders", Target: "public.orders", SourceWhere: "id > 7", Columns: []string{"id", "note"}, Loosened: []string{"note (trim:right)"}},
		Config: "c0ffee",
	}
}

func TestVerdictsComeBackAsTheyWere(t *testing.T) {
	for _, form := range []string{Protobuf, JSON} {
		want := Verdicts{Pair: "orders", List: []Verdict{verdictAt("1", 0), {Pair: "orders", Run: "2", Clean: true, Covers: Covers{}}}}
		r, err := Encoder{ContentType: form}.Verdicts(want)
		if err != nil {
			t.Fatal(err)
		}
		if kind, rest := StateKind(r.Key); kind != StateVerdicts || rest != "orders" {
			t.Errorf("the key %q is taken for %q of %q", r.Key, kind, rest)
		}
		if got, err := DecodeVerdicts(r); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v\nwant %+v", form, got, err, want)
		}
	}
	if _, err := (Encoder{ContentType: Protobuf}).Verdicts(Verdicts{Pair: "orders", List: []Verdict{{}}}); err == nil {
		t.Error("a verdict of no run was encoded")
	}
}

// TestNoRecordTakesAVerdictAway in whatever order records come: a validator that
// was replaced writes late, without what its successor has concluded.
func TestNoRecordTakesAVerdictAway(t *testing.T) {
	records := []Verdicts{
		{Pair: "orders", List: []Verdict{verdictAt("1", 1)}},
		{Pair: "orders", List: []Verdict{verdictAt("1", 1), verdictAt("2", 2), verdictAt("3", 3)}},
		{Pair: "orders", List: []Verdict{verdictAt("1", 1), verdictAt("late", 4)}},
	}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 1, 0, 2}} {
		var known Verdicts
		for _, i := range order {
			known.Merge(records[i])
		}
		var runs []string
		for _, v := range known.List {
			runs = append(runs, v.Run)
		}
		if !slices.Equal(runs, []string{"1", "2", "3", "late"}) {
			t.Errorf("in the order %v: %v", order, runs)
		}
	}
}

func TestTheLastVerdictsAreKept(t *testing.T) {
	var known Verdicts
	for i := range 3 * MaxVerdicts {
		known.Merge(Verdicts{List: []Verdict{verdictAt(strconv.Itoa(i), i)}})
	}
	if n := len(known.List); n != MaxVerdicts || known.List[n-1].Run != strconv.Itoa(3*MaxVerdicts-1) {
		t.Errorf("%d are kept, the last is %s", n, known.List[n-1].Run)
	}
}

// TestFrequentRunsTakeNoOtherModesVerdictAway: one that counts every ten minutes
// must not make the nightly full run forgotten by noon.
func TestFrequentRunsTakeNoOtherModesVerdictAway(t *testing.T) {
	var known Verdicts
	known.Merge(Verdicts{List: []Verdict{verdictAt("nightly", 0)}})
	for i := range 3 * MaxVerdicts {
		count := verdictAt(strconv.Itoa(i), i+1)
		count.Mode = "count"
		known.Merge(Verdicts{List: []Verdict{count}})
	}
	if n := len(known.List); n != MaxVerdicts+1 || known.List[0].Run != "nightly" {
		t.Errorf("%d are kept, the first is %s", n, known.List[0].Run)
	}
}

func TestWhatACleanVerdictCoversIsASentence(t *testing.T) {
	want := "the rows of orders where id > 7 (source) and all rows of public.orders (target), in 2 columns, loosened by rules: note (trim:right)"
	if got := verdictAt("1", 0).Covers.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
