package postgres

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Literal implements dialect.Dialect. The literals mean the same whatever
// standard_conforming_strings, DateStyle and TimeZone are.
func (Dialect) Literal(c schema.ViewColumn, v row.Value) string {
	if v.IsNull() {
		return "NULL"
	}
	text := string(v)
	switch c.Type.Kind {
	case canonical.Int, canonical.Decimal:
		if strings.Trim(text, "-.0123456789") == "" { // not NaN or Infinity
			return text
		}
	case canonical.Bytes:
		if digits, found := strings.CutPrefix(string(writeValue(c, v)), `\x`); found {
			return "decode(" + quoteText(digits) + ", 'hex')"
		}
	case canonical.Bits:
		return "B" + quoteText(text)
	case canonical.Instant:
		return quoteText(withOffset(text))
	default: // quoted, and read by the column's own type
	}
	return quoteText(text)
}

// withOffset says that the text is in UTC: infinity has no offset, and the era
// comes last.
func withOffset(text string) string {
	if strings.HasSuffix(text, "infinity") {
		return text
	}
	if moment, found := strings.CutSuffix(text, " BC"); found {
		return moment + "+00 BC"
	}
	return text + "+00"
}

// quoteText doubles quotes, and escapes what may not survive a terminal or a
// client.
func quoteText(text string) string {
	var out strings.Builder
	prefix := ""
	for i := range len(text) {
		switch b := text[i]; {
		case b == '\'':
			out.WriteString("''")
		case b == '\\':
			prefix = "E"
			out.WriteString(`\\`)
		case b < ' ' && b != '\n' && b != '\t', b == 0x7f:
			prefix = "E"
			fmt.Fprintf(&out, `\x%02x`, b)
		default:
			out.WriteByte(b)
		}
	}
	return prefix + "'" + out.String() + "'"
}

func parseFloat32(text []byte) (float32, error) {
	f, err := strconv.ParseFloat(string(text), 32)
	if err != nil {
		return 0, fmt.Errorf("not a floating-point number: %q", text)
	}
	return float32(f), nil
}
