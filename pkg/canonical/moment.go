package canonical

import (
	"bytes"
	"strconv"
	"time"
)

// moment is a time taken apart: seconds from an origin (1970 in the calendar of
// its text, or zero for a duration) and the microseconds that follow.
type moment struct {
	seconds int64
	micros  int64
}

// timed says whether the kind's texts end in a fraction of a second.
func (k Kind) timed() bool { return k == Time || k == Timestamp || k == Instant }

// parseTimed reads the canonical text of a timed kind. Infinity and dates that
// no calendar has are none; they equal only their own text.
func parseTimed(k Kind, text []byte) (m moment, negative, ok bool) {
	if k != Time {
		m, ok = parseMoment(text)
		return m, false, ok
	}
	text, negative = bytes.CutPrefix(text, []byte("-"))
	hours := countDigits(text)
	if hours == 0 || len(text) != hours+len(":00:00.000000") {
		return moment{}, false, false
	}
	m = clock(number64(text[:hours]), text[hours:])
	return m, negative, true
}

// clock reads ":MM:SS.ffffff" of a canonical text.
func clock(hours int64, text []byte) moment {
	return moment{
		seconds: hours*3600 + number64(text[1:3])*60 + number64(text[4:6]),
		micros:  number64(text[7:]),
	}
}

// number64 reads digits that are known to be few.
func number64(digits []byte) int64 {
	var n int64
	for _, c := range digits {
		n = n*10 + int64(c-'0')
	}
	return n
}

// maxYearDigits is enough for PostgreSQL, whose last year is 294276.
const maxYearDigits = 6

// parseMoment reads the canonical text of a timestamp or an instant.
func parseMoment(text []byte) (moment, bool) {
	text, before := bytes.CutSuffix(text, suffixBC)
	size := dateSize(text)
	if size == 0 || size > maxYearDigits+len("-00-00") || len(text) != size+len(" 00:00:00.000000") {
		return moment{}, false
	}
	digits := size - len("-00-00")
	year, month, day := int(number64(text[:digits])), int(number64(text[digits+1:digits+3])), int(number64(text[digits+4:size]))
	if year == 0 { // only MySQL prints it, for dates outside the calendar
		return moment{}, false
	}
	if before {
		year = 1 - year
	}
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if int(date.Month()) != month || date.Day() != day {
		return moment{}, false
	}
	m := clock(number64(text[size+1:size+3]), text[size+3:])
	m.seconds += date.Unix()
	return m, true
}

// appendCivil appends the canonical text of a time's own calendar and clock.
func appendCivil(dst []byte, t time.Time) []byte {
	year := t.Year()
	before := year <= 0
	if before {
		year = 1 - year
	}
	text := strconv.Itoa(year)
	dst = appendZeros(dst, int64(4-len(text)))
	dst = t.AppendFormat(append(dst, text...), "-01-02 15:04:05.000000")
	if before {
		dst = append(dst, suffixBC...)
	}
	return dst
}

// equalTimes applies Rule.Precision and Rule.Cut.
//
// Cutting drops digits of the text, which is what MySQL does under the mode
// TIME_TRUNCATE_FRACTIONAL and programs that format a time do. Rounding must
// find a time equal to what either engine makes of it when it stores fewer
// digits: a half goes up, but in PostgreSQL before the year 2000, from which it
// counts, down (AdjustTimestampForTypmod). So two times are equal when they
// are after halves went up in both, or after they went down in both.
func equalTimes(k Kind, rule Rule, a, b []byte) bool {
	x, negativeX, okX := parseTimed(k, a)
	y, negativeY, okY := parseTimed(k, b)
	if !okX || !okY {
		return false
	}
	same := func(p, q moment) bool {
		return p == q && (negativeX == negativeY || p == moment{})
	}
	if rule.Cut != nil {
		unit := unitOf(*rule.Cut)
		return same(x.cut(unit, 0), y.cut(unit, 0))
	}
	unit := unitOf(*rule.Precision)
	up, down := unit/2, unit/2-1
	return same(x.cut(unit, up), y.cut(unit, up)) || same(x.cut(unit, down), y.cut(unit, down))
}

// unitOf is the last of so many fractional digits in microseconds.
func unitOf(digits int) int64 {
	unit := int64(microsPerSecond)
	for range digits {
		unit /= 10
	}
	return unit
}

// cut adds some microseconds and drops what is less than a unit, which divides
// a second. For a negative duration both go by its magnitude.
func (m moment) cut(unit, add int64) moment {
	m.micros = (m.micros + add) / unit * unit
	if m.micros >= microsPerSecond {
		return moment{m.seconds + 1, m.micros - microsPerSecond}
	}
	return m
}
