package compare

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
)

// Difference is a key on which the two sides did not agree when they were read.
type Difference struct {
	Kind event.Kind
	Key  row.Key
	// Columns are the positions that differ when Kind is NotEqual.
	Columns []int
	// Witness is the authority's row as it was read.
	Witness Witness
}

// Limits bound what one Join keeps in memory: rows that wait for their
// partner, and differences. Bytes is memory, with what Go needs to keep a row
// or a key counted in, which for rows of small values is most of it. A limit
// gives way when there is nothing to split, so a single row may be larger.
type Limits struct {
	Rows  int
	Bytes int64
}

// Joined is what a Join read and found.
type Joined struct {
	AuthorityRows, CopyRows int64
	// Bytes is the size of the rows of the side that sent more.
	Bytes       int64
	Differences []Difference
}

// TooLarge says that a range holds more than the limits allow to keep. Mid is
// the key of a row somewhere in it, with rows after it: the ranges up to Mid
// and after Mid are both smaller.
type TooLarge struct {
	Mid row.Key
}

// Error names where the range can be split.
func (e *TooLarge) Error() string {
	return fmt.Sprintf("too much differs in the range to keep in memory; it can be split at %s", e.Mid)
}

// ErrDuplicateKey says that a cursor returned two rows with the same key.
var ErrDuplicateKey = errors.New("two rows have the same key; the key must be unique in the form it is compared in")

// Join reads both sides of a range to their end and returns the differences.
// It closes neither cursor.
//
// It is a symmetric hash join: a row waits in memory until the other side
// sends the row with its key, so no order of keys is needed and none has to be
// computed here, where collations are unknown. Rows that come in the same
// order on both sides, which is the rule, are compared as they come and never
// kept. After a row that one side lacks the join falls back into step, and
// only rows without a partner stay in memory.
//
// A *TooLarge error means that the limits were met; any other error comes from
// a cursor, and nothing is known about the range then.
func (c *Comparer) Join(authority, replica row.Cursor, limits Limits) (Joined, error) {
	j := &join{
		comparer:  c,
		limits:    limits,
		authority: &stream{name: "authority", undecoded: undecoded(authority), waiting: map[string]waiting{}},
		replica:   &stream{name: "copy", undecoded: undecoded(replica), waiting: map[string]waiting{}},
	}
	j.undecoded = comparable(j.authority, j.replica)
	j.turn = j.authority
	for !j.authority.ended || !j.replica.ended {
		if err := j.advance(); err != nil {
			return Joined{}, err
		}
	}
	j.leftovers()
	return Joined{
		AuthorityRows: j.authority.rows,
		CopyRows:      j.replica.rows,
		Bytes:         max(j.authority.bytes, j.replica.bytes),
		Differences:   j.differences,
	}, nil
}

type join struct {
	comparer           *Comparer
	limits             Limits
	authority, replica *stream
	differences        []Difference

	// undecoded is whether rows can be held against each other as they were
	// sent.
	undecoded bool
	// turn is the stream to read while the two are out of step.
	turn *stream
	// step counts how often the streams fell back into step. A row that waits
	// since an earlier step is presumed to have no partner; it may still get one.
	step uint64
	// seq numbers the waiting rows, so that differences come out in the order
	// in which they were read.
	seq  uint64
	id   []byte // scratch
	held int64  // memory of waiting rows and differences, in bytes
}

// What keeping something costs besides its values, in bytes, about: a slice
// header for each value, and for each row or difference its struct, its map
// entry with the key's ID, and what the allocator rounds up.
const (
	valueOverhead = 24
	entryOverhead = 200
)

// kept is the memory that values take while they are kept.
func kept[S ~[]row.Value](values S) int64 {
	return entryOverhead + int64(len(values))*valueOverhead + size(values)
}

// stream is one side being read.
type stream struct {
	name      string
	undecoded row.Undecoded
	ended     bool
	rows      int64
	bytes     int64
	waiting   map[string]waiting
	// recent counts the rows waiting since the current step.
	recent int
	// mid is the key of the row read as row number midAt.
	mid   row.Key
	midAt int64
}

type waiting struct {
	row  row.Row
	step uint64
	seq  uint64
}

// advance reads one row of each side while they are in step, and otherwise one
// row of the side that is behind.
func (j *join) advance() error {
	if j.authority.recent == 0 && j.replica.recent == 0 {
		return j.both()
	}
	return j.one()
}

func (j *join) both() error {
	same, err := j.same()
	if same || err != nil {
		return err
	}
	a, err := j.authority.row()
	if err != nil {
		return err
	}
	b, err := j.replica.row()
	if err != nil {
		return err
	}
	if a != nil && b != nil && j.comparer.sameKey(a, b) {
		return j.compare(a, b)
	}
	if a != nil {
		if _, err := j.meet(j.authority, a); err != nil {
			return err
		}
	}
	if b != nil {
		if _, err := j.meet(j.replica, b); err != nil {
			return err
		}
	}
	return nil
}

// same moves both streams to their next rows and says whether these are the
// same for all that was sent. Rows that are not may still be equal.
func (j *join) same() (bool, error) {
	if err := j.authority.advance(); err != nil {
		return false, err
	}
	if err := j.replica.advance(); err != nil {
		return false, err
	}
	if !j.undecoded || j.authority.ended || j.replica.ended {
		return false, nil
	}
	a, b := j.authority.undecoded.Wire(), j.replica.undecoded.Wire()
	if !slices.EqualFunc(a, b, sameBytes) {
		return false, nil
	}
	n := size(a)
	j.authority.bytes += n
	j.replica.bytes += n
	return true, nil
}

func sameBytes(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// one reads from the stream whose turn it is. A row that finds its partner
// means that its stream is the one behind: it goes on until nothing the other
// has sent lately is without a partner, and then both are in step again. A row
// that finds none gives the turn to the other stream.
func (j *join) one() error {
	s := j.turn
	if s.ended {
		s = j.other(s)
	}
	if err := s.advance(); err != nil {
		return err
	}
	r, err := s.row()
	if err != nil {
		return err
	}
	if r == nil {
		j.turn = j.other(s)
		return nil
	}
	met, err := j.meet(s, r)
	switch {
	case err != nil:
		return err
	case !met:
		j.turn = j.other(s)
	case j.other(s).recent == 0:
		j.step++
		s.recent = 0
	default:
		j.turn = s
	}
	return nil
}

// meet compares r with the row of the other stream that waits for it, or lets
// it wait itself.
func (j *join) meet(s *stream, r row.Row) (met bool, err error) {
	j.id = j.comparer.appendID(j.id[:0], r)
	other := j.other(s)
	if w, ok := other.waiting[string(j.id)]; ok {
		delete(other.waiting, string(j.id))
		j.held -= kept(w.row)
		if w.step == j.step {
			other.recent--
		}
		if s == j.authority {
			return true, j.compare(r, w.row)
		}
		return true, j.compare(w.row, r)
	}
	if _, twice := s.waiting[string(j.id)]; twice {
		return false, fmt.Errorf("read the %s's row %s: %w", s.name, j.comparer.Key(r), ErrDuplicateKey)
	}
	j.seq++
	s.waiting[string(j.id)] = waiting{row: r.Clone(), step: j.step, seq: j.seq}
	s.recent++
	j.held += kept(r)
	return false, j.check(s, r)
}

func (j *join) compare(a, b row.Row) error {
	kind, columns := j.comparer.Rows(a, b)
	if kind == event.KindUnknown {
		return nil
	}
	d := Difference{Kind: kind, Key: j.comparer.Key(a).Clone(), Columns: columns, Witness: WitnessOf(a)}
	j.differences = append(j.differences, d)
	j.held += kept(d.Key)
	return j.check(j.authority, a)
}

// check holds what is kept against the limits. Half-way there it notes a key
// to split at; r is the row of s just read or met.
func (j *join) check(s *stream, r row.Row) error {
	count := len(j.differences) + len(j.authority.waiting) + len(j.replica.waiting)
	if s.mid == nil && (count >= j.limits.Rows/2 || j.held >= j.limits.Bytes/2) {
		s.mid, s.midAt = j.comparer.Key(r).Clone(), s.rows
	}
	if count <= j.limits.Rows && j.held <= j.limits.Bytes {
		return nil
	}
	for _, s := range []*stream{j.authority, j.replica} {
		// Only a row read after Mid proves that the range goes on behind it.
		if s.mid != nil && s.rows > s.midAt {
			return &TooLarge{Mid: s.mid}
		}
	}
	return nil
}

// leftovers turns the rows still waiting into differences: both sides were
// read to their end, so each of them has no partner.
func (j *join) leftovers() {
	type leftover struct {
		waiting
		kind event.Kind
	}
	left := make([]leftover, 0, len(j.authority.waiting)+len(j.replica.waiting))
	for _, w := range j.authority.waiting {
		left = append(left, leftover{w, event.TargetMissing})
	}
	for _, w := range j.replica.waiting {
		left = append(left, leftover{w, event.BaseMissing})
	}
	j.authority.waiting, j.replica.waiting = nil, nil
	slices.SortFunc(left, func(a, b leftover) int { return cmp.Compare(a.seq, b.seq) })
	j.differences = slices.Grow(j.differences, len(left))
	for i, l := range left {
		// A clone, because the key would keep the whole row's memory alive.
		d := Difference{Kind: l.kind, Key: j.comparer.Key(l.row).Clone()}
		if l.kind == event.TargetMissing {
			d.Witness = WitnessOf(l.row)
		}
		j.differences = append(j.differences, d)
		left[i].row = nil // the differences take the rows' place
	}
}

func (j *join) other(s *stream) *stream {
	if s == j.authority {
		return j.replica
	}
	return j.authority
}

// advance moves the stream to its next row, if it has one.
func (s *stream) advance() error {
	if s.ended {
		return nil
	}
	err := s.undecoded.Advance()
	// Compared as it is: a lost connection may be reported as an error that
	// wraps io.EOF, and must not pass for the end of the rows.
	if err == io.EOF { //nolint:errorlint // see above
		s.ended = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the %s's rows: %w", s.name, err)
	}
	s.rows++
	return nil
}

// row returns the row the stream is at, or nil once it has ended.
func (s *stream) row() (row.Row, error) {
	if s.ended {
		return nil, nil
	}
	r, err := s.undecoded.Row()
	if err != nil {
		return nil, fmt.Errorf("read the %s's rows: %w", s.name, err)
	}
	s.bytes += size(r)
	return r, nil
}

// comparable says whether the rows of two streams can be held against each
// other as they were sent.
func comparable(a, b *stream) bool {
	form := a.undecoded.Form()
	return form != "" && form == b.undecoded.Form()
}

// undecoded makes any cursor one that may, or may not, compare rows undecoded.
func undecoded(c row.Cursor) row.Undecoded {
	if u, ok := c.(row.Undecoded); ok {
		return u
	}
	return &decoded{Cursor: c}
}

// decoded is a cursor that hands out rows only.
type decoded struct {
	row.Cursor
	current row.Row
}

func (d *decoded) Advance() (err error) {
	d.current, err = d.Next()
	return err
}

func (d *decoded) Row() (row.Row, error) { return d.current, nil }

func (d *decoded) Wire() [][]byte { return nil }

func (d *decoded) Form() string { return "" }

func size[S ~[]E, E ~[]byte](values S) int64 {
	n := 0
	for _, v := range values {
		n += len(v)
	}
	return int64(n)
}
