package canonical

import (
	"bytes"
	"errors"
)

var (
	errTimestamp = errors.New("not a timestamp as YYYY-MM-DD HH:MM:SS with at most 6 fractional digits (is the session's date style ISO?)")
	errInstant   = errors.New("not a timestamp in UTC (is the session's time zone UTC?)")
)

// AppendTimestamp appends a date and time without zone, with six fractional
// digits. Values outside the common calendar keep the form of AppendDate:
// "0000-00-00 00:00:00.000000", infinity, "0044-03-15 00:00:00.000000 BC". On
// an error dst is returned as it was.
func AppendTimestamp(dst, text []byte) ([]byte, error) {
	out, rest, ok := appendMoment(dst, text)
	if !ok || len(rest) > 0 && !bytes.Equal(rest, suffixBC) {
		return dst, errTimestamp
	}
	return append(out, rest...), nil
}

// AppendInstant is AppendTimestamp for a point in time. The text must be in
// UTC; its offset ("+00", "+00:00"), where the server prints one, is dropped,
// and any other offset is an error, since it means that the session's time
// zone is not UTC.
func AppendInstant(dst, text []byte) ([]byte, error) {
	out, rest, ok := appendMoment(dst, text)
	if !ok {
		return dst, errTimestamp
	}
	if offset, found := bytes.CutPrefix(rest, []byte("+00")); found {
		rest = bytes.TrimPrefix(offset, []byte(":00"))
	}
	if len(rest) > 0 && !bytes.Equal(rest, suffixBC) {
		return dst, errInstant
	}
	return append(out, rest...), nil
}

// appendMoment appends the date and time text begins with and returns what
// follows: an offset, an era.
func appendMoment(dst, text []byte) (out, rest []byte, ok bool) {
	if isInfinite(text) {
		return append(dst, text...), nil, true
	}
	size := dateSize(text)
	if size == 0 || len(text) < size+3 || text[size] != ' ' {
		return dst, text, false
	}
	hours, ok := twoDigits(text[size+1 : size+3])
	if !ok || hours > 23 {
		return dst, text, false
	}
	dst = append(dst, text[:size+3]...)
	return appendMinutes(dst, text[size+3:])
}
