// Package canonical owns the text of every value type: what a value looks like
// once the habits of an engine are removed, so that two values are equal
// exactly when their texts are (or when Equal says so, for the types
// whose equality is not that of texts).
//
// One file holds one type. TYPES.md is the table of rules, their losses, and
// the server-side expression of each engine. The Go text and both servers'
// texts are held equal by tests on the same values.
package canonical

import "fmt"

// Kind is a family of values that are comparable with each other.
type Kind uint8

// The kinds. Unsupported is the zero value: a column of that kind is refused.
const (
	Unsupported Kind = iota
	// Bool is 0 or 1, so that it compares with Int without translation.
	Bool
	// Int is any whole number, signed or unsigned, in decimal digits.
	Int
	// Decimal is an exact number without superfluous zeros: 1.1, -0.05, 20, NaN, Infinity.
	Decimal
	// Float32 and Float64 are binary floating-point numbers in the shortest
	// decimal form that reads back to the same bits; -0 is 0.
	Float32
	Float64
	// Text is a character string in UTF-8, unchanged.
	Text
	// Bytes is a byte string in lower-case hexadecimal digits.
	Bytes
	// UUID is 36 lower-case characters: 8-4-4-4-12. A character column compared
	// as UUID can hold anything, so the type is Free.
	UUID
	// Date is YYYY-MM-DD.
	Date
	// Time is a time of day or a signed duration of it: [-]HH:MM:SS.ffffff.
	Time
	// Timestamp is a date and time without zone: YYYY-MM-DD HH:MM:SS.ffffff.
	Timestamp
	// Instant is a point in time, in UTC: YYYY-MM-DD HH:MM:SS.ffffffZ is not
	// used; the zone is implied, so the text is that of Timestamp.
	Instant
	// Interval is PostgreSQL's months, days and microseconds in its iso_8601
	// style: P1Y2M3DT4H5M6.5S.
	Interval
	// Bits is a bit string of Type.Width binary digits.
	Bits
	// JSON is a document; equality is that of values, see Equal.
	JSON
	// Inet is an IP address or network, spelled as RFC 5952 says, or a MAC address.
	Inet
)

// Type says how the two columns of a pair are compared.
type Type struct {
	Kind Kind
	// Width is the number of digits of a Bits value, 0 when it varies (varbit);
	// 0 for other kinds.
	Width int
}

var kindNames = map[Kind]string{
	Unsupported: "unsupported", Bool: "bool", Int: "int", Decimal: "decimal",
	Float32: "float32", Float64: "float64", Text: "text", Bytes: "bytes",
	UUID: "uuid", Date: "date", Time: "time", Timestamp: "timestamp",
	Instant: "instant", Interval: "interval", Bits: "bits", JSON: "json", Inet: "inet",
}

// String is the kind's name as it stands in plans and messages.
func (k Kind) String() string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// String is the type's name as it stands in plans and messages.
func (t Type) String() string {
	if t.Kind == Bits {
		return fmt.Sprintf("bits(%d)", t.Width)
	}
	return t.Kind.String()
}

// Free says whether a text of the type can hold any character. Such a text is
// framed with its length; the others come from alphabets that hold neither the
// frame's separator nor its NULL mark (see frame.go).
func (t Type) Free() bool {
	switch t.Kind {
	case Text, JSON, Inet, UUID:
		return true
	default:
		return false
	}
}
