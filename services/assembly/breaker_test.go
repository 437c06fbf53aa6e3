package assembly

import (
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/schema"
)

func TestABreakersLimitsAreReadFromYAML(t *testing.T) {
	defaults := fix.DefaultLimits()
	for text, want := range map[string]fix.Limits{
		"{}":           defaults,
		"{share: off}": {Deletes: defaults.Deletes, PerMinute: defaults.PerMinute},
		"{share: 0.05, deletes: 1000, per_minute: 20000}": {Share: fix.Bound{Share: 0.05}, Deletes: fix.Bound{Rows: 1000}, PerMinute: fix.Bound{Rows: 20_000}},
		"{share: 5%, deletes: 2.5%, per_minute: 0}":       {Share: fix.Bound{Share: 0.05}, Deletes: fix.Bound{Share: 0.025}},
		"{share: 0, deletes: off, per_minute: 'off'}":     {},
	} {
		f, err := loadPair(t, "{name: orders, breaker: "+text+"}")
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := f.Pairs[0].Limits(); got != want {
			t.Errorf("%s was read as %+v", text, got)
		}
	}
}

func TestAMistakeInABreakerIsFound(t *testing.T) {
	for text, want := range map[string]string{
		"{share: 5000}":     "share of the table",
		"{per_minute: 5%}":  "number of rows",
		"{deletes: many}":   `pairs[0].breaker.deletes: "many" is no limit`,
		"{deletes: -1}":     `"-1" is no limit`,
		"{delete: 5}":       "unknown key",
		"{share: [1, 2]}":   "share",
		"{per_minute: 1.5}": `"1.5" is no limit`,
	} {
		if f, err := loadPair(t, "{name: orders, breaker: "+text+"}"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v", text, f.Pairs, err)
		}
	}
}

func TestTheSizeOfAPairIsThatOfTheSmallerTable(t *testing.T) {
	for _, c := range []struct{ source, target, want int64 }{{10, 20, 10}, {20, 10, 10}, {0, 20, 20}, {20, 0, 20}, {0, 0, 0}} {
		if got := AboutRows(&schema.Table{Rows: c.source}, &schema.Table{Rows: c.target}); got != c.want {
			t.Errorf("of %d and %d rows: %d, want %d", c.source, c.target, got, c.want)
		}
	}
}
