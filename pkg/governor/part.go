package governor

import (
	"math"
	"time"
)

// part is what a governor may use of its database's budget.
type part struct {
	// statements at a time; less than one is one for that part of the time, 0 none.
	statements float64
	// told says that the part was given, unknown why it is not known any more.
	told    bool
	unknown string
	// wake is called when somebody asks for a place and there is no part; nil for
	// a governor that shares with nobody or by a stated number.
	wake func()
	// worked is when there was work last.
	worked time.Time
	demand demand
}

// demand is the number of statements at once that are asked for: the most of the last few
// seconds.
type demand struct {
	most, latest int
	at           time.Time // of most; latest is the most since
}

const (
	// usual is how long a demand counts that has not come again.
	usual = 2 * time.Second
	// restful is how long there is nothing to do until others may have what is not used.
	restful = time.Second
)

func (d *demand) observe(now time.Time, asked int) {
	switch {
	case asked >= d.most:
		*d = demand{most: asked, at: now}
	case now.Sub(d.at) >= usual:
		*d = demand{most: max(asked, d.latest), at: now}
	default:
		d.latest = max(d.latest, asked)
	}
}

// share has the governor admit nothing before it is told its part.
func (g *Governor) share(wake func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.part = part{wake: wake}
}

// Halve says that another database is on the same server, which is to be asked for so
// many statements at once by both sides together: each has half of that, and of what
// others leave over. (Not the one what the other does not need: whoever works takes
// places of both, and those of one budget would wait for ever for others that do.) It
// comes before Start.
func (g *Governor) Halve(most int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.allowed = float64(most) / 2 / float64(max(g.config.Processes, 1))
	g.sizer = newSizer(most, g.allowed)
	if g.part.wake == nil {
		g.part.statements = g.allowed
	}
}

// allot changes the governor's part; unknown is why it has none though it may
// want one, empty when that is as it should be.
func (g *Governor) allot(statements float64, unknown string) {
	now := time.Now()
	g.mu.Lock()
	g.part.statements, g.part.unknown = statements, unknown
	g.part.told = g.part.told || unknown == ""
	if statements > 0 {
		var readings []Reading
		if g.watcher != nil {
			readings = g.watcher.readings(now, g.config.Use)
		}
		g.sizer.allot(statements*min(g.allowed, 1), readings)
	}
	g.mu.Unlock()
	g.consider(now)
}

// Announce says that a place is about to be asked for: whoever needs places of
// several governors gets his parts of all of them in one round then.
func (g *Governor) Announce() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.part.wake == nil {
		return
	}
	g.part.worked = time.Now()
	if g.part.statements <= 0 {
		g.part.wake()
	}
}

// claim is what the governor asks for. One that is paused by its database, a
// person or the clock asks for nothing: it could not use it.
func (g *Governor) claim(now time.Time) Claim {
	g.mu.Lock()
	defer g.mu.Unlock()
	used := g.budget.Stats()
	able := !g.gate.paused || g.part.unknown != ""
	if used.InUse > 0 || used.Waiting > 0 && able {
		g.part.worked = now
	}
	c := Claim{
		Governor: g.config.Name, Most: max(int(g.allowed), 1), Holds: g.part.statements,
		Wants: !g.part.worked.IsZero() && now.Sub(g.part.worked) < linger,
	}
	if !c.Wants || g.part.demand.at.IsZero() {
		g.part.demand = demand{most: c.Most, at: now} // what will come is not known
	}
	g.part.demand.observe(now, g.budget.asked())
	c.Uses, c.Rests = max(g.part.demand.most, 1), now.Sub(g.part.worked) >= restful
	if c.Rests {
		c.Uses = 1
	}
	if n := float64(used.InUse); n > math.Ceil(g.part.statements) {
		c.Holds = n // what runs is not cancelled
	}
	return c
}
