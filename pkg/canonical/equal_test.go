package canonical

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/row"
)

func value(text string) row.Value {
	if text == "NULL" {
		return nil
	}
	return append(row.Value{}, text...)
}

// first is a comparator of first letters.
var first = &Comparator{Name: "first", Equal: func(a, b row.Value) bool { return a[0] == b[0] }}

func TestEqualFollowsTheRule(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		rule Rule
		a, b string
		want bool
	}{
		{Text, Rule{}, "NULL", "NULL", true},
		{Text, Rule{}, "NULL", "", false},
		{Int, Rule{Tolerance: 5}, "NULL", "0", false},
		{JSON, Rule{}, "NULL", "null", false},
		{Text, Rule{}, "", "", true},
		{Text, Rule{}, "a", "a ", false},
		{Text, Rule{}, "a", "A", false},
		{Text, Rule{Trim: TrimRight}, "a", "a  ", true},
		{Text, Rule{Trim: TrimRight}, " a", "a", false},
		{Text, Rule{Trim: TrimLeft}, "  a", "a", true},
		{Text, Rule{Trim: TrimLeft}, "a ", "a", false},
		{Text, Rule{Trim: TrimBoth}, " a ", "a", true},
		{Text, Rule{Trim: TrimBoth}, "a\t", "a", false},
		{Text, Rule{Trim: TrimBoth}, " ", "", true},
		{Text, Rule{Case: CaseIgnore}, "STRASSE É", "strasse é", true},
		{Text, Rule{Case: CaseIgnore}, "ß", "ss", false},
		{Text, Rule{Case: CaseIgnore}, "K", "k", true}, // the Kelvin sign
		{Text, Rule{Case: CaseIgnore}, "\xff", "\xfe", false},
		{Text, Rule{Case: CaseIgnore}, "A\xff", "a\xff", true},
		{Text, Rule{Case: CaseIgnore}, "\xff", "�", false},
		{Text, Rule{Case: CaseIgnore}, "ab", "A", false},
		{Text, Rule{Case: CaseIgnore, Trim: TrimRight}, "AB", "ab ", true},
		{Float64, Rule{Tolerance: 0.1}, "1.1", "1", true},
		{Float64, Rule{Tolerance: 0.1}, "1.1000000000000003", "1", false},
		{Float64, Rule{Tolerance: 1e-9}, "1e+300", "1e+300", true},
		{Float64, Rule{Tolerance: 1e-9}, "-1e-10", "1e-10", true},
		{Float64, Rule{Tolerance: 1e300}, "NaN", "0", false},
		{Float64, Rule{Tolerance: 1}, "NaN", "NaN", true},
		{Float64, Rule{Tolerance: 1e300}, "Infinity", "-Infinity", false},
		{Float64, Rule{Tolerance: 1e300}, "Infinity", "1e+300", false},
		{Float64, Rule{Tolerance: 1}, "Infinity", "Infinity", true},
		{Decimal, Rule{Tolerance: 0.01}, "10000000000000000000000000000.01", "10000000000000000000000000000", true},
		{Decimal, Rule{Tolerance: 0.01}, "10000000000000000000000000000.02", "10000000000000000000000000000", false},
		{Decimal, Rule{}, "1.1", "1.2", false},
		{Int, Rule{Tolerance: 2}, "-1", "1", true},
		{Int, Rule{Tolerance: 2}, "-1", "2", false},
		{Text, Rule{Tolerance: 5}, "1", "2", false},
		{Decimal, Rule{Relative: 0.01}, "100", "99", true},
		{Decimal, Rule{Relative: 0.01}, "100", "98.99999999999999999999", false},
		{Decimal, Rule{Relative: 0.01}, "-100", "100", false},
		{Decimal, Rule{Relative: 0.5}, "0", "0.0000001", false},
		{Decimal, Rule{Relative: 0.01, Tolerance: 1e-6}, "0", "0.0000001", true},
		{Decimal, Rule{Relative: 0.01, Tolerance: 1e-6}, "100", "99", true},
		{Float64, Rule{Relative: 1e-9}, "1e+300", "1.0000000001e+300", true},
		{Float64, Rule{Relative: 0.99}, "NaN", "1", false},
		{Float64, Rule{ULP: 1}, "0.1", "0.10000000000000002", true},
		{Float64, Rule{ULP: 1}, "0.1", "0.10000000000000003", false},
		{Float64, Rule{ULP: 2}, "0.1", "0.10000000000000003", true},
		{Float64, Rule{ULP: 2}, "5e-324", "-5e-324", true},
		{Float64, Rule{ULP: 1}, "5e-324", "-5e-324", false},
		{Float64, Rule{ULP: math.MaxInt}, "1.7976931348623157e+308", "-1.7976931348623157e+308", false},
		{Float64, Rule{ULP: 1}, "1.7976931348623157e+308", "Infinity", false},
		{Float64, Rule{ULP: 1}, "NaN", "Infinity", false},
		{Float32, Rule{ULP: 1}, "0.1", "0.10000001", true},
		{Float32, Rule{ULP: 1}, "0.1", "0.10000002", false},
		// A single against a double: in steps of the single.
		{Float64, Rule{ULP: 1}.Between(Type{Kind: Float32}, Type{Kind: Float64}), "0.10000000149011612", "0.1", true},
		{Float64, Rule{ULP: 1}.Between(Type{Kind: Float64}, Type{Kind: Float32}), "0.10000000149011612", "0.10000003", false},
		{Float64, Rule{ULP: 1}.Between(Type{Kind: Float64}, Type{Kind: Float64}), "0.10000000149011612", "0.1", false},
		{Float64, Rule{ULP: 1}.Between(Type{Kind: Float64}, Type{Kind: Float32}), "1e+300", "3.4028234663852886e+38", false},
		{Decimal, Rule{Scale: new(2)}, "0.004", "0", true},
		{Decimal, Rule{Scale: new(2)}, "-0.004", "0.004", true},
		{Decimal, Rule{Scale: new(2)}, "0.005", "0.01", true},
		{Decimal, Rule{Scale: new(2)}, "-0.005", "-0.01", true},
		{Decimal, Rule{Scale: new(2)}, "-0.005", "0.005", false},
		{Decimal, Rule{Scale: new(2)}, "0.0049", "0.0051", false},
		{Decimal, Rule{Scale: new(0)}, "9.5", "10", true},
		{Decimal, Rule{Scale: new(0)}, "99999999999999999999999.5", "100000000000000000000000", true},
		{Decimal, Rule{Scale: new(2)}, "NaN", "0", false},
		{Float64, Rule{Scale: new(2)}, "2.675", "2.68", true},
		{Float64, Rule{Scale: new(2)}, "1e-300", "0", true},
		{Float64, Rule{Scale: new(2)}, "Infinity", "1e+300", false},
		{Text, Rule{Comparator: first}, "Anna", "Ada", true},
		{Text, Rule{Comparator: first}, "Anna", "Eva", false},
		{Text, Rule{Comparator: first}, "NULL", "Ada", false},
		{Text, Rule{JSON: true}, `{"a":1, "b":2}`, `{"b":2,"a":1}`, true},
		{Text, Rule{}, `{"a":1, "b":2}`, `{"b":2,"a":1}`, false},
		{Text, Rule{JSON: true}, "no json", "no json ", false},
	} {
		for _, order := range [][2]string{{c.a, c.b}, {c.b, c.a}} {
			if got := Equal(Type{Kind: c.kind}, c.rule, value(order[0]), value(order[1])); got != c.want {
				t.Errorf("%s %+v: %q and %q: got %v, want %v", c.kind, c.rule, order[0], order[1], got, c.want)
			}
		}
	}
}

func TestJSONEqualsByValue(t *testing.T) {
	deep := func(depth int, leaf string) string {
		return strings.Repeat("[", depth) + leaf + strings.Repeat("]", depth)
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`{"a": 1, "b": [true, null]}`, `{"b":[true,null],"a":1}`, true},
		{`[1,2]`, `[2,1]`, false},
		{`{"a":1}`, `{"a":1,"b":null}`, false},
		{`{"a":1}`, `{"b":1}`, false},
		{`{"a":1,"a":2}`, `{"a":2}`, true},
		{`{"a":1,"b":0,"a":2}`, `{"a":1,"b":0}`, false},
		{`1.0`, `1`, true},
		{`1e0`, `1`, true},
		{`1E+2`, `100`, true},
		{`-0`, `0`, true},
		{`0.10`, `1e-1`, true},
		{`1e400`, `1e401`, false},
		{`1e400`, `10e399`, true},
		{`9007199254740993`, `9007199254740992`, false},
		{`123456789012345678901234567890`, `123456789012345678901234567891`, false},
		{`0.1`, `0.1000000000000000055511151231257827`, false},
		{`"a\u00e9\n"`, "\"aé\\u000a\"", true},
		{`"\ud83d\ude00"`, `"😀"`, true},
		{`"\ud83d"`, `"\ufffd"`, false},
		{`"\ud83d"`, `"\uD83D"`, false}, // no JSON, so compared as bytes
		{`"\/"`, `"/"`, true},
		{`"1"`, `1`, false},
		{`true`, `false`, false},
		{`null`, `""`, false},
		{`[]`, `{}`, false},
		{`{"":{}}`, ` { "" : { } } `, true},
		{"\"\xff\"", "\"\xfe\"", false},
		{`"a` + "\x00" + `"`, `"a\u0000"`, false},
		{`[1,]`, `[1]`, false},
		{`01`, `1`, false},
		{`1.`, `1`, false},
		{`.5`, `0.5`, false},
		{`+1`, `1`, false},
		{`[1] x`, `[1]`, false},
		{`1e`, `1`, false},
		{`-`, `0`, false},
		{`nul`, `null`, false},
		{``, ` `, false},
		{`{"a" 1}`, `{"a":1}`, false},
		{`{a:1}`, `{"a":1}`, false},
		{deep(jsonDepth, "1"), deep(jsonDepth, "1.0"), true},
		{deep(jsonDepth+1, "1"), deep(jsonDepth+1, "1.0"), false},
		{strings.Repeat("[", 1_000_000), strings.Repeat("[", 1_000_000) + " ", false},
	} {
		if got := equalJSON([]byte(c.a), []byte(c.b)); got != c.want {
			t.Errorf("%.80s and %.80s: got %v, want %v", c.a, c.b, got, c.want)
		}
		if got := equalJSON([]byte(c.b), []byte(c.a)); got != c.want {
			t.Errorf("%.80s and %.80s: got %v, want %v", c.b, c.a, got, c.want)
		}
	}
}

// A document compared before must leave nothing behind in the reused parser.
func TestJSONParsersForgetTheLastDocument(t *testing.T) {
	for i := range 100 {
		a := fmt.Sprintf(`{"k%d":[%d,{"x":"\n%d"}],"z":%d}`, i, i, i, i)
		b := fmt.Sprintf(`{"z":%d,"k%d":[%d.0,{"x":"\u000a%d"}]}`, i, i, i, i)
		if !equalJSON([]byte(a), []byte(b)) {
			t.Fatalf("%s and %s differ", a, b)
		}
		if equalJSON([]byte(a), []byte(strings.Replace(b, "a"+fmt.Sprint(i), "a_", 1))) {
			t.Fatalf("%s equals another document", a)
		}
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":[1e2,"\u00e9"],"a":null}`), []byte(`{"b":[100,"é"],"a":null}`))
	f.Add([]byte(`"\ud800"`), []byte(`[`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		// A copy has other memory, so that the same bytes are not the same slice.
		if !equalJSON(a, append([]byte(" "), a...)[1:]) {
			t.Errorf("%q does not equal itself", a)
		}
		if equalJSON(a, b) != equalJSON(b, a) {
			t.Errorf("%q and %q: equality depends on the order", a, b)
		}
		var p jsonParser
		if _, ok := p.parse(a); ok && !equalJSON(a, append([]byte("\n "), a...)) {
			t.Errorf("%q differs from itself with blanks before", a)
		}
	})
}

func FuzzDecimal(f *testing.F) {
	f.Add("1.10", "-0.00")
	f.Add("1200e-2", "12.5E3")
	f.Add(".5", "5.")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, okX := decimalOf(t, a)
		y, okY := decimalOf(t, b)
		if !okX || !okY {
			return
		}
		if len(x) > 5000 || len(y) > 5000 || isSpecialNumber([]byte(x)) || isSpecialNumber([]byte(y)) {
			return
		}
		p, q := rational(t, x), rational(t, y)
		if a, ok := new(big.Rat).SetString(a); ok && a.Cmp(p) != 0 {
			t.Errorf("%q became another number: %s", a, x)
		}
		if (x == y) != (p.Cmp(q) == 0) {
			t.Errorf("%q and %q: equal texts must be equal numbers and the reverse", x, y)
		}
		difference := new(big.Rat).Sub(p, q)
		want := difference.Abs(difference).Cmp(big.NewRat(1, 10)) <= 0
		if got := Equal(Type{Kind: Decimal}, Rule{Tolerance: 0.1}, row.Value(x), row.Value(y)); got != want {
			t.Errorf("%s and %s within 0.1: got %v, want %v", x, y, got, want)
		}
	})
}

func decimalOf(t *testing.T, text string) (string, bool) {
	got, err := AppendDecimal(nil, []byte(text))
	if err != nil {
		return "", false
	}
	again, err := AppendDecimal(nil, got)
	if err != nil || string(again) != string(got) {
		t.Errorf("%q became %q, and that %q, %v", text, got, again, err)
	}
	return string(got), true
}

func rational(t *testing.T, text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return r
}

func FuzzTimestamp(f *testing.F) {
	f.Add(int64(0))
	f.Add(int64(1709210096123456))
	f.Add(int64(-62135596800000000))
	f.Fuzz(func(t *testing.T, micros int64) {
		at := time.UnixMicro(micros).UTC()
		if at.Year() < 1 || at.Year() > 9999 {
			return
		}
		want := at.Format("2006-01-02 15:04:05.000000")
		// Servers leave out the fraction's zeros, or all of it.
		for _, text := range []string{want, at.Format("2006-01-02 15:04:05.999999")} {
			for name, encode := range map[string]appendText{"timestamp": AppendTimestamp, "instant": AppendInstant} {
				if got, err := encode(nil, []byte(text)); err != nil || string(got) != want {
					t.Errorf("%s %q: got %q, %v; want %q", name, text, got, err, want)
				}
			}
		}
	})
}
