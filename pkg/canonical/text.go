package canonical

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// AppendText appends a character string as it is, bytes that are no UTF-8
// included: what a server hands over is compared, not judged.
func AppendText(dst, text []byte) []byte { return append(dst, text...) }

// AppendPadded appends the value of a blank-padded column (PostgreSQL's
// char(n), bpchar) without the blanks (U+0020) at its end. They are no part of
// the value: PostgreSQL drops them when it compares or casts to text, MySQL
// when it reads a CHAR.
func AppendPadded(dst, text []byte) []byte {
	return append(dst, bytes.TrimRight(text, " ")...)
}

// trimBlanks applies Rule.Trim.
func trimBlanks(text []byte, where string) []byte {
	switch where {
	case TrimLeft:
		return bytes.TrimLeft(text, " ")
	case TrimRight:
		return bytes.TrimRight(text, " ")
	case TrimBoth:
		return bytes.Trim(text, " ")
	default:
		return text
	}
}

// equalFold compares under Unicode simple case folding, character by character:
// ß and ss differ, K and the Kelvin sign do not. Bytes that are no UTF-8 equal
// only themselves, which bytes.EqualFold does not promise.
func equalFold(a, b []byte) bool {
	for len(a) > 0 && len(b) > 0 {
		x, sizeX := utf8.DecodeRune(a)
		y, sizeY := utf8.DecodeRune(b)
		if x == utf8.RuneError || y == utf8.RuneError {
			if !bytes.Equal(a[:sizeX], b[:sizeY]) {
				return false
			}
		} else if !sameFold(x, y) {
			return false
		}
		a, b = a[sizeX:], b[sizeY:]
	}
	return len(a) == len(b)
}

func sameFold(x, y rune) bool {
	if x == y {
		return true
	}
	for r := unicode.SimpleFold(x); r != x; r = unicode.SimpleFold(r) {
		if r == y {
			return true
		}
	}
	return false
}
