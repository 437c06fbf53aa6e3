package compare

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

var view = &schema.View{
	Columns: []schema.ViewColumn{
		{Column: schema.Column{Name: "id"}, As: canonical.Type{Kind: canonical.Int}},
		{Column: schema.Column{Name: "note"}, As: canonical.Type{Kind: canonical.Text}},
	},
	Key: []int{0},
}

func line(id int, note string) row.Row { return row.Row{row.Value(strconv.Itoa(id)), row.Value(note)} }

// cursor hands out rows in one reused row, as real ones do.
type cursor struct {
	rows []row.Row
	n    int
	fail error // instead of the row after the last
	out  row.Row
}

func (c *cursor) Next() (row.Row, error) {
	for _, v := range c.out {
		for i := range v {
			v[i] = '?'
		}
	}
	if c.n == len(c.rows) {
		if c.fail != nil {
			return nil, c.fail
		}
		return nil, io.EOF
	}
	c.out = c.rows[c.n].Clone()
	c.n++
	return c.out, nil
}

func (c *cursor) Close() error { return nil }

var roomy = Limits{Rows: 1 << 20, Bytes: 1 << 30}

func found(differences []Difference) []string {
	out := []string{}
	for _, d := range differences {
		out = append(out, d.Kind.String()+" "+d.Key.String())
	}
	slices.Sort(out)
	return out
}

func TestJoinFindsExactlyWhatDiffersInAnyOrder(t *testing.T) {
	c := New(view, nil)
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 7))
		var a, b []row.Row
		want := []string{}
		for id := range random.IntN(200) {
			switch random.IntN(8) {
			case 0:
				a = append(a, line(id, "only here"))
				want = append(want, "target_missing "+strconv.Itoa(id))
			case 1:
				b = append(b, line(id, "only there"))
				want = append(want, "base_missing "+strconv.Itoa(id))
			case 2:
				a, b = append(a, line(id, "this")), append(b, line(id, "that"))
				want = append(want, "neq "+strconv.Itoa(id))
			default:
				a, b = append(a, line(id, "same")), append(b, line(id, "same"))
			}
		}
		if seed%2 == 1 {
			random.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
		}
		joined, err := c.Join(&cursor{rows: a}, &cursor{rows: b}, roomy)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(want)
		if got := found(joined.Differences); !slices.Equal(got, want) {
			t.Fatalf("seed %d: %q, want %q", seed, got, want)
		}
		if joined.AuthorityRows != int64(len(a)) || joined.CopyRows != int64(len(b)) {
			t.Fatalf("seed %d: counted %d and %d rows", seed, joined.AuthorityRows, joined.CopyRows)
		}
	}
}

func TestDifferencesCarryWhatIsNeededToLookAgain(t *testing.T) {
	a := []row.Row{line(1, "x"), line(2, "x"), {row.Value("3"), nil}}
	b := []row.Row{line(1, "y"), line(3, ""), line(4, "x")}
	joined, err := New(view, nil).Join(&cursor{rows: a}, &cursor{rows: b}, roomy)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := found(joined.Differences), []string{"base_missing 4", "neq 1", "neq 3", "target_missing 2"}; !slices.Equal(got, want) {
		t.Fatalf("%q, want %q", got, want)
	}
	for _, d := range joined.Differences {
		var original row.Row
		for _, r := range a {
			if string(r[0]) == d.Key.String() {
				original = r
			}
		}
		if d.Witness != WitnessOf(original) {
			t.Errorf("%s: the witness is not that of the authority's row", d.Key)
		}
		if d.Kind == event.NotEqual && fmt.Sprint(d.Columns) != "[1]" {
			t.Errorf("%s: columns %v", d.Key, d.Columns)
		}
	}
}

// After a row that only one side has, the join is in step again and keeps no
// rows: what it keeps is bounded by the differences, not by the rows after them.
func TestAfterAGapTheJoinFallsBackIntoStep(t *testing.T) {
	for _, gaps := range [][2][]int{
		{{10}, {}}, {{}, {10}}, {{10, 11, 12, 500}, {}}, {{}, {10, 11, 12, 500}}, {{10, 700}, {300, 301, 900}},
	} {
		var a, b []row.Row
		for id := range 5000 {
			if !slices.Contains(gaps[0], id) {
				a = append(a, line(id, "x"))
			}
			if !slices.Contains(gaps[1], id) {
				b = append(b, line(id, "x"))
			}
		}
		// Rows waiting out of step would exceed this; those without partner do not.
		joined, err := New(view, nil).Join(&cursor{rows: a}, &cursor{rows: b}, Limits{Rows: 12, Bytes: 1 << 20})
		if err != nil || len(joined.Differences) != len(gaps[0])+len(gaps[1]) {
			t.Errorf("%v: %d differences, error %v", gaps, len(joined.Differences), err)
		}
		clones := testing.AllocsPerRun(1, func() {
			_, _ = New(view, nil).Join(&still{rows: a}, &still{rows: b}, roomy)
		})
		if clones > 200 {
			t.Errorf("%v: %.0f allocations for 5000 rows; the join stays out of step", gaps, clones)
		}
	}
}

// still hands out rows that are not reused, without allocating.
type still struct {
	rows []row.Row
}

func (c *still) Next() (row.Row, error) {
	if len(c.rows) == 0 {
		return nil, io.EOF
	}
	r := c.rows[0]
	c.rows = c.rows[1:]
	return r, nil
}

func (c *still) Close() error { return nil }

func TestACursorsErrorIsAnErrorAndNeverAMissingRow(t *testing.T) {
	c := New(view, nil)
	for _, fail := range []error{errors.New("reset"), fmt.Errorf("read: %w", io.EOF), io.ErrUnexpectedEOF} {
		for n := range 4 {
			whole := []row.Row{line(1, "x"), line(2, "x"), line(3, "x")}
			part := &cursor{rows: whole[:n], fail: fail}
			if _, err := c.Join(&cursor{rows: whole}, part, roomy); !errors.Is(err, fail) || !strings.Contains(err.Error(), "copy") {
				t.Errorf("the copy failed after %d rows with %q: error %v", n, fail, err)
			}
			part = &cursor{rows: whole[:n], fail: fail}
			if _, err := c.Join(part, &cursor{rows: whole}, roomy); !errors.Is(err, fail) || !strings.Contains(err.Error(), "authority") {
				t.Errorf("the authority failed after %d rows with %q: error %v", n, fail, err)
			}
		}
	}
}

func TestARangeBeyondTheLimitsNamesAKeyInsideIt(t *testing.T) {
	var rows []row.Row
	for id := range 1000 {
		rows = append(rows, line(id, "a note of some length"))
	}
	changed := make([]row.Row, len(rows))
	for i, r := range rows {
		changed[i] = row.Row{r[0], row.Value("other")}
	}
	for name, sides := range map[string][2][]row.Row{
		"one side empty":  {rows, nil},
		"the other empty": {nil, rows},
		"all different":   {rows, changed},
		"opposite orders": {rows, func() []row.Row { r := slices.Clone(rows); slices.Reverse(r); return r }()},
	} {
		for _, limits := range []Limits{{Rows: 100, Bytes: 1 << 30}, {Rows: 1 << 20, Bytes: 200}, {Rows: 1, Bytes: 1}} {
			_, err := New(view, nil).Join(&cursor{rows: sides[0]}, &cursor{rows: sides[1]}, limits)
			large, ok := errors.AsType[*TooLarge](err)
			if !ok {
				t.Errorf("%s, %+v: error %v", name, limits, err)
				continue
			}
			if mid, err := strconv.Atoi(large.Mid.String()); err != nil || mid < 0 || mid >= 1000 || name != "opposite orders" && mid > 998 {
				t.Errorf("%s, %+v: split at %s", name, limits, large.Mid)
			}
		}
	}
}

// Rows of small values take many times the memory of their bytes.
func TestTheMemoryThatRowsTakeCounts(t *testing.T) {
	var rows []row.Row
	for id := range 1000 {
		rows = append(rows, line(id, "x"))
	}
	for _, sides := range [][2][]row.Row{{rows, nil}, {nil, rows}} {
		_, err := New(view, nil).Join(&cursor{rows: sides[0]}, &cursor{rows: sides[1]}, Limits{Rows: 1 << 20, Bytes: 100_000})
		if _, large := errors.AsType[*TooLarge](err); !large {
			t.Errorf("1000 rows were kept in 100 kB: %v", err)
		}
	}
}

func TestOneRowMayBeLargerThanTheLimit(t *testing.T) {
	large := line(1, strings.Repeat("x", 1000))
	joined, err := New(view, nil).Join(&cursor{rows: []row.Row{large}}, &cursor{}, Limits{Rows: 1, Bytes: 10})
	if err != nil || len(joined.Differences) != 1 {
		t.Errorf("%d differences, error %v", len(joined.Differences), err)
	}
}

func TestTwoRowsOfOneKeyAreRefused(t *testing.T) {
	twice := []row.Row{line(1, "x"), line(1, "y")}
	for _, other := range [][]row.Row{nil, {line(2, "x")}} {
		if _, err := New(view, nil).Join(&cursor{rows: twice}, &cursor{rows: other}, roomy); !errors.Is(err, ErrDuplicateKey) {
			t.Errorf("error %v", err)
		}
	}
}

func TestRows(t *testing.T) {
	rules := []canonical.Rule{{}, {Trim: "right"}}
	exact, relaxed := New(view, nil), New(view, rules)
	for _, test := range []struct {
		name         string
		c            *Comparer
		a, b         row.Row
		kind         event.Kind
		columnsCount int
	}{
		{"both absent", exact, nil, nil, event.KindUnknown, 0},
		{"the copy lacks it", exact, line(1, "x"), nil, event.TargetMissing, 0},
		{"the authority lacks it", exact, nil, line(1, "x"), event.BaseMissing, 0},
		{"equal", exact, line(1, "x"), line(1, "x"), event.KindUnknown, 0},
		{"different", exact, line(1, "x"), line(1, "y"), event.NotEqual, 1},
		{"NULL is not empty", exact, row.Row{row.Value("1"), nil}, line(1, ""), event.NotEqual, 1},
		{"empty is not NULL", exact, line(1, ""), row.Row{row.Value("1"), nil}, event.NotEqual, 1},
		{"NULL is NULL", exact, row.Row{row.Value("1"), nil}, row.Row{row.Value("1"), nil}, event.KindUnknown, 0},
		{"blanks count", exact, line(1, "x "), line(1, "x"), event.NotEqual, 1},
		{"unless a rule says not", relaxed, line(1, "x "), line(1, "x"), event.KindUnknown, 0},
	} {
		kind, columns := test.c.Rows(test.a, test.b)
		if kind != test.kind || len(columns) != test.columnsCount {
			t.Errorf("%s: %s, columns %v", test.name, kind, columns)
		}
	}
}

func TestWitnessesOfDifferentRowsDiffer(t *testing.T) {
	seen := map[Witness]string{}
	for _, r := range []row.Row{
		nil,
		{},
		{nil},
		{row.Value("")},
		{nil, nil},
		{row.Value(""), nil},
		{nil, row.Value("")},
		{row.Value("~")},
		{row.Value("1:a"), row.Value("b")},
		{row.Value("1"), row.Value("a2:b")},
		{row.Value("ab"), row.Value("")},
		{row.Value("a"), row.Value("b")},
		{row.Value(""), row.Value("ab")},
	} {
		w := WitnessOf(r)
		if other, twice := seen[w]; twice {
			t.Errorf("%q and %s share a witness", r, other)
		}
		seen[w] = fmt.Sprintf("%q", r)
	}
}

func BenchmarkJoin(b *testing.B) {
	const rows, columns = 10_000, 10
	wide := &schema.View{Key: []int{0}}
	for range columns {
		wide.Columns = append(wide.Columns, schema.ViewColumn{As: canonical.Type{Kind: canonical.Text}})
	}
	all := make([]row.Row, rows)
	for i := range all {
		all[i] = row.Row{row.Value(strconv.Itoa(i))}
		for len(all[i]) < columns {
			all[i] = append(all[i], row.Value("a value of about 20"))
		}
	}
	for name, other := range map[string][]row.Row{"equal": all, "one-missing": all[1:], "every-100th-missing": every(all, 100)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			c := New(wide, nil)
			for b.Loop() {
				if _, err := c.Join(&still{rows: all}, &still{rows: other}, roomy); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
		})
	}
}

func every(rows []row.Row, n int) []row.Row {
	var out []row.Row
	for i, r := range rows {
		if i%n != 0 {
			out = append(out, r)
		}
	}
	return out
}
