package canonical

import (
	"bytes"

	"github.com/trueup/trueup/pkg/row"
)

// Equal says whether two values of a column compared in type t are equal under
// the rule. NULL equals NULL and nothing else. Without a rule, values are equal
// when their texts are; JSON is equal by value.
func Equal(t Type, rule Rule, a, b row.Value) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if bytes.Equal(a, b) {
		return true
	}
	switch {
	case rule.Comparator != nil:
		return rule.Comparator.Equal(a, b)
	case t.Kind == JSON || rule.JSON:
		return equalJSON(a, b)
	case t.Kind.numeric():
		return equalNumbers(t, rule, a, b)
	case t.Kind.timed() && (rule.Precision != nil || rule.Cut != nil):
		return equalTimes(t.Kind, rule, a, b)
	case t.Kind == Text && (rule.Trim != "" || rule.Case != ""):
		return equalText(rule, a, b)
	default:
		return false
	}
}

func equalText(rule Rule, a, b []byte) bool {
	a, b = trimBlanks(a, rule.Trim), trimBlanks(b, rule.Trim)
	if rule.Case == CaseIgnore {
		return equalFold(a, b)
	}
	return bytes.Equal(a, b)
}
