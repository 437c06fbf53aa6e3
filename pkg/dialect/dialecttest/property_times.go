package dialecttest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Dates draws days of the common calendar between two: the ends, leap days, and
// days about which calendars and clocks disagree.
func Dates(first, last string) Domain {
	from, to := day(first), day(last)
	edges := within(first, last,
		"0001-01-01", "0004-02-29", "0999-12-31", "1000-01-01", "1582-10-04", "1582-10-10", "1582-10-15", "1600-02-29", "1900-02-28",
		"1900-03-01", "1969-12-31", "1970-01-01", "1999-12-31", "2000-02-29", "2024-02-29", "2024-03-31", "2038-01-19", "2100-02-28", "9999-12-31")
	return func(r *rand.Rand) string {
		if r.IntN(3) == 0 {
			return edges[r.IntN(len(edges))]
		}
		// Not through Duration, which ends at 292 years.
		days := (to.Unix() - from.Unix()) / 86400
		return from.AddDate(0, 0, int(r.Int64N(days+1))).Format(time.DateOnly)
	}
}

func day(text string) time.Time {
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return d
}

func within(first, last string, days ...string) []string {
	out := []string{first, last}
	for _, d := range days {
		if first <= d && d <= last {
			out = append(out, d)
		}
	}
	return out
}

// Clocks draws times of day with at most so many fractional digits.
func Clocks(precision int) Domain { return times(precision, 24, false) }

// Spans draws MySQL's times, which have up to 838 hours and a sign.
func Spans(precision int) Domain { return times(precision, 839, true) }

func times(precision, hours int, signed bool) Domain {
	return func(r *rand.Rand) string {
		h, m, s := r.IntN(hours), r.IntN(60), r.IntN(60)
		switch r.IntN(4) {
		case 0:
			h, m, s = 0, 0, r.IntN(2)
		case 1:
			h, m, s = hours-1, 59, 59
		case 2:
			h %= 24
		}
		text := fmt.Sprintf("%02d:%02d:%02d", h, m, s) + fraction(r, precision)
		// Zero has no sign on either engine.
		if signed && r.IntN(2) == 0 && strings.Trim(text, "0:.") != "" {
			text = "-" + text
		}
		// Beyond the last whole second MySQL and MariaDB differ.
		if strings.Contains(text, "838:59:59") {
			text, _, _ = strings.Cut(text, ".")
		}
		return text
	}
}

// fraction is at most so many digits of a second behind a point, or nothing.
func fraction(r *rand.Rand, precision int) string {
	if precision == 0 || r.IntN(4) == 0 {
		return ""
	}
	digits := make([]byte, precision)
	for i := range digits {
		digits[i] = '0'
	}
	switch at := r.IntN(precision); r.IntN(4) {
	case 0:
		digits[at] = '1'
	case 1:
		for i := range digits {
			digits[i] = '9'
		}
	case 2:
	default:
		for i := range digits[:at+1] {
			digits[i] = '0' + byte(r.IntN(10))
		}
	}
	return "." + string(digits)
}

// Moments draws dates with times of day; among them are some that clocks skip
// or repeat in summer time.
func Moments(first, last string, precision int) Domain {
	days, clocks := Dates(first, last), Clocks(precision)
	edges := []string{"2024-03-31 02:30:00", "2024-03-10 02:30:00", "2024-10-27 02:30:00", "2001-09-09 01:46:40", "2016-12-31 23:59:59"}
	return func(r *rand.Rand) string {
		if edge := edges[r.IntN(len(edges))]; r.IntN(5) == 0 && first <= edge && edge <= last {
			return edge + fraction(r, precision)
		}
		return days(r) + " " + clocks(r)
	}
}

// Intervals draws PostgreSQL's intervals, whose parts have signs of their own.
func Intervals() Domain {
	return func(r *rand.Rand) string {
		part := func(most int) int {
			if r.IntN(2) == 0 {
				return 0
			}
			return r.IntN(2*most+1) - most
		}
		micros := part(999_999)
		return fmt.Sprintf("%d mons %d days %d hours %d mins %d.%06d secs",
			part(2400), part(4000), part(9000), part(70), part(70), max(micros, -micros))
	}
}
