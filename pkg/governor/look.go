package governor

import "time"

// look is one answer of a probe.
type look struct {
	// value is what the signal measures; of one with Cores how many sessions of others
	// are at work, with own of this program's beside them.
	value, own float64
	// statements is how many the server has been asked for since it was started, 0
	// where nobody counts them.
	statements float64
	// at is when the answer came, took how long after the question.
	at   time.Time
	took time.Duration
}

// crowd is about how many sessions of others would be at work, or wait to begin, on so
// many cores if none of this program were. So many statements a second reach the server,
// and the wait is what the look itself waited.
func (l look) crowd(cores, rate float64, wait time.Duration) float64 {
	return min(l.undisturbed(cores)+l.beginning(rate, wait), mostCrowded*cores)
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
// counts them: a session is at work for it from when it has read the statement. But what
// they wait the look waits too, and so many arrive meanwhile (Little's law). Of those at
// work this program's part is taken off twice: so many of the statements are its own, and
// so much of the others' wait is for a core that it has.
func (l look) beginning(rate float64, wait time.Duration) float64 {
	others := 1.0
	if all := l.value + l.own; all > 0 {
		others = max(l.value, 0) / all
	}
	return rate * wait.Seconds() * others * others
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

// quickest is the quickest answer of the last minutes, which nobody stood in the way of.
// It is not that of all times: a host that took over may be farther away.
type quickest struct {
	until         time.Time // when least becomes before
	least, before time.Duration
}

// remembered is longer than a server is without a moment of rest while most of its cores
// have none.
const remembered = 5 * time.Minute

func (q *quickest) observe(l look) {
	if l.at.After(q.until) {
		q.before, q.least, q.until = q.least, l.took, l.at.Add(remembered)
	}
	q.least = min(q.least, l.took)
}

// wait is how much longer than the quickest a look took.
func (q *quickest) wait(l look) time.Duration {
	least := q.least
	if q.before > 0 {
		least = min(least, q.before)
	}
	return max(l.took-least, 0)
}
