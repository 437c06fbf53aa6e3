package database

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/dialect"
)

// wireStream implements stream over a tap: it takes a prepared statement's rows
// as the server sent them.
type wireStream struct {
	mysqlStream
	tap    *tap
	fields []wireField
	types  string // the names of the fields' types, for form
	packet []byte
	texts  []byte // of the times of one row, which come in pieces
	one    [1][]byte
}

// wireField is how a column's values are laid out.
type wireField struct {
	layout layout
	signed bool
}

// layout is a form in which MySQL sends a value (its documentation, "Binary
// Protocol Resultset Row").
type layout uint8

const (
	layoutBytes layout = iota // preceded by their length
	layoutInt8
	layoutInt16
	layoutInt32
	layoutInt64
	layoutFloat
	layoutDouble
	layoutDate
	layoutDateTime
	layoutTime
)

// layouts are those of the types by the driver's names for them. The rest are
// bytes preceded by their length.
var layouts = map[string]layout{
	"TINYINT": layoutInt8, "SMALLINT": layoutInt16, "YEAR": layoutInt16,
	"MEDIUMINT": layoutInt32, "INT": layoutInt32, "BIGINT": layoutInt64,
	"FLOAT": layoutFloat, "DOUBLE": layoutDouble,
	"DATE": layoutDate, "DATETIME": layoutDateTime, "TIMESTAMP": layoutDateTime, "TIME": layoutTime,
	"DECIMAL": layoutBytes, "BIT": layoutBytes, "JSON": layoutBytes,
	"CHAR": layoutBytes, "VARCHAR": layoutBytes, "TINYTEXT": layoutBytes, "TEXT": layoutBytes,
	"MEDIUMTEXT": layoutBytes, "LONGTEXT": layoutBytes, "ENUM": layoutBytes, "SET": layoutBytes,
	"BINARY": layoutBytes, "VARBINARY": layoutBytes, "TINYBLOB": layoutBytes, "BLOB": layoutBytes,
	"MEDIUMBLOB": layoutBytes, "LONGBLOB": layoutBytes, "GEOMETRY": layoutBytes, "VECTOR": layoutBytes,
	"NULL": layoutBytes, // always marked as NULL, so nothing follows
}

// unsignedPrefix stands before the names of unsigned integers.
const unsignedPrefix = "UNSIGNED "

// newWireStream describes the rows that follow. It refuses a result whose
// layout is not known rather than misread it.
func newWireStream(s mysqlStream, t *tap) (*wireStream, error) {
	names, ok := s.rows.(driver.RowsColumnTypeDatabaseTypeName)
	if !ok {
		return nil, fmt.Errorf("%T does not name its types", s.rows)
	}
	w := &wireStream{mysqlStream: s, tap: t, fields: make([]wireField, len(s.values))}
	all := make([]string, len(w.fields))
	for i := range w.fields {
		all[i] = names.ColumnTypeDatabaseTypeName(i)
		name, unsigned := strings.CutPrefix(all[i], unsignedPrefix)
		layout, known := layouts[name]
		if !known {
			return nil, fmt.Errorf("column %d is of a type (%q) whose form is not known here", i+1, all[i])
		}
		w.fields[i] = wireField{layout: layout, signed: !unsigned && name != "YEAR"}
	}
	w.types = strings.Join(all, ",")
	t.begin()
	return w, nil
}

func (w *wireStream) form() string { return w.types }

// advance implements stream. What is no row is read by the driver: the end, an
// error of the server, a connection that was lost or closed.
func (w *wireStream) advance() error {
	packet, err := w.tap.row()
	if err == nil {
		w.packet = packet
		return nil
	}
	w.tap.rest()
	if err := w.mysqlStream.advance(); err != nil {
		return err
	}
	return errors.New("the driver read a row where there was none")
}

// wire implements stream: the packet as a whole.
func (w *wireStream) wire() [][]byte {
	w.one[0] = w.packet
	return w.one[:]
}

var errShortRow = fmt.Errorf("the server sent a row that ends too early: %w", io.ErrUnexpectedEOF)

// read implements stream.
func (w *wireStream) read(dest []dialect.Raw) error {
	// A mark, and a bit for each column, offset by two, that says whether it is NULL.
	nulls := w.packet[1:]
	size := (len(w.fields) + 9) / 8
	if len(nulls) < size {
		return errShortRow
	}
	rest := nulls[size:]
	w.texts = w.texts[:0]
	for i := range w.fields {
		bit := i + 2
		if nulls[bit/8]>>(bit%8)&1 == 1 {
			dest[i] = dialect.Raw{}
			continue
		}
		var err error
		if rest, err = w.value(&dest[i], w.fields[i], rest); err != nil {
			return err
		}
	}
	if len(rest) > 0 {
		return errors.New("the server sent a row that goes on after its last column")
	}
	return nil
}

// sizes are those of the layouts that have a fixed one.
var sizes = [...]int{layoutInt8: 1, layoutInt16: 2, layoutInt32: 4, layoutInt64: 8, layoutFloat: 4, layoutDouble: 8, layoutTime: 0}

// value takes one value from the front of data and returns what follows.
func (w *wireStream) value(dest *dialect.Raw, f wireField, data []byte) ([]byte, error) {
	size := sizes[f.layout]
	if size == 0 {
		value, rest, err := lengthEncoded(data)
		if err != nil {
			return nil, err
		}
		*dest = dialect.Raw{Kind: dialect.RawBytes, Bytes: value}
		if f.layout != layoutBytes {
			dest.Bytes, err = w.time(f.layout, value)
		}
		return rest, err
	}
	if len(data) < size {
		return nil, errShortRow
	}
	number(dest, f, data)
	return data[size:], nil
}

func number(dest *dialect.Raw, f wireField, data []byte) {
	var u uint64
	var i int64
	switch f.layout {
	case layoutFloat:
		*dest = dialect.Raw{Kind: dialect.RawFloat32, Float: float64(math.Float32frombits(binary.LittleEndian.Uint32(data)))}
		return
	case layoutDouble:
		*dest = dialect.Raw{Kind: dialect.RawFloat64, Float: math.Float64frombits(binary.LittleEndian.Uint64(data))}
		return
	case layoutInt8:
		u, i = uint64(data[0]), int64(int8(data[0]))
	case layoutInt16:
		v := binary.LittleEndian.Uint16(data)
		u, i = uint64(v), int64(int16(v))
	case layoutInt32:
		v := binary.LittleEndian.Uint32(data)
		u, i = uint64(v), int64(int32(v))
	default:
		u = binary.LittleEndian.Uint64(data)
		i = int64(u)
	}
	if f.signed {
		*dest = dialect.Raw{Kind: dialect.RawInt, Int: i}
	} else {
		*dest = dialect.Raw{Kind: dialect.RawUint, Uint: u}
	}
}

// lengthEncoded takes bytes that are preceded by their length (MySQL's
// documentation, "Length-Encoded Integer").
func lengthEncoded(data []byte) (value, rest []byte, err error) {
	if len(data) == 0 {
		return nil, nil, errShortRow
	}
	var size uint64
	width := 0
	switch first := data[0]; {
	case first < 0xfb:
		size = uint64(first)
	case first == 0xfc:
		width = 2
	case first == 0xfd:
		width = 3
	case first == 0xfe:
		width = 8
	default:
		return nil, nil, fmt.Errorf("the server sent a length that begins with %#x", first)
	}
	data = data[1:]
	if len(data) < width {
		return nil, nil, errShortRow
	}
	for i := range width {
		size |= uint64(data[i]) << (8 * i)
	}
	data = data[width:]
	if uint64(len(data)) < size {
		return nil, nil, errShortRow
	}
	return data[:size:size], data[size:], nil
}

// time spells a date or a time as the server would print it, with six digits
// of a second where any were sent.
func (w *wireStream) time(l layout, data []byte) ([]byte, error) {
	start := len(w.texts)
	out, err := appendWireTime(w.texts, l, data)
	if err != nil {
		return nil, err
	}
	w.texts = out
	return out[start:len(out):len(out)], nil
}

// appendWireTime knows the sizes in which each layout comes: what is zero at
// the end is left out.
func appendWireTime(dst []byte, l layout, data []byte) ([]byte, error) {
	var whole [12]byte
	copy(whole[:], data)
	size := len(data)
	switch {
	case l == layoutTime && (size == 0 || size == 8 || size == 12):
		if whole[0] == 1 {
			dst = append(dst, '-')
		}
		hours := uint64(binary.LittleEndian.Uint32(whole[1:]))*24 + uint64(whole[5])
		if hours < 10 {
			dst = append(dst, '0')
		}
		dst = strconv.AppendUint(dst, hours, 10)
		return appendSeconds(dst, whole[6], whole[7], whole[8:], size > 8), nil
	case l == layoutDate && (size == 0 || size == 4):
		return appendDay(dst, whole[:]), nil
	case l == layoutDateTime && (size == 0 || size == 4 || size == 7 || size == 11):
		dst = append(appendDay(dst, whole[:]), ' ')
		dst = appendTwo(dst, whole[4])
		return appendSeconds(dst, whole[5], whole[6], whole[7:], size > 7), nil
	default:
		return dst, fmt.Errorf("the server sent a time in %d bytes", size)
	}
}

func appendDay(dst, data []byte) []byte {
	year := binary.LittleEndian.Uint16(data)
	dst = appendTwo(appendTwo(dst, byte(year/100)), byte(year%100))
	dst = appendTwo(append(dst, '-'), data[2])
	return appendTwo(append(dst, '-'), data[3])
}

func appendSeconds(dst []byte, minutes, seconds byte, micros []byte, fraction bool) []byte {
	dst = appendTwo(append(dst, ':'), minutes)
	dst = appendTwo(append(dst, ':'), seconds)
	if !fraction {
		return dst
	}
	dst = append(dst, '.')
	n := binary.LittleEndian.Uint32(micros)
	dst = appendTwo(dst, byte(n/10_000%100))
	dst = appendTwo(dst, byte(n/100%100))
	return appendTwo(dst, byte(n%100))
}

func appendTwo(dst []byte, n byte) []byte { return append(dst, '0'+n/10, '0'+n%10) }
