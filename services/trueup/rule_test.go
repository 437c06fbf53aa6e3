package main

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
)

func TestRulesAreReadFromTheCommandLine(t *testing.T) {
	got, err := parseRules([]string{"weight=tolerance:1e-9", "note=trim:right,case:ignore", "attrs=json", "at=zone:UTC", "weight=tolerance:0.5"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]canonical.Rule{
		"weight": {Tolerance: 0.5},
		"note":   {Trim: "right", Case: "ignore"},
		"attrs":  {JSON: true},
		"at":     {Zone: "UTC"},
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestABadRuleSaysWhatIsWanted(t *testing.T) {
	cases := map[string]string{
		"weight":                "column=rule",
		"=json":                 "column=rule",
		"weight=":               "column=rule",
		"weight=roughly:1":      "no rule is called \"roughly\"; say one of case, json, tolerance, trim, zone",
		"weight=tolerance:much": "above 0",
		"weight=tolerance:-1":   "above 0",
		"weight=tolerance:NaN":  "above 0",
		"weight=tolerance":      "above 0",
		"note=trim:middle":      "left or right or both",
		"note=case:upper":       "ignore",
		"at=zone:Europe/Berlin": "UTC",
		"attrs=json:false":      "no value",
	}
	for text, want := range cases {
		_, err := parseRules([]string{text})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want … %s …", text, err, want)
		}
		if _, ok := errors.AsType[*usageError](err); !ok {
			t.Errorf("%s: %v is no usage error", text, err)
		}
	}
}
