package standing

import (
	"slices"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
)

// state is what the last outcome says of a row.
type state uint8

const (
	settled state = iota // agrees, as far as is known
	held
	dead
	undone
	changing // the authority's row was still changing when the fixer let go
)

func stateOf(o event.Outcome) state {
	switch {
	case o.Result == event.Held:
		return held
	case o.Result == event.Dead:
		return dead
	case o.Result == event.Undone:
		return undone
	case o.Result == event.Repaired && o.Class == fix.ClassStillChanging:
		return changing
	default:
		return settled
	}
}

// row is what is known of a row.
type row struct {
	pair *pair
	open bool // as Board counts it
	// requests are findings that no outcome was read of.
	requests []request
	// answered are findings of which an outcome was read.
	answered []findingID
	// last is the row's last outcome; its place is zero before there is one.
	last answer
	// since is when the row was found to differ first, of the outcomes since the
	// last that closed it.
	since time.Time
	// letter is the offset after the row's last dead letter, dropped that up to
	// which letters are dropped.
	letter, dropped int64
}

// request is a finding that waits for its outcome.
type request struct {
	id     findingID
	kind   event.Kind
	since  time.Time
	putOff bool
}

// answer is an outcome.
type answer struct {
	at    Spot
	kind  event.Kind
	state state
	// since is when the difference was seen, told when the outcome was reached.
	since, told time.Time
}

// mostIDs bounds what is kept of findings about one row, which many runs may
// have found while no fixer was there.
const mostIDs = 16

// found notes a finding, unless its outcome is known already. One that is
// published again after that (a run that was interrupted repeats ranges) is not
// taken for another: should it still differ, its outcome will say so.
func (r *row) found(n request) {
	if slices.Contains(r.answered, n.id) {
		return
	}
	if i := slices.IndexFunc(r.requests, func(known request) bool { return known.id == n.id }); i >= 0 {
		r.requests[i].putOff = r.requests[i].putOff || n.putOff
		return
	}
	if len(r.requests) == mostIDs { // the oldest tells the age, the newest that something is to come
		r.requests = r.requests[:mostIDs-1]
	}
	r.requests = append(r.requests, n)
}

func (r *row) settled(id findingID, a answer) {
	r.requests = slices.DeleteFunc(r.requests, func(known request) bool { return known.id == id })
	if !slices.Contains(r.answered, id) {
		if len(r.answered) == mostIDs {
			r.answered = slices.Delete(r.answered, 0, 1)
		}
		r.answered = append(r.answered, id)
	}
	if r.last != (answer{}) && !a.at.after(r.last.at) {
		return
	}
	r.last = a
	switch {
	case a.state == settled:
		r.since = time.Time{}
	case r.since.IsZero() || a.since.Before(r.since):
		r.since = a.since
	}
}

// skew is how far the clocks of processes may be apart where a row is called
// closed although no outcome says so: as far as the services bear without a warning.
const skew = 5 * time.Second

// glance is what of a row is open.
type glance struct {
	// last is what the last outcome left; settled when nothing.
	last state
	// pending are the findings whose outcome is to come.
	pending []request
}

func (r *row) look() glance {
	g := glance{last: r.last.state, pending: r.requests}
	switch {
	case g.last == dead && r.dropped > 0 && r.dropped >= r.letter,
		r.pair.superseded(moment(r.last.since, r.last.told)),
		// It changed at the authority, so that runs that follow changes have looked since.
		g.last == changing && r.last.told.Before(r.pair.followed.Add(-skew)):
		g.last = settled
	}
	old := func(q request) bool { return r.pair.superseded(q.since) }
	if slices.ContainsFunc(r.requests, old) {
		g.pending = slices.DeleteFunc(slices.Clone(r.requests), old)
	}
	return g
}

// superseded says whether a complete run has looked since a difference was seen.
func (p *pair) superseded(seen time.Time) bool {
	return !p.whole.IsZero() && seen.Before(p.whole.Add(-skew))
}

func (g glance) isOpen() bool { return g.last != settled || len(g.pending) > 0 }

// openSince is when the row was found to differ first.
func (r *row) openSince(g glance) time.Time {
	var since time.Time
	if g.last != settled {
		since = r.since
	}
	for i := range g.pending {
		if q := &g.pending[i]; since.IsZero() || q.since.Before(since) {
			since = q.since
		}
	}
	return since
}

// kind is that of the newest finding that is told of.
func (r *row) kind(g glance) event.Kind {
	if len(g.pending) > 0 {
		return slices.MaxFunc(g.pending, func(a, b request) int { return a.since.Compare(b.since) }).kind
	}
	return r.last.kind
}
