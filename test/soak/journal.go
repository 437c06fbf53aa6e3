package main

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// The journal is what the soak itself knows of each row: when it was changed at
// the authority, when the replicator brought that or lost it, and what the
// vandal did to it. It judges what trueup says. A row can differ only
//
//   - while a change of it is under way to the copy;
//   - from a damage to it until something has written it anew;
//   - while a repair of it goes on, which may be ahead of the replicator.
//
// The stretches err on the long side by what a transaction took.

// rowID names a row: its table, and its key as text.
type rowID struct{ table, key string }

// span is a stretch of time.
type span struct{ from, to time.Time }

func (s span) meets(other span) bool { return !s.from.After(other.to) && !s.to.Before(other.from) }

// damage is what was done to a row of the copy, in a transaction of that time.
// A change that the replicator lost has the time of its transaction at the
// authority.
type damage struct {
	kind string
	span
	// over is when it was done at the earliest, seen from the replicator: what it
	// commits later writes over it.
	over time.Time
}

// sighting is a finding: when trueup saw the difference first, and when it
// published it.
type sighting struct {
	kind                string
	detected, published time.Time
}

// history is what is known of a row.
type history struct {
	changed  []span // by transactions at the authority
	underWay []span // from a change at the authority until it was on the copy
	brought  []span // by the replicator's transactions
	damages  []damage
	found    []sighting
	outcomes []span // repairs, from their start to their outcome
}

// journal keeps a history for each row.
type journal struct {
	mu   sync.Mutex
	rows map[rowID]*history
}

func newJournal() *journal { return &journal{rows: map[rowID]*history{}} }

func (j *journal) note(id rowID, add func(h *history)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	h := j.rows[id]
	if h == nil {
		h = &history{}
		j.rows[id] = h
	}
	add(h)
}

func (j *journal) damaged(id rowID, d damage) {
	j.note(id, func(h *history) { h.damages = append(h.damages, d) })
}

// restTime is how long a row is left alone after a damage, so that each is found for
// itself, and none by chance makes another good.
const restTime = 10 * time.Minute

// rested says whether a row was not damaged lately.
func (j *journal) rested(id rowID) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	h := j.rows[id]
	return h == nil || len(h.damages) == 0 || time.Since(h.damages[len(h.damages)-1].to) > restTime
}

// always is later than anything in a soak.
var always = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// healed is when a damage was gone at the latest: what wrote the row began
// after it. Without that it is there for good.
func (h *history) healed(d damage) time.Time {
	end := always
	first := func(list []span, after time.Time) {
		for _, s := range list {
			if s.from.After(after) && s.to.Before(end) {
				end = s.to
			}
		}
	}
	first(h.outcomes, d.to)
	// What is brought between a change and its loss are changes before it.
	first(h.brought, later(d.to, d.over))
	return end
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// differed are the stretches in which the row may have differed.
func (h *history) differed() []span {
	out := slices.Concat(h.underWay, h.outcomes)
	for _, d := range h.damages {
		out = append(out, span{d.from, h.healed(d)})
	}
	return out
}

// readingTime is how much earlier than it says a difference may have been read,
// on a machine that has too much to do.
const readingTime = 2 * time.Second

// justifies says whether a finding can be: the row may have differed when it was seen
// first, and again when it was looked at after the delay, before it was published.
func (h *history) justifies(f sighting, delay time.Duration) bool {
	first := span{f.detected.Add(-readingTime), f.detected}
	second := span{f.detected.Add(delay), f.published}
	stretches := h.differed()
	return slices.ContainsFunc(stretches, first.meets) && slices.ContainsFunc(stretches, second.meets)
}

// fate is what became of a damage.
type fate uint8

const (
	missed    fate = iota // nobody saw it, and nothing explains why
	found                 // by a finding of its own
	overtaken             // written over by the replicator before it was seen
	swept                 // repaired together with an earlier finding of the row
)

// fateOf says what became of a damage, and when it was published.
func (h *history) fateOf(d damage) (fate, time.Time) {
	end, first := h.healed(d), always
	for _, f := range h.found {
		if !f.detected.Before(d.from) && !f.detected.After(end) && f.published.Before(first) {
			first = f.published
		}
	}
	switch {
	case first != always:
		return found, first
	case slices.ContainsFunc(h.brought, d.writtenOver):
		return overtaken, time.Time{}
	case slices.ContainsFunc(h.outcomes, d.repaired):
		return swept, time.Time{}
	default:
		return missed, time.Time{}
	}
}

// claim is what was said of a table at a moment: everything that changed at the
// authority before until is verified.
type claim struct{ at, until time.Time }

// claimed are the modes that say so of a damage: no column tells of a deleted row.
func (d damage) claimed() []string {
	switch d.kind {
	case changeLost:
		return []string{"incremental", "triggered"}
	case deletionLost:
		return []string{"triggered"}
	default:
		return nil // nothing changed at the authority
	}
}

// belies says whether a claim was made over a lost change that had neither been
// found nor made good by then.
func (h *history) belies(d damage, c claim) bool {
	if !c.until.After(d.to) {
		return false
	}
	by := func(list []span, explains func(span) bool) bool {
		return slices.ContainsFunc(list, func(s span) bool { return explains(s) && s.from.Before(c.at) })
	}
	changedAgain := func(s span) bool { return s.from.After(d.from) }
	if by(h.changed, changedAgain) || by(h.brought, d.writtenOver) || by(h.outcomes, d.repaired) {
		return false
	}
	return !slices.ContainsFunc(h.found, func(f sighting) bool { return !f.detected.Before(d.from) && !f.published.After(c.at) })
}

// writtenOver says whether a transaction of the replicator may have.
func (d damage) writtenOver(by span) bool { return by.to.After(d.over) }

// repaired says whether a repair may have, which began before it or after.
func (d damage) repaired(by span) bool { return by.to.After(d.from) }

func (id rowID) String() string { return fmt.Sprintf("%s %s", id.table, id.key) }
