package mysql

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/schema"
)

// kinds are the types by the names information_schema gives them. Those that
// are not here are refused.
var kinds = map[string]canonical.Kind{
	// tinyint(1) as well: 0, 1 and 2 are different values.
	"tinyint": canonical.Int, "smallint": canonical.Int, "mediumint": canonical.Int,
	"int": canonical.Int, "bigint": canonical.Int, "year": canonical.Int,
	"decimal": canonical.Decimal, "float": canonical.Float32, "double": canonical.Float64,
	"bit":  canonical.Bits,
	"char": canonical.Text, "varchar": canonical.Text, "tinytext": canonical.Text,
	"text": canonical.Text, "mediumtext": canonical.Text, "longtext": canonical.Text,
	"enum": canonical.Text, "set": canonical.Text,
	"binary": canonical.Bytes, "varbinary": canonical.Bytes, "tinyblob": canonical.Bytes,
	"blob": canonical.Bytes, "mediumblob": canonical.Bytes, "longblob": canonical.Bytes,
	"date": canonical.Date, "time": canonical.Time,
	"datetime": canonical.Timestamp, "timestamp": canonical.Instant,
	"json": canonical.JSON, "uuid": canonical.UUID,
	"inet4": canonical.Inet, "inet6": canonical.Inet,
}

var geometries = map[string]bool{
	"geometry": true, "point": true, "linestring": true, "polygon": true, "multipoint": true,
	"multilinestring": true, "multipolygon": true, "geometrycollection": true, "geomcollection": true,
}

// classifyType sets Type, or Reason where the type is not supported.
func classifyType(c *schema.Column) {
	kind, known := kinds[c.Base]
	switch {
	case known && kind == canonical.Bits:
		c.Type = canonical.Type{Kind: kind, Width: int(c.Length)}
	case known:
		c.Type = canonical.Type{Kind: kind}
	case geometries[c.Base]:
		c.Reason = fmt.Sprintf("%s is a geometry, which has no text that both engines agree on", c.Base)
	case c.Base == "vector":
		c.Reason = "vector holds floating-point numbers without an exact text"
	default:
		c.Reason = fmt.Sprintf("the type %s is not known", c.Base)
	}
}

// declaredLength is the number in "bit(8)"; bit alone is bit(1).
func declaredLength(native string) int64 {
	_, rest, found := strings.Cut(native, "(")
	if !found {
		return 1
	}
	digits, _, _ := strings.Cut(rest, ")")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 1
	}
	return n
}
