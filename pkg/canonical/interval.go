package canonical

import (
	"bytes"
	"errors"
	"math"
	"strconv"
)

var errInterval = errors.New("not a PostgreSQL interval (is the session's interval style postgres or iso_8601?)")

const (
	microsPerSecond = 1_000_000
	microsPerMinute = 60 * microsPerSecond
	microsPerHour   = 60 * microsPerMinute
	monthsPerYear   = 12
)

// interval is what PostgreSQL stores: the three parts do not convert into each
// other, since months and days have no fixed length.
type interval struct {
	months, days, micros int64
}

// AppendInterval appends an interval as PostgreSQL's iso_8601 style prints it:
// P1Y2M3DT4H5M6.789S, PT0S, every part with a sign of its own. The text may be
// in that style or in the style postgres ("1 year 2 mons -3 days
// 04:05:06.789"). "1 mon" and "30 days", which PostgreSQL's = calls equal, are
// different values here. PostgreSQL 17's infinity and -infinity stay. On an
// error dst is returned as it was.
func AppendInterval(dst, text []byte) ([]byte, error) {
	if isInfinite(text) {
		return append(dst, text...), nil
	}
	var v interval
	ok := false
	if iso, found := bytes.CutPrefix(text, []byte("P")); found {
		v, ok = parseISOInterval(iso)
	} else {
		v, ok = parsePostgresInterval(text)
	}
	if !ok {
		return dst, errInterval
	}
	return v.append(dst), nil
}

func (v interval) append(dst []byte) []byte {
	if v == (interval{}) {
		return append(dst, "PT0S"...)
	}
	dst = append(dst, 'P')
	dst = appendPart(dst, v.months/monthsPerYear, 'Y')
	dst = appendPart(dst, v.months%monthsPerYear, 'M')
	dst = appendPart(dst, v.days, 'D')
	if v.micros == 0 {
		return dst
	}
	dst = append(dst, 'T')
	dst = appendPart(dst, v.micros/microsPerHour, 'H')
	dst = appendPart(dst, v.micros%microsPerHour/microsPerMinute, 'M')
	return appendSeconds(dst, v.micros%microsPerMinute)
}

func appendPart(dst []byte, v int64, unit byte) []byte {
	if v == 0 {
		return dst
	}
	return append(strconv.AppendInt(dst, v, 10), unit)
}

func appendSeconds(dst []byte, micros int64) []byte {
	if micros == 0 {
		return dst
	}
	if micros < 0 {
		dst = append(dst, '-')
		micros = -micros
	}
	dst = strconv.AppendInt(dst, micros/microsPerSecond, 10)
	if fraction := micros % microsPerSecond; fraction != 0 {
		digits := strconv.AppendInt(nil, microsPerSecond+fraction, 10)[1:]
		dst = append(append(dst, '.'), trimTrailingZeros(digits)...)
	}
	return append(dst, 'S')
}

// parseISOInterval reads what follows the P.
func parseISOInterval(text []byte) (interval, bool) {
	var v interval
	inTime := false
	for len(text) > 0 {
		if text[0] == 'T' && !inTime {
			inTime, text = true, text[1:]
			continue
		}
		size := bytes.IndexAny(text, "YMDHS")
		if size < 1 {
			return interval{}, false
		}
		if !v.add(text[:size], isoUnit(text[size], inTime)) {
			return interval{}, false
		}
		text = text[size+1:]
	}
	return v, true
}

func isoUnit(letter byte, inTime bool) string {
	switch {
	case letter == 'Y' && !inTime:
		return "year"
	case letter == 'M' && !inTime:
		return "mon"
	case letter == 'D' && !inTime:
		return "day"
	case letter == 'H' && inTime:
		return "hour"
	case letter == 'M' && inTime:
		return "minute"
	case letter == 'S' && inTime:
		return "second"
	default:
		return ""
	}
}

// parsePostgresInterval reads "1 year 2 mons 3 days 04:05:06.789"; each part
// may be missing.
func parsePostgresInterval(text []byte) (interval, bool) {
	var v interval
	if len(text) == 0 {
		return v, false
	}
	for len(text) > 0 {
		var number, unit []byte
		number, text, _ = bytes.Cut(text, []byte(" "))
		if bytes.IndexByte(number, ':') >= 0 {
			return v, len(text) == 0 && v.addClock(number)
		}
		unit, text, _ = bytes.Cut(text, []byte(" "))
		if !v.add(number, string(bytes.TrimSuffix(unit, []byte("s")))) {
			return interval{}, false
		}
	}
	return v, true
}

// addClock adds [+-]HH:MM:SS[.ffffff], whose sign is that of all three.
func (v *interval) addClock(text []byte) bool {
	sign := []byte(nil)
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		sign, text = text[:1:1], text[1:]
	}
	for i, unit := range [...]string{"hour", "minute", "second"} {
		part, rest, found := bytes.Cut(text, []byte(":"))
		if len(part) < 2 || found != (i < 2) || !v.add(append(sign, part...), unit) {
			return false
		}
		text = rest
	}
	return true
}

// add adds a number of units; only seconds have a fraction.
func (v *interval) add(text []byte, unit string) bool {
	if unit == "second" {
		micros, ok := parseMicros(text)
		return ok && addTimes(&v.micros, micros, 1)
	}
	count, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return false
	}
	switch unit {
	case "year":
		return addTimes(&v.months, count, monthsPerYear)
	case "mon":
		return addTimes(&v.months, count, 1)
	case "day":
		return addTimes(&v.days, count, 1)
	case "hour":
		return addTimes(&v.micros, count, microsPerHour)
	case "minute":
		return addTimes(&v.micros, count, microsPerMinute)
	default:
		return false
	}
}

// addTimes adds count*unit unless the sum leaves int64, which no interval does.
func addTimes(sum *int64, count, unit int64) bool {
	if count > math.MaxInt64/unit || count < math.MinInt64/unit {
		return false
	}
	product := count * unit
	total := *sum + product
	if (product > 0) != (total > *sum) && product != 0 {
		return false
	}
	*sum = total
	return true
}

func parseMicros(text []byte) (int64, bool) {
	n, ok := parseNumber(text)
	if !ok || n.point > 13 || n.exponent() < -fractionDigits {
		return 0, false
	}
	micros := n.scaled(-fractionDigits)
	return micros.Int64(), micros.IsInt64()
}
