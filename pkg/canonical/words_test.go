package canonical

import (
	"testing"

	"github.com/trueup/trueup/pkg/row"
)

func kindOf(k Kind) Type { return Type{Kind: k} }

func TestWordsAreTranslatedBothWays(t *testing.T) {
	yes := &BoolWords{True: []string{"Y", "yes", "1"}, False: []string{"N", "no"}}
	enum := Rule{Enum: map[string]string{"A": "active", "I": "inactive", "": "none"}}
	for _, c := range []struct {
		rule           Rule
		source, target Type
		as             Type
		atTarget       bool
		own, compared  string
		back           string // empty: own
	}{
		{enum, kindOf(Text), kindOf(Text), kindOf(Text), false, "A", "active", ""},
		{enum, kindOf(Text), kindOf(Text), kindOf(Text), false, "", "none", ""},
		{Rule{Enum: map[string]string{"1": "new", "02": "paid"}}, kindOf(Int), kindOf(Text), kindOf(Text), false, "2", "paid", ""},
		{Rule{Enum: map[string]string{"new": "1", "paid": "-2"}}, kindOf(Text), kindOf(Int), kindOf(Int), false, "paid", "-2", ""},
		{Rule{Enum: map[string]string{"true": "on", "false": "off"}}, kindOf(Bool), kindOf(Text), kindOf(Text), false, "0", "off", ""},
		{Rule{Enum: map[string]string{"1": "0", "0": "1"}}, kindOf(Int), kindOf(Int), kindOf(Int), false, "1", "0", ""},
		{Rule{Bool: yes}, kindOf(Text), kindOf(Bool), kindOf(Bool), false, "yes", "1", "Y"},
		{Rule{Bool: yes}, kindOf(Text), kindOf(Int), kindOf(Int), false, "N", "0", ""},
		{Rule{Bool: yes}, kindOf(Bool), kindOf(Text), kindOf(Bool), true, "no", "0", "N"},
		{Rule{Bool: yes}, kindOf(Text), Type{Kind: Bits, Width: 1}, Type{Kind: Bits, Width: 1}, false, "1", "1", "Y"},
		{Rule{Bool: &BoolWords{True: []string{"5"}, False: []string{"7"}}}, kindOf(Bool), kindOf(Int), kindOf(Bool), true, "7", "0", ""},
	} {
		as, err := c.rule.Unify(c.source, c.target)
		if err != nil || as != c.as {
			t.Errorf("%s and %s: compared as %s, %v, want %s", c.source, c.target, as, err, c.as)
			continue
		}
		if err := c.rule.Validate(as); err != nil {
			t.Error(err)
		}
		words, other, err := c.rule.Translations(c.source, c.target)
		if c.atTarget {
			words, other = other, words
		}
		if err != nil || words == nil || words == (known{}) || other != (known{}) {
			t.Errorf("%s and %s: translated by %v, and on the other side by %v: %v", c.source, c.target, words, other, err)
			continue
		}
		if got := words.Compared([]byte(c.own)); string(got) != c.compared {
			t.Errorf("%q became %q, want %q", c.own, got, c.compared)
		}
		if c.back == "" {
			c.back = c.own
		}
		if got, err := words.Own(row.Value(c.compared)); err != nil || got == nil || string(got) != c.back {
			t.Errorf("%q is written as %q, %v, want %q", c.compared, got, err, c.back)
		}
		if err := words.Writable(); err != nil {
			t.Error(err)
		}
	}
}

func TestAWordWithoutTranslationEqualsNothing(t *testing.T) {
	words, other, err := Rule{Enum: map[string]string{"A": "active"}}.Translations(kindOf(Text), kindOf(Text))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"X", "active", "a", "A ", ""} {
		if got, err := other.Own(row.Value(words.Compared([]byte(word)))); err == nil {
			t.Errorf("%q is written to the other side as %q", word, got)
		}
		if got := words.Compared([]byte(word)); Equal(kindOf(Text), Rule{}, row.Value(word), got) || string(got) == "active" {
			t.Errorf("%q became %q", word, got)
		}
		if got, err := words.Own(row.Value("not " + word)); err == nil {
			t.Errorf("%q is written as %q", word, got)
		}
	}
	// A database without an encoding may hold any bytes.
	strange := words.Compared([]byte("X"))
	if got := other.Compared(strange); string(got) == string(strange) {
		t.Errorf("%q at the other side equals a word without translation", strange)
	} else if back, err := other.Own(row.Value(got)); err != nil || string(back) != string(strange) {
		t.Errorf("%q is written back as %q, %v", strange, back, err)
	}
	x, y := words.Compared([]byte("X")), words.Compared([]byte("Y"))
	if string(x) == string(y) {
		t.Error("a change from one unknown word to another cannot be seen")
	}
}

func TestWordsThatMeanTheSameCannotBeWritten(t *testing.T) {
	words, _, err := Rule{Enum: map[string]string{"A": "active", "a": "active", "I": "inactive"}}.Translations(kindOf(Text), kindOf(Text))
	if err != nil {
		t.Fatal(err)
	}
	if err := words.Writable(); err == nil || !mentions(err, `"A" and "a" both mean "active"`) {
		t.Errorf("got %v", err)
	}
}

func TestWordsThatDoNotFitAreRefused(t *testing.T) {
	for _, c := range []struct {
		rule           Rule
		source, target Kind
		says           string
	}{
		{Rule{Enum: map[string]string{}}, Text, Text, "has no word"},
		{Rule{Enum: map[string]string{"a": "b"}}, Int, Text, `source: "a" is no whole number`},
		{Rule{Enum: map[string]string{"1": "b"}}, Int, Bool, `target: "b" is no boolean`},
		{Rule{Enum: map[string]string{"1": "a", "01": "b"}}, Int, Text, `"1" is given twice`},
		{Rule{Enum: map[string]string{"a": "b"}}, Text, Float64, "is for texts, whole numbers and booleans, and a side is float64"},
		{Rule{Bool: &BoolWords{True: []string{"Y"}}}, Text, Bool, "words for both"},
		{Rule{Bool: &BoolWords{True: []string{"Y"}, False: []string{"Y"}}}, Text, Bool, `"Y" is given twice`},
		{Rule{Bool: &BoolWords{True: []string{"Y"}, False: []string{"N"}}}, Text, Text, "use the rule enum"},
		{Rule{Bool: &BoolWords{True: []string{"Y"}, False: []string{"N"}}}, Text, Date, "boolean on the other"},
		{Rule{Bool: &BoolWords{True: []string{"Y"}, False: []string{"N"}}}, Int, Bool, `"Y" is no whole number`},
	} {
		_, err := c.rule.Unify(kindOf(c.source), kindOf(c.target))
		if err == nil {
			_, _, err = c.rule.Translations(kindOf(c.source), kindOf(c.target))
		}
		if err == nil || !mentions(err, c.says) {
			t.Errorf("%s and %s: got %v, want %q", c.source, c.target, err, c.says)
		}
	}
}
