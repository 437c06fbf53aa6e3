package database

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/dialect"
)

func TestSplitKeepsStatementsWithinTheLimitsAndInOrder(t *testing.T) {
	build := func(items []string) dialect.Query {
		q := dialect.Query{SQL: "IN"}
		for _, item := range items {
			q.Args = append(q.Args, item, int64(1))
		}
		return q
	}
	numbers := func(n int) []string { return strings.Split(strings.Repeat("x,", n-1)+"x", ",") }
	cases := map[string]struct {
		limits limits
		items  []string
		sizes  []int
	}{
		"nothing":       {limits{100, 1000}, nil, nil},
		"by count":      {limits{60_000, 1 << 20}, numbers(1201), []int{500, 500, 201}},
		"by arguments":  {limits{8, 1000}, numbers(10), []int{3, 3, 2, 2}},
		"by bytes":      {limits{100, 40}, []string{"a", "b", strings.Repeat("c", 15), "d"}, []int{2, 2}},
		"one too large": {limits{100, 20}, []string{"a", strings.Repeat("b", 99), "c"}, []int{1, 1, 1}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var sizes []int
			var seen []string
			err := split(c.limits, c.items, build, func(q dialect.Query) error {
				sizes = append(sizes, len(q.Args)/2)
				if len(q.Args) > 2 && !c.limits.allow(q) {
					t.Errorf("a statement of %d arguments is past the limits", len(q.Args))
				}
				for i := 0; i < len(q.Args); i += 2 {
					seen = append(seen, q.Args[i].(string))
				}
				return nil
			})
			if err != nil || !slices.Equal(seen, c.items) {
				t.Errorf("%d of %d items ran, in another order perhaps: %v", len(seen), len(c.items), err)
			}
			if name != "by arguments" && !slices.Equal(sizes, c.sizes) {
				t.Errorf("statements of %v items, want %v", sizes, c.sizes)
			}
		})
	}
}

func TestSplitStopsAtTheFirstError(t *testing.T) {
	ran := 0
	refused := errors.New("refused")
	err := split(limits{1, 100}, []string{"a", "b"},
		func(items []string) dialect.Query { return dialect.Query{Args: []any{items[0]}} },
		func(dialect.Query) error { ran++; return refused })
	if !errors.Is(err, refused) || ran != 1 {
		t.Errorf("%d statements ran: %v", ran, err)
	}
}
