package mysql

import (
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// utf8 is the character set every text is digested in.
const utf8 = "utf8mb4"

// uuidPattern is a UUID in either case. The anchor $ also matches before a
// final line feed, hence the length beside it wherever it is used.
const uuidPattern = "'^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$'"

// DigestText implements dialect.Dialect. The text is NULL where the column is.
func (d Dialect) DigestText(c schema.ViewColumn) (expr string, exact bool) {
	name := d.name(c)
	switch c.Type.Kind {
	case canonical.Bool, canonical.Int:
		if c.Base == "year" || zerofill(c.Column) {
			return "(" + name + " + 0)", true
		}
		return name, true
	case canonical.Decimal:
		return decimalText(name, c.Column), true
	case canonical.Float32, canonical.Float64:
		return d.selected(c), false
	case canonical.Text:
		if c.Constant != nil { // canonical already
			return name, true
		}
		if c.As.Kind == canonical.UUID {
			return uuidText(utf8Text(name, c.Column)), true
		}
		return utf8Text(name, c.Column), c.As.Kind == canonical.Text
	case canonical.JSON:
		if d.mariadb {
			return utf8Text(name, c.Column), false
		}
		return "CAST(" + name + " AS CHAR)", false
	case canonical.Bytes:
		if c.As.Kind == canonical.UUID {
			return "LOWER(INSERT(INSERT(INSERT(INSERT(HEX(" + name + "), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-'))", true
		}
		return "LOWER(HEX(" + name + "))", true
	case canonical.UUID, canonical.Inet:
		return "CAST(" + name + " AS CHAR)", c.Type.Kind == canonical.UUID
	case canonical.Date:
		return name, true
	case canonical.Time, canonical.Timestamp, canonical.Instant:
		return microseconds(name, c.Precision), true
	case canonical.Bits:
		return "LPAD(BIN(" + name + " + 0), " + itoa(c.Type.Width) + ", '0')", true
	case canonical.Interval, canonical.Unsupported:
		return "", false
	default:
		return "", false
	}
}

func zerofill(c schema.Column) bool { return strings.Contains(strings.ToLower(c.Native), "zerofill") }

// decimalText drops the zeros after the point, and the point when nothing
// follows it. Without a scale there is no point.
func decimalText(name string, c schema.Column) string {
	if zerofill(c) {
		name = "(" + name + " + 0)"
	}
	if c.Precision == 0 {
		return name
	}
	return "TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM " + name + "))"
}

// uuidText is canonical.AppendUUIDText's rule: a UUID in lower case, any other
// text as it is.
func uuidText(text string) string {
	return "IF(LENGTH(" + text + ") = 36 AND " + text + " REGEXP " + uuidPattern + ", LOWER(" + text + "), " + text + ")"
}

// microseconds pads the server's text of a time to six fractional digits.
func microseconds(name string, precision int) string {
	switch {
	case precision >= 6:
		return name
	case precision <= 0:
		return "CONCAT(" + name + ", '.000000')"
	default:
		return "CONCAT(" + name + ", '" + strings.Repeat("0", 6-precision) + "')"
	}
}

// Digest implements dialect.Dialect.
//
// CONCAT answers NULL, and GROUP_CONCAT leaves the row out, when a row exceeds
// max_allowed_packet; GROUP_CONCAT cuts at the smaller of its own limit and
// that one. So a row that is NULL is replaced by a text as long as the packet,
// and a concatenation that comes near the limit (a cut may fall back to the
// start of a character of up to 4 bytes) is not digested. The derived table
// makes the concatenation once.
func (d Dialect) Digest(v *schema.View, r row.Range) dialect.Query {
	frame, spared := d.frame(v)
	size, more := "IFNULL(LENGTH(g), 0)", ""
	if spared != "" {
		size, more = size+" + m", ", IFNULL(SUM("+spared+"), 0) AS m"
	}
	var s statement
	s.write("SELECT n, IF(LENGTH(g) + 8 < LEAST(@@group_concat_max_len, @@max_allowed_packet), MD5(g), NULL), ", size,
		" FROM (SELECT COUNT(*) AS n", more, ", GROUP_CONCAT(IFNULL(", frame, ", REPEAT('!', @@max_allowed_packet))",
		" ORDER BY ", d.keyList(v), " SEPARATOR '') AS g FROM ", d.from(v))
	s.where(d.rangeConditions(&s, v, r))
	s.write(") AS d")
	return s.query()
}

// frame is what canonical.Digest digests, and the number of bytes that long values
// would add to it, "" when no column can hold one. IF rather than IFNULL marks a
// NULL: an expression that the server gives up on must not look like one.
func (d Dialect) frame(v *schema.View) (frame, spared string) {
	parts := make([]string, 0, 4*len(v.Columns))
	var spares []string
	for _, c := range v.Columns {
		framed := d.framed(c)
		if c.Nullable {
			value := framed[0]
			if len(framed) > 1 {
				value = "CONCAT(" + strings.Join(framed, ", ") + ")"
			}
			framed = []string{"IF(" + d.Quote(c.Name) + " IS NULL, '~', " + value + ")"}
		}
		parts = append(append(parts, framed...), "'|'")
		if c.DigestsLong() {
			length, _, long := d.long(c)
			if c.As.Kind == canonical.Bytes {
				length = "2 * " + length // digits
			}
			spares = append(spares, "IF("+long+", "+length+" - "+itoa(sumLength)+", 0)")
		}
	}
	return "CONCAT(" + strings.Join(parts, ", ") + ")", strings.Join(spares, " + ")
}

// sumLength is the length of an MD5 sum as text.
const sumLength = 32

// framed are the parts of a column's frame where it is not NULL.
func (d Dialect) framed(c schema.ViewColumn) []string {
	text, _ := d.DigestText(c)
	length, sum, long := d.long(c)
	switch {
	case !c.DigestsLong() && c.As.Free():
		return []string{length, "':'", text}
	case !c.DigestsLong():
		return []string{text}
	case c.As.Kind == canonical.Bytes:
		return []string{"IF(" + long + ", CONCAT('#', " + length + ", ':', " + sum + "), " + text + ")"}
	default:
		return []string{length, "':'", "IF(" + long + ", " + sum + ", " + text + ")"}
	}
}

// long are the length of a value, its sum, and whether that stands for it.
func (d Dialect) long(c schema.ViewColumn) (length, sum, is string) {
	whole, _ := d.DigestText(c)
	if c.As.Kind == canonical.Bytes {
		whole = d.name(c) // rather than its digits
	}
	length = "LENGTH(" + whole + ")"
	return length, "MD5(" + whole + ")", length + " > " + itoa(canonical.Long)
}
