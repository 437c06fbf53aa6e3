// Package row holds the values that travel between databases, comparison and
// repair: a column value, a key, a row and a range of keys. It performs no I/O
// and imports nothing of the project.
package row

import (
	"strconv"
	"strings"
)

// Value is one column value in the canonical text of its type (package
// canonical owns those texts). A nil Value is SQL NULL; an empty, non-nil
// Value is an empty value. The two are never the same.
type Value []byte

// IsNull says whether the value is SQL NULL.
func (v Value) IsNull() bool { return v == nil }

// Clone returns a copy that shares no memory with v; NULL stays NULL.
func (v Value) Clone() Value {
	if v == nil {
		return nil
	}
	return append(make(Value, 0, len(v)), v...)
}

// Row is one row: a value for each column of the view it was read through, in
// the view's order.
type Row []Value

// Clone returns a deep copy, held in one block of memory. Readers reuse the
// memory of a row as soon as the next one is asked for, so whoever keeps a row
// keeps a clone.
func (r Row) Clone() Row { return cloneValues(r) }

// Key returns the values at the given positions. It shares memory with r.
func (r Row) Key(positions []int) Key {
	key := make(Key, len(positions))
	for i, p := range positions {
		key[i] = r[p]
	}
	return key
}

// AppendID appends the ID of Key to dst.
func (r Row) AppendID(dst []byte, positions []int) []byte {
	for _, p := range positions {
		dst = appendPart(dst, r[p])
	}
	return dst
}

// Key is the value of a pair's key: one value for each key column, none NULL.
type Key []Value

// Clone returns a deep copy.
func (k Key) Clone() Key { return cloneValues(k) }

// ID is the key as a map key: two keys have the same ID only when they hold
// the same values. Each value is preceded by its length, so that no separator
// inside a value can make two keys look alike.
func (k Key) ID() string { return string(k.AppendID(nil)) }

// AppendID appends ID to dst.
func (k Key) AppendID(dst []byte) []byte {
	for _, v := range k {
		dst = appendPart(dst, v)
	}
	return dst
}

func appendPart(dst []byte, v Value) []byte {
	dst = strconv.AppendInt(dst, int64(len(v)), 10)
	dst = append(dst, ':')
	return append(dst, v...)
}

// String is the key for a person to read: values joined by commas. It is not
// unique; use ID where identity matters.
func (k Key) String() string {
	texts := make([]string, len(k))
	for i, v := range k {
		texts[i] = string(v)
	}
	return strings.Join(texts, ",")
}

// Range is a range of keys: those greater than After and not greater than
// Through, in the order of the database that is asked. A nil bound is open, so
// that the first and the last range of a table also see rows outside the span
// the other side knows.
type Range struct {
	After   Key
	Through Key
}

// String is the range for a person to read.
func (r Range) String() string {
	from, to := "start", "end"
	if r.After != nil {
		from = r.After.String()
	}
	if r.Through != nil {
		to = r.Through.String()
	}
	return "(" + from + " … " + to + "]"
}

func cloneValues[S ~[]Value](values S) S {
	if values == nil {
		return nil
	}
	size := 0
	for _, v := range values {
		size += len(v)
	}
	block := make([]byte, 0, size)
	out := make(S, len(values))
	for i, v := range values {
		if v == nil {
			continue
		}
		start := len(block)
		block = append(block, v...)
		out[i] = Value(block[start:len(block):len(block)])
	}
	return out
}
