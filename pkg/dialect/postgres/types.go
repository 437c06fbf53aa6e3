package postgres

import (
	"fmt"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/schema"
)

// nativeType is a type by its name in pg_type.
type nativeType struct {
	base string // the name people use
	kind canonical.Kind
}

var natives = map[string]nativeType{
	"bool":        {"boolean", canonical.Bool},
	"int2":        {"smallint", canonical.Int},
	"int4":        {"integer", canonical.Int},
	"int8":        {"bigint", canonical.Int},
	"oid":         {"oid", canonical.Int},
	"numeric":     {"numeric", canonical.Decimal},
	"float4":      {"real", canonical.Float32},
	"float8":      {"double precision", canonical.Float64},
	"text":        {"text", canonical.Text},
	"varchar":     {"varchar", canonical.Text},
	"bpchar":      {"char", canonical.Text},
	"name":        {"name", canonical.Text},
	"citext":      {"citext", canonical.Text},
	"bytea":       {"bytea", canonical.Bytes},
	"uuid":        {"uuid", canonical.UUID},
	"date":        {"date", canonical.Date},
	"time":        {"time", canonical.Time},
	"timestamp":   {"timestamp", canonical.Timestamp},
	"timestamptz": {"timestamptz", canonical.Instant},
	"interval":    {"interval", canonical.Interval},
	"json":        {"json", canonical.JSON},
	"jsonb":       {"jsonb", canonical.JSON},
	"bit":         {"bit", canonical.Bits},
	"varbit":      {"varbit", canonical.Bits},
	"inet":        {"inet", canonical.Inet},
	"cidr":        {"cidr", canonical.Inet},
	"macaddr":     {"macaddr", canonical.Inet},
	"macaddr8":    {"macaddr8", canonical.Inet},
}

// refusals say why a type of pg_type cannot be compared.
var refusals = map[string]string{
	"timetz":   "time with time zone has no one text: 10:00+02 and 08:00+00 are the same moment of a day",
	"money":    "money depends on the server's lc_monetary; store a numeric instead",
	"xml":      "xml has no equality",
	"tsvector": "tsvector is derived from another column; compare that one",
	"tsquery":  "tsquery has no text that both engines agree on",
	"char":     `the internal one-byte type "char" has no character set`,
}

// Categories and kinds of pg_type (PostgreSQL manual, "pg_type").
const (
	typeEnum       = "e"
	typeComposite  = "c"
	typeRange      = "r"
	typeMultirange = "m"

	categoryArray     = "A"
	categoryGeometric = "G"
)

// classifyType sets Base and Type, or Reason where the type is not supported.
func classifyType(c *schema.Column, namespace, typname, typtype, category string) {
	c.Base = typname
	if typtype == typeEnum {
		c.Base, c.Type = "enum", canonical.Type{Kind: canonical.Text}
		return
	}
	// Only citext is looked for elsewhere: it comes with an extension.
	known := namespace == "pg_catalog" || typname == "citext"
	if native, found := natives[typname]; found && known {
		c.Base, c.Type = native.base, canonical.Type{Kind: native.kind}
		return
	}
	switch reason, refused := refusals[typname]; {
	case refused:
		c.Reason = reason
	case category == categoryArray:
		c.Reason = fmt.Sprintf("%s is an array, which MySQL has not and whose elements are not compared", c.Native)
	case typtype == typeRange || typtype == typeMultirange:
		c.Reason = fmt.Sprintf("%s is a range, which is not compared", c.Native)
	case typtype == typeComposite:
		c.Reason = fmt.Sprintf("%s is a composite type, whose fields are not compared", c.Native)
	case category == categoryGeometric:
		c.Reason = fmt.Sprintf("%s is a geometric type, which has no text that both engines agree on", c.Native)
	default:
		c.Reason = fmt.Sprintf("the type %s is not known", c.Native)
	}
}

// The offset in a type modifier of what has a declared length, and the layout
// of numeric's: precision and a signed scale of 11 bits (PostgreSQL source,
// numeric.c, make_numeric_typmod).
const (
	modifierOffset = 4
	scaleBits      = 0x7ff
	scaleSign      = 1 << 10
)

// modify sets Length, Precision and Width from the type modifier; -1 is none.
func modify(c *schema.Column, modifier int) {
	switch c.Base {
	case "varchar", "char":
		c.Length = int64(max(modifier-modifierOffset, 0))
	case "numeric":
		c.Precision = -1
		if modifier >= modifierOffset {
			c.Precision = ((modifier-modifierOffset)&scaleBits ^ scaleSign) - scaleSign
		}
	case "time", "timestamp", "timestamptz", "interval":
		c.Precision = 6
		if modifier >= 0 && c.Base != "interval" {
			c.Precision = modifier
		}
	case "bit", "varbit":
		c.Length = int64(max(modifier, 0))
		if c.Base == "bit" {
			c.Type.Width = modifier
		}
	}
}

// castType is the type an argument for the column is cast to: without length
// or precision, since an explicit cast would cut silently what an assignment
// refuses.
func castType(c schema.Column) string {
	switch c.Base {
	case "enum":
		return c.Native
	case "char":
		return "bpchar"
	case "citext":
		return "text"
	case "bit":
		return "varbit"
	default:
		return c.Base
	}
}

// compareType is the type a key argument is cast to, so that the comparison
// belongs to the index of the column.
func compareType(c schema.Column) string {
	switch c.Base {
	case "smallint", "integer":
		return "bigint" // of the same operator family, and holds what they cannot
	case "varchar":
		return "text"
	case "citext":
		return "citext"
	case "bit":
		return "varbit"
	default:
		return castType(c)
	}
}
