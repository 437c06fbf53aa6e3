package main

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
)

// ruleHelp is the part of the help texts about --rule.
const ruleHelp = `Rules relax how one column is compared, --rule COLUMN=RULE[,RULE…]:
  tolerance:1e-9         numbers may differ by that much
  trim:left|right|both   blanks there do not count
  case:ignore            letter case does not count
  json                   texts are compared as JSON documents
  zone:UTC               the side without time zone holds UTC
A rule never changes what is written.`

// parseRules reads the values of --rule. Whether a rule suits its column is
// known only when the tables are.
func parseRules(texts []string) (map[string]canonical.Rule, error) {
	rules := map[string]canonical.Rule{}
	for _, text := range texts {
		column, list, found := strings.Cut(text, "=")
		if !found || column == "" || list == "" {
			return nil, usage("--rule %q: write it as column=rule, e.g. weight=tolerance:1e-9", text)
		}
		rule := rules[column]
		for part := range strings.SplitSeq(list, ",") {
			if err := addRule(&rule, part); err != nil {
				return nil, usage("--rule %q: %w", text, err)
			}
		}
		rules[column] = rule
	}
	return rules, nil
}

func addRule(rule *canonical.Rule, text string) error {
	name, value, _ := strings.Cut(text, ":")
	set, known := ruleWords[name]
	if !known {
		return usage("no rule is called %q; say one of %s", name, strings.Join(slices.Sorted(maps.Keys(ruleWords)), ", "))
	}
	return set(rule, value)
}

var ruleWords = map[string]func(*canonical.Rule, string) error{
	"tolerance": func(r *canonical.Rule, value string) error {
		tolerance, err := strconv.ParseFloat(value, 64)
		if err != nil || !(tolerance > 0) {
			return usage("tolerance wants a number above 0, e.g. tolerance:1e-9")
		}
		r.Tolerance = tolerance
		return nil
	},
	"trim": func(r *canonical.Rule, value string) error {
		return oneOf(&r.Trim, value, "trim", canonical.TrimLeft, canonical.TrimRight, canonical.TrimBoth)
	},
	"case": func(r *canonical.Rule, value string) error {
		return oneOf(&r.Case, value, "case", canonical.CaseIgnore)
	},
	"zone": func(r *canonical.Rule, value string) error {
		return oneOf(&r.Zone, value, "zone", canonical.ZoneUTC)
	},
	"json": func(r *canonical.Rule, value string) error {
		if value != "" && value != "true" {
			return usage("json wants no value")
		}
		r.JSON = true
		return nil
	},
}

func oneOf(field *string, value, rule string, words ...string) error {
	if !slices.Contains(words, value) {
		return usage("%s wants %s, not %q", rule, strings.Join(words, " or "), value)
	}
	*field = value
	return nil
}
