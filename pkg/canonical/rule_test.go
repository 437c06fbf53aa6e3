package canonical

import (
	"math"
	"strings"
	"testing"
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
		{Rule{Zone: "Europe/Berlin"}, Instant, "say UTC"},
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
