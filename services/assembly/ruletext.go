package assembly

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
)

// DescribeRule is a rule as --rule reads it; empty for one that asks for nothing.
func DescribeRule(r canonical.Rule) string {
	var parts []string
	say := func(set bool, name, value string) {
		if set {
			parts = append(parts, name+":"+value)
		}
	}
	digits := func(name string, n *int) {
		if n != nil {
			say(true, name, strconv.Itoa(*n))
		}
	}
	say(r.Tolerance > 0, "tolerance", fmt.Sprintf("%g", r.Tolerance))
	say(r.Relative > 0, "relative", fmt.Sprintf("%g", r.Relative))
	say(r.ULP > 0, "ulp", strconv.Itoa(r.ULP))
	digits("scale", r.Scale)
	digits("precision", r.Precision)
	digits("cut", r.Cut)
	say(r.Trim != "", "trim", r.Trim)
	say(r.Case != "", "case", r.Case)
	if r.JSON {
		parts = append(parts, "json")
	}
	say(r.Zone != "", "zone", r.Zone)
	if r.Enum != nil {
		var words []string
		for _, word := range slices.Sorted(maps.Keys(r.Enum)) {
			words = append(words, word+"="+r.Enum[word])
		}
		say(true, "enum", strings.Join(words, "|"))
	}
	if r.Bool != nil {
		say(true, "bool", strings.Join(r.Bool.True, "|")+"/"+strings.Join(r.Bool.False, "|"))
	}
	if r.Comparator != nil {
		say(true, "comparator", r.Comparator.Name)
	}
	return strings.Join(parts, ",")
}
