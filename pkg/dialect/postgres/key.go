package postgres

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// rangeConditions are the bounds of a range and the user's filter.
func (d Dialect) rangeConditions(s *statement, v *schema.View, r row.Range) []string {
	var conditions []string
	if r.After != nil {
		conditions = append(conditions, d.bound(s, v, r.After, " > ", dialect.Greater))
	}
	if r.Through != nil {
		conditions = append(conditions, d.bound(s, v, r.Through, " <= ", dialect.NotGreater))
	}
	return append(conditions, d.filter(s, v)...)
}

// bound compares row values, which the server answers from the index, unless
// one of the values is none the column can hold.
func (d Dialect) bound(s *statement, v *schema.View, key row.Key, operator string, spell func([]dialect.Term) string) string {
	terms := make([]dialect.Term, len(key))
	plain := true
	for i, c := range v.KeyColumns() {
		arg, fit := keyValue(c, key[i])
		terms[i] = dialect.Term{
			Column: d.Quote(c.Name),
			Value:  func() string { return s.arg(arg, compareType(c.Column)) },
			Fit:    fit,
		}
		plain = plain && (fit == dialect.Fits || fit == dialect.Foreign)
	}
	if !plain {
		return "(" + spell(terms) + ")"
	}
	values := make([]string, len(terms))
	for i, t := range terms {
		values[i] = t.Value()
	}
	return "(" + d.keyList(v) + ")" + operator + "(" + strings.Join(values, ", ") + ")"
}

// match is one comparison of a look-up: an expression of the row and the values
// it may have, one for each key.
type match struct {
	expr   string
	as     string
	values []row.Value
}

// keyConditions hold for the rows with one of the keys, byte by byte.
func (d Dialect) keyConditions(s *statement, v *schema.View, keys []row.Key) []string {
	columns := v.KeyColumns()
	keys = possible(columns, keys)
	if len(keys) == 0 {
		return []string{"FALSE"}
	}
	var matches []match
	for i, c := range columns {
		matches = append(matches, d.matches(c, keys, i)...)
	}
	switch {
	case len(matches[0].values) == 1:
		return single(s, matches)
	case len(columns) == 1:
		return independent(s, matches)
	default:
		return paired(s, matches)
	}
}

// matches compare one key column: through its index first, and then exactly
// where equality in the index is wider than that of texts.
func (d Dialect) matches(c schema.ViewColumn, keys []row.Key, i int) []match {
	name := d.Quote(c.Name)
	first := match{expr: name, as: compareType(c.Column)}
	exact := match{as: "text"}
	if c.Base == "enum" { // a text that is no member must not be an error
		first = match{expr: name + "::text", as: "text"}
	}
	asText := c.Type.Kind == canonical.Text && c.As.Kind == canonical.UUID
	for _, key := range keys {
		arg, _ := keyValue(c, key[i])
		first.values = append(first.values, row.Value(arg))
		exact.values = append(exact.values, key[i])
	}
	if asText { // the index may hold it in upper case
		for _, key := range keys {
			first.values = append(first.values, bytes.ToUpper(key[i]))
		}
		exact.values = append(exact.values, exact.values...)
	}
	if !asText && !loose(c.Column) {
		return []match{first}
	}
	text, _ := d.DigestText(c)
	exact.expr = "(" + text + `) COLLATE "C"`
	return []match{first, exact}
}

// loose says whether the column calls values equal that differ in text: padding,
// case, or a month and 30 days.
func loose(c schema.Column) bool {
	return c.Base == "char" || c.Base == "citext" || c.Base == "interval" || strings.HasSuffix(c.Collation, nondeterministic)
}

func single(s *statement, matches []match) []string {
	var out []string
	for _, m := range matches {
		out = append(out, m.expr+" = "+s.arg(string(m.values[0]), m.as))
	}
	return out
}

// independent takes the lists by themselves: what is equal exactly is equal in
// the index as well.
func independent(s *statement, matches []match) []string {
	var out []string
	for _, m := range matches {
		out = append(out, m.expr+" = ANY("+s.arg(array(m.values), m.as+"[]")+")")
	}
	return out
}

// paired takes the n-th values of all lists together.
func paired(s *statement, matches []match) []string {
	length := 0
	for _, m := range matches {
		length = max(length, len(m.values))
	}
	var exprs, arrays []string
	for _, m := range matches {
		values := m.values
		for len(values) < length { // beside a column with two spellings
			values = append(values, m.values...)
		}
		exprs = append(exprs, m.expr)
		arrays = append(arrays, s.arg(array(values), m.as+"[]"))
	}
	return []string{"(" + strings.Join(exprs, ", ") + ") IN (SELECT * FROM unnest(" + strings.Join(arrays, ", ") + "))"}
}

// possible leaves out the keys that no row can have.
func possible(columns []schema.ViewColumn, keys []row.Key) []row.Key {
	out := make([]row.Key, 0, len(keys))
next:
	for _, key := range keys {
		for i, c := range columns {
			if _, fit := keyValue(c, key[i]); fit != dialect.Fits {
				continue next
			}
		}
		out = append(out, key)
	}
	return out
}

// keyValue is a key's value as the text of the type its column's index compares
// with, and whether the column can hold it.
func keyValue(c schema.ViewColumn, v row.Value) (string, dialect.Fit) {
	text := string(v)
	switch c.Type.Kind {
	case canonical.Bool:
		return text, within(text, 0, 1)
	case canonical.Int:
		return wholeValue(c.Column, text)
	case canonical.Text:
		if !utf8.ValidString(text) {
			return text, dialect.Foreign
		}
		if before, _, found := strings.Cut(text, "\x00"); found { // by bytes, nothing lies between the two
			return before, dialect.Between
		}
		return text, dialect.Fits
	case canonical.Bytes:
		return bytesValue(c, v)
	case canonical.UUID:
		if _, err := canonical.DecodeUUID(v); err != nil {
			return text, dialect.Foreign
		}
		return text, dialect.Fits
	case canonical.Date, canonical.Timestamp, canonical.Instant:
		return dateValue(text)
	case canonical.Time:
		return text, timeFit(text)
	default:
		return text, dialect.Fits
	}
}

// maxOID is the largest oid, an unsigned integer of 32 bits.
const maxOID = 1<<32 - 1

// wholeValue is the value itself or, when the other side has fractions, the
// whole number below. Integers of every size are compared as bigint.
func wholeValue(c schema.Column, text string) (string, dialect.Fit) {
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	if c.Base == "oid" {
		low, high = 0, maxOID
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && low <= n && n <= high {
		return text, dialect.Fits
	}
	if fit := within(text, low, high); fit != dialect.Between {
		return text, fit
	}
	number, _ := new(big.Rat).SetString(text)
	floor := new(big.Int).Div(number.Num(), number.Denom())
	return floor.String(), dialect.Between
}

// within places a canonical number among the whole numbers from low to high.
func within(text string, low, high int64) dialect.Fit {
	switch text {
	case "NaN", "Infinity": // NaN sorts above all numbers
		return dialect.Above
	case "-Infinity":
		return dialect.Below
	}
	number, ok := new(big.Rat).SetString(text)
	switch {
	case !ok:
		return dialect.Foreign
	case number.Cmp(new(big.Rat).SetInt64(low)) < 0:
		return dialect.Below
	case number.Cmp(new(big.Rat).SetInt64(high)) > 0:
		return dialect.Above
	case !number.IsInt():
		return dialect.Between
	default:
		return dialect.Fits
	}
}

func bytesValue(c schema.ViewColumn, v row.Value) (string, dialect.Fit) {
	if c.As.Kind != canonical.UUID {
		return `\x` + string(v), dialect.Fits
	}
	raw, err := canonical.DecodeUUID(v)
	if err != nil {
		return string(v), dialect.Foreign
	}
	return `\x` + string(canonical.AppendHex(nil, raw)), dialect.Fits
}

// timeFit recognizes MySQL's times that are no time of day: PostgreSQL ends at
// 24:00:00.
func timeFit(text string) dialect.Fit {
	switch {
	case strings.HasPrefix(text, "-"):
		return dialect.Below
	case strings.IndexByte(text, ':') > 2, text > "24:00:00.000000":
		return dialect.Above
	default:
		return dialect.Fits
	}
}
