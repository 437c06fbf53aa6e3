package event

import (
	"fmt"
	"strconv"
	"time"
)

// Decision says which side of a pair is the authority, from this epoch on.
type Decision struct {
	Pair      string
	Epoch     uint64
	Authority Side
	At        time.Time
}

// Decision encodes a decision as a PairState without a position. Epoch and
// authority are part of its key: a decision is never overwritten, neither by
// an older one that comes late nor by one that contradicts it, and compaction
// keeps them all.
func (e Encoder) Decision(d Decision) (Record, error) {
	r, err := e.PairState(PairState{Pair: d.Pair, Epoch: d.Epoch, Authority: d.Authority, At: d.At})
	r.Key = StateKey(StateEpoch, strconv.FormatUint(d.Epoch, 10)+"/"+d.Authority.String()+"/"+d.Pair)
	return r, err
}

// Decisions are the present decision of each pair as the records of the state
// topic tell it, in whatever order and however often they come. The zero value
// knows none.
type Decisions struct {
	present  map[string]Decision
	disputed map[string]bool
}

// Apply takes note of a record, and returns the pair that it decides about;
// records of other kinds are passed over.
func (d *Decisions) Apply(r Record) (pair string, err error) {
	if kind, _ := StateKind(r.Key); kind != StateEpoch || r.Value == nil {
		return "", nil // a decision stands although somebody removed its record
	}
	s, err := DecodePairState(r)
	if err != nil {
		return "", err
	}
	d.note(Decision{Pair: s.Pair, Epoch: s.Epoch, Authority: s.Authority, At: s.At})
	return s.Pair, nil
}

func (d *Decisions) note(n Decision) {
	if d.present == nil {
		d.present, d.disputed = map[string]Decision{}, map[string]bool{}
	}
	known, ok := d.present[n.Pair]
	switch {
	case !ok || n.Epoch > known.Epoch:
		d.present[n.Pair], d.disputed[n.Pair] = n, false
	case n.Epoch == known.Epoch && n.Authority != known.Authority:
		d.disputed[n.Pair] = true
	}
}

// Check holds what a process takes for the present decision against what was
// decided. announced says that the topic has it already. The errors are a
// *SupersededError and a *DisputedError.
func (d *Decisions) Check(mine Decision) (announced bool, err error) {
	known, ok := d.present[mine.Pair]
	switch {
	case !ok || known.Epoch < mine.Epoch:
		return false, nil
	case known.Epoch > mine.Epoch:
		return false, &SupersededError{Mine: mine, Present: known}
	case known.Authority != mine.Authority || d.disputed[mine.Pair]:
		return false, &DisputedError{Mine: mine}
	}
	return true, nil
}

// SupersededError is a process that acts on a decision which is no longer the
// present one.
type SupersededError struct{ Mine, Present Decision }

// Error says what is known and what to do.
func (e *SupersededError) Error() string {
	return fmt.Sprintf("pair %s is in epoch %d (the %s is right), and this process was configured for epoch %d (the %s is right); "+
		"start it again with the present configuration, in which authority is %s and epoch %d",
		e.Mine.Pair, e.Present.Epoch, e.Present.Authority, e.Mine.Epoch, e.Mine.Authority, e.Present.Authority, e.Present.Epoch)
}

// DisputedError is an epoch under which each of the two sides was said to be
// the authority.
type DisputedError struct{ Mine Decision }

// Error says what to do.
func (e *DisputedError) Error() string {
	return fmt.Sprintf("pair %s: under epoch %d both sides were configured to be the authority, this process has the %s; "+
		"find out which is right, and give it with epoch %d in the configuration of every service",
		e.Mine.Pair, e.Mine.Epoch, e.Mine.Authority, e.Mine.Epoch+1)
}
