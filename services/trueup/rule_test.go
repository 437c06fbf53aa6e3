package main

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/services/assembly"
)

func TestRulesAreReadFromTheCommandLine(t *testing.T) {
	got, err := parseRules([]string{
		"weight=tolerance:1e-9", "note=trim:right,case:ignore", "attrs=json", "at=zone:UTC", "weight=tolerance:0.5",
		"share=relative:1e-6,ulp:4", "price=scale:0", "seen=precision:3,zone:Europe/Berlin", "made=cut:0",
		"state=enum:A=active|I=gone|=none", "paid=bool:Y|yes|1/N|no",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]canonical.Rule{
		"weight": {Tolerance: 0.5},
		"note":   {Trim: "right", Case: "ignore"},
		"attrs":  {JSON: true},
		"at":     {Zone: "UTC"},
		"share":  {Relative: 1e-6, ULP: 4},
		"price":  {Scale: new(0)},
		"seen":   {Precision: new(3), Zone: "Europe/Berlin"},
		"made":   {Cut: new(0)},
		"state":  {Enum: map[string]string{"A": "active", "I": "gone", "": "none"}},
		"paid":   {Bool: &canonical.BoolWords{True: []string{"Y", "yes", "1"}, False: []string{"N", "no"}}},
	}
	for column, rule := range got {
		again := canonical.Rule{}
		for part := range strings.SplitSeq(assembly.DescribeRule(rule), ",") {
			if err := addRule(&again, part); err != nil || column == "" {
				t.Errorf("%s is described as %s, which is not read: %v", column, assembly.DescribeRule(rule), err)
			}
		}
		if !reflect.DeepEqual(again, rule) {
			t.Errorf("%s is described as %s, which reads as %+v", column, assembly.DescribeRule(rule), again)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestABadRuleSaysWhatIsWanted(t *testing.T) {
	cases := map[string]string{
		"weight":                "column=rule",
		"=json":                 "column=rule",
		"weight=":               "column=rule",
		"weight=roughly:1":      "no rule is called \"roughly\"; say one of bool, case, cut, enum, json, precision, relative, scale, tolerance, trim, ulp, zone",
		"weight=tolerance:much": "above 0",
		"weight=tolerance:-1":   "above 0",
		"weight=tolerance:NaN":  "above 0",
		"weight=tolerance":      "above 0",
		"note=trim:middle":      "left or right or both",
		"note=case:upper":       "ignore",
		"at=zone:":              "Europe/Berlin",
		"weight=relative:0":     "above 0",
		"weight=ulp:0.5":        "whole number",
		"price=scale:-1":        "fractional digits",
		"at=precision:ms":       "fractional digits",
		"state=enum:A":          "each of the source's words once",
		"state=enum:A=1|A=2":    "each of the source's words once",
		"paid=bool:Y|yes":       "a slash",
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
