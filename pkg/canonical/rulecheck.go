package canonical

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"
)

// Validate says the first thing that is wrong with the rule for a column compared in type t.
func (r Rule) Validate(t Type) error {
	return cmp.Or(r.validateCompany(), r.validateNear(t), r.validateULP(t), r.validateScale(t),
		r.validateSeconds(t), r.validateText(t), r.validateJSON(t), r.validateZone(t), r.validateComparator())
}

// validateCompany refuses rules that leave each other nothing to say.
func (r Rule) validateCompany() error {
	rest := r
	rest.Zone, rest.single = "", false
	for _, alone := range []struct {
		name string
		set  bool
		take func()
	}{
		{"enum", r.Enum != nil, func() { rest.Enum = nil }},
		{"bool", r.Bool != nil, func() { rest.Bool = nil }},
		{"comparator", r.Comparator != nil, func() { rest.Comparator = nil }},
		{"scale", r.Scale != nil, func() { rest.Scale = nil }},
	} {
		if !alone.set {
			continue
		}
		if alone.take(); !rest.IsZero() {
			return fmt.Errorf("rule %s: decides by itself; leave the column's other rules out", alone.name)
		}
	}
	if r.Precision != nil && r.Cut != nil {
		return errors.New("rule precision: rounds what cut cuts off; leave one of them out")
	}
	return nil
}

func (r Rule) validateNear(t Type) error {
	switch {
	case r.Tolerance == 0 && r.Relative == 0:
		return nil
	case r.Tolerance < 0 || math.IsNaN(r.Tolerance) || math.IsInf(r.Tolerance, 0):
		return fmt.Errorf("rule tolerance: %v is not an absolute difference; give a positive number such as 1e-9", r.Tolerance)
	case !(0 <= r.Relative && r.Relative < 1):
		return fmt.Errorf("rule relative: %v is no share of a number; give one between 0 and 1 such as 1e-9", r.Relative)
	case !t.Kind.numeric() && r.Tolerance > 0:
		return ruleNotFor("tolerance", "numbers", t)
	case !t.Kind.numeric():
		return ruleNotFor("relative", "numbers", t)
	default:
		return nil
	}
}

func (r Rule) validateULP(t Type) error {
	switch {
	case r.ULP == 0:
		return nil
	case r.ULP < 0:
		return fmt.Errorf("rule ulp: %d is no distance; give a small number of units above 0 such as 4", r.ULP)
	case !t.Kind.float():
		return ruleNotFor("ulp", "two binary floating-point columns", t)
	default:
		return nil
	}
}

// maxScale is the largest scale that can be declared: numeric(1000, 1000) in
// PostgreSQL (its manual, "Arbitrary Precision Numbers"), 38 in MariaDB.
const maxScale = 1000

func (r Rule) validateScale(t Type) error {
	switch {
	case r.Scale == nil:
		return nil
	case *r.Scale < 0 || *r.Scale > maxScale:
		return fmt.Errorf("rule scale: %d is no number of fractional digits; give one from 0 to %d", *r.Scale, maxScale)
	case t.Kind != Decimal && !t.Kind.float():
		return ruleNotFor("scale", "numbers with fractional digits", t)
	default:
		return nil
	}
}

func (r Rule) validateSeconds(t Type) error {
	for _, rule := range []struct {
		name   string
		digits *int
	}{{"precision", r.Precision}, {"cut", r.Cut}} {
		switch {
		case rule.digits == nil:
		case *rule.digits < 0 || *rule.digits >= fractionDigits:
			return fmt.Errorf("rule %s: %d fractional digits of a second cannot be; give 0 to %d (both engines hold %d at most, which is an exact comparison)",
				rule.name, *rule.digits, fractionDigits-1, fractionDigits)
		case !t.Kind.timed():
			return ruleNotFor(rule.name, "times with fractional seconds", t)
		}
	}
	return nil
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
	if r.Zone == "" {
		return nil
	}
	if _, err := newZone(r.Zone); err != nil {
		return err
	}
	if t.Kind != Timestamp && t.Kind != Instant {
		return ruleNotFor("zone", "timestamps", t)
	}
	return nil
}

func (r Rule) validateComparator() error {
	if r.Comparator != nil && (r.Comparator.Name == "" || r.Comparator.Equal == nil) {
		return errors.New("a comparator needs a name, by which plans and interrupted runs know it, and a function; give it both")
	}
	return nil
}

func ruleNotFor(rule, what string, t Type) error {
	return fmt.Errorf("rule %s: is for %s, and the column is compared as %s; leave the rule out", rule, what, t)
}

func unknownWord(rule, got string, known ...string) error {
	return fmt.Errorf("rule %s: %q is unknown; say %s", rule, got, strings.Join(known, " or "))
}
