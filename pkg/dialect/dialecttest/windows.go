package dialecttest

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// windowTimes are rows of the year, first and last moments of windows and
// fractions next to them, and years that are far away.
var windowTimes = []string{
	"2024-02-28 23:59:59.999999", "2024-02-29 00:00:00.000000", "2024-02-29 00:00:00.000001", "2024-02-29 11:59:59.999999",
	"2024-02-29 12:00:00.000000", "2024-03-31 01:30:00.000000", "2024-03-31 02:30:00.500000", "2024-10-27 01:59:59.999999",
	"2024-12-31 23:59:59.999999", "2025-01-01 00:00:00.000000", "1970-01-02 00:00:00.000000", "2037-12-31 23:59:58.000000",
}

// windowTypes are the types that put rows in time; dates have no hours.
func (s *suite) windowTypes() map[string]string {
	if s.postgres() {
		return map[string]string{"date": "date", "naive": "timestamp", "instant": "timestamptz", "instant0": "timestamptz(0)"}
	}
	return map[string]string{"date": "date", "naive": "datetime(6)", "instant": "timestamp(6) NULL", "naive0": "datetime"}
}

// exerciseWindows counts rows by windows of several lengths, against counting
// the same in Go from what the server says each row holds.
func (s *suite) exerciseWindows(t *testing.T) {
	for name, native := range s.windowTypes() {
		t.Run(native, func(t *testing.T) {
			table := "windows_" + name
			rows := lines(len(windowTimes), func(i int) string { return fmt.Sprintf("(%d, '%s', %d)", i, windowTimes[i], i%2) })
			// Written in UTC, read by sessions of the dialect, with an index.
			s.exec(t, "CREATE TABLE "+table+" (id int PRIMARY KEY, at "+native+", half int)",
				"CREATE INDEX "+table+"_at ON "+table+" (at)",
				"INSERT INTO "+table+" VALUES "+rows,
				"INSERT INTO "+table+" VALUES (100, NULL, 0), (101, NULL, 1), (102, NULL, 1)")
			for _, beyond := range s.beyond(name) {
				s.exec(t, "INSERT INTO "+table+" VALUES "+beyond)
			}
			v := s.view(t, table, "id")
			for _, where := range []string{"", "half = 1"} {
				v.Where = where
				for _, width := range []time.Duration{12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour} {
					s.windows(t, v, width)
				}
			}
		})
	}
}

// beyond are times that only one engine has.
func (s *suite) beyond(name string) []string {
	switch {
	case s.postgres():
		return []string{"(200, 'infinity', 1)", "(201, '-infinity', 1)", "(202, '0044-03-15 BC', 1)", "(203, '20000-01-01', 1)"}
	case name == "instant":
		return []string{"(200, '0000-00-00 00:00:00', 1)"}
	default:
		return []string{"(200, '0000-00-00 00:00:00', 1)", "(201, '2024-02-30', 1)", "(202, '0999-01-01', 1)"}
	}
}

func (s *suite) windows(t *testing.T, v *schema.View, width time.Duration) {
	t.Helper()
	at := v.Columns[1].Column
	first, last, err := s.db.Span(t.Context(), v, at)
	must(t, err)
	if first.Before(schema.FirstTime) || last.After(schema.LastTime) || last.Year() != 2037 {
		t.Fatalf("the span is %s to %s", first, last)
	}
	from := time.Date(2024, 2, 26, 0, 0, 0, 0, time.UTC)
	w := schema.Windows{Column: at, From: from, Width: width, N: int(365*24*time.Hour/width) + 1}
	inside, outside := w, w
	inside.Inside, outside.Outside = true, true
	w.Inside, w.Outside = true, true
	whole := s.counted(t, v, w)
	parts := s.counted(t, v, inside)
	for window := range parts {
		if window < 0 {
			t.Errorf("%s: a count inside the windows holds place %d", width, window)
		}
	}
	maps.Copy(parts, s.counted(t, v, outside))
	if !maps.Equal(whole, parts) {
		t.Errorf("%s: together %v, one after the other %v", width, whole, parts)
	}
	want := map[int]int64{}
	for _, text := range s.texts(t, v) {
		want[place(text, w)]++
	}
	if !maps.Equal(whole, want) {
		t.Errorf("%s: counted %v, want %v", width, whole, want)
	}
}

func (s *suite) counted(t *testing.T, v *schema.View, w schema.Windows) map[int]int64 {
	t.Helper()
	list, err := s.db.CountWindows(t.Context(), v, w)
	must(t, err)
	out := map[int]int64{}
	for _, rows := range list {
		out[rows.Window] += rows.Rows
	}
	return out
}

// texts are the canonical times of a table's rows; empty for none.
func (s *suite) texts(t *testing.T, v *schema.View) []string {
	t.Helper()
	cursor, err := s.db.Rows(t.Context(), v, row.Range{})
	must(t, err)
	defer cursor.Close()
	var out []string
	for {
		r, err := cursor.Next()
		if err != nil {
			return out
		}
		out = append(out, string(r[1]))
	}
}

// place reckons a window by the calendar of Go.
func place(text string, w schema.Windows) int {
	for _, layout := range []string{"2006-01-02 15:04:05.999999", "2006-01-02"} {
		at, err := time.Parse(layout, text)
		switch {
		case err != nil:
		case at.Before(w.From):
			return schema.BeforeWindows
		case !at.Before(w.Until()):
			return schema.AfterWindows
		default:
			return int(at.Sub(w.From) / w.Width)
		}
	}
	switch {
	case text == "infinity", strings.HasPrefix(text, "20000"):
		return schema.AfterWindows
	case strings.HasPrefix(text, "2024-02-30"): // reckoned as the day after the 29th
		return place("2024-03-01", w)
	case text == "":
		return schema.NoTime
	default: // zero dates, before Christ, minus infinity
		return schema.BeforeWindows
	}
}
