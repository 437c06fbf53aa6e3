package canonical

import (
	"bytes"
	"errors"
)

var errDate = errors.New("not a date as YYYY-MM-DD (is the session's date style ISO?)")

var suffixBC = []byte(" BC")

// AppendDate appends a date as YYYY-MM-DD. Dates outside the common calendar
// keep the form in which their server prints them, which no other date has:
// MySQL's zero dates ("0000-00-00", "2024-00-15"), PostgreSQL's infinity,
// -infinity, years before Christ ("0044-03-15 BC") and beyond 9999
// ("12024-01-01"). On an error dst is returned as it was.
func AppendDate(dst, text []byte) ([]byte, error) {
	if isInfinite(text) {
		return append(dst, text...), nil
	}
	size := dateSize(text)
	if size == 0 {
		return dst, errDate
	}
	if rest := text[size:]; len(rest) > 0 && !bytes.Equal(rest, suffixBC) {
		return dst, errDate
	}
	return append(dst, text...), nil
}

// isInfinite recognizes PostgreSQL's dates without digits.
func isInfinite(text []byte) bool {
	return string(text) == "infinity" || string(text) == "-infinity"
}

// dateSize is the length of the date text begins with, 0 when there is none.
func dateSize(text []byte) int {
	year := countDigits(text)
	if year < 4 || year > 4 && text[0] == '0' || len(text) < year+6 {
		return 0
	}
	rest := text[year:]
	month, okMonth := twoDigits(rest[1:3])
	day, okDay := twoDigits(rest[4:6])
	if rest[0] != '-' || rest[3] != '-' || !okMonth || !okDay || month > 12 || day > 31 {
		return 0
	}
	return year + 6
}

func twoDigits(text []byte) (int, bool) {
	if countDigits(text[:2]) != 2 {
		return 0, false
	}
	return int(text[0]-'0')*10 + int(text[1]-'0'), true
}
