package mysql

import (
	"bytes"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// rangeConditions are the bounds of a range and the user's filter.
func (d Dialect) rangeConditions(s *statement, v *schema.View, r row.Range) []string {
	var conditions []string
	if r.After != nil {
		conditions = append(conditions, dialect.Greater(d.terms(s, v, r.After)))
	}
	if r.Through != nil {
		conditions = append(conditions, dialect.NotGreater(d.terms(s, v, r.Through)))
	}
	return append(conditions, d.filter(s, v)...)
}

func (d Dialect) terms(s *statement, v *schema.View, bound row.Key) []dialect.Term {
	terms := make([]dialect.Term, len(bound))
	for i, c := range v.KeyColumns() {
		expr, arg, fit := keyValue(&c, bound[i])
		terms[i] = dialect.Term{
			Column: d.Quote(c.Name),
			Value:  func() string { return s.arg(expr, arg) },
			Fit:    fit,
		}
	}
	return terms
}

// keyConditions hold for the rows with one of the keys, byte by byte: the first
// condition finds them through the index, by the column's collation, which may
// well hold more texts to be equal.
func (d Dialect) keyConditions(s *statement, v *schema.View, keys []row.Key) []string {
	return d.oneOfKeys(s, v.KeyColumns(), keys)
}

// oneOfKeys is keyConditions for the columns of a view's key.
func (d Dialect) oneOfKeys(s *statement, columns []schema.ViewColumn, keys []row.Key) []string {
	keys = possible(columns, keys)
	if len(keys) == 0 {
		return []string{"FALSE"}
	}
	keys = padded(keys)
	if len(columns) == 1 {
		return d.oneColumn(s, &columns[0], keys)
	}
	var list []string
	for _, key := range keys {
		var terms []string
		for i := range columns {
			terms = append(terms, d.oneColumn(s, &columns[i], []row.Key{key[i : i+1]})...)
		}
		list = append(list, "("+strings.Join(terms, " AND ")+")")
	}
	return []string{"(" + strings.Join(list, " OR ") + ")"}
}

// The numbers of keys or rows in statements are multiples of padStep, from there on
// up to padMost: texts of few lengths come again and again, and are prepared once. The
// last stands there several times, which changes nothing about what is found or
// written. padMost is the greatest number that package database asks for at once.
const (
	padStep = 16
	padMost = 500
)

func padded[T any](items []T) []T {
	n := len(items)
	if n <= padStep {
		return items
	}
	length := min((n+padStep-1)/padStep*padStep, max(n, padMost))
	return append(slices.Clip(items), slices.Repeat(items[n-1:], length-n)...)
}

// oneColumn holds where the column has one of the values. Bytes equal implies
// collation-equal, so the two lists need not be taken in pairs.
func (d Dialect) oneColumn(s *statement, c *schema.ViewColumn, keys []row.Key) []string {
	values := make([]string, 0, len(keys))
	s.args = slices.Grow(s.args, len(keys))
	add := func(v row.Value) {
		expr, arg, _ := keyValue(c, v)
		values = append(values, s.arg(expr, arg))
	}
	for _, key := range keys {
		add(key[0])
		if eitherCase(c) {
			add(bytes.ToUpper(key[0]))
		}
	}
	conditions := []string{d.Quote(c.Name) + oneOf(values)}
	if c.Type.Kind != canonical.Text {
		return conditions
	}
	exact := make([]string, len(keys))
	for i, key := range keys {
		exact[i] = s.arg("CAST(? AS BINARY)", string(key[0]))
	}
	text, _ := d.DigestText(*c)
	return append(conditions, "CAST("+text+" AS BINARY)"+oneOf(exact))
}

func oneOf(values []string) string {
	if len(values) == 1 {
		return " = " + values[0]
	}
	return " IN (" + strings.Join(values, ", ") + ")"
}

// eitherCase says whether the index may hold a value in upper case as well, as it may
// a UUID in a character column with a binary collation.
func eitherCase(c *schema.ViewColumn) bool {
	return c.Type.Kind == canonical.Text && c.As.Kind == canonical.UUID
}

// possible leaves out the keys that no row can have.
func possible(columns []schema.ViewColumn, keys []row.Key) []row.Key {
	impossible := func(key row.Key) bool {
		for i := range columns {
			if _, _, fit := keyValue(&columns[i], key[i]); fit != dialect.Fits {
				return true
			}
		}
		return false
	}
	if !slices.ContainsFunc(keys, impossible) {
		return keys
	}
	return slices.DeleteFunc(slices.Clone(keys), impossible)
}

// keyValue is a key's value as an argument of the type the column's index
// compares with, the SQL around its placeholder, and whether the column can
// hold it.
func keyValue(c *schema.ViewColumn, v row.Value) (expr string, arg any, fit dialect.Fit) {
	if c.Type.Kind == canonical.Bool || c.Type.Kind == canonical.Int {
		return wholeValue(v)
	}
	text := string(v)
	switch c.Type.Kind {
	case canonical.Decimal:
		return decimalValue(text)
	case canonical.Text:
		if c.Charset == utf8 || c.Charset == "" {
			return "?", text, dialect.Fits
		}
		// In the column's own character set, or the index is of no use.
		return "CONVERT(? USING " + c.Charset + ") COLLATE " + c.Collation, text, dialect.Fits
	case canonical.Bytes:
		return bytesValue(c, v)
	case canonical.Bits:
		n, err := strconv.ParseUint(text, 2, 64)
		if err != nil {
			return "?", text, dialect.Foreign
		}
		return "?", n, dialect.Fits
	case canonical.Date:
		return "CAST(? AS DATE)", text, dateFit(text)
	case canonical.Time:
		return "CAST(? AS TIME(6))", text, dialect.Fits
	case canonical.Timestamp, canonical.Instant:
		return "CAST(? AS DATETIME(6))", text, dateFit(text)
	default:
		return "?", text, dialect.Fits
	}
}

// wholeValue is exact as an integer of 64 bits, and else a decimal: the other
// side may have 1.5 or 10^30 where this one has integers.
func wholeValue(v row.Value) (string, any, dialect.Fit) {
	if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return "?", n, dialect.Fits
	}
	if n, err := strconv.ParseUint(string(v), 10, 64); err == nil {
		return "?", n, dialect.Fits
	}
	return decimalValue(string(v))
}

// MySQL's DECIMAL holds 65 digits, 30 of them after the point (its manual,
// "DECIMAL Data Type Characteristics").
const (
	decimalDigits = 65
	decimalScale  = 30
)

func decimalValue(text string) (string, any, dialect.Fit) {
	switch text {
	case "NaN", "Infinity": // PostgreSQL sorts NaN above all numbers
		return "?", text, dialect.Above
	case "-Infinity":
		return "?", text, dialect.Below
	}
	negative := strings.HasPrefix(text, "-")
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	if len(fraction) > decimalScale {
		return "CAST(? AS DECIMAL(65,30))", floor(text), dialect.Between
	}
	if len(whole)+len(fraction) > decimalDigits {
		if negative {
			return "?", text, dialect.Below
		}
		return "?", text, dialect.Above
	}
	return "CAST(? AS DECIMAL(65," + strconv.Itoa(len(fraction)) + "))", text, dialect.Fits
}

// floor is the largest number of decimalScale digits that is not greater.
func floor(text string) string {
	number, ok := new(big.Rat).SetString(text)
	if !ok {
		return text
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(decimalScale), nil)
	scaled := new(big.Int).Mul(number.Num(), unit)
	// Div rounds towards minus infinity for a positive divisor.
	scaled.Div(scaled, number.Denom())
	return new(big.Rat).SetFrac(scaled, unit).FloatString(decimalScale)
}

func bytesValue(c *schema.ViewColumn, v row.Value) (string, any, dialect.Fit) {
	decode := canonical.DecodeHex
	if c.As.Kind == canonical.UUID {
		decode = func(v row.Value) ([]byte, error) { return canonical.DecodeUUID(v) }
	}
	raw, err := decode(v)
	if err != nil {
		return "?", string(v), dialect.Foreign
	}
	return "CAST(? AS BINARY)", raw, dialect.Fits
}

// dateFit recognizes PostgreSQL's dates that MySQL has not: its years have four
// digits.
func dateFit(text string) dialect.Fit {
	switch {
	case strings.HasPrefix(text, "-"), strings.HasSuffix(text, "BC"):
		return dialect.Below
	case text == "infinity", strings.IndexByte(text, '-') > 4:
		return dialect.Above
	default:
		return dialect.Fits
	}
}
