package schema

import (
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
)

func ruled(column string, rule canonical.Rule) Mapping {
	return Mapping{Rules: map[string]canonical.Rule{column: rule}}
}

func TestATranslatedColumnIsReadAndNeverDigested(t *testing.T) {
	local, utc := column("seen", "datetime(6)", canonical.Timestamp), column("seen", "timestamptz", canonical.Instant)
	number := column("step", "int", canonical.Int)
	for name, c := range map[string]struct {
		m              Mapping
		source, target Column
		atTarget       bool
	}{
		"words for numbers": {ruled("step", canonical.Rule{Enum: map[string]string{"1": "2"}}), number, number, false},
		"a zone":            {ruled("seen", canonical.Rule{Zone: "Europe/Berlin"}), local, utc, true},
		"a zone, reversed":  {ruled("seen", canonical.Rule{Zone: "Europe/Berlin"}), utc, local, false},
	} {
		source, target := table("mysql", id(), c.source), table("mysql", id(), c.target)
		p := mustResolve(t, c.m, source, target)
		if p.Method != Merge || !strings.Contains(p.Why, "is translated by its rule") {
			t.Errorf("%s: %s", name, p.Why)
		}
		refuses(t, c.m, source, target, Checksum, digestsExactly, "method checksum", "is translated by its rule")
		own, plain := p.Source.Columns[1], p.Target.Columns[1]
		if c.atTarget {
			own, plain = plain, own
		}
		if own.Translation == nil || (plain.Translation != nil) != (c.m.Rules["step"].Enum != nil) || own.Own().As != own.Type || own.Own().Translation != nil {
			t.Errorf("%s: %+v and %+v", name, own, plain)
		}
		for _, side := range []*View{&p.Source, &p.Target} {
			if p.Keeps(side) {
				t.Errorf("%s: nothing says that what is translated is stored as it is given", name)
			}
		}
	}
	p := mustResolve(t, ruled("seen", canonical.Rule{Zone: "UTC"}), table("mysql", id(), local), table("postgres", id(), utc))
	if p.Method != Checksum || p.Source.Columns[1].Translation != nil {
		t.Errorf("UTC needs no translation: %s", p.Why)
	}
}

func TestAKeyIsNeverTranslated(t *testing.T) {
	local, utc := column("seen", "datetime(6)!", canonical.Timestamp), column("seen", "timestamptz!", canonical.Instant)
	refuses(t, ruled("seen", canonical.Rule{Zone: "Europe/Berlin"}), table("mysql", local), table("postgres", utc), Auto, digestsExactly,
		"key column seen", "two instants of zone Europe/Berlin can have the same time")
	mustResolve(t, ruled("seen", canonical.Rule{Zone: "UTC"}), table("mysql", local), table("postgres", utc))
	refuses(t, ruled("id", canonical.Rule{Enum: map[string]string{"1": "2"}}), table("mysql", id()), table("mysql", id()), Auto, digestsExactly,
		"key column id", "a key is compared exactly")
}

func TestWordsThatMeanTheSameRefuseTheRepairOfTheirSide(t *testing.T) {
	p := mustResolve(t, ruled("note", canonical.Rule{Enum: map[string]string{"A": "active", "a": "active"}}), table("mysql", id(), note()), table("mysql", id(), note()))
	if err := p.CheckRepair(&p.Target); err != nil {
		t.Error(err)
	}
	if err := p.CheckRepair(&p.Source); err == nil || !strings.Contains(err.Error(), `column note of orders cannot be written: rule enum: "A" and "a" both mean "active"`) {
		t.Errorf("got %v", err)
	}
}

func TestARuleThatForgivesDigitsSilencesTheWarningOfThem(t *testing.T) {
	fine, coarse := column("at", "datetime(6)", canonical.Timestamp), column("at", "datetime(3)", canonical.Timestamp)
	fine.Precision, coarse.Precision = 6, 3
	source, target := table("mysql", id(), fine), table("mysql", id(), coarse)
	const warning = "fewer fractional digits"
	if p := mustResolve(t, Mapping{}, source, target); !warns(p, warning) {
		t.Errorf("no warning: %q", p.Warnings)
	}
	if p := mustResolve(t, ruled("at", canonical.Rule{Zone: "UTC"}), source, target); !warns(p, warning) {
		t.Errorf("a zone forgives no digits: %q", p.Warnings)
	}
	if p := mustResolve(t, ruled("at", canonical.Rule{Precision: new(3)}), source, target); warns(p, warning) {
		t.Errorf("warned although the rule allows for it: %q", p.Warnings)
	}
}

func TestRulesAreCheckedWhenThePairIsResolved(t *testing.T) {
	source, target := table("mysql", id(), note()), table("mysql", id(), note())
	for text, rule := range map[string]canonical.Rule{
		"rule scale: is for numbers":  {Scale: new(2)},
		"rule enum: has no word":      {Enum: map[string]string{}},
		"rule bool: is for words":     {Bool: &canonical.BoolWords{True: []string{"Y"}, False: []string{"N"}}},
		"no time zone is called":      {Zone: "Mars/Base"},
		"rule precision: 9":           {Precision: new(9)},
		"a comparator needs a name":   {Comparator: &canonical.Comparator{}},
		"rule relative: is for numbe": {Relative: 0.1},
	} {
		refuses(t, ruled("note", rule), source, target, Auto, digestsExactly, "column note", text)
	}
}

func TestWordsOfTheirOwnAreNoDrift(t *testing.T) {
	source, target := table("mysql", id(), ofLength(20, note())), table("mysql", id(), ofLength(1, note()))
	target.AllReferences = true
	m := ruled("note", canonical.Rule{Enum: map[string]string{"active": "A"}})
	if p := mustResolve(t, Mapping{}, source, target); len(p.Drift(&p.Target)) != 1 {
		t.Errorf("a shorter column is a drift: %v", p.Drift(&p.Target))
	}
	if p := mustResolve(t, m, source, target); len(p.Drift(&p.Target)) != 0 {
		t.Errorf("got %v", p.Drift(&p.Target))
	}
}
