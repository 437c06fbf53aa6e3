package schema

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
)

// Windows are stretches of time of one length, one after the other, and a
// column that puts rows into them. Times are in UTC.
type Windows struct {
	Column Column
	From   time.Time
	// Width is a whole number of seconds.
	Width time.Duration
	N     int
	// Inside and Outside say which rows are counted: those in the windows, those
	// before, after or without a time, or both.
	Inside, Outside bool
}

// Start is the beginning of a window, counted from 0. It is reckoned in seconds,
// since a time.Duration ends after 292 years.
func (w Windows) Start(window int) time.Time {
	return time.Unix(w.From.Unix()+int64(window)*int64(w.Width/time.Second), 0).UTC()
}

// Until is the end of the last window.
func (w Windows) Until() time.Time { return w.Start(w.N) }

// Where rows are that no window holds.
const (
	BeforeWindows = -1
	AfterWindows  = -2
	// NoTime is for NULL.
	NoTime = -3
)

// WindowRows is the number of rows in one window, counted from 0, or in one of
// the places outside.
type WindowRows struct {
	Window int
	Rows   int64
}

// The years that both engines have. Times outside, MySQL's zero dates and
// PostgreSQL's infinities among them, lie before and after the windows.
var (
	FirstTime = time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC)
	LastTime  = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
)

// Timeline is the column of each side of a pair that puts rows in time.
type Timeline struct {
	Name           string
	Source, Target Column
	// Indexed says whether both sides have an index that begins with it.
	Indexed bool
	// Warnings are sentences for the user.
	Warnings []string
}

// TimelineOf finds the column, by its source name, on both sides of a pair.
func TimelineOf(p *Pair, m Mapping, name string) (Timeline, error) {
	t := Timeline{Name: name, Indexed: true}
	other := name
	if renamed, ok := m.Rename[name]; ok {
		other = renamed
	}
	for _, side := range []struct {
		view   *View
		name   string
		column *Column
	}{{&p.Source, name, &t.Source}, {&p.Target, other, &t.Target}} {
		table := side.view.Table
		column, found := table.Column(side.name)
		if !found {
			return t, fmt.Errorf("%s has no column %s to count by; name another one (updated_at, --by)", table.Name, side.name)
		}
		switch column.Type.Kind {
		case canonical.Date, canonical.Timestamp, canonical.Instant:
		default:
			return t, fmt.Errorf("%s of %s is %s, which is no time to count by; name a date or timestamp (updated_at, --by)", column.Name, table.Name, column.Native)
		}
		*side.column = column
		if !slices.ContainsFunc(table.Indexes, func(columns []string) bool { return len(columns) > 0 && strings.EqualFold(columns[0], column.Name) }) {
			t.Indexed = false
			t.Warnings = append(t.Warnings, fmt.Sprintf("%s has no index that begins with %s: counting by it reads the whole table in one statement; create one there", table.Name, column.Name))
		}
	}
	if t.Source.Type.Kind == t.Target.Type.Kind {
		return t, nil
	}
	switch zone := m.Rules[name].Zone; {
	case zone == canonical.ZoneUTC:
	case zone != "" && (t.Source.Type.Kind == canonical.Instant || t.Target.Type.Kind == canonical.Instant):
		return t, fmt.Errorf("%s holds times of %s on one side and moments on the other, and windows are in UTC on both; count by another column (updated_at, --by)", name, zone)
	default:
		t.Warnings = append(t.Warnings, fmt.Sprintf("%s is %s on one side and %s on the other: what has no time zone is taken for UTC", name, t.Source.Native, t.Target.Native))
	}
	return t, nil
}

// Shortest is the shortest window that makes sense: a day where a side keeps
// dates, else a second.
func (t Timeline) Shortest() time.Duration {
	if t.Source.Type.Kind == canonical.Date || t.Target.Type.Kind == canonical.Date {
		return 24 * time.Hour
	}
	return time.Second
}
