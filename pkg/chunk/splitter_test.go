package chunk

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/row"
)

// letters answers boundaries from a sorted list of one-letter keys.
func letters(keys string) Boundary {
	return func(_ context.Context, after row.Key, n int) (row.Key, error) {
		left := keys
		if after != nil {
			left = keys[strings.IndexFunc(keys+"~", func(r rune) bool { return string(r) > string(after[0]) }):]
		}
		if len(left) < n {
			return nil, nil
		}
		return row.Key{row.Value(left[n-1 : n])}, nil
	}
}

func ranges(t *testing.T, s *Splitter, n int) []string {
	t.Helper()
	var out []string
	for {
		r, ok, err := s.Next(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return out
		}
		out = append(out, r.String())
	}
}

func TestRangesFollowEachOtherAndAreOpenAtBothEnds(t *testing.T) {
	key := row.Key{row.Value("c")}
	for _, test := range []struct {
		name string
		s    *Splitter
		n    int
		want []string
	}{
		{"an empty table is one range", NewSplitter(nil, letters("")), 3, []string{"(start … end]"}},
		{"fewer rows than a range", NewSplitter(nil, letters("ab")), 3, []string{"(start … end]"}},
		{"exactly one range of rows", NewSplitter(nil, letters("abc")), 3, []string{"(start … c]", "(c … end]"}},
		{"several", NewSplitter(nil, letters("abcdefg")), 3, []string{"(start … c]", "(c … f]", "(f … end]"}},
		{"from a position", NewSplitter(key, letters("abcdefg")), 2, []string{"(c … e]", "(e … g]", "(g … end]"}},
		{
			"the copy goes on", NewSplitter(nil, letters("abcd"), letters("bdefgh")), 2,
			[]string{"(start … b]", "(b … d]", "(d … f]", "(f … h]", "(h … end]"},
		},
		{"less than one row is asked as one", NewSplitter(nil, letters("ab")), 0, []string{"(start … a]", "(a … b]", "(b … end]"}},
	} {
		if got := ranges(t, test.s, test.n); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestAfterAnErrorTheSplitterAsksAgain(t *testing.T) {
	fail := true
	boundary := func(ctx context.Context, after row.Key, n int) (row.Key, error) {
		if fail = !fail; !fail {
			return nil, errors.New("reset")
		}
		return letters("abc")(ctx, after, n)
	}
	s := NewSplitter(nil, boundary)
	var got []string
	for range 20 {
		r, ok, err := s.Next(t.Context(), 2)
		if err != nil {
			if !strings.Contains(err.Error(), "reset") {
				t.Fatal(err)
			}
			continue
		}
		if !ok {
			break
		}
		got = append(got, r.String())
	}
	if want := []string{"(start … b]", "(b … end]"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestABoundaryThatDoesNotAdvanceIsAnErrorAndNotAnEndlessRun(t *testing.T) {
	stuck := func(context.Context, row.Key, int) (row.Key, error) { return row.Key{row.Value("A")}, nil }
	s := NewSplitter(nil, stuck)
	if _, _, err := s.Next(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Next(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "same key") {
		t.Errorf("error %v", err)
	}
}
