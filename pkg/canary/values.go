package canary

import (
	"bytes"
	"slices"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// empties stand for NULL, so that another value can be made of it.
var empties = map[canonical.Kind]string{
	canonical.Bool: "0", canonical.Int: "0", canonical.Decimal: "0", canonical.Float32: "0", canonical.Float64: "0",
	canonical.Text: "", canonical.Bytes: "", canonical.JSON: "",
	canonical.Date: "2000-01-01", canonical.Time: "00:00:00.000000",
	canonical.Timestamp: "2000-01-01 00:00:00.000000", canonical.Instant: "2000-01-01 00:00:00.000000",
}

// others are values that a column of the copy can be expected to take and that
// are not the one it has, those that change it least first. Rules may still take
// some of them for equal. There are none for types whose values have no neighbour
// that any column would take.
func others(c schema.ViewColumn, rule canonical.Rule, v row.Value) []row.Value {
	var out []row.Value
	is := v
	if v.IsNull() {
		empty, known := empties[c.As.Kind]
		if !known {
			return nil
		}
		is = row.Value(empty)
	}
	for _, other := range neighbours(c, rule, is) {
		if other != nil && !bytes.Equal(other, v) {
			out = append(out, other)
		}
	}
	if c.Nullable && !v.IsNull() {
		out = append(out, nil)
	}
	return out
}

// neighbours may have nil among them, for none.
func neighbours(c schema.ViewColumn, rule canonical.Rule, v row.Value) []row.Value {
	switch kind := c.As.Kind; {
	case len(c.Words) > 0:
		return words(c.Words)
	case kind == canonical.JSON || rule.JSON:
		return []row.Value{row.Value(`{"canary": 1}`), row.Value(`{"canary": 2}`)}
	case kind == canonical.Bool:
		return []row.Value{row.Value("1"), row.Value("0")}
	case kind == canonical.Int, kind == canonical.Decimal, kind == canonical.Float32, kind == canonical.Float64:
		return numbers(v)
	case kind == canonical.Text, kind == canonical.UUID && len(v) != len("00000000-0000-0000-0000-000000000000"):
		return []row.Value{lettered(v, 'x', 'y'), lettered(v, 'a', 'b')}
	case kind == canonical.Bytes:
		return []row.Value{hexadecimal(v)}
	case kind == canonical.UUID, kind == canonical.Bits && len(v) > 0:
		return []row.Value{ending(v)}
	case kind == canonical.Date:
		return []row.Value{later(v, time.DateOnly)}
	case kind == canonical.Timestamp, kind == canonical.Instant:
		return []row.Value{later(v, "2006-01-02 15:04:05.000000")}
	case kind == canonical.Time:
		return []row.Value{halfAnHour(v)}
	default:
		return nil
	}
}

func words(of []string) []row.Value {
	var out []row.Value
	for _, word := range of {
		out = append(out, append(row.Value{}, word...))
	}
	return out
}

// numbers change the last digit, or else the first, which rules that forgive
// small differences see too. The digits of an exponent are left.
func numbers(v row.Value) []row.Value {
	mantissa := len(v)
	if e := bytes.IndexAny(v, "eE"); e >= 0 {
		mantissa = e
	}
	digit := func(c rune) bool { return c >= '0' && c <= '9' }
	first, last := bytes.IndexFunc(v[:mantissa], digit), bytes.LastIndexFunc(v[:mantissa], digit)
	if first < 0 { // NaN, Infinity
		return nil
	}
	var out []row.Value
	for _, at := range []int{last, first} {
		other := slices.Clone(v)
		if other[at]++; other[at] > '9' {
			other[at] = '8'
		}
		out = append(out, other)
	}
	return out
}

// lettered has another first character. The value becomes no longer, unless it
// was empty.
func lettered(v row.Value, letter, otherwise byte) row.Value {
	first := letter
	if bytes.HasPrefix(bytes.ToLower(v), []byte{letter}) {
		first = otherwise
	}
	runes := bytes.Runes(v)
	if len(runes) == 0 {
		return row.Value{first}
	}
	return append(row.Value{first}, string(runes[1:])...)
}

// hexadecimal has another first byte.
func hexadecimal(v row.Value) row.Value {
	if len(v) == 0 {
		return row.Value("78")
	}
	other := slices.Clone(v)
	other[0] = swapped(v[0])
	return other
}

// ending has another last digit.
func ending(v row.Value) row.Value {
	other := slices.Clone(v)
	other[len(v)-1] = swapped(v[len(v)-1])
	return other
}

func swapped(digit byte) byte {
	if digit == '0' {
		return '1'
	}
	return '0'
}

// later is a day later; nil for what is no day of the common calendar.
func later(v row.Value, layout string) row.Value {
	at, err := time.Parse(layout, string(v))
	if err != nil {
		return nil
	}
	return row.Value(at.AddDate(0, 0, 1).Format(layout))
}

// halfAnHour has other minutes, so that every precision sees it.
func halfAnHour(v row.Value) row.Value {
	colon := bytes.IndexByte(v, ':')
	if colon < 0 || len(v) < colon+3 || v[colon+1] < '0' || v[colon+1] > '5' {
		return nil
	}
	other := slices.Clone(v)
	other[colon+1] = '0' + (v[colon+1]-'0'+3)%6
	return other
}
