package governor

import (
	"math"
	"time"
)

// Status is a governor as it stands.
type Status struct {
	Name string
	// State is "starting", "running" or "paused".
	State string
	// Reason is why it is paused.
	Reason string
	// Since is when it was paused, or resumed; zero when it never was.
	Since time.Time
	// Workers is the number of statements admitted at a time, of Most, and Share
	// the part of the time they work; 0 workers when paused. Most is this process's
	// part of what the database may be asked for; 0 while it shares it with others
	// and has nothing to do.
	Workers, Most int
	Share         float64
	// Running statements, and those that wait for a place.
	Running, Waiting int
	// PausedFor is the time spent in pauses since the start, this one included.
	PausedFor time.Duration
	Signals   []Reading
}

// States of a governor.
const (
	Starting = "starting"
	Running  = "running"
	Paused   = "paused"
)

// Status returns how the governor stands.
func (g *Governor) Status() Status {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	budget := g.budget.Stats()
	s := Status{
		Name: g.config.Name, State: Running, Since: g.gate.changed, Most: int(math.Ceil(g.part.statements)),
		Workers: budget.Limit, Share: g.sizer.share(), Running: budget.InUse, Waiting: budget.Waiting, PausedFor: g.paused,
	}
	switch {
	case !g.started || !g.part.told && !g.gate.paused:
		s.State = Starting
	case g.gate.paused:
		s.State, s.Reason = Paused, g.gate.reason
		s.PausedFor += now.Sub(g.gate.changed)
	}
	if g.watcher != nil {
		s.Signals = g.watcher.readings(now, g.config.Use)
	}
	return s
}
