package canonical

import (
	"crypto/md5" // #nosec G501 -- what both servers can compute; no secret is at stake
	"encoding/hex"
	"strconv"

	"github.com/trueup/trueup/pkg/row"
)

// The frame's two marks. No text of a type that is not Free holds either.
const (
	frameEnd  = '|'
	frameNull = '~'
)

// AppendFrame appends the frame of one row: the byte string that stands for
// the row. For each column in turn it is
//
//	NULL                ~|
//	Type.Free           its length in bytes, in decimal digits : text |
//	any other type      text |
//
// Two rows of the same types have the same frame only when every value is the
// same. Reading from the left, each column's end is known before the next
// begins: a length says it, or the first | does. NULL cannot be mistaken for a
// value, since a framed text begins with a digit or with a character of an
// alphabet without ~. The number of columns is fixed, so frames of several
// rows may follow each other with nothing between.
func AppendFrame(dst []byte, types []Type, r row.Row) []byte {
	for i, v := range r {
		dst = appendFramed(dst, types[i], v)
	}
	return dst
}

func appendFramed(dst []byte, t Type, v row.Value) []byte {
	switch {
	case v.IsNull():
		dst = append(dst, frameNull)
	case t.Free():
		dst = appendLength(dst, len(v))
		dst = append(dst, v...)
	default:
		dst = append(dst, v...)
	}
	return append(dst, frameEnd)
}

func appendLength(dst []byte, n int) []byte { return append(strconv.AppendInt(dst, int64(n), 10), ':') }

// Long is the number of bytes beyond which a digest holds a value's own MD5 in
// place of it. To spell a large value and to concatenate it costs a server many
// times what its MD5 does, and columns of up to 255 characters, which most are,
// need not be looked at.
const Long = 1024

// longMark begins what stands for a long byte string; its text, hexadecimal
// digits, has no such character.
const longMark = '#'

// appendDigested appends the frame of one row as it is digested: that of
// AppendFrame, but of a value of more than Long bytes
//
//	Type.Free           its length : its MD5 |
//	Bytes               # its length : its MD5 |
//
// with the length in bytes and the MD5 as 32 hexadecimal digits. Which of the
// forms it is, the length or the mark says, so two rows still share a frame only
// when they are the same, or when two long values of a column have the same
// length and MD5. It also returns how many bytes that spares, which the range
// holds all the same.
func appendDigested(dst []byte, types []Type, r row.Row) ([]byte, int64) {
	var spared int64
	for i, v := range r {
		whole := []byte(v)
		switch {
		case types[i].Free() && len(v) > Long:
		case types[i].Kind == Bytes && len(v) > 2*Long:
			whole = make([]byte, hex.DecodedLen(len(v)))
			if _, err := hex.Decode(whole, v); err != nil {
				panic("canonical: a text of Bytes is not hexadecimal")
			}
			dst = append(dst, longMark)
		default:
			dst = appendFramed(dst, types[i], v)
			continue
		}
		sum := md5.Sum(whole) // #nosec G401 -- see the import
		dst = hex.AppendEncode(appendLength(dst, len(whole)), sum[:])
		dst = append(dst, frameEnd)
		spared += int64(len(v) - hex.EncodedLen(len(sum)))
	}
	return dst, spared
}

// Digest is what a server answers for rows in the order given: their number,
// the MD5 of their frames as digested, and the number of bytes in them, long
// values counted whole.
func Digest(types []Type, rows ...row.Row) row.Digest {
	if len(rows) == 0 {
		return row.Digest{}
	}
	sum := md5.New() // #nosec G401 -- see the import
	var frame []byte
	var size int64
	for _, r := range rows {
		var spared int64
		frame, spared = appendDigested(frame[:0], types, r)
		sum.Write(frame)
		size += int64(len(frame)) + spared
	}
	return row.Digest{Rows: int64(len(rows)), Sum: hex.EncodeToString(sum.Sum(nil)), Bytes: size}
}
