package postgres

import (
	"bytes"
	"fmt"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// AppendValue implements dialect.Dialect. Values arrive in the binary forms that
// formats asked for, or as PostgreSQL's texts under the settings of Setup.
func (Dialect) AppendValue(dst []byte, c *schema.ViewColumn, raw *dialect.Raw) ([]byte, error) {
	decode := appendText
	switch raw.Kind {
	case dialect.RawBytes:
	case dialect.RawBinary:
		decode = appendBinary
	default:
		return dst, fmt.Errorf("column %s (%s): the driver delivered something other than text", c.Name, c.Native)
	}
	out, err := decode(dst, c, raw.Bytes)
	if err != nil {
		return dst, fmt.Errorf("column %s (%s) as %s: %w", c.Name, c.Native, c.As, err)
	}
	return out, nil
}

func appendText(dst []byte, c *schema.ViewColumn, text []byte) ([]byte, error) {
	switch c.Type.Kind {
	case canonical.Bool:
		return appendBool(dst, text)
	case canonical.Bytes:
		return appendBytea(dst, c, text)
	default: // a text, which goes by the type compared in
	}
	switch c.As.Kind {
	case canonical.Bool, canonical.Int:
		return canonical.AppendIntText(dst, text)
	case canonical.Decimal:
		return canonical.AppendDecimal(dst, text)
	case canonical.Float32:
		return canonical.AppendFloatText(dst, text, 32)
	case canonical.Float64:
		return appendFloat64(dst, c, text)
	case canonical.Text:
		return canonical.AppendText(dst, text), nil
	case canonical.UUID:
		return canonical.AppendUUIDText(dst, text)
	case canonical.JSON:
		return canonical.AppendJSON(dst, text), nil
	case canonical.Inet:
		return canonical.AppendInet(dst, text), nil
	case canonical.Date:
		return canonical.AppendDate(dst, text)
	case canonical.Time:
		return canonical.AppendTime(dst, text)
	case canonical.Timestamp, canonical.Instant:
		return appendTimestamp(dst, c, text)
	case canonical.Interval:
		return canonical.AppendInterval(dst, text)
	case canonical.Bits:
		return canonical.AppendBitsText(dst, text)
	default:
		return dst, fmt.Errorf("a value of %s has no such text", c.Native)
	}
}

func appendBool(dst, text []byte) ([]byte, error) {
	switch string(text) {
	case "t", "true":
		return canonical.AppendBool(dst, true), nil
	case "f", "false":
		return canonical.AppendBool(dst, false), nil
	default:
		return dst, fmt.Errorf("not a boolean: %q", text)
	}
}

// byteaPrefix begins a bytea in the output format hex, whose digits are in
// lower case already.
var byteaPrefix = []byte(`\x`)

func appendBytea(dst []byte, c *schema.ViewColumn, text []byte) ([]byte, error) {
	digits, found := bytes.CutPrefix(text, byteaPrefix)
	if !found {
		return dst, fmt.Errorf("bytes not in hexadecimal digits (is the session's bytea_output hex?)")
	}
	if c.As.Kind != canonical.UUID {
		return append(dst, digits...), nil
	}
	raw, err := canonical.DecodeHex(row.Value(digits))
	if err != nil {
		return dst, err
	}
	return canonical.AppendUUID(dst, raw)
}

// appendFloat64 widens a real exactly: the nearest float64 to its decimal text
// would be another number.
func appendFloat64(dst []byte, c *schema.ViewColumn, text []byte) ([]byte, error) {
	if c.Type.Kind != canonical.Float32 {
		return canonical.AppendFloatText(dst, text, 64)
	}
	f, err := parseFloat32(text)
	if err != nil {
		return dst, err
	}
	return canonical.AppendFloat64(dst, float64(f)), nil
}

// appendTimestamp goes by the column's own type: only that with a zone prints
// an offset.
func appendTimestamp(dst []byte, c *schema.ViewColumn, text []byte) ([]byte, error) {
	if c.Type.Kind == canonical.Instant {
		return canonical.AppendInstant(dst, text)
	}
	return canonical.AppendTimestamp(dst, text)
}
