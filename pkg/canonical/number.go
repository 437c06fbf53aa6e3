package canonical

import (
	"bytes"
	"math/big"
)

// number is a decimal number taken apart without being rounded: it is
// ±0.{whole}{frac} × 10^point, where whole and frac point into the text it was
// read from, the first and the last digit are not 0, and zero has no digits.
type number struct {
	negative    bool
	whole, frac []byte
	point       int64
}

// maxExponentDigits keeps an exponent, and sums with it, inside int64.
const maxExponentDigits = 17

// parseNumber reads [+-]digits[.digits][e[+-]digits]; digits may be missing on
// one side of the point.
func parseNumber(text []byte) (number, bool) {
	var n number
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		n.negative = text[0] == '-'
		text = text[1:]
	}
	size := countDigits(text)
	whole, rest := text[:size], text[size:]
	var frac []byte
	if len(rest) > 0 && rest[0] == '.' {
		size = countDigits(rest[1:])
		frac, rest = rest[1:1+size], rest[1+size:]
	}
	if len(whole)+len(frac) == 0 {
		return number{}, false
	}
	exponent, ok := parseExponent(rest)
	if !ok {
		return number{}, false
	}
	n.normalize(whole, frac, exponent)
	return n, true
}

func parseExponent(text []byte) (int64, bool) {
	if len(text) == 0 {
		return 0, true
	}
	if text[0] != 'e' && text[0] != 'E' {
		return 0, false
	}
	text = text[1:]
	negative := false
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		negative = text[0] == '-'
		text = text[1:]
	}
	if len(text) == 0 || countDigits(text) != len(text) {
		return 0, false
	}
	text = trimLeadingZeros(text)
	if len(text) > maxExponentDigits {
		return 0, false
	}
	var exponent int64
	for _, c := range text {
		exponent = exponent*10 + int64(c-'0')
	}
	if negative {
		exponent = -exponent
	}
	return exponent, true
}

// normalize drops the zeros that do not count and sets point accordingly.
func (n *number) normalize(whole, frac []byte, exponent int64) {
	whole = trimLeadingZeros(whole)
	frac = trimTrailingZeros(frac)
	n.point = int64(len(whole)) + exponent
	if len(frac) == 0 {
		whole = trimTrailingZeros(whole)
	}
	if len(whole) == 0 {
		significant := trimLeadingZeros(frac)
		n.point -= int64(len(frac) - len(significant))
		frac = significant
	}
	n.whole, n.frac = whole, frac
	if n.size() == 0 {
		*n = number{}
	}
}

// size is the number of significant digits; 0 for zero.
func (n number) size() int { return len(n.whole) + len(n.frac) }

func (n number) digit(i int) byte {
	if i < len(n.whole) {
		return n.whole[i]
	}
	return n.frac[i-len(n.whole)]
}

// equal compares by value, however the numbers were written.
func (n number) equal(m number) bool {
	if n.negative != m.negative || n.point != m.point || n.size() != m.size() {
		return false
	}
	if len(n.whole) == len(m.whole) {
		return bytes.Equal(n.whole, m.whole) && bytes.Equal(n.frac, m.frac)
	}
	for i := range n.size() {
		if n.digit(i) != m.digit(i) {
			return false
		}
	}
	return true
}

// appendPlain appends the number without exponent and without superfluous zeros.
func (n number) appendPlain(dst []byte) []byte {
	if n.size() == 0 {
		return append(dst, '0')
	}
	if n.negative {
		dst = append(dst, '-')
	}
	if n.point <= 0 {
		dst = append(dst, '0', '.')
		dst = appendZeros(dst, -n.point)
		return append(append(dst, n.whole...), n.frac...)
	}
	if n.point == int64(len(n.whole)) { // the point stands where it was written
		dst = append(dst, n.whole...)
		if len(n.frac) == 0 {
			return dst
		}
		return append(append(dst, '.'), n.frac...)
	}
	for i := range n.size() {
		if int64(i) == n.point {
			dst = append(dst, '.')
		}
		dst = append(dst, n.digit(i))
	}
	return appendZeros(dst, n.point-int64(n.size()))
}

func appendZeros(dst []byte, count int64) []byte {
	for ; count > 0; count-- {
		dst = append(dst, '0')
	}
	return dst
}

// scaled is the number times 10^-exponent as a whole number; exponent must not
// be greater than that of the last digit.
func (n number) scaled(exponent int64) *big.Int {
	digits := make([]byte, 0, n.size())
	digits = append(append(digits, n.whole...), n.frac...)
	v := new(big.Int)
	if len(digits) > 0 {
		v.SetString(string(digits), 10)
		shift := big.NewInt(n.exponent() - exponent)
		v.Mul(v, shift.Exp(big.NewInt(10), shift, nil))
	}
	if n.negative {
		v.Neg(v)
	}
	return v
}

// exponent is the power of ten of the last digit.
func (n number) exponent() int64 { return n.point - int64(n.size()) }
