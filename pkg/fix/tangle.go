package fix

import (
	"context"
	"fmt"
	"slices"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
)

// tangle is a batch some of whose rows need unique values that other rows of
// the copy have. Those rows are brought in one after the other, each time in a
// new round over all of them, until nobody outside is in the way; then they are
// written in an order in which each value is free when it is taken, and rows
// that go round in a circle are parked. See docs/decisions for what parks.
type tangle struct {
	s *session
	// set are the rows of the present round, all those of any round so far.
	set []*job
	all map[string]*job
	// found are the rows in the way that the present round came upon.
	found []*job
	// brought counts the rows that are here only because they are in the way.
	brought int
}

// untangle works on jobs whose round ended with why, a unique value that was
// taken.
func (s *session) untangle(ctx context.Context, jobs []*job, why error) error {
	t := &tangle{s: s, set: jobs, all: map[string]*job{}}
	for _, j := range jobs {
		t.all[j.id] = j
	}
	for {
		t.found = nil
		if err := s.round(ctx, t.set, t); err != nil {
			return err
		}
		if len(t.found) == 0 {
			return nil
		}
		if t.brought > s.r.cfg.MaxChain {
			return &Error{Fault: Duplicate, Err: why, Reason: fmt.Sprintf(
				"the row waits for unique values along a chain of more than %d other rows; repair those first, or raise fixer.max_chain", s.r.cfg.MaxChain)}
		}
		t.set = slices.Concat(unsettled(t.set), t.found)
	}
}

// untie looks up who has the values that the writes take. While there are rows
// that the round does not hold it notes them and writes nothing.
func (t *tangle) untie(ctx context.Context, finder Finder, writes []write) ([]write, [][]Change, error) {
	met, err := t.meetings(ctx, finder, writes)
	if err != nil {
		return nil, nil, err
	}
	for _, m := range met {
		t.bring(writes[m.taker].job, m)
	}
	if len(t.found) > 0 {
		return nil, nil, nil
	}
	writes, groups := newKnot(t, writes, met).untie()
	return writes, groups, nil
}

// meeting is a write that takes a value which a row of the copy has.
type meeting struct {
	taker   int // the write
	unique  int // the unique key
	holder  row.Key
	id      string // holder.ID()
	outside bool
}

// meetings asks the copy about every unique value that the writes take.
func (t *tangle) meetings(ctx context.Context, finder Finder, writes []write) ([]meeting, error) {
	var met []meeting
	for u, unique := range t.s.r.uniques {
		var takers []int
		var rows []row.Row
		for i, w := range writes {
			if takes(unique, w.change, t.s.r.to.Writable) {
				takers, rows = append(takers, i), append(rows, w.change.Row)
			}
		}
		if len(rows) == 0 {
			continue
		}
		holders, err := finder.Holders(ctx, unique.positions, rows)
		if err != nil {
			return nil, fmt.Errorf("find the copy's rows that have unique values: %w", err)
		}
		for _, h := range holders {
			met = append(met, meeting{taker: takers[h.Of], unique: u, holder: h.Key, id: h.Key.ID(), outside: h.Outside})
		}
	}
	return met, nil
}

// takes says whether a change writes a value of the unique key. A column that
// the copy computes may change with any other.
func takes(u unique, c Change, writable func(int) bool) bool {
	if c.Row == nil {
		return false
	}
	written := c.Action == event.Insert
	for _, p := range u.positions {
		if c.Row[p].IsNull() {
			return false // NULL is not unique
		}
		written = written || slices.Contains(c.Columns, p) || !writable(p)
	}
	return written
}

// bring notes a row in the way that no round has held yet. A row with work of
// its own in this call does that work now.
func (t *tangle) bring(taker *job, m meeting) {
	if m.outside || t.all[m.id] != nil {
		return
	}
	j := t.s.repairs[m.id]
	if j == nil || j.settled {
		j = &job{key: m.holder.Clone(), id: m.id, cause: taker.cause}
		if len(taker.findings) > 0 {
			j.cause = taker.findings[0]
		}
		t.s.brought = append(t.s.brought, j)
		t.brought++
	}
	t.all[m.id] = j
	t.found = append(t.found, j)
}

// onAccountOf is the finding that the outcome of a row in the way is told
// under: there was none about the row itself.
func (r *Repairer) onAccountOf(j *job) event.Finding {
	f := *j.cause
	f.ID += "/way"
	f.Kind = event.KindUnknown
	f.Key = slices.Clone(f.Key)
	for i := range f.Key {
		f.Key[i].Value = j.key[i]
	}
	f.Columns = nil
	return f
}
