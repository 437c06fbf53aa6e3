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
// the row in a digest, here and on both servers. For each column in turn it is
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
		switch {
		case v.IsNull():
			dst = append(dst, frameNull)
		case types[i].Free():
			dst = strconv.AppendInt(dst, int64(len(v)), 10)
			dst = append(dst, ':')
			dst = append(dst, v...)
		default:
			dst = append(dst, v...)
		}
		dst = append(dst, frameEnd)
	}
	return dst
}

// Digest is what a server answers for rows in the order given: their number,
// the MD5 of their frames, and the number of bytes in them.
func Digest(types []Type, rows ...row.Row) row.Digest {
	if len(rows) == 0 {
		return row.Digest{}
	}
	sum := md5.New() // #nosec G401 -- see the import
	var frame []byte
	var size int64
	for _, r := range rows {
		frame = AppendFrame(frame[:0], types, r)
		sum.Write(frame)
		size += int64(len(frame))
	}
	return row.Digest{Rows: int64(len(rows)), Sum: hex.EncodeToString(sum.Sum(nil)), Bytes: size}
}
