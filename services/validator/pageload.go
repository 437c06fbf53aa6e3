package main

import (
	"slices"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/statuspage"
)

// The last minutes of the governors are kept in steps that a screen can show.
const (
	loadEvery  = 5 * time.Second
	loadWindow = 10 * time.Minute
)

// lately is how the governors stood in the last minutes.
type lately struct {
	mu      sync.Mutex
	samples []loadSample
}

type loadSample struct {
	at  time.Time
	all []governor.Status
}

// note keeps how the governors stand, and forgets what is too old.
func (l *lately) note(now time.Time, all []governor.Status) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.samples = slices.DeleteFunc(l.samples, func(s loadSample) bool { return now.Sub(s.at) > loadWindow })
	l.samples = append(l.samples, loadSample{now, all})
}

// show are the governors as they stand now, with what was noted of them.
func (l *lately) show(now time.Time, all []governor.Status) []statuspage.Governor {
	l.mu.Lock()
	samples := append(slices.Clone(l.samples), loadSample{now, all})
	l.mu.Unlock()
	var out []statuspage.Governor
	for _, s := range all {
		g := statuspage.Governor{
			Name: s.Name, State: s.State, Reason: s.Reason, Since: s.Since, Workers: s.Workers, Most: s.Most, Share: s.Share,
			Running: s.Running, Waiting: s.Waiting,
		}
		tracks := map[string][]statuspage.Point{}
		for _, sample := range samples {
			i := slices.IndexFunc(sample.all, func(o governor.Status) bool { return o.Name == s.Name })
			if i < 0 {
				continue
			}
			was := sample.all[i]
			g.Track = append(g.Track, statuspage.Band{At: sample.at, State: was.State, Part: part(was)})
			for _, r := range was.Signals {
				if !r.Stale {
					tracks[r.Signal.Name] = append(tracks[r.Signal.Name], statuspage.Point{At: sample.at, Value: r.Utilisation})
				}
			}
		}
		for _, r := range s.Signals {
			g.Signals = append(g.Signals, shownSignal(r, tracks[r.Signal.Name]))
		}
		out = append(out, g)
	}
	return out
}

// part is how much of the load that may be asked for is.
func part(s governor.Status) float64 {
	if s.Most == 0 {
		return 0
	}
	return float64(s.Workers) / float64(s.Most) * s.Share
}

func shownSignal(r governor.Reading, track []statuspage.Point) statuspage.Signal {
	s := statuspage.Signal{
		Name: r.Signal.Name, Value: r.Signal.Show(r.Value), Limit: r.Signal.Show(r.Signal.Limit), Utilisation: r.Utilisation, Stale: r.Stale, Track: track,
	}
	if r.Err != nil {
		s.Why = r.Err.Error()
	}
	return s
}
