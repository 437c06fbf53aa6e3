package main

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
)

// ruleHelp is the part of the help texts about --rule.
const ruleHelp = `Rules say how one column is compared when not exactly,
--rule COLUMN=RULE[,RULE…]:
  tolerance:1e-9         numbers may differ by that much
  relative:1e-9          … by that share of the greater magnitude
  ulp:4                  binary floating-point numbers may be that many steps apart
  scale:2                numbers are rounded to that many fractional digits
  precision:3            times are rounded to that many digits of a second
  cut:3                  … or cut off there
  trim:left|right|both   blanks there do not count
  case:ignore            letter case does not count
  json                   texts are compared as JSON documents
  zone:Europe/Berlin     the side without time zone holds that zone's time
  enum:A=active|I=gone   the target's word for each of the source's
  bool:Y|yes/N|no        words for true / for false, against a boolean
Words with , | = or / in them can be given in a configuration file.
What is written in a repair is the authority's value, translated where the rule
translates, and never rounded or trimmed.`

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
	"tolerance": func(r *canonical.Rule, value string) error { return above0(&r.Tolerance, value, "tolerance") },
	"relative":  func(r *canonical.Rule, value string) error { return above0(&r.Relative, value, "relative") },
	"ulp": func(r *canonical.Rule, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n <= 0 {
			return usage("ulp wants a whole number above 0, e.g. ulp:4")
		}
		r.ULP = n
		return nil
	},
	"scale":     func(r *canonical.Rule, value string) error { return digits(&r.Scale, value, "scale") },
	"precision": func(r *canonical.Rule, value string) error { return digits(&r.Precision, value, "precision") },
	"cut":       func(r *canonical.Rule, value string) error { return digits(&r.Cut, value, "cut") },
	"trim": func(r *canonical.Rule, value string) error {
		return oneOf(&r.Trim, value, "trim", canonical.TrimLeft, canonical.TrimRight, canonical.TrimBoth)
	},
	"case": func(r *canonical.Rule, value string) error {
		return oneOf(&r.Case, value, "case", canonical.CaseIgnore)
	},
	"zone": func(r *canonical.Rule, value string) error {
		if value == "" {
			return usage("zone wants UTC or a name of the IANA database, e.g. zone:Europe/Berlin")
		}
		r.Zone = value
		return nil
	},
	"json": func(r *canonical.Rule, value string) error {
		if value != "" && value != "true" {
			return usage("json wants no value")
		}
		r.JSON = true
		return nil
	},
	"enum": enumWords,
	"bool": boolWords,
}

func above0(field *float64, value, rule string) error {
	number, err := strconv.ParseFloat(value, 64)
	if err != nil || !(number > 0) {
		return usage("%s wants a number above 0, e.g. %s:1e-9", rule, rule)
	}
	*field = number
	return nil
}

func digits(field **int, value, rule string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return usage("%s wants a number of fractional digits, e.g. %s:3", rule, rule)
	}
	*field = &n
	return nil
}

func enumWords(r *canonical.Rule, value string) error {
	r.Enum = map[string]string{}
	for pair := range strings.SplitSeq(value, "|") {
		source, target, found := strings.Cut(pair, "=")
		if _, again := r.Enum[source]; !found || again {
			return usage("enum wants each of the source's words once with the target's, e.g. enum:A=active|I=inactive")
		}
		r.Enum[source] = target
	}
	return nil
}

func boolWords(r *canonical.Rule, value string) error {
	yes, no, found := strings.Cut(value, "/")
	if !found {
		return usage("bool wants the words for true, a slash and those for false, e.g. bool:Y|yes/N|no")
	}
	r.Bool = &canonical.BoolWords{True: strings.Split(yes, "|"), False: strings.Split(no, "|")}
	return nil
}

func oneOf(field *string, value, rule string, words ...string) error {
	if !slices.Contains(words, value) {
		return usage("%s wants %s, not %q", rule, strings.Join(words, " or "), value)
	}
	*field = value
	return nil
}
