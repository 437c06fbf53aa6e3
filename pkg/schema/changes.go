package schema

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
)

// OpenTransactions are those of a server that may still write.
type OpenTransactions struct {
	// Now is the server's clock before it looked, a moment ago.
	Now time.Time
	// Oldest is when the oldest of them began; zero when there is none.
	Oldest time.Time
	// Connection is the number of the session that holds it.
	Connection string
	// Prepared counts two-phase transactions of which no start is known.
	Prepared int64
	// AsOf is the server's clock at a moment at which, or after which, they were
	// those told of: Now, unless the server would tell only of some time ago. Zero
	// when nobody knows when.
	AsOf time.Time
	// Hidden says why not all of them can be seen; empty when they can.
	Hidden string
	// Zone is the time zone that sessions of the server have by default.
	Zone string
}

// Changes are the rows of one side of a pair in the order in which they were
// changed last.
type Changes struct {
	// View has the time as its first column and the pair's key behind it; all
	// of them are its key.
	View *View
	// Indexed says whether an index begins with the column.
	Indexed bool
	// Resolution is the unit in which the column keeps times.
	Resolution time.Duration
	// Zone is that of times without one, UTC else; ZoneKnown says whether the
	// column keeps moments, or somebody said which zone it is.
	Zone      *time.Location
	ZoneKnown bool
}

// ChangesOf finds the column that tells when rows of a view changed last. zone
// is the time zone of a column that keeps none; empty where it is not said.
func ChangesOf(v *View, name, zone string) (Changes, error) {
	table := v.Table
	column, found := table.Column(name)
	if !found {
		return Changes{}, fmt.Errorf("%s has no column %s; name another one in updated_at", table.Name, name)
	}
	kind := column.Type.Kind
	if kind != canonical.Timestamp && kind != canonical.Instant {
		return Changes{}, fmt.Errorf("%s of %s is %s, which does not tell when a row changed; name a timestamp in updated_at", column.Name, table.Name, column.Native)
	}
	c := Changes{Resolution: time.Second, Zone: time.UTC, ZoneKnown: zone != "" || kind == canonical.Instant}
	for range max(column.Precision, 0) {
		c.Resolution /= 10
	}
	c.Resolution = max(c.Resolution, time.Microsecond)
	if zone != "" && kind == canonical.Instant {
		return Changes{}, fmt.Errorf("%s of %s keeps moments, which need no zone; leave updated_at_zone out", column.Name, table.Name)
	}
	if zone != "" {
		location, err := time.LoadLocation(zone)
		if err != nil {
			return Changes{}, fmt.Errorf("updated_at_zone %q is not known; use an IANA name such as Europe/Berlin", zone)
		}
		c.Zone = location
	}
	c.Indexed = slices.ContainsFunc(table.Indexes, func(columns []string) bool {
		return len(columns) > 0 && strings.EqualFold(columns[0], column.Name)
	})
	view := *v
	view.Columns = append([]ViewColumn{{Column: column, As: column.Type}}, v.KeyColumns()...)
	view.Key = nil
	for i := range view.Columns {
		view.Key = append(view.Key, i)
	}
	c.View = &view
	return c, nil
}

// Local is the earliest time that a row written at the moment t or later can
// get, as the column writes it, cut to its resolution. Where clocks are set
// back, an hour of local times comes twice, and the first pass through it waits
// for the second.
func (c Changes) Local(t time.Time) time.Time {
	local := wall(t, c.Zone)
	for ahead := 15 * time.Minute; c.Zone != time.UTC && ahead <= 3*time.Hour; ahead += 15 * time.Minute {
		next := t.Truncate(15 * time.Minute).Add(ahead) // zones change on quarters of an hour
		if later := wall(next, c.Zone); later.Before(local) {
			local = later
		}
	}
	return local.Truncate(c.Resolution)
}

// wall is what a clock of the zone shows, as if it were UTC.
func wall(t time.Time, zone *time.Location) time.Time {
	l := t.In(zone)
	return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), l.Nanosecond(), time.UTC)
}
