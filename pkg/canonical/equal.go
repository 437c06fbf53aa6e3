package canonical

import (
	"bytes"
	"strconv"

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
	case t.Kind == JSON || rule.JSON:
		return equalJSON(a, b)
	case rule.Tolerance > 0 && t.Kind.numeric():
		return withinTolerance(rule.Tolerance, a, b)
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

// withinTolerance compares in exact decimal arithmetic, so that 1.1 and 1.0
// are 0.1 apart and not a little more. NaN and the infinities are within
// tolerance of nothing else.
func withinTolerance(tolerance float64, a, b []byte) bool {
	x, okX := parseNumber(a)
	y, okY := parseNumber(b)
	limit, okLimit := parseNumber(strconv.AppendFloat(nil, tolerance, 'e', -1, 64))
	if !okX || !okY || !okLimit || !x.withinReach() || !y.withinReach() {
		return false
	}
	exponent := min(x.exponent(), y.exponent(), limit.exponent())
	difference := x.scaled(exponent)
	difference.Sub(difference, y.scaled(exponent))
	return difference.CmpAbs(limit.scaled(exponent)) <= 0
}
