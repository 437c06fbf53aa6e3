// Package standing says how the pairs stand at this moment: which rows are known
// to differ, since when, what holds them up, and up to when everything else is
// verified. It is a projection of what the topics of findings, outcomes, retries
// and dead letters say, and of what runs say about themselves. It is pure: who
// reads the topics hands it what they hold.
//
//	board.go   what was told, and by whom
//	row.go     one row: whether it is open, and what holds it up
//	pair.go    how a pair stands, as plain values
//	line.go    and as a sentence
package standing

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/event"
)

// Board keeps the open rows of some pairs.
//
// A row is open from the first finding about it up to the outcome that closes it;
// it stays open while its last outcome says that it is held, dead or undone, or
// that it was still changing. Outcomes are held against findings by their IDs and
// among themselves by their place in the topic, never by clocks, so that it does not
// matter in which order topics are read, or how often. A complete full run that left nothing
// undecided outranks the topics: a row that it did not find again is not open any
// more, whoever put it right.
//
// Times of findings are those of the validators, as is the board's own, so that
// a fixer whose clock is off does not change the age of anything.
//
// Memory is bounded by the number of rows it may keep, about 500 bytes each. A
// finding about one row more is not kept; from then on the number of open rows
// says "at least", until a complete full run that left nothing undecided has
// looked at the rows that found no room.
//
// It is safe for concurrent use.
type Board struct {
	limit int

	mu    sync.Mutex
	pairs map[string]*pair
	rows  map[rowID]*row
	open  int // of rows
	// closed are rows that are kept although they are closed, since what is read
	// of them may come in any order; the oldest gives way.
	closed []rowID
	next   int
	// counted is the place of the last outcome that was counted, by partition.
	counted map[int32]int64
}

type (
	rowID     [16]byte
	findingID [16]byte
)

// pair is what is known of a pair beside its rows.
type pair struct {
	config string
	// missed is when the last row that found no room was found; zero for none.
	missed   time.Time
	outcomes map[event.Result]int64
	verified map[string]Watermark
	verdicts event.Verdicts
	// whole is when the last complete full run began that left nothing undecided.
	whole time.Time
	// followed is the greatest watermark.
	followed time.Time
}

// DefaultRows is the limit of a Board, some 50 MB when it is reached: more rows
// than anybody looks through, and than a breaker leaves.
const DefaultRows = 100_000

// NewBoard returns a board which keeps at most so many open rows, for the pairs of
// these names, each with the digest of its configuration (event.Verdict). What is
// told of other pairs it passes over.
func NewBoard(limit int, configs map[string]string) *Board {
	b := &Board{limit: max(limit, 1), pairs: map[string]*pair{}, rows: map[rowID]*row{}, counted: map[int32]int64{}}
	for name, config := range configs {
		b.pairs[name] = &pair{
			config: config, outcomes: map[event.Result]int64{}, verified: map[string]Watermark{}, verdicts: event.Verdicts{Pair: name},
		}
	}
	return b
}

// Found takes in a finding that was published at the given moment.
func (b *Board) Found(f event.Finding, published time.Time) { b.found(f, published, false) }

// PutOff takes in a finding that waits in the retry topic: another transaction holds its
// row, or it refers to a row that is not there yet.
func (b *Board) PutOff(f event.Finding, published time.Time) { b.found(f, published, true) }

func (b *Board) found(f event.Finding, published time.Time, putOff bool) {
	b.with(f.Pair, f.Key, func(r *row) {
		r.found(request{id: idOf(f.ID), kind: f.Kind, since: moment(f.DetectedAt, published), putOff: putOff})
	})
}

// Spot is the place of a record in the topic of outcomes, or of dead letters, and when
// it was written.
type Spot struct {
	Partition int32
	Offset    int64
	At        time.Time
}

// after says which of two records about one row came later. All of them stand in
// one partition, unless the number of partitions was changed in between.
func (s Spot) after(o Spot) bool {
	if s.Partition == o.Partition {
		return s.Offset > o.Offset
	}
	return s.At.After(o.At)
}

// Settled takes in an outcome. What a fixer would have done settles nothing.
func (b *Board) Settled(o event.Outcome, at Spot) {
	if o.DryRun {
		return
	}
	b.mu.Lock()
	if p := b.pairs[o.Pair]; p != nil {
		if last, any := b.counted[at.Partition]; !any || at.Offset > last {
			b.counted[at.Partition] = at.Offset
			p.outcomes[o.Result]++
		}
	}
	b.mu.Unlock()
	b.with(o.Pair, o.Key, func(r *row) {
		r.settled(idOf(o.FindingID), answer{at: at, kind: o.Kind, state: stateOf(o), since: moment(o.DetectedAt, o.At), told: o.At})
	})
}

// Buried takes in a dead letter about a row, and Dropped that a person decided
// that nothing is to be done about the letters of a row before an offset of its
// partition.
func (b *Board) Buried(f event.Finding, at Spot) {
	b.with(f.Pair, f.Key, func(r *row) { r.letter = max(r.letter, at.Offset+1) })
}

// Dropped is told by the key of the row's records (event.RowKey), since a mark
// has nothing else.
func (b *Board) Dropped(rowKey []byte, before int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	// A row that is not known here has no outcome yet that says that it is dead;
	// that outcome is older than the mark and will be read.
	id := rowIDOf(rowKey)
	r := b.rows[id]
	if r == nil {
		r = &row{}
		b.rows[id] = r
		b.retire(id)
	}
	r.dropped = max(r.dropped, before)
	b.review(id, r)
}

// Concluded takes in verdicts of a pair.
func (b *Board) Concluded(v event.Verdicts) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pairs[v.Pair]
	if p == nil {
		return
	}
	p.verdicts.Merge(v)
	for _, verdict := range v.List {
		// A row that such a run did not find again is as it is to be. A run of
		// another configuration may not have looked at it in the same way.
		whole := verdict.Mode == full && verdict.Complete && verdict.Undecided == 0 && verdict.Config == p.config
		if whole && verdict.Began.After(p.whole) {
			p.whole = verdict.Began
		}
	}
	b.reviewAll(p)
}

// Verified takes in how far a run without an end has come.
func (b *Board) Verified(name string, w Watermark) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pairs[name]
	if p == nil || !w.At.After(p.verified[w.Mode].At) {
		return
	}
	if w.Since.IsZero() {
		w.Since = p.verified[w.Mode].Since
	}
	p.verified[w.Mode] = w
	if w.Until.After(p.followed) {
		p.followed = w.Until
	}
}

// with changes the row of a key, if there is room for it.
func (b *Board) with(name string, key event.Key, change func(*row)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pairs[name]
	if p == nil {
		return
	}
	id := rowIDOf(event.RowKey(name, key.Values()))
	r := b.rows[id]
	if r == nil {
		r = &row{}
		b.rows[id] = r
		b.retire(id) // until it turns out to be open
	}
	r.pair = p
	change(r)
	b.review(id, r)
}

// review notes whether a row is open now.
func (b *Board) review(id rowID, r *row) (now glance) {
	if r.pair != nil {
		now = r.look()
	}
	open := now.isOpen()
	switch {
	case open && !r.open && b.open >= b.limit:
		delete(b.rows, id)
		if since := r.openSince(now); since.After(r.pair.missed) {
			r.pair.missed = since
		}
	case open && !r.open:
		r.open = true
		b.open++
	case !open && r.open:
		r.open = false
		b.open--
		b.retire(id)
	}
	return now
}

func (b *Board) reviewAll(p *pair) {
	for id, r := range b.rows {
		if r.pair == p && r.open {
			b.review(id, r)
		}
	}
}

// retire has a row that is closed take the place of the one that is closed longest.
func (b *Board) retire(id rowID) {
	if len(b.closed) < b.limit {
		b.closed = append(b.closed, id)
		return
	}
	if old := b.rows[b.closed[b.next]]; old != nil && !old.open && b.closed[b.next] != id {
		delete(b.rows, b.closed[b.next])
	}
	b.closed[b.next] = id
	b.next = (b.next + 1) % b.limit
}

func rowIDOf(rowKey []byte) rowID {
	sum := sha256.Sum256(rowKey)
	return rowID(sum[:16])
}

func idOf(finding string) findingID {
	sum := sha256.Sum256([]byte(finding))
	return findingID(sum[:16])
}

// moment is when a difference was seen, or what is known in its place.
func moment(detected, otherwise time.Time) time.Time {
	if detected.IsZero() {
		return otherwise
	}
	return detected
}
