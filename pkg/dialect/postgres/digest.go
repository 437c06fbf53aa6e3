package postgres

import (
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// The names of server encodings, as Column.Charset has them.
const (
	utf8Name = "utf8"
	uncoded  = "sql_ascii" // bytes of any encoding
)

const uuidPattern = "'^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$'"

// DigestText implements dialect.Dialect. The text is NULL where the column is.
func (d Dialect) DigestText(c schema.ViewColumn) (expr string, exact bool) {
	name := d.name(c)
	plain := name + "::text"
	if c.Charset == uncoded {
		return "", false
	}
	switch c.Type.Kind {
	case canonical.Bool:
		return "CASE WHEN " + name + " THEN '1' WHEN NOT " + name + " THEN '0' END", true
	case canonical.Int, canonical.Date, canonical.UUID, canonical.Bits:
		return plain, true
	case canonical.Decimal:
		if c.Precision == 0 {
			return plain, true
		}
		return "trim_scale(" + name + ")::text", true
	case canonical.Float32:
		if c.As.Kind == canonical.Float64 {
			return name + "::float8::text", false
		}
		return plain, false
	case canonical.Text:
		if c.Constant != nil { // canonical already
			return name, true
		}
		if c.As.Kind == canonical.UUID {
			return "CASE WHEN " + plain + " ~ " + uuidPattern + " THEN lower(" + plain + ") ELSE " + plain + " END", true
		}
		return plain, c.As.Kind == canonical.Text
	case canonical.Inet:
		if c.Base == "inet" { // the cast would add the mask of a host
			return "abbrev(" + name + ")", false
		}
		return plain, false
	case canonical.Float64, canonical.JSON, canonical.Interval:
		return plain, false
	case canonical.Bytes:
		if c.As.Kind == canonical.UUID { // of any length; only 16 bytes are a UUID
			return "CASE WHEN octet_length(" + name + ") = 16 THEN encode(" + name + ", 'hex')::uuid::text ELSE encode(" + name + ", 'hex') END", true
		}
		return "encode(" + name + ", 'hex')", true
	case canonical.Time:
		return timeText(name, c.Precision), true
	case canonical.Timestamp, canonical.Instant:
		return timestampText(name), true
	case canonical.Unsupported:
		return "", false
	default:
		return "", false
	}
}

// timeText pads to six fractional digits, which PostgreSQL leaves out where
// they are zero.
func timeText(name string, precision int) string {
	if precision == 0 {
		return name + "::text || '.000000'"
	}
	return "to_char(" + name + ", 'HH24:MI:SS.US')"
}

// timestampText pads likewise, in the session's time zone, which is UTC. For
// infinity to_char answers NULL, and it leaves out the era unless asked.
func timestampText(name string) string {
	const format = "YYYY-MM-DD HH24:MI:SS.US"
	return "CASE WHEN " + name + " >= '0001-01-01' AND " + name + " < 'infinity' THEN to_char(" + name + ", '" + format + "')" +
		" WHEN isfinite(" + name + ") THEN to_char(" + name + ", '" + format + " BC')" +
		" ELSE " + name + "::text END"
}

// Digest implements dialect.Dialect. PostgreSQL does not truncate: beyond 1 GB
// the statement fails. Rows are aggregated as the ordered subquery delivers
// them; were a plan ever to shuffle them, two equal ranges would look unequal
// and be read, never the reverse. The frame gets its name outside the subquery,
// whose ORDER BY would prefer it to a column of the same name.
func (d Dialect) Digest(v *schema.View, r row.Range) dialect.Query {
	var s statement
	sum, bytes := "md5(g)", "octet_length(g)"
	if d.foreignCoded(v) {
		sum, bytes = "md5(convert_to(g, 'UTF8'))", "octet_length(convert_to(g, 'UTF8'))"
	}
	frame, spared := d.frame(v)
	s.write("SELECT n, ", sum, ", coalesce(", bytes, ", 0) + m FROM (SELECT count(*) AS n, string_agg(f, '') AS g, coalesce(sum(e), 0)::bigint AS m FROM (SELECT ",
		frame, ", ", spared, " FROM ", d.TableName(v.Table.Name))
	s.where(d.rangeConditions(&s, v, r))
	s.write(" ORDER BY ", d.keyList(v), ") AS r(f, e)) AS d")
	return s.query()
}

// frame is what canonical.Digest digests, and the number of bytes that long values
// would add to it.
func (d Dialect) frame(v *schema.View) (frame, spared string) {
	parts := make([]string, len(v.Columns))
	spares := []string{"0"}
	for i, c := range v.Columns {
		text := d.framed(c)
		if c.Nullable {
			text = "coalesce(" + text + ", '~')"
		}
		parts[i] = text + " || '|'"
		if c.DigestsLong() {
			length, _, long := d.long(c)
			if c.As.Kind == canonical.Bytes {
				length = "2 * " + length // digits
			}
			spares = append(spares, "CASE WHEN "+long+" THEN "+length+"::bigint - "+itoa(sumLength)+" ELSE 0 END")
		}
	}
	return strings.Join(parts, " || "), strings.Join(spares, " + ")
}

// sumLength is the length of an MD5 sum as text.
const sumLength = 32

// framed is a column's frame where it is not NULL.
func (d Dialect) framed(c schema.ViewColumn) string {
	text := d.digestText(c)
	length, sum, long := d.long(c)
	switch {
	case !c.DigestsLong() && c.As.Free():
		return length + "::text || ':' || " + text
	case !c.DigestsLong():
		return text
	case c.As.Kind == canonical.Bytes:
		return "(CASE WHEN " + long + " THEN '#' || " + length + "::text || ':' || " + sum + " ELSE " + text + " END)"
	default:
		return length + "::text || ':' || (CASE WHEN " + long + " THEN " + sum + " ELSE " + text + " END)"
	}
}

// digestText is DigestText as part of a longer expression.
func (d Dialect) digestText(c schema.ViewColumn) string {
	text, _ := d.DigestText(c)
	if strings.HasPrefix(text, "CASE") {
		return "(" + text + ")"
	}
	return text
}

// long are the length of a value, its sum, and whether that stands for it.
func (d Dialect) long(c schema.ViewColumn) (length, sum, is string) {
	whole := d.digestText(c)
	if c.As.Kind == canonical.Bytes {
		whole = d.name(c) // rather than its digits
	}
	length = octets(whole, c.Column)
	return length, md5Text(whole, c.Column), length + " > " + itoa(canonical.Long)
}

// md5Text is the MD5 of a text in UTF-8.
func md5Text(text string, c schema.Column) string {
	if c.Charset == utf8Name || c.Charset == "" {
		return "md5(" + text + ")"
	}
	return "md5(convert_to(" + text + ", 'UTF8'))"
}

// octets is the length in UTF-8 of a text in the server's encoding.
func octets(text string, c schema.Column) string {
	if c.Charset == utf8Name || c.Charset == "" {
		return "octet_length(" + text + ")"
	}
	return "octet_length(convert_to(" + text + ", 'UTF8'))"
}

// foreignCoded says whether the server keeps texts in another encoding.
func (Dialect) foreignCoded(v *schema.View) bool {
	for _, c := range v.Columns {
		if c.Charset != "" && c.Charset != utf8Name {
			return true
		}
	}
	return false
}

func itoa(n int) string { return strconv.Itoa(n) }
