package validate

import (
	"math/big"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// pending is what change events named and nobody has looked at yet: keys, each
// once, and when they become too many, a range of the key index that holds them
// all. It decides; whoever uses it does the reading.
type pending struct {
	capacity int
	key      []schema.ViewColumn
	since    time.Time
	keys     map[string]row.Key
	dirty    *row.Range // instead of keys
	mark     *taken     // the newest event's
	events   int
}

func newPending(capacity int, key []schema.ViewColumn) *pending {
	return &pending{capacity: capacity, key: key, keys: map[string]row.Key{}}
}

func (p *pending) empty() bool { return p.events == 0 && len(p.keys) == 0 && p.dirty == nil }

// add notes what an event says; it returns true when keys gave way to a range.
func (p *pending) add(c Change, now time.Time) (spilled bool) {
	if p.empty() {
		p.since = now
	}
	p.events++
	if c.Mark != nil {
		p.take(c)
	}
	if c.All {
		p.keys, p.dirty = nil, &row.Range{}
		return false
	}
	for _, key := range c.Keys {
		spilled = p.put(key) || spilled
	}
	return spilled
}

// take notes the mark of the newest event. The newest commit may be that of one
// before it: MySQL gives each event the time of its statement.
func (p *pending) take(c Change) {
	at := c.At
	if p.mark != nil && p.mark.at.After(at) {
		at = p.mark.at
	}
	p.mark = &taken{mark: c.Mark, at: at}
}

func (p *pending) put(key row.Key) (spilled bool) {
	if p.dirty != nil {
		p.dirty = p.widen(*p.dirty, key)
		return false
	}
	p.keys[key.ID()] = key
	if len(p.keys) <= p.capacity {
		return false
	}
	var span *row.Range
	for _, k := range p.keys {
		if span == nil {
			span = p.only(k)
			continue
		}
		span = p.widen(*span, k)
	}
	p.keys, p.dirty = nil, span
	return true
}

// ordered says whether the order of keys is known here: that of whole numbers.
// Others are ordered by the server's collation.
func (p *pending) ordered() bool {
	return len(p.key) == 1 && p.key[0].As.Kind == canonical.Int && p.key[0].Type.Kind == canonical.Int && p.key[0].Translation == nil
}

// only is the range of one key. Its lower bound is not part of it.
func (p *pending) only(key row.Key) *row.Range {
	n, ok := new(big.Int).SetString(string(key[0]), 10)
	if !p.ordered() || !ok {
		return &row.Range{}
	}
	return &row.Range{After: row.Key{row.Value(n.Sub(n, big.NewInt(1)).String())}, Through: key}
}

func (p *pending) widen(r row.Range, key row.Key) *row.Range {
	one := p.only(key)
	if r.Through == nil || one.Through == nil { // the whole table already
		return &row.Range{}
	}
	if less(one.After, r.After) {
		r.After = one.After
	}
	if less(r.Through, one.Through) {
		r.Through = one.Through
	}
	return &r
}

// less compares keys of one whole number.
func less(a, b row.Key) bool {
	x, _ := new(big.Int).SetString(string(a[0]), 10)
	y, _ := new(big.Int).SetString(string(b[0]), 10)
	return x.Cmp(y) < 0
}
