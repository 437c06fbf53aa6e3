package governor

import (
	"math"
	"time"
)

// Sessions are those at work on a server at a moment.
type Sessions struct {
	// Others are those of other programs, Own those of this one, in any of its processes.
	Others, Own float64
	// Statements is how many the server was asked for since its start, by anybody; 0 where
	// nobody counts them.
	Statements float64
	// Reached is the time that the least statement took at that moment; 0 where it is
	// not known.
	Reached time.Duration
}

// look is one answer of a probe: what the signal measures; of one with Cores the sessions
// of others, and what Sessions says beside them.
type look struct {
	value, own, statements float64
	reached                time.Duration
	at                     time.Time
}

func lookAt(n Sessions) look {
	return look{value: n.Others, own: n.Own, statements: n.Statements, reached: n.Reached, at: time.Now()}
}

// undisturbed is about how many sessions of others would be at work on so many cores if
// none of this program were. Sessions share the cores; so each of the others gets less
// of one than it would, is at work for as much longer, and so many more of them are
// (Little's law).
func (l look) undisturbed(cores float64) float64 {
	if l.value <= 0 || cores <= 0 {
		return 0
	}
	return l.value * min(1, cores/(l.value+l.own)) / min(1, cores/l.value)
}

// beginning is about how many statements of others wait for a core to begin on. No server
// counts them: a session is at work for it from when it has read the statement. But they
// wait as long as the least statement does, and so many arrive meanwhile (Little's law).
// Of those at work this program's part is taken off twice: so many of the statements are
// its own, and so much of the others' wait is for a core that it has.
func (l look) beginning(rate float64, wait time.Duration) float64 {
	others := 1.0
	if all := l.value + l.own; all > 0 {
		others = max(l.value, 0) / all
	}
	return rate * wait.Seconds() * others * others
}

// varied is by how much longer a queue is than one of exponential service times: half of
// the sum of the squared coefficients of variation of the time between two statements and
// of what one takes (Allen and Cunneen). It is 1 for arrivals at random, and taken as 5 for
// short statements among long ones.
const varied = 3

// queue is about how many wait for one of so many cores, of which so many are busy
// (H. Sakasegawa, An approximation formula Lq ≃ α·ρ^β/(1-ρ), 1977). It is infinite where
// all are.
func queue(busy, cores float64) float64 {
	part := busy / cores
	if part >= 1 {
		return math.Inf(1)
	}
	return varied * math.Pow(part, math.Sqrt(2*(cores+1))) / (1 - part)
}

// pace is how many statements a second reach a server.
type pace struct {
	last look
	rate float64
}

// observe takes the looks of a sample: what came since the sample before, or from the
// first of them to the last. A sum that went back is that of a server that was restarted.
func (p *pace) observe(looks []look) {
	from, to := p.last, looks[len(looks)-1]
	if from.at.IsZero() {
		from = looks[0]
	}
	if span := to.at.Sub(from.at); span > 0 && to.statements >= from.statements {
		p.rate = (to.statements - from.statements) / span.Seconds()
	}
	p.last = to
}

// quickest is the least time of the last minutes in which the server was reached, when
// nobody stood in the way. It is not that of all times: a host that took over may be
// farther away.
type quickest struct {
	until         time.Time // when least becomes before
	least, before time.Duration
}

// remembered is longer than a server is without a moment of rest while most of its cores
// have none.
const remembered = 5 * time.Minute

func (q *quickest) observe(l look) {
	if l.at.After(q.until) {
		q.before, q.least, q.until = q.least, l.reached, l.at.Add(remembered)
	}
	q.least = min(q.least, l.reached)
}

// wait is how much longer it took than at the quickest.
func (q *quickest) wait(reached time.Duration) time.Duration {
	least := q.least
	if q.before > 0 {
		least = min(least, q.before)
	}
	return max(reached-least, 0)
}
