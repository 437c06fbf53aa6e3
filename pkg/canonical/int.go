package canonical

import (
	"errors"
	"strconv"
)

var errInt = errors.New("not a whole number in decimal digits")

// AppendInt appends v in decimal digits.
func AppendInt(dst []byte, v int64) []byte { return strconv.AppendInt(dst, v, 10) }

// AppendUint appends v in decimal digits.
func AppendUint(dst []byte, v uint64) []byte { return strconv.AppendUint(dst, v, 10) }

// AppendIntText appends the whole number a server printed, of any size.
// Leading zeros (MySQL's ZEROFILL), a plus sign and the sign of zero are
// dropped. On an error dst is returned as it was.
func AppendIntText(dst, text []byte) ([]byte, error) {
	digits := text
	negative := false
	if len(digits) > 0 && (digits[0] == '-' || digits[0] == '+') {
		negative = digits[0] == '-'
		digits = digits[1:]
	}
	if len(digits) == 0 || countDigits(digits) != len(digits) {
		return dst, errInt
	}
	digits = trimLeadingZeros(digits)
	if len(digits) == 0 {
		return append(dst, '0'), nil
	}
	if negative {
		dst = append(dst, '-')
	}
	return append(dst, digits...), nil
}

// countDigits counts the decimal digits text begins with.
func countDigits(text []byte) int {
	for i, c := range text {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(text)
}

func trimLeadingZeros(digits []byte) []byte {
	for len(digits) > 0 && digits[0] == '0' {
		digits = digits[1:]
	}
	return digits
}

func trimTrailingZeros(digits []byte) []byte {
	for len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	return digits
}
