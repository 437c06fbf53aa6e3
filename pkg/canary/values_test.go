package canary

import (
	"slices"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

func TestOtherValuesAreNoLongerAndSeenByEveryRule(t *testing.T) {
	two, three := 2, 3
	for _, c := range []struct {
		kind  canonical.Kind
		value string
		rule  canonical.Rule
		words []string
	}{
		{kind: canonical.Text, value: "xylophone"},
		{kind: canonical.Text, value: "Xylophone", rule: canonical.Rule{Case: canonical.CaseIgnore}},
		{kind: canonical.Text, value: "   ", rule: canonical.Rule{Trim: canonical.TrimBoth}},
		{kind: canonical.Text, value: "é"},
		{kind: canonical.Text, value: "new", words: []string{"new", "paid"}},
		{kind: canonical.Text, value: `{"a": 1}`, rule: canonical.Rule{JSON: true}},
		{kind: canonical.JSON, value: `{"canary": 1}`},
		{kind: canonical.Int, value: "0"},
		{kind: canonical.Int, value: "-9"},
		{kind: canonical.Int, value: "100000", rule: canonical.Rule{Tolerance: 5}},
		{kind: canonical.Decimal, value: "19.99", rule: canonical.Rule{Tolerance: 0.5}},
		{kind: canonical.Decimal, value: "1.005", rule: canonical.Rule{Scale: &two}},
		{kind: canonical.Float64, value: "1.5e-300", rule: canonical.Rule{Relative: 0.01}},
		{kind: canonical.Float32, value: "0.1", rule: canonical.Rule{ULP: 4}},
		{kind: canonical.Bool, value: "1"},
		{kind: canonical.Bytes, value: "00ff"},
		{kind: canonical.UUID, value: "00000000-0000-4000-8000-00000000000f"},
		{kind: canonical.Bits, value: "0001"},
		{kind: canonical.Date, value: "2024-02-29"},
		{kind: canonical.Timestamp, value: "2024-12-31 23:59:59.999999", rule: canonical.Rule{Cut: &three}},
		{kind: canonical.Instant, value: "2024-12-31 23:59:59.999999", rule: canonical.Rule{Precision: &three}},
		{kind: canonical.Time, value: "-838:59:59.000000"},
		{kind: canonical.Time, value: "23:45:00.000000"},
	} {
		as := canonical.Type{Kind: c.kind}
		column := schema.ViewColumn{Column: schema.Column{Type: as, Words: c.words}, As: as}
		rule := c.rule.Between(as, as)
		seen := 0
		for _, other := range others(column, rule, row.Value(c.value)) {
			if other == nil {
				t.Errorf("%s %q: NULL where the column takes none", c.kind, c.value)
			}
			if len([]rune(string(other))) > len([]rune(c.value)) && len(c.words) == 0 && c.kind != canonical.JSON && !c.rule.JSON {
				t.Errorf("%s %q: %q may have no room", c.kind, c.value, other)
			}
			if len(c.words) > 0 && !slices.Contains(c.words, string(other)) {
				t.Errorf("%s %q: %q is none of its words", c.kind, c.value, other)
			}
			if !canonical.Equal(as, rule, row.Value(c.value), other) {
				seen++
			}
		}
		if seen == 0 {
			t.Errorf("%s %q: no other value is seen", c.kind, c.value)
		}
	}
}

func TestNULLHasOthersAndIsOneWhereTheColumnTakesIt(t *testing.T) {
	for kind := range empties {
		column := schema.ViewColumn{Column: schema.Column{Nullable: true}, As: canonical.Type{Kind: kind}}
		of := others(column, canonical.Rule{}, nil)
		if len(of) == 0 || slices.ContainsFunc(of, row.Value.IsNull) {
			t.Errorf("%s: others than NULL are %q", kind, of)
		}
	}
	column := schema.ViewColumn{Column: schema.Column{Nullable: true}, As: canonical.Type{Kind: canonical.Inet}}
	if of := others(column, canonical.Rule{}, row.Value("10.0.0.1")); len(of) != 1 || of[0] != nil {
		t.Errorf("others than an address are %q", of)
	}
}

func TestValuesWithoutANeighbourHaveNoOther(t *testing.T) {
	for kind, values := range map[canonical.Kind][]string{
		canonical.Decimal:   {"NaN", "-Infinity"},
		canonical.Date:      {"0000-00-00", "infinity", "0044-03-15 BC"},
		canonical.Timestamp: {"infinity", "0000-00-00 00:00:00.000000"},
		canonical.Time:      {"?"},
		canonical.Interval:  {"P1D"},
		canonical.Bits:      {""},
	} {
		for _, value := range values {
			if of := others(schema.ViewColumn{As: canonical.Type{Kind: kind}}, canonical.Rule{}, row.Value(value)); len(of) != 0 {
				t.Errorf("%s %q: %q", kind, value, of)
			}
		}
	}
}
