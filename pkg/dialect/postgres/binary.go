package postgres

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/schema"
)

// PostgreSQL's binary forms, each as its type's send function in the server's
// source writes it. For these types they cost the server and this process less
// than the texts; for the others text is as cheap, or the form is nowhere
// promised.

// formats says which of the columns are to be sent in binary form.
func formats(columns []schema.ViewColumn) []bool {
	out := make([]bool, len(columns))
	for i, c := range columns {
		switch c.Base {
		case "boolean", "smallint", "integer", "bigint", "real", "double precision", "numeric",
			"bytea", "uuid", "date", "time", "timestamp", "timestamptz":
			out[i] = true
		}
	}
	return out
}

var errForm = errors.New("the server sent it in a form of another size than expected")

// appendBinary appends the canonical text of a value in its type's binary form.
func appendBinary(dst []byte, c *schema.ViewColumn, b []byte) ([]byte, error) {
	switch c.Type.Kind {
	case canonical.Bool:
		return binaryBool(dst, b)
	case canonical.Int:
		return binaryInt(dst, b)
	case canonical.Decimal:
		return binaryNumeric(dst, b)
	case canonical.Float32, canonical.Float64:
		return binaryFloat(dst, c, b)
	case canonical.Bytes:
		return binaryBytes(dst, c, b)
	case canonical.UUID:
		return canonical.AppendUUID(dst, b)
	case canonical.Date:
		return binaryDate(dst, b)
	case canonical.Time:
		return binaryTime(dst, b)
	case canonical.Timestamp, canonical.Instant:
		return binaryTimestamp(dst, b)
	default:
		return dst, errors.New("the server sent a binary form that is not known here")
	}
}

func binaryBool(dst, b []byte) ([]byte, error) {
	if len(b) != 1 {
		return dst, errForm
	}
	return canonical.AppendBool(dst, b[0] != 0), nil
}

func binaryInt(dst, b []byte) ([]byte, error) {
	n, ok := bigEndian(b)
	if !ok {
		return dst, errForm
	}
	return canonical.AppendInt(dst, n), nil
}

func bigEndian(b []byte) (int64, bool) {
	switch len(b) {
	case 2:
		return int64(int16(binary.BigEndian.Uint16(b))), true
	case 4:
		return int64(int32(binary.BigEndian.Uint32(b))), true
	case 8:
		return int64(binary.BigEndian.Uint64(b)), true
	default:
		return 0, false
	}
}

// binaryFloat widens a real exactly where a double is compared with.
func binaryFloat(dst []byte, c *schema.ViewColumn, b []byte) ([]byte, error) {
	var single bool
	var f float64
	switch len(b) {
	case 4:
		single, f = true, float64(math.Float32frombits(binary.BigEndian.Uint32(b)))
	case 8:
		f = math.Float64frombits(binary.BigEndian.Uint64(b))
	default:
		return dst, errForm
	}
	switch {
	case c.As.Kind == canonical.Decimal: // within a tolerance
		var buffer [32]byte
		if single {
			return canonical.AppendDecimal(dst, canonical.AppendFloat32(buffer[:0], float32(f)))
		}
		return canonical.AppendDecimal(dst, canonical.AppendFloat64(buffer[:0], f))
	case single && c.As.Kind == canonical.Float32:
		return canonical.AppendFloat32(dst, float32(f)), nil
	default:
		return canonical.AppendFloat64(dst, f), nil
	}
}

// What a numeric begins with: the number of its digits to the base 10,000, the
// place of the first, its sign, and how many decimals it is shown with
// (numeric.c, numeric_send).
const (
	numericHeader   = 8
	numericDigits   = 4 // decimal digits in each digit
	numericNegative = 0x4000
	numericNaN      = 0xC000
	numericInf      = 0xD000
	numericNegInf   = 0xF000
)

func binaryNumeric(dst, b []byte) ([]byte, error) {
	if len(b) < numericHeader {
		return dst, errForm
	}
	count := int(binary.BigEndian.Uint16(b))
	weight := int(int16(binary.BigEndian.Uint16(b[2:])))
	sign := binary.BigEndian.Uint16(b[4:])
	if len(b) != numericHeader+2*count {
		return dst, errForm
	}
	switch sign {
	case numericNaN:
		return append(dst, "NaN"...), nil
	case numericInf:
		return append(dst, "Infinity"...), nil
	case numericNegInf:
		return append(dst, "-Infinity"...), nil
	case 0, numericNegative:
		return appendNumeric(dst, sign == numericNegative, weight, b[numericHeader:]), nil
	default:
		return dst, fmt.Errorf("the server sent a number with the sign %#x", sign)
	}
}

// appendNumeric spells digits to the base 10,000, the first of which counts
// 10,000^weight. The server strips zero digits at both ends.
func appendNumeric(dst []byte, negative bool, weight int, digits []byte) []byte {
	count := len(digits) / 2
	if count == 0 {
		return append(dst, '0')
	}
	if negative {
		dst = append(dst, '-')
	}
	if weight < 0 {
		dst = append(dst, '0')
	}
	for place := 0; place <= weight; place++ {
		switch {
		case place == 0:
			dst = strconv.AppendUint(dst, uint64(numericDigit(digits, 0)), 10)
		default:
			dst = appendFour(dst, numericDigit(digits, place))
		}
	}
	if count-1 <= weight {
		return dst
	}
	dst = append(dst, '.')
	for place := weight + 1; place < 0; place++ {
		dst = append(dst, "0000"...)
	}
	for place := max(weight+1, 0); place < count; place++ {
		dst = appendFour(dst, numericDigit(digits, place))
	}
	return bytes.TrimSuffix(bytes.TrimRight(dst, "0"), []byte("."))
}

// numericDigit is 0 behind the last digit sent.
func numericDigit(digits []byte, place int) uint16 {
	if 2*place >= len(digits) {
		return 0
	}
	return binary.BigEndian.Uint16(digits[2*place:])
}

func appendFour(dst []byte, n uint16) []byte {
	return append(dst, byte('0'+n/1000), byte('0'+n/100%10), byte('0'+n/10%10), byte('0'+n%10))
}

func binaryBytes(dst []byte, c *schema.ViewColumn, b []byte) ([]byte, error) {
	if c.As.Kind == canonical.UUID {
		return canonical.AppendUUID(dst, b)
	}
	return canonical.AppendHex(dst, b), nil
}

// The calendar: PostgreSQL counts days and microseconds from 2000-01-01, and
// the ends of its range stand for infinity (datatype/timestamp.h).
const (
	microsPerSecond = 1_000_000
	microsPerDay    = 24 * 60 * 60 * microsPerSecond
	// epochDays are the days from 0000-03-01, where a count of days is turned
	// into a date most easily, to 2000-01-01.
	epochDays = 730_425
)

func binaryDate(dst, b []byte) ([]byte, error) {
	if len(b) != 4 {
		return dst, errForm
	}
	switch days := int32(binary.BigEndian.Uint32(b)); days {
	case math.MaxInt32:
		return append(dst, "infinity"...), nil
	case math.MinInt32:
		return append(dst, "-infinity"...), nil
	default:
		dst, bc := appendDate(dst, int64(days))
		return appendEra(dst, bc), nil
	}
}

func binaryTime(dst, b []byte) ([]byte, error) {
	if len(b) != 8 {
		return dst, errForm
	}
	return appendClock(dst, binary.BigEndian.Uint64(b)), nil
}

func binaryTimestamp(dst, b []byte) ([]byte, error) {
	if len(b) != 8 {
		return dst, errForm
	}
	micros := int64(binary.BigEndian.Uint64(b))
	switch micros {
	case math.MaxInt64:
		return append(dst, "infinity"...), nil
	case math.MinInt64:
		return append(dst, "-infinity"...), nil
	}
	days, clock := micros/microsPerDay, micros%microsPerDay
	if clock < 0 {
		days, clock = days-1, clock+microsPerDay
	}
	dst, bc := appendDate(dst, days)
	return appendEra(appendClock(append(dst, ' '), uint64(clock)), bc), nil
}

// appendDate spells the day that lies so many days after 2000-01-01, and says
// whether it lies before our era. It counts years from March on, so that the
// leap day is the last of a year, in cycles of 400 years (Howard Hinnant,
// "chrono-Compatible Low-Level Date Algorithms").
func appendDate(dst []byte, days int64) (out []byte, bc bool) {
	days += epochDays
	cycle := days / 146_097
	if days < 0 {
		cycle = (days - 146_096) / 146_097
	}
	day := days - cycle*146_097
	year := (day - day/1460 + day/36_524 - day/146_096) / 365
	day -= 365*year + year/4 - year/100
	month := (5*day + 2) / 153
	day -= (153*month + 2) / 5
	year += cycle * 400
	month += 3
	if month > 12 {
		month, year = month-12, year+1
	}
	if bc = year <= 0; bc {
		year = 1 - year // there is no year 0
	}
	if year < 10_000 {
		dst = appendFour(dst, uint16(year))
	} else {
		dst = strconv.AppendInt(dst, year, 10)
	}
	dst = appendPair(append(dst, '-'), uint64(month))
	return appendPair(append(dst, '-'), uint64(day+1)), bc
}

func appendEra(dst []byte, bc bool) []byte {
	if bc {
		return append(dst, " BC"...)
	}
	return dst
}

// appendClock spells microseconds since midnight.
func appendClock(dst []byte, micros uint64) []byte {
	seconds, micros := micros/microsPerSecond, micros%microsPerSecond
	dst = appendPair(dst, seconds/3600)
	dst = appendPair(append(dst, ':'), seconds/60%60)
	dst = appendPair(append(dst, ':'), seconds%60)
	dst = appendPair(append(dst, '.'), micros/10_000)
	return appendPair(appendPair(dst, micros/100%100), micros%100)
}

func appendPair(dst []byte, n uint64) []byte {
	return append(dst, byte('0'+n/10), byte('0'+n%10))
}
