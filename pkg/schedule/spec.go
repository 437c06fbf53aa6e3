// Package schedule starts runs at the times a cron expression names. It never
// runs two jobs of one list at the same time, and makes up for what it missed
// while one was running by a single start.
package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // an image without zone files must know the same zones

	"github.com/robfig/cron/v3"
)

// Spec is a parsed schedule; the zero Spec never comes.
type Spec struct {
	text string
	when cron.Schedule
	zone *time.Location
}

// parser reads five fields (minute, hour, day of month, month, day of week),
// optionally a field of seconds before them, or a descriptor such as @daily or
// @every 90s.
var parser = cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// Parse reads a cron expression. Its times are in the given IANA zone, UTC
// when empty; an expression that begins with CRON_TZ=zone or TZ=zone has its
// own. In a zone with summer time what falls into the hour that is skipped in
// spring starts an hour later, and what falls into the one that comes twice in
// autumn starts twice; UTC, the default, has neither.
func Parse(text, zone string) (Spec, error) {
	expression := strings.TrimSpace(text)
	if expression == "" {
		return Spec{}, errors.New(`the schedule is empty; write a cron expression such as "0 3 * * *", or leave the key out`)
	}
	zone, expression, err := zoneOf(zone, expression)
	if err != nil {
		return Spec{}, err
	}
	location, err := time.LoadLocation(zone) // "" is UTC
	if err != nil {
		return Spec{}, fmt.Errorf("schedule %q: time zone %q is not known; use an IANA name such as Europe/Berlin", text, zone)
	}
	when, err := parse(expression)
	if err != nil {
		return Spec{}, fmt.Errorf(`schedule %q: %w; want five fields such as "0 3 * * *", @daily or "@every 10m"`, text, err)
	}
	spec := Spec{text: text, when: when, zone: location}
	if spec.Next(time.Now()).IsZero() {
		return Spec{}, fmt.Errorf("schedule %q never comes: no such day in the next five years", text)
	}
	return spec, nil
}

// zoneOf takes a leading CRON_TZ= or TZ= off the expression. The cron library
// would do so as well, but panics when nothing follows the zone.
func zoneOf(zone, expression string) (string, string, error) {
	for _, prefix := range []string{"CRON_TZ=", "TZ="} {
		rest, found := strings.CutPrefix(expression, prefix)
		if !found {
			continue
		}
		own, after, found := strings.Cut(rest, " ")
		if !found || own == "" {
			return "", "", fmt.Errorf("schedule %q: want %szone and then the expression", expression, prefix)
		}
		return own, strings.TrimSpace(after), nil
	}
	return zone, expression, nil
}

// parse keeps a panic of the library, which is no longer maintained, from
// ending the process.
func parse(expression string) (when cron.Schedule, err error) {
	defer func() {
		if recover() != nil {
			when, err = nil, errors.New("not a cron expression")
		}
	}()
	if strings.HasPrefix(expression, "TZ=") || strings.HasPrefix(expression, "CRON_TZ=") {
		return nil, errors.New("two time zones")
	}
	if every, found := strings.CutPrefix(expression, "@every "); found {
		if d, err := time.ParseDuration(strings.TrimSpace(every)); err == nil && d < time.Second {
			return nil, errors.New("@every needs at least 1s")
		}
	}
	return parser.Parse(expression)
}

// Next is the first time after t, and the zero time when there is none.
func (s Spec) Next(t time.Time) time.Time {
	if s.when == nil {
		return time.Time{}
	}
	next := s.when.Next(t.In(s.zone))
	if skipped := s.skipped(t.In(s.zone)); !skipped.IsZero() && (next.IsZero() || skipped.Before(next)) {
		return skipped
	}
	return next
}

// skipped is the next time of the expression after t that clocks skip when they
// are put forward, as a clock shows it that is not: an hour later than it was
// written. Zero for none before they are put forward a second time. The library
// passes over such times.
func (s Spec) skipped(t time.Time) time.Time {
	if _, every := s.when.(cron.ConstantDelaySchedule); every {
		return time.Time{}
	}
	began, ends := t.ZoneBounds()
	for _, put := range []time.Time{began, ends} {
		before, forward := putForward(put)
		if forward <= 0 {
			continue
		}
		from := t
		if put.After(t) {
			from = put.Add(-time.Second)
		}
		at := s.when.Next(from.UTC().Add(before)).Add(-before)
		if at.After(from) && at.Before(put.Add(forward)) {
			return at
		}
	}
	return time.Time{}
}

// putForward is by how much clocks were ahead of UTC before a moment, and by how
// much they are put forward then.
func putForward(at time.Time) (before, forward time.Duration) {
	if at.IsZero() { // the zone's clocks are never put
		return 0, 0
	}
	_, was := at.Add(-time.Second).Zone()
	_, is := at.Zone()
	return time.Duration(was) * time.Second, time.Duration(is-was) * time.Second
}

// String is the expression as it was written.
func (s Spec) String() string { return s.text }
