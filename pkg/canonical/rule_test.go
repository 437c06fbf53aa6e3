package canonical

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/row"
)

func TestUnifyFindsTheTypeThatLosesNothing(t *testing.T) {
	kind := func(k Kind) Type { return Type{Kind: k} }
	bit := Type{Kind: Bits, Width: 1}
	for _, c := range []struct {
		a, b Type
		rule Rule
		want Type
		says string // of the refusal
	}{
		{a: kind(Text), b: kind(Text), want: kind(Text)},
		{a: kind(Bool), b: kind(Int), want: kind(Int)},
		{a: kind(Bool), b: bit, want: kind(Bool)},
		{a: kind(Int), b: kind(Decimal), want: kind(Decimal)},
		{a: kind(Float32), b: kind(Float64), want: kind(Float64)},
		{a: kind(Text), b: kind(UUID), want: kind(UUID)},
		{a: kind(Bytes), b: kind(UUID), want: kind(UUID)},
		{a: kind(Text), b: kind(JSON), want: kind(JSON)},
		{a: bit, b: kind(Bits), want: kind(Bits)},
		{a: bit, b: Type{Kind: Bits, Width: 2}, says: "bits(1) and bits(2)"},
		{a: kind(Decimal), b: kind(Float64), says: "tolerance"},
		{a: kind(Int), b: kind(Float32), says: "tolerance"},
		{a: kind(Decimal), b: kind(Float64), rule: Rule{Tolerance: 1e-9}, want: kind(Decimal)},
		{a: kind(Timestamp), b: kind(Instant), says: "{zone: UTC}"},
		{a: kind(Timestamp), b: kind(Instant), rule: Rule{Zone: ZoneUTC}, want: kind(Instant)},
		{a: kind(Timestamp), b: kind(Instant), rule: Rule{Zone: "Europe/Berlin"}, want: kind(Timestamp)},
		{a: kind(Decimal), b: kind(Float64), rule: Rule{Relative: 1e-9}, want: kind(Decimal)},
		{a: kind(Int), b: kind(Float64), rule: Rule{Scale: new(0)}, want: kind(Decimal)},
		{a: kind(Decimal), b: kind(Float64), rule: Rule{ULP: 4}, says: "tolerance"},
		{a: kind(Date), b: kind(Timestamp), says: "time of day"},
		{a: kind(Date), b: kind(Timestamp), rule: Rule{Zone: ZoneUTC}, says: "exclude"},
		{a: kind(Time), b: kind(Interval), says: "months"},
		{a: kind(Text), b: kind(Inet), says: "spellings"},
		{a: kind(Text), b: kind(Int), says: "spellings"},
		{a: kind(Text), b: kind(Bytes), says: "character set"},
		{a: kind(Bool), b: kind(Decimal), says: "exclude"},
		{a: kind(Unsupported), b: kind(Unsupported), says: "exclude"},
	} {
		for _, side := range [][2]Type{{c.a, c.b}, {c.b, c.a}} {
			got, err := c.rule.Unify(side[0], side[1])
			switch {
			case c.says == "" && (err != nil || got != c.want):
				t.Errorf("%s and %s: got %s, %v; want %s", side[0], side[1], got, err, c.want)
			case c.says != "" && (err == nil || !mentions(err, c.says) && !mentions(err, reversed(c.says))):
				t.Errorf("%s and %s: got %s, %v; want a refusal that says %q", side[0], side[1], got, err, c.says)
			}
			if c.says != "" && err != nil && (!mentions(err, side[0].String()) || !mentions(err, side[1].String())) {
				t.Errorf("the refusal does not name both types: %v", err)
			}
		}
	}
	if _, err := Unify(kind(Decimal), kind(Float64)); err == nil {
		t.Error("without a rule a decimal was compared with a float")
	}
}

func mentions(err error, text string) bool { return strings.Contains(err.Error(), text) }

// reversed turns "a and b" round.
func reversed(text string) string {
	a, b, _ := strings.Cut(text, " and ")
	return b + " and " + a
}

func TestRulesAreCheckedAgainstTheType(t *testing.T) {
	for _, c := range []struct {
		rule Rule
		kind Kind
		says string // empty: accepted
	}{
		{Rule{}, Bytes, ""},
		{Rule{Tolerance: 1e-9}, Float64, ""},
		{Rule{Tolerance: 1}, Int, ""},
		{Rule{Tolerance: 1}, Text, "rule tolerance: is for numbers"},
		{Rule{Tolerance: -1}, Int, "positive"},
		{Rule{Tolerance: math.NaN()}, Int, "positive"},
		{Rule{Tolerance: math.Inf(1)}, Int, "positive"},
		{Rule{Trim: "right", Case: "ignore"}, Text, ""},
		{Rule{Trim: "rigth"}, Text, `"rigth" is unknown; say left or right or both`},
		{Rule{Trim: "right"}, JSON, "rule trim: is for texts"},
		{Rule{Case: "lower"}, Text, "say ignore"},
		{Rule{Case: "ignore"}, UUID, "rule case: is for texts"},
		{Rule{JSON: true}, Text, ""},
		{Rule{JSON: true}, JSON, ""},
		{Rule{JSON: true}, Int, "rule json: is for texts and JSON"},
		{Rule{JSON: true, Trim: "both"}, Text, "combined"},
		{Rule{Zone: "UTC"}, Instant, ""},
		{Rule{Zone: "Europe/Berlin"}, Timestamp, ""},
		{Rule{Zone: "Europe/Berlim"}, Timestamp, `no time zone is called "Europe/Berlim"; say UTC or`},
		{Rule{Zone: "Local"}, Timestamp, "no time zone is called"},
		{Rule{Relative: 1e-9, Tolerance: 1e-12, ULP: 2}, Float32, ""},
		{Rule{Relative: 1}, Decimal, "between 0 and 1"},
		{Rule{Relative: -0.5}, Decimal, "between 0 and 1"},
		{Rule{Relative: math.NaN()}, Decimal, "between 0 and 1"},
		{Rule{Relative: 0.1}, Date, "rule relative: is for numbers"},
		{Rule{ULP: 1}, Float64, ""},
		{Rule{ULP: 1}, Decimal, "rule ulp: is for two binary floating-point columns"},
		{Rule{ULP: -1}, Float64, "above 0"},
		{Rule{Scale: new(0)}, Decimal, ""},
		{Rule{Scale: new(-1)}, Decimal, "from 0 to 1000"},
		{Rule{Scale: new(1001)}, Decimal, "from 0 to 1000"},
		{Rule{Scale: new(2)}, Int, "rule scale: is for numbers with fractional digits"},
		{Rule{Scale: new(2), Tolerance: 1}, Decimal, "rule scale: decides by itself"},
		{Rule{Precision: new(0)}, Time, ""},
		{Rule{Precision: new(3), Zone: "UTC"}, Instant, ""},
		{Rule{Precision: new(6)}, Instant, "rule precision: 6 fractional digits"},
		{Rule{Cut: new(-1)}, Instant, "rule cut: -1 fractional digits"},
		{Rule{Cut: new(3)}, Date, "rule cut: is for times with fractional seconds"},
		{Rule{Precision: new(3), Cut: new(3)}, Time, "leave one of them out"},
		{Rule{Enum: map[string]string{"a": "b"}}, Text, ""},
		{Rule{Enum: map[string]string{"a": "b"}, Trim: "both"}, Text, "rule enum: decides by itself"},
		{Rule{Bool: &BoolWords{}, Enum: map[string]string{}}, Bool, "decides by itself"},
		{Rule{Comparator: &Comparator{Name: "soundex", Equal: func(a, b row.Value) bool { return true }}}, Text, ""},
		{Rule{Comparator: &Comparator{Name: "soundex"}}, Text, "a name"},
		{Rule{Comparator: &Comparator{}, Case: "ignore"}, Text, "rule comparator: decides by itself"},
		{Rule{Zone: "UTC"}, Date, "rule zone: is for timestamps"},
	} {
		err := c.rule.Validate(Type{Kind: c.kind})
		if c.says == "" && err != nil || c.says != "" && (err == nil || !mentions(err, c.says)) {
			t.Errorf("%+v for %s: got %v, want %q", c.rule, c.kind, err, c.says)
		}
	}
	if !(Rule{}).IsZero() || (Rule{JSON: true}).IsZero() {
		t.Error("IsZero is wrong")
	}
}

// A run that was interrupted knows the rules by their JSON.
func TestRulesThatDifferHaveDifferentJSON(t *testing.T) {
	equal := func(a, b row.Value) bool { return false }
	seen := map[string]Rule{}
	for _, rule := range []Rule{
		{},
		{Tolerance: 1},
		{Relative: 0.1},
		{ULP: 1},
		{Scale: new(0)},
		{Scale: new(1)},
		{Precision: new(0)},
		{Cut: new(0)},
		{Zone: "UTC"},
		{Enum: map[string]string{"a": "b"}},
		{Enum: map[string]string{"a": "c"}},
		{Bool: &BoolWords{True: []string{"Y"}, False: []string{"N"}}},
		{Bool: &BoolWords{True: []string{"N"}, False: []string{"Y"}}},
		{Comparator: &Comparator{Name: "a", Equal: equal}},
		{Comparator: &Comparator{Name: "b", Equal: equal}},
	} {
		text, err := json.Marshal(rule)
		if err != nil {
			t.Fatal(err)
		}
		if other, again := seen[string(text)]; again {
			t.Errorf("%+v and %+v are both %s", rule, other, text)
		}
		seen[string(text)] = rule
	}
}
