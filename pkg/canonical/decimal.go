package canonical

import "errors"

// decimalReach bounds the digits a decimal may have on either side of its
// point. PostgreSQL's numeric holds 131072 before and 16383 after the point
// (its manual, "Numeric Types"), MySQL's decimal 65 in all; an exponent beyond
// that reach is no column value and must not blow up memory.
const decimalReach = 200_000

var (
	errDecimal      = errors.New("not a decimal number")
	errDecimalReach = errors.New("a decimal number beyond the reach of any decimal column")
)

// AppendDecimal appends an exact number without superfluous zeros: "1.10" is
// 1.1, "-0.00" is 0, "1e3" is 1000. NaN, Infinity and -Infinity, which
// PostgreSQL's numeric has, stay. On an error dst is returned as it was.
func AppendDecimal(dst, text []byte) ([]byte, error) {
	if isSpecialNumber(text) {
		return append(dst, text...), nil
	}
	n, ok := parseNumber(text)
	if !ok {
		return dst, errDecimal
	}
	if !n.withinReach() {
		return dst, errDecimalReach
	}
	return n.appendPlain(dst), nil
}

func (n number) withinReach() bool {
	return n.point <= decimalReach && n.exponent() >= -decimalReach
}

// isSpecialNumber recognizes the numbers that have no digits.
func isSpecialNumber(text []byte) bool {
	switch string(text) {
	case "NaN", "Infinity", "-Infinity":
		return true
	default:
		return false
	}
}
