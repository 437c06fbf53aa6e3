package schema

import (
	"math/big"
	"regexp"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
)

// castSuffix is PostgreSQL's way to give a literal its type.
var castSuffix = regexp.MustCompile(`^(.*)::[a-z_ ]+(\(\d+(,-?\d+)?\))?(\[\])?$`)

// sameCall are the spellings of what two engines compute alike, without the
// number of fractional digits.
var sameCall = map[string]string{
	"current_timestamp": "the current time", "now": "the current time", "localtimestamp": "the current time",
	"transaction_timestamp": "the current time", "sysdate": "the current time", "statement_timestamp": "the current time",
	"clock_timestamp": "the current time", "current_date": "the current date", "curdate": "the current date",
	"current_time": "the current time of day", "curtime": "the current time of day", "localtime": "the current time",
	"uuid": "a new uuid", "gen_random_uuid": "a new uuid", "uuid_generate_v4": "a new uuid",
}

var call = regexp.MustCompile(`^([a-z_]\w*)(?:\(\d*\))?$`)

// meaning is a default in words that both engines share, and whether it is
// sure: equal words mean the same, and two sure ones that differ do not.
func meaning(engine string, c ViewColumn) (words string, sure bool) {
	text := c.Default
	if text == "" {
		return "", true
	}
	for {
		before := text
		if cast := castSuffix.FindStringSubmatch(text); engine == "postgres" && cast != nil {
			text = cast[1]
		}
		if inner, ok := inParentheses(text); ok {
			text = inner
		}
		if text = strings.TrimSpace(text); text == before {
			break
		}
	}
	if strings.EqualFold(text, "NULL") {
		return "", true
	}
	if literal, ok := unquote(engine, text); ok {
		return value(c, literal), true
	}
	lower := strings.ToLower(text)
	if found := call.FindStringSubmatch(lower); found != nil && sameCall[found[1]] != "" {
		return sameCall[found[1]], true
	}
	if lower == "true" || lower == "false" {
		return value(c, lower), true
	}
	if _, ok := new(big.Rat).SetString(lower); ok {
		return value(c, lower), true
	}
	return lower, false
}

// inParentheses takes off a pair of parentheses around the whole text.
func inParentheses(text string) (string, bool) {
	if !strings.HasPrefix(text, "(") || !strings.HasSuffix(text, ")") {
		return "", false
	}
	depth := 0
	for i, r := range text {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 && i < len(text)-1 {
			return "", false
		}
	}
	return text[1 : len(text)-1], true
}

// unquote is the value of a text literal or a bit literal.
func unquote(engine, text string) (string, bool) {
	if bits, ok := strings.CutPrefix(strings.ToLower(text), "b'"); ok {
		return strings.CutSuffix(bits, "'")
	}
	if len(text) < 2 || text[0] != '\'' || text[len(text)-1] != '\'' {
		return "", false
	}
	inner := text[1 : len(text)-1]
	plain := strings.ReplaceAll(inner, "''", "")
	if strings.Contains(plain, "'") && !strings.Contains(plain, `\'`) { // more than one literal
		return "", false
	}
	if engine != "postgres" {
		inner = strings.NewReplacer(`\\`, `\`, `\'`, `'`).Replace(inner)
	}
	return strings.ReplaceAll(inner, "''", "'"), true
}

var fraction = regexp.MustCompile(`^(\d+-\d+-\d+)[ T](\d+:\d+:\d+)(?:\.0*)?$`)

// value is a literal as its column holds it.
func value(c ViewColumn, literal string) string {
	switch c.As.Kind {
	case canonical.Bool, canonical.Int, canonical.Decimal, canonical.Float32, canonical.Float64:
		switch strings.ToLower(literal) {
		case "true", "t":
			literal = "1"
		case "false", "f":
			literal = "0"
		}
		if n, ok := new(big.Rat).SetString(literal); ok {
			return "= " + n.RatString()
		}
	case canonical.Timestamp, canonical.Instant:
		if found := fraction.FindStringSubmatch(literal); found != nil {
			return "= " + found[1] + " " + found[2]
		}
	default: // compared as it is written
	}
	return "= " + literal
}
