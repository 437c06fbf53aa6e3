package canonical

import "errors"

var errTime = errors.New("not a time as [-]HH:MM:SS with at most 6 fractional digits")

// fractionDigits is what both engines can store: microseconds.
const fractionDigits = 6

// AppendTime appends a time of day or a signed duration of it with six
// fractional digits. MySQL's TIME has up to three digits of hours and a sign,
// PostgreSQL's has 24:00:00. On an error dst is returned as it was.
func AppendTime(dst, text []byte) ([]byte, error) {
	out, rest := dst, text
	if len(rest) > 0 && rest[0] == '-' {
		rest = rest[1:]
		if !isZeroTime(rest) { // a negative zero is zero
			out = append(out, '-')
		}
	}
	hours := countDigits(rest)
	if hours < 2 || hours > 2 && rest[0] == '0' {
		return dst, errTime
	}
	out = append(out, rest[:hours]...)
	out, rest, ok := appendMinutes(out, rest[hours:])
	if !ok || len(rest) > 0 {
		return dst, errTime
	}
	return out, nil
}

func isZeroTime(text []byte) bool {
	for _, c := range text {
		if c != '0' && c != ':' && c != '.' {
			return false
		}
	}
	return true
}

// appendMinutes appends ":MM:SS.ffffff" from the ":MM:SS[.f…]" text begins
// with, and returns what follows.
func appendMinutes(dst, text []byte) (out, rest []byte, ok bool) {
	if len(text) < 6 || text[0] != ':' || text[3] != ':' {
		return dst, text, false
	}
	minutes, okMinutes := twoDigits(text[1:3])
	seconds, okSeconds := twoDigits(text[4:6])
	if !okMinutes || !okSeconds || minutes > 59 || seconds > 59 {
		return dst, text, false
	}
	dst = append(dst, text[:6]...)
	return appendFraction(dst, text[6:])
}

// appendFraction appends ".ffffff" from the optional fraction text begins with.
func appendFraction(dst, text []byte) (out, rest []byte, ok bool) {
	digits := 0
	if len(text) > 0 && text[0] == '.' {
		text = text[1:]
		digits = countDigits(text)
		if digits == 0 || digits > fractionDigits {
			return dst, text, false
		}
	}
	dst = append(dst, '.')
	dst = append(dst, text[:digits]...)
	return appendZeros(dst, int64(fractionDigits-digits)), text[digits:], true
}
