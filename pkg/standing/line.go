package standing

import (
	"fmt"
	"strings"
	"time"
)

// stale is the age of knowledge from which on the line says it: the topics are
// asked for news every second.
const stale = 15 * time.Second

// line is how the pair stands as a sentence: "orders: everything changed before
// 12:03:20 is verified equal; 3 rows open, oldest 40 s". It claims no more than
// was looked at, and names the rows that are not equal as far as anybody knows.
func (s *Pair) line(now time.Time) string {
	return s.Pair + ": " + s.verified(now) + "; " + s.openRows()
}

func (s *Pair) verified(now time.Time) string {
	var best Watermark
	for _, w := range s.Verified {
		if w.Until.After(best.Until) {
			best = w
		}
	}
	var said string
	switch {
	case best.Until.IsZero() && s.Whole.IsZero():
		return "nothing is verified yet"
	case !best.Until.After(s.Whole):
		return fmt.Sprintf("everything changed before %s is verified equal", clock(s.Whole, now))
	// What changed before the run began to follow changes, a full run has seen.
	case !s.Whole.IsZero() && !best.Since.IsZero() && !best.Since.After(s.Whole):
		said = fmt.Sprintf("everything changed before %s is verified equal", clock(best.Until, now))
	case best.Since.IsZero():
		said = fmt.Sprintf("what changed lately, up to %s, is verified equal", clock(best.Until, now))
	default:
		said = fmt.Sprintf("everything changed from %s to %s is verified equal", clock(best.Since, now), clock(best.Until, now))
	}
	if best.Held != "" {
		said += " (" + best.Held + ")"
	}
	if best.Stalled {
		said += fmt.Sprintf(", %s behind", span(best.BehindSeconds))
	}
	return said
}

func (s *Pair) openRows() string {
	if !s.Known {
		return "which rows are open is not known yet"
	}
	var b strings.Builder
	switch {
	case s.AtLeast:
		fmt.Fprintf(&b, "at least %s open", rows(s.Open))
	case s.Open == 0:
		b.WriteString("no row open")
	default:
		fmt.Fprintf(&b, "%s open", rows(s.Open))
	}
	if s.Open > 0 {
		fmt.Fprintf(&b, ", oldest %s", span(s.OldestSeconds))
	}
	for _, part := range []struct {
		n    int
		what string
	}{{s.PutOff, "put off"}, {s.Hot, "still changing"}, {s.Held, "held"}, {s.Dead, "dead"}, {s.Undone, "undone"}} {
		if part.n > 0 {
			fmt.Fprintf(&b, ", %d %s", part.n, part.what)
		}
	}
	if s.KnownAsOfSeconds > stale.Seconds() {
		fmt.Fprintf(&b, ", as known %s ago", span(s.KnownAsOfSeconds))
	}
	return b.String()
}

func rows(n int) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

// clock is a moment in UTC, with its date unless that is today's.
func clock(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format(time.DateTime)
}

// span is a time in one unit, cut: "40 s", "12 min", "3 h", "5 d".
func span(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d d", int(d.Hours()/24))
	}
}
