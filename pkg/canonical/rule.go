package canonical

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"
)

// The words a Rule knows.
const (
	TrimLeft   = "left"
	TrimRight  = "right"
	TrimBoth   = "both"
	CaseIgnore = "ignore"
	ZoneUTC    = "UTC"
)

// Rule relaxes the comparison of one column. The zero Rule compares exactly.
// Equal (equal.go) applies it; a rule never changes what is written.
type Rule struct {
	// Tolerance is the largest absolute difference of two numbers that still
	// counts as equal.
	Tolerance float64 `yaml:"tolerance"`
	// Trim drops blanks (U+0020) before comparing: "left", "right" or "both".
	Trim string `yaml:"trim"`
	// Case "ignore" compares texts without regard to letter case (Unicode
	// simple case folding).
	Case string `yaml:"case"`
	// JSON compares texts as JSON documents.
	JSON bool `yaml:"json"`
	// Zone says in which IANA zone a column without zone is to be read when
	// the other side has one; only "UTC" is accepted.
	Zone string `yaml:"zone"`
}

// IsZero says whether the rule asks for nothing, so that values compare exactly.
func (r Rule) IsZero() bool { return r == Rule{} }

// Validate says the first thing that is wrong with the rule for a column compared in type t.
func (r Rule) Validate(t Type) error {
	return cmp.Or(r.validateTolerance(t), r.validateText(t), r.validateJSON(t), r.validateZone(t))
}

func (r Rule) validateTolerance(t Type) error {
	switch {
	case r.Tolerance == 0:
		return nil
	case r.Tolerance < 0 || math.IsNaN(r.Tolerance) || math.IsInf(r.Tolerance, 0):
		return fmt.Errorf("rule tolerance: %v is not an absolute difference; give a positive number such as 1e-9", r.Tolerance)
	case !t.Kind.numeric():
		return ruleNotFor("tolerance", "numbers", t)
	default:
		return nil
	}
}

func (r Rule) validateText(t Type) error {
	switch r.Trim {
	case "":
	case TrimLeft, TrimRight, TrimBoth:
		if t.Kind != Text {
			return ruleNotFor("trim", "texts", t)
		}
	default:
		return unknownWord("trim", r.Trim, TrimLeft, TrimRight, TrimBoth)
	}
	switch r.Case {
	case "":
	case CaseIgnore:
		if t.Kind != Text {
			return ruleNotFor("case", "texts", t)
		}
	default:
		return unknownWord("case", r.Case, CaseIgnore)
	}
	return nil
}

func (r Rule) validateJSON(t Type) error {
	switch {
	case !r.JSON:
		return nil
	case t.Kind != Text && t.Kind != JSON:
		return ruleNotFor("json", "texts and JSON documents", t)
	case r.Trim != "" || r.Case != "":
		return errors.New("rule json: cannot be combined with trim or case, which would reach into the document; leave one of them out")
	default:
		return nil
	}
}

func (r Rule) validateZone(t Type) error {
	switch {
	case r.Zone == "":
		return nil
	case r.Zone != ZoneUTC:
		return unknownWord("zone", r.Zone, ZoneUTC)
	case t.Kind != Timestamp && t.Kind != Instant:
		return ruleNotFor("zone", "timestamps", t)
	default:
		return nil
	}
}

func ruleNotFor(rule, what string, t Type) error {
	return fmt.Errorf("rule %s: is for %s, and the column is compared as %s; leave the rule out", rule, what, t)
}

func unknownWord(rule, got string, known ...string) error {
	return fmt.Errorf("rule %s: %q is unknown; say %s", rule, got, strings.Join(known, " or "))
}
