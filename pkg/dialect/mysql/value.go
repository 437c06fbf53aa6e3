package mysql

import (
	"fmt"
	"strconv"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/schema"
)

// AppendValue implements dialect.Dialect.
func (Dialect) AppendValue(dst []byte, c *schema.ViewColumn, raw *dialect.Raw) ([]byte, error) {
	out, err := appendRaw(dst, c, raw)
	if err != nil {
		return dst, fmt.Errorf("column %s (%s) as %s: %w", c.Name, c.Native, c.As, err)
	}
	return out, nil
}

func appendRaw(dst []byte, c *schema.ViewColumn, raw *dialect.Raw) ([]byte, error) {
	switch raw.Kind {
	case dialect.RawInt:
		if !whole(c.As) {
			return dst, unexpected("an integer")
		}
		return canonical.AppendInt(dst, raw.Int), nil
	case dialect.RawUint:
		if !whole(c.As) {
			return dst, unexpected("an integer")
		}
		return canonical.AppendUint(dst, raw.Uint), nil
	case dialect.RawFloat32, dialect.RawFloat64:
		return appendFloat(dst, c, raw.Float)
	case dialect.RawBytes:
		return appendBytes(dst, c, raw.Bytes)
	case dialect.RawNull:
		return dst, unexpected("NULL")
	default:
		return dst, unexpected("a value of a form that is not known here")
	}
}

func unexpected(what string) error { return fmt.Errorf("the driver delivered %s", what) }

func whole(t canonical.Type) bool {
	return t.Kind == canonical.Int || t.Kind == canonical.Bool || t.Kind == canonical.Decimal
}

// appendFloat takes the value of either size, which is exact as a float64.
func appendFloat(dst []byte, c *schema.ViewColumn, f float64) ([]byte, error) {
	switch c.As.Kind {
	case canonical.Float32:
		return canonical.AppendFloat32(dst, float32(f)), nil
	case canonical.Float64:
		return canonical.AppendFloat64(dst, f), nil
	case canonical.Decimal: // within a tolerance
		var buffer [32]byte
		if c.Type.Kind == canonical.Float32 {
			return canonical.AppendDecimal(dst, canonical.AppendFloat32(buffer[:0], float32(f)))
		}
		return canonical.AppendDecimal(dst, canonical.AppendFloat64(buffer[:0], f))
	default:
		return dst, unexpected("a floating-point number")
	}
}

func appendBytes(dst []byte, c *schema.ViewColumn, b []byte) ([]byte, error) {
	switch c.Type.Kind {
	case canonical.Float32, canonical.Float64:
		f, err := strconv.ParseFloat(string(b), 64)
		if err != nil {
			return dst, unexpected("a text that is no floating-point number")
		}
		return appendFloat(dst, c, f)
	case canonical.Bits:
		return canonical.AppendBitsBytes(dst, b, c.Type.Width)
	case canonical.Bytes:
		if c.As.Kind == canonical.UUID {
			return canonical.AppendUUID(dst, b)
		}
		return canonical.AppendHex(dst, b), nil
	case canonical.Text:
		if len(b) >= len(lost) && string(b[:len(lost)]) == lost && holed(c.Column) {
			return append(append(dst, noText), b[len(lost):]...), nil
		}
	default: // a text, which goes by the type compared in
	}
	switch c.As.Kind {
	case canonical.Bool, canonical.Int:
		return canonical.AppendIntText(dst, b)
	case canonical.Decimal:
		return canonical.AppendDecimal(dst, b)
	case canonical.Text:
		return canonical.AppendText(dst, b), nil
	case canonical.UUID:
		return canonical.AppendUUIDText(dst, b)
	case canonical.JSON:
		return canonical.AppendJSON(dst, b), nil
	case canonical.Inet:
		return canonical.AppendInet(dst, b), nil
	case canonical.Date:
		return canonical.AppendDate(dst, b)
	case canonical.Time:
		return canonical.AppendTime(dst, b)
	case canonical.Timestamp:
		return canonical.AppendTimestamp(dst, b)
	case canonical.Instant:
		return canonical.AppendInstant(dst, b)
	default:
		return dst, unexpected("bytes")
	}
}
