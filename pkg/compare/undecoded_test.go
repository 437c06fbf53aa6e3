package compare

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
)

// sent is a cursor whose wire is the note with its length in front, so that
// decoding can be told from comparing what was sent. Texts are sent in upper
// case where shout is set, and decoded to the same values.
type sent struct {
	cursor
	form    string
	shout   bool
	decoded int
	current row.Row
	garbled error // of Row
}

func (s *sent) Advance() (err error) {
	s.current, err = s.cursor.Next()
	return err
}

func (s *sent) Wire() [][]byte {
	out := make([][]byte, len(s.current))
	for i, v := range s.current {
		if out[i] = v; s.shout && v != nil {
			out[i] = bytes.ToUpper(v)
		}
	}
	return out
}

func (s *sent) Row() (row.Row, error) {
	s.decoded++
	return s.current, s.garbled
}

func (s *sent) Form() string { return s.form }

func (s *sent) Next() (row.Row, error) { panic("a join of such cursors advances and decodes") }

func TestRowsSentAlikeAreNotDecoded(t *testing.T) {
	rows := []row.Row{line(1, "a"), {row.Value("2"), nil}, line(3, "c")}
	a, b := &sent{cursor: cursor{rows: rows}, form: "f"}, &sent{cursor: cursor{rows: rows}, form: "f"}
	joined, err := New(view, nil).Join(a, b, roomy)
	if err != nil || len(joined.Differences) != 0 || joined.AuthorityRows != 3 || joined.CopyRows != 3 || joined.Bytes != 5 {
		t.Fatalf("%+v, %v", joined, err)
	}
	if a.decoded+b.decoded != 0 {
		t.Errorf("%d rows were decoded", a.decoded+b.decoded)
	}
}

func TestRowsSentInAnotherFormAreDecoded(t *testing.T) {
	for _, forms := range [][2]string{{"f", "g"}, {"", ""}, {"f", ""}} {
		// What is sent is the same and means something else.
		a := &sent{cursor: cursor{rows: []row.Row{line(1, "a")}}, form: forms[0]}
		b := &sent{cursor: cursor{rows: []row.Row{line(1, "a")}}, form: forms[1]}
		if _, err := New(view, nil).Join(a, b, roomy); err != nil || a.decoded != 1 || b.decoded != 1 {
			t.Errorf("forms %q: decoded %d and %d, %v", forms, a.decoded, b.decoded, err)
		}
	}
}

func TestNullIsNotSentLikeEmpty(t *testing.T) {
	a := &sent{cursor: cursor{rows: []row.Row{{row.Value("1"), nil}}}, form: "f"}
	b := &sent{cursor: cursor{rows: []row.Row{{row.Value("1"), row.Value{}}}}, form: "f"}
	joined, err := New(view, nil).Join(a, b, roomy)
	if got := found(joined.Differences); err != nil || !slices.Equal(got, []string{"neq 1"}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestRowsSentDifferentlyMayBeEqual(t *testing.T) {
	a := &sent{cursor: cursor{rows: []row.Row{line(1, "same")}}, form: "f"}
	b := &sent{cursor: cursor{rows: []row.Row{line(1, "same")}}, form: "f", shout: true}
	joined, err := New(view, nil).Join(a, b, roomy)
	if err != nil || len(joined.Differences) != 0 || a.decoded != 1 || b.decoded != 1 {
		t.Errorf("%+v, %v", joined, err)
	}
}

func TestTheEndOfOneSideIsNotTheEndOfTheOther(t *testing.T) {
	a := &sent{cursor: cursor{rows: []row.Row{line(1, "a"), line(2, "b")}}, form: "f"}
	b := &sent{cursor: cursor{rows: []row.Row{line(1, "a")}}, form: "f"}
	joined, err := New(view, nil).Join(a, b, roomy)
	if got := found(joined.Differences); err != nil || !slices.Equal(got, []string{"target_missing 2"}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestAnErrorWhileAdvancingOrDecodingEndsTheJoin(t *testing.T) {
	lost := errors.Join(errors.New("connection reset"), io.EOF)
	for name, broken := range map[string]*sent{
		"advancing": {cursor: cursor{rows: []row.Row{line(1, "a")}, fail: lost}, form: "f"},
		"decoding":  {cursor: cursor{rows: []row.Row{line(1, "b")}}, form: "f", garbled: lost},
	} {
		whole := &sent{cursor: cursor{rows: []row.Row{line(1, "a"), line(2, "b")}}, form: "f"}
		if _, err := New(view, nil).Join(whole, broken, roomy); !errors.Is(err, lost) {
			t.Errorf("%s: Join = %v", name, err)
		}
	}
}

func TestJoinFindsTheSameUndecoded(t *testing.T) {
	rules := []canonical.Rule{{}, {Case: canonical.CaseIgnore}}
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 11))
		var a, b []row.Row
		for id := range random.IntN(100) {
			if random.IntN(8) > 0 {
				a = append(a, line(id, strconv.Itoa(random.IntN(2))))
			}
			if random.IntN(8) > 0 {
				b = append(b, line(id, strconv.Itoa(random.IntN(2))))
			}
		}
		if seed%3 == 0 {
			random.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
		}
		want, err := New(view, rules).Join(&cursor{rows: a}, &cursor{rows: b}, roomy)
		if err != nil {
			t.Fatal(err)
		}
		got, err := New(view, rules).Join(&sent{cursor: cursor{rows: a}, form: "f"}, &sent{cursor: cursor{rows: b}, form: "f"}, roomy)
		if err != nil || !slices.Equal(found(got.Differences), found(want.Differences)) || got.AuthorityRows != want.AuthorityRows || got.CopyRows != want.CopyRows {
			t.Fatalf("seed %d: %v\nwant %v, %v", seed, found(got.Differences), found(want.Differences), err)
		}
	}
}
