package governor

import (
	"fmt"
	"time"
)

// The law of pausing. Its numbers come from a simulation of 16 cores with
// surges, spikes and shifts, where plain thresholds without them went up and
// down more than a hundred times an hour.
const (
	// veryBad is the utilisation at which one sample pauses; at 1 it takes badSamples.
	veryBad    = 2
	badSamples = 2
	// low is the smoothed utilisation below which all signals must lie before
	// work goes on.
	low = 0.7
	// shortDwell is for how long they must. It doubles, up to longDwell, each
	// time that work had gone on for less than relapse: then it is the work
	// itself that the database does not stand.
	shortDwell = 20 * time.Second
	longDwell  = 5 * time.Minute
	relapse    = 2 * time.Minute
)

// gate decides between working and pausing. The zero gate works.
type gate struct {
	paused bool
	// reason is why, as of the last look.
	reason string
	// changed is when paused last changed; calm since when all is low while
	// paused, zero when it is not.
	changed, calm time.Time
	dwell         time.Duration
	resumed       time.Time
}

// step takes the readings at a moment, and the reason of a pause that was
// ordered (empty for none), and says whether the state changed.
func (g *gate) step(now time.Time, readings []Reading, ordered string) bool {
	trouble := busy(readings)
	if trouble == "" {
		trouble = blind(readings)
	}
	switch {
	case g.paused:
		return g.wait(now, readings, ordered, trouble)
	case ordered != "":
		g.pause(now, ordered, 0)
	case trouble != "":
		g.pause(now, trouble, g.nextDwell(now))
	default:
		return false
	}
	return true
}

// wait is a step of a pause; it says whether the pause is over.
func (g *gate) wait(now time.Time, readings []Reading, ordered, trouble string) bool {
	if trouble == "" {
		trouble = notLow(readings)
	} else {
		g.dwell = max(g.dwell, shortDwell) // an ordered pause that turned out to be needed
	}
	switch {
	case trouble != "":
		g.calm = time.Time{}
	case g.calm.IsZero() || now.Before(g.calm): // a clock that went back
		g.calm = now
	}
	calm := now.Sub(g.calm)
	switch {
	case ordered != "":
		g.reason = ordered
	case trouble != "":
		g.reason = trouble
	case calm < g.dwell:
		g.reason = fmt.Sprintf("calm for %v of %v", calm.Round(time.Second), g.dwell)
	default:
		g.paused, g.reason, g.changed, g.resumed = false, "", now, now
		return true
	}
	return false
}

func (g *gate) pause(now time.Time, reason string, dwell time.Duration) {
	g.paused, g.reason, g.dwell, g.changed, g.calm = true, reason, dwell, now, time.Time{}
}

// nextDwell is how long the calm must last before work goes on after a pause
// that begins now.
func (g *gate) nextDwell(now time.Time) time.Duration {
	if g.resumed.IsZero() || now.Sub(g.resumed) >= relapse {
		return shortDwell
	}
	return min(max(2*g.dwell, shortDwell), longDwell)
}

// busy names the signal that calls for a pause; empty for none.
func busy(readings []Reading) string {
	for _, r := range readings {
		if !r.Stale && (r.bad >= badSamples || r.bad > 0 && r.Utilisation >= veryBad) {
			return fmt.Sprintf("%s %s ≥ %s on %s", r.Signal.Name, r.Signal.Show(r.Value), r.Signal.Show(r.Signal.Limit), r.On)
		}
	}
	return ""
}

// blind names a hard limit that cannot be seen; empty for none.
func blind(readings []Reading) string {
	for _, r := range readings {
		if r.Stale && r.Signal.Hard {
			return unseen(r)
		}
	}
	return ""
}

func unseen(r Reading) string {
	text := r.Signal.Name + " on " + r.On + " is not known"
	if !r.At.IsZero() {
		text += " since " + r.At.UTC().Format(time.TimeOnly) + " UTC"
	}
	if r.Err != nil {
		text += ": " + r.Err.Error()
	}
	return text
}

// notLow names a signal that keeps a pause up; empty when all are low. One
// that cannot be seen counts as it was last seen, as long as any other can.
func notLow(readings []Reading) string {
	seen := len(readings) == 0
	for _, r := range readings {
		seen = seen || !r.Stale
	}
	for _, r := range readings {
		switch {
		case r.Stale && (!seen || r.Smoothed >= low):
			return unseen(r)
		case r.Smoothed >= low:
			return fmt.Sprintf("%s %s on %s, not yet low: %.0f %% of %s over the last samples",
				r.Signal.Name, r.Signal.Show(r.Value), r.On, r.Smoothed*100, r.Signal.Show(r.Signal.Limit))
		}
	}
	return ""
}
