package statuspage

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// A drawing is this wide and high, in its own units; the style sheet stretches it.
const (
	width  = 600
	height = 40
	// top is the utilisation at the upper edge; more is cut off there.
	top = 1.5
	// apart is how far two samples are apart at most that a line connects, and
	// what stretch a bar covers at most.
	apart = 15 * time.Second
)

// LimitY is where the limit's line stands.
func (Signal) LimitY() string { return coordinate(height - height/top) }

// Path is the signal's line over a window that ends now: moves and lines.
func (s Signal) Path(now time.Time, window time.Duration) string {
	var out strings.Builder
	var last time.Time
	for _, p := range s.Track {
		x, seen := across(p.At, now, window)
		if !seen || math.IsNaN(p.Value) {
			continue
		}
		step := byte('L')
		if last.IsZero() || p.At.Sub(last) > apart {
			step = 'M'
		}
		out.WriteByte(step)
		out.WriteString(coordinate(x) + " " + coordinate(height-height*min(max(p.Value, 0), top)/top))
		last = p.At
	}
	return out.String()
}

// Bar is a stretch in which a governor stood the same.
type Bar struct{ Class, X, Y, W, H string }

// Bars are the states of a governor over a window that ends now; as high as the
// part of the load that was allowed, and all the height while it was paused.
func (g Governor) Bars(now time.Time, window time.Duration) []Bar {
	var out []Bar
	for i := 0; i < len(g.Track); {
		from, j := g.Track[i], i+1
		for j < len(g.Track) && g.Track[j].State == from.State && g.Track[j].Part == from.Part && g.Track[j].At.Sub(g.Track[j-1].At) <= apart {
			j++
		}
		until := g.Track[j-1].At.Add(apart)
		if j < len(g.Track) && g.Track[j].At.Before(until) {
			until = g.Track[j].At
		}
		i = j
		if until.After(now) {
			until = now
		}
		if begin := now.Add(-window); from.At.Before(begin) {
			from.At = begin
		}
		x, _ := across(from.At, now, window)
		end, seen := across(until, now, window)
		if !seen || end <= x {
			continue
		}
		high := height * min(max(from.Part, 0.05), 1)
		if from.State != "running" {
			high = height
		}
		out = append(out, Bar{from.State, coordinate(x), coordinate(height - high), coordinate(end - x), coordinate(high)})
	}
	return out
}

// across is where a moment lies in a window that ends now.
func across(at, now time.Time, window time.Duration) (x float64, inside bool) {
	x = width * (1 - float64(now.Sub(at))/float64(window))
	return x, x >= 0 && x <= width
}

func coordinate(v float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
}
