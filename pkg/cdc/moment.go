package cdc

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/schema"
)

// units are what the numbers of a time count, by the name of their schema
// (Debezium's io.debezium.time, Kafka Connect's data types). Those of times
// without a zone count as if the time were in UTC.
var units = map[string]time.Duration{
	"io.debezium.time.Date":                   24 * time.Hour,
	"org.apache.kafka.connect.data.Date":      24 * time.Hour,
	"io.debezium.time.Time":                   time.Millisecond,
	"io.debezium.time.MicroTime":              time.Microsecond,
	"io.debezium.time.NanoTime":               time.Nanosecond,
	"org.apache.kafka.connect.data.Time":      time.Millisecond,
	"io.debezium.time.Timestamp":              time.Millisecond,
	"io.debezium.time.MicroTimestamp":         time.Microsecond,
	"io.debezium.time.NanoTimestamp":          time.Nanosecond,
	"org.apache.kafka.connect.data.Timestamp": time.Millisecond,
}

// moments reads a time: a number by its unit, or a text in ISO 8601.
func moments(c schema.ViewColumn, f *field, raw json.RawMessage) ([]string, error) {
	if raw[0] == '"' {
		text, err := str(raw)
		if err != nil {
			return nil, err
		}
		return one(isoMoment(c, text))
	}
	number, err := scalar(raw)
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%s is no time", number)
	}
	candidates := []time.Duration{time.Microsecond, time.Millisecond, time.Nanosecond}
	switch {
	case f != nil && units[f.Name] != 0:
		candidates = []time.Duration{units[f.Name]}
	case f != nil:
		return nil, fmt.Errorf("the unit of the schema %q is not known", f.Name)
	case c.Type.Kind == canonical.Date:
		candidates = []time.Duration{24 * time.Hour}
	}
	var out []string
	for _, unit := range candidates {
		if text, ok := spell(c.Type.Kind, n, unit); ok {
			out = append(out, text)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%d lies outside the years 1 to 9999", n)
	}
	return out, nil
}

// spell writes n units as the column's kind has them.
func spell(kind canonical.Kind, n int64, unit time.Duration) (string, bool) {
	if kind == canonical.Time {
		return spellTime(n, unit)
	}
	perSecond := int64(time.Second / unit)
	var at time.Time
	switch {
	case unit > time.Second:
		at = time.Unix(0, 0).UTC().AddDate(0, 0, int(n))
	default:
		at = time.Unix(n/perSecond, n%perSecond*int64(unit)).UTC()
	}
	if at.Year() < 1 || at.Year() > 9999 {
		return "", false
	}
	if kind == canonical.Date {
		return at.Format(time.DateOnly), true
	}
	return at.Format("2006-01-02 15:04:05.000000"), true
}

// spellTime writes a time of day, or MySQL's signed duration of up to 838 hours.
func spellTime(n int64, unit time.Duration) (string, bool) {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	const longest = 839 * time.Hour
	if n > int64(longest/unit) {
		return "", false
	}
	micros := (time.Duration(n) * unit).Microseconds()
	seconds := micros / 1e6
	return fmt.Sprintf("%s%02d:%02d:%02d.%06d", sign, seconds/3600, seconds/60%60, seconds%60, micros%1e6), true
}

// isoMoment reads a text such as 2026-03-04T05:06:07.1Z.
func isoMoment(c schema.ViewColumn, text string) (string, error) {
	switch c.Type.Kind {
	case canonical.Date:
		return strings.TrimSuffix(text, "Z"), nil
	case canonical.Time:
		return strings.TrimSuffix(text, "Z"), nil
	case canonical.Instant, canonical.Timestamp:
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999"} {
			if at, err := time.Parse(layout, text); err == nil {
				return at.UTC().Format("2006-01-02 15:04:05.000000"), nil
			}
		}
	default:
	}
	return "", fmt.Errorf("%q is no time", text)
}
