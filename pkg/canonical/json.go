package canonical

import (
	"bytes"
	"sync"
)

// AppendJSON appends a document as its server sent it: Equal compares values,
// and what is written to the copy is the authority's own text.
func AppendJSON(dst, text []byte) []byte { return append(dst, text...) }

// equalJSON compares two documents by value: the order of an object's members
// and blanks do not count, of members with the same name the last counts (as in
// PostgreSQL's jsonb and MySQL), numbers are equal when their exact decimal
// values are (1.0 and 1; never through binary floating point), strings when
// their characters are. A text that is no JSON in the sense of RFC 8259 — or is
// nested deeper than jsonDepth — equals only the same bytes.
func equalJSON(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	pair := jsonPairs.Get().(*jsonPair)
	defer pair.release()
	x, okX := pair.a.parse(a)
	if !okX {
		return false
	}
	y, okY := pair.b.parse(b)
	return okY && pair.equal(x, y)
}

// jsonPair is the memory of one comparison, reused by the next.
type jsonPair struct{ a, b jsonParser }

var jsonPairs = sync.Pool{New: func() any { return new(jsonPair) }}

// jsonKeep is the memory, in bytes of text, up to which a parser is kept for
// the next document: a rare giant must not stay.
const jsonKeep = 1 << 20

func (p *jsonPair) release() {
	if p.a.large() || p.b.large() {
		return
	}
	p.a.forget()
	p.b.forget()
	jsonPairs.Put(p)
}

func (p *jsonPair) equal(x, y jsonNode) bool {
	if x.kind != y.kind {
		return false
	}
	switch x.kind {
	case jsonNumber:
		return equalNumber(x.text, y.text)
	case jsonString:
		return bytes.Equal(x.text, y.text)
	case jsonArray, jsonObject:
		return p.equalMembers(p.a.members[x.from:x.to], p.b.members[y.from:y.to])
	default: // true, false and null are their kind
		return true
	}
}

func (p *jsonPair) equalMembers(x, y []jsonMember) bool {
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if !bytes.Equal(x[i].name, y[i].name) || !p.equal(x[i].value, y[i].value) {
			return false
		}
	}
	return true
}

func equalNumber(x, y []byte) bool {
	if bytes.Equal(x, y) {
		return true
	}
	n, okN := parseNumber(x)
	m, okM := parseNumber(y)
	return okN && okM && n.equal(m)
}
