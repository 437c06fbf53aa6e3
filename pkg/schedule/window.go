package schedule

import (
	"fmt"
	"strings"
	"time"
)

// Window is the part of each day in which runs may work; the zero Window is
// always open.
type Window struct {
	text  string
	spans []span
	zone  *time.Location
}

// span is a part of a day, in minutes after midnight. One whose end is not after
// its beginning goes on past midnight.
type span struct{ from, until int }

const clock = "15:04"

// ParseWindow reads times of day such as "01:00-05:00", or several with commas
// between them, in the given IANA zone, UTC when empty. Empty is always.
func ParseWindow(text, zone string) (Window, error) {
	if strings.TrimSpace(text) == "" {
		return Window{}, nil
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		return Window{}, fmt.Errorf("window %q: time zone %q is not known; use an IANA name such as Europe/Berlin", text, zone)
	}
	w := Window{text: text, zone: location}
	for part := range strings.SplitSeq(text, ",") {
		first, last, _ := strings.Cut(strings.TrimSpace(part), "-")
		from, errFrom := time.Parse(clock, strings.TrimSpace(first))
		until, errUntil := time.Parse(clock, strings.TrimSpace(last))
		if errFrom != nil || errUntil != nil || from.Equal(until) {
			return Window{}, fmt.Errorf(`window %q: want times of day such as "01:00-05:00", or "22:00-02:00, 12:00-13:00"`, text)
		}
		w.spans = append(w.spans, span{minutes(from), minutes(until)})
	}
	return w, nil
}

func minutes(t time.Time) int { return t.Hour()*60 + t.Minute() }

// String is the window as it was written.
func (w Window) String() string { return w.text }

// Open says whether the window is open at a moment, and when that changes next;
// the zero time for never.
//
// Times of day are those that the zone's clocks show. One that is skipped in
// spring counts as an hour later, and in autumn the first of two counts.
func (w Window) Open(now time.Time) (open bool, changes time.Time) {
	if len(w.spans) == 0 {
		return true, time.Time{}
	}
	open = w.contains(now)
	// A boundary after which nothing changes belongs to spans that touch.
	for at := w.boundary(now); ; at = w.boundary(at) {
		if w.contains(at) != open {
			return open, at
		}
		if at.Sub(now) > 48*time.Hour { // the spans are the whole day
			return open, time.Time{}
		}
	}
}

// contains goes by the moments at which spans begin and end, not by what clocks
// show at t: those skip some times of day, and show others twice.
func (w Window) contains(t time.Time) bool {
	for day := -1; day <= 0; day++ { // one that began yesterday may go on past midnight
		for _, s := range w.spans {
			until := s.until
			if until <= s.from {
				until += 24 * 60
			}
			if !t.Before(w.moment(t, day, s.from)) && t.Before(w.moment(t, day, until)) {
				return true
			}
		}
	}
	return false
}

// moment is when clocks show a time of day, in minutes after midnight, some days
// after that of t.
func (w Window) moment(t time.Time, days, minutes int) time.Time {
	local := t.In(w.zone)
	at := time.Date(local.Year(), local.Month(), local.Day()+days, 0, minutes, 0, 0, w.zone)
	// Which of two it is that clocks show twice, and on which side of those that they
	// skip, differs from zone to zone.
	began, ends := at.ZoneBounds()
	if _, forward := putForward(began); forward < 0 && at.Before(began.Add(-forward)) {
		return at.Add(forward)
	}
	if _, forward := putForward(ends); forward > 0 && !shows(at, minutes) {
		return at.Add(forward)
	}
	return at
}

// shows says whether clocks show a time of day at t.
func shows(t time.Time, of int) bool { return minutes(t) == of%(24*60) }

// boundary is the first time after t at which a span begins or ends.
func (w Window) boundary(t time.Time) time.Time {
	var first time.Time
	for day := range 3 { // a day that lacks the time leaves the one after
		for _, s := range w.spans {
			for _, m := range []int{s.from, s.until} {
				at := w.moment(t, day, m)
				if at.After(t) && (first.IsZero() || at.Before(first)) {
					first = at
				}
			}
		}
	}
	return first
}
