package main

import (
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/services/assembly"
)

func TestThePlanSaysWhatEachRuleHides(t *testing.T) {
	column := func(k canonical.Kind) schema.Column {
		return schema.Column{Name: "c", Native: k.String(), Type: canonical.Type{Kind: k}}
	}
	for _, c := range []struct {
		source, target canonical.Kind
		rule           canonical.Rule
		want           string
	}{
		{canonical.Decimal, canonical.Decimal, canonical.Rule{}, ""},
		{canonical.Decimal, canonical.Decimal, canonical.Rule{Relative: 1e-6, Tolerance: 0.5}, "differences up to 0.5; differences up to 1e-06 times the greater magnitude"},
		{canonical.Float32, canonical.Float32, canonical.Rule{ULP: 4}, "differences up to 4 units in the last place; -0 for 0"},
		{canonical.Float32, canonical.Float64, canonical.Rule{ULP: 4}, "differences up to 4 units in the last place of single precision, to which the double is rounded; -0 for 0"},
		{canonical.Decimal, canonical.Decimal, canonical.Rule{Scale: new(0)}, "what rounding to 0 fractional digits (half away from zero) evens out"},
		{canonical.Time, canonical.Time, canonical.Rule{Precision: new(3)}, "what rounding to 3 fractional digits of a second (a half either way) evens out"},
		{canonical.Time, canonical.Time, canonical.Rule{Cut: new(3)}, "fractional digits of a second after the first 3"},
		{canonical.Timestamp, canonical.Instant, canonical.Rule{Zone: "UTC"}, ""},
		{canonical.Timestamp, canonical.Timestamp, canonical.Rule{Zone: "Europe/Berlin"}, ""},
		{canonical.Timestamp, canonical.Instant, canonical.Rule{Zone: "Europe/Berlin"}, "which one is meant of the two instants that have the same time on the clocks of Europe/Berlin, where these are put back"},
		{canonical.Text, canonical.Text, canonical.Rule{Enum: map[string]string{"A": "active", "I": "gone"}}, ""},
		{canonical.Text, canonical.Text, canonical.Rule{Enum: map[string]string{"A": "active", "a": "active", "I": "gone"}}, "which of A, a stands for active"},
		{canonical.Text, canonical.Bool, canonical.Rule{Bool: &canonical.BoolWords{True: []string{"Y", "yes"}, False: []string{"N"}}}, "which of Y, yes stands for true"},
		{canonical.Text, canonical.Text, canonical.Rule{Comparator: &canonical.Comparator{Name: "soundex"}}, "whatever the comparator soundex lets pass"},
	} {
		source, target := schema.ViewColumn{Column: column(c.source)}, schema.ViewColumn{Column: column(c.target)}
		var err error
		if source.As, err = c.rule.Unify(source.Type, target.Type); err != nil {
			t.Fatal(err)
		}
		target.As = source.As
		if source.Translation, target.Translation, err = c.rule.Translations(source.Type, target.Type); err != nil {
			t.Fatal(err)
		}
		if got := hides(source, target, c.rule); got != c.want {
			t.Errorf("%s and %s, %s: got %q, want %q", c.source, c.target, assembly.DescribeRule(c.rule), got, c.want)
		}
	}
}
