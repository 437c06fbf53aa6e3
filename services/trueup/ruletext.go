package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/schema"
)

// hides says which differences of a column count as none.
func hides(source, target schema.ViewColumn, r canonical.Rule) string {
	parts := append(hiddenNumbers(source, target, r), hiddenTimes(source, target, r)...)
	switch r.Trim {
	case canonical.TrimLeft:
		parts = append(parts, "blanks at the start")
	case canonical.TrimRight:
		parts = append(parts, "blanks at the end")
	case canonical.TrimBoth:
		parts = append(parts, "blanks at both ends")
	}
	if r.Case != "" {
		parts = append(parts, "letter case")
	}
	if r.JSON || source.As.Kind == canonical.JSON {
		parts = append(parts, "JSON spelling: order of keys, blanks, 1.0 for 1")
	}
	parts = append(parts, hiddenWords(r)...)
	if r.Comparator != nil {
		parts = append(parts, "whatever the comparator "+r.Comparator.Name+" lets pass")
	}
	if kind := source.As.Kind; kind == canonical.Float32 || kind == canonical.Float64 {
		parts = append(parts, "-0 for 0")
	}
	return strings.Join(parts, "; ")
}

func hiddenNumbers(source, target schema.ViewColumn, r canonical.Rule) []string {
	var parts []string
	if r.Tolerance > 0 {
		parts = append(parts, fmt.Sprintf("differences up to %g", r.Tolerance))
	}
	if r.Relative > 0 {
		parts = append(parts, fmt.Sprintf("differences up to %g times the greater magnitude", r.Relative))
	}
	if r.ULP > 0 {
		text := "differences up to 1 unit in the last place"
		if r.ULP > 1 {
			text = fmt.Sprintf("differences up to %d units in the last place", r.ULP)
		}
		if source.Type.Kind != target.Type.Kind {
			text += " of single precision, to which the double is rounded"
		}
		parts = append(parts, text)
	}
	if r.Scale != nil {
		parts = append(parts, fmt.Sprintf("what rounding to %d fractional digits (half away from zero) evens out", *r.Scale))
	}
	return parts
}

func hiddenTimes(source, target schema.ViewColumn, r canonical.Rule) []string {
	var parts []string
	if r.Precision != nil {
		parts = append(parts, fmt.Sprintf("what rounding to %d fractional digits of a second (a half either way) evens out", *r.Precision))
	}
	if r.Cut != nil {
		parts = append(parts, fmt.Sprintf("fractional digits of a second after the first %d", *r.Cut))
	}
	if r.Zone != "" && (source.Translation != nil || target.Translation != nil) {
		parts = append(parts, "which one is meant of the two instants that have the same time on the clocks of "+r.Zone+", where these are put back")
	}
	return parts
}

// hiddenWords are those that mean the same.
func hiddenWords(r canonical.Rule) []string {
	means := map[string][]string{}
	for _, word := range slices.Sorted(maps.Keys(r.Enum)) {
		means[r.Enum[word]] = append(means[r.Enum[word]], word)
	}
	if r.Bool != nil {
		means["true"], means["false"] = r.Bool.True, r.Bool.False
	}
	var parts []string
	for _, meaning := range slices.Sorted(maps.Keys(means)) {
		if words := means[meaning]; len(words) > 1 {
			parts = append(parts, fmt.Sprintf("which of %s stands for %s", strings.Join(words, ", "), meaning))
		}
	}
	return parts
}
