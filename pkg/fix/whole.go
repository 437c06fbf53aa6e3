package fix

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"
	"sync"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// whole is how rows are read and given back with all their columns, in their
// table's own types and untranslated: what a pair compares may be less.
type whole struct {
	// write has the columns that can be written.
	write *schema.View
	// read has the pair's key in front, by which rows are found, and then the
	// columns of write.
	read *schema.View
	// lost are the columns that NotKept names.
	lost []string
}

func newWhole(v *schema.View) whole {
	write, read := *v, *v
	write.Columns, write.Key = nil, nil
	w := whole{write: &write, read: &read, lost: NotKept(v)}
	for _, c := range v.Table.Columns {
		if !c.Generated && c.Type.Kind != canonical.Unsupported {
			write.Columns = append(write.Columns, schema.ViewColumn{Column: c, As: c.Type})
		}
	}
	key := v.KeyColumns()
	read.Columns, read.Key = slices.Concat(key, write.Columns), nil
	for i, k := range key {
		read.Key = append(read.Key, i)
		write.Key = append(write.Key, slices.IndexFunc(write.Columns, func(c schema.ViewColumn) bool { return c.Name == k.Name }))
	}
	return w
}

// NotKept are the view's columns, in words, of types that are not read, so that a
// deleted row cannot be given back.
func NotKept(v *schema.View) []string {
	var out []string
	for _, c := range v.Table.Columns {
		if !c.Generated && c.Type.Kind == canonical.Unsupported {
			out = append(out, c.Name+" ("+c.Native+")")
		}
	}
	return out
}

// values are the columns of write in a row that was read.
func (w whole) values(r row.Row) row.Row { return r[len(w.read.Key):] }

// same says whether column i is the same in two rows, either of which may be absent.
func (w whole) same(i int, a, b row.Row) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a[i].IsNull() == b[i].IsNull() && string(a[i]) == string(b[i])
}

// digestBytes of a digest are kept: 128 bits, as many as an MD5 sum has.
const digestBytes = 16

// sums makes digests. It is safe for concurrent use, and keeps what they need:
// there are two for every row that is repaired.
type sums struct {
	key  []byte
	idle sync.Pool
}

type sum struct {
	mac    hash.Hash
	frame  []byte
	values row.Row
}

// of is an HMAC-SHA256 (RFC 2104), cut to digestBytes, of what it is about and of
// the frame of the values at the given positions of a row.
func (s *sums) of(about string, types []canonical.Type, r row.Row, positions []int) string {
	m, ok := s.idle.Get().(*sum)
	if !ok {
		m = &sum{mac: hmac.New(sha256.New, s.key)}
	}
	defer s.idle.Put(m)
	m.values = m.values[:0]
	for _, at := range positions {
		m.values = append(m.values, r[at])
	}
	m.frame = canonical.AppendFrame(append(m.frame[:0], about...), types, m.values)
	m.mac.Reset()
	m.mac.Write(m.frame)
	m.frame = m.mac.Sum(m.frame[:0])
	clear(m.values)
	return hex.EncodeToString(m.frame[:digestBytes])
}

// digest is that of a row as the pair has it, without what the copy computes
// itself; empty for a row that is not there.
func (p *portrait) digest(r row.Row) string {
	if r == nil {
		return ""
	}
	return p.sums.of(p.rows, p.types, r, p.told)
}

// mask stands for a value of a masked column.
func (p *portrait) mask(i int, v row.Value) string {
	c := p.whole.write.Columns[i]
	return p.sums.of(p.about(c.Name), []canonical.Type{c.As}, row.Row{v}, []int{0})
}

// about begins what is digested, so that the digests of two pairs or columns are
// never alike: the lengths in front keep any two apart.
func (p *portrait) about(column string) string {
	return string(row.Key{row.Value(p.pair.Name), row.Value(column)}.AppendID(nil))
}
