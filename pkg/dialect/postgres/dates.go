package postgres

import (
	"strconv"
	"strings"
	"time"

	"github.com/trueup/trueup/pkg/dialect"
)

// lastMoment ends a day, in the microseconds that both engines count.
const lastMoment = " 23:59:59.999999"

// dateValue is the value itself or, for MySQL's dates that PostgreSQL has not
// (those with a zero, and days that a month does not have), the last day or
// moment before it in MySQL's order, which is by year, month and day.
func dateValue(text string) (string, dialect.Fit) {
	date, _, timed := strings.Cut(text, " ")
	switch {
	case strings.HasPrefix(date, "0000-"):
		return text, dialect.Below
	case len(date) != len(time.DateOnly): // infinity, a year beyond 9999
		return text, dialect.Fits
	}
	if _, err := time.Parse(time.DateOnly, date); err == nil {
		return text, dialect.Fits
	}
	before, ok := dayBefore(date)
	switch {
	case !ok:
		return text, dialect.Foreign
	case before.Year() < 1:
		return text, dialect.Below
	case timed:
		return before.Format(time.DateOnly) + lastMoment, dialect.Between
	default:
		return before.Format(time.DateOnly), dialect.Between
	}
}

// dayBefore is the last day of the calendar before a date that is none.
func dayBefore(date string) (time.Time, bool) {
	var parts [3]int // year, month, day
	for i, digits := range strings.SplitN(date, "-", len(parts)) {
		n, err := strconv.Atoi(digits)
		if err != nil {
			return time.Time{}, false
		}
		parts[i] = n
	}
	year, month, day := parts[0], time.Month(parts[1]), parts[2]
	if month > time.December {
		return time.Time{}, false
	}
	if month > 0 && day > 0 { // the month is shorter
		month++
	}
	// Day 0 is the last of the month before.
	return time.Date(year, max(month, time.January), 0, 0, 0, 0, 0, time.UTC), true
}
