package mysql

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Literal implements dialect.Dialect. The literals mean the same with and
// without the SQL mode NO_BACKSLASH_ESCAPES.
func (Dialect) Literal(c schema.ViewColumn, v row.Value) string {
	if v.IsNull() {
		return "NULL"
	}
	switch arg := writeValue(&c, v).(type) {
	case float64: // a FLOAT with all digits: its shortest text may be out of range
		return strconv.FormatFloat(arg, 'g', -1, 64)
	case int64:
		return strconv.FormatInt(arg, 10)
	case uint64:
		if c.Type.Kind == canonical.Bits && len(v) == c.Type.Width {
			return "b'" + string(v) + "'"
		}
		return strconv.FormatUint(arg, 10)
	case []byte:
		return "X'" + hex.EncodeToString(arg) + "'"
	case string:
		return quoteText(arg)
	default:
		return quoteText(string(v))
	}
}

// quoteText doubles quotes. A backslash would depend on the SQL mode, and a
// control character may not survive a terminal or a client: such texts are
// spelled by their bytes.
func quoteText(text string) string {
	for i := range len(text) {
		if b := text[i]; b == '\\' || b < ' ' && b != '\n' && b != '\t' || b == 0x7f {
			return "_utf8mb4 X'" + hex.EncodeToString([]byte(text)) + "'"
		}
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}
