package dialecttest

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/row"
)

// Form is how a plain value is written in SQL.
type Form uint8

// The forms.
const (
	// Bare values stand as they are: numbers.
	Bare Form = iota
	// Quoted values are texts in quotes which the column reads: times, UUIDs.
	Quoted
	// Universal values are quoted times in UTC, whatever the session's zone.
	Universal
	// Characters are spelled by the bytes of their UTF-8.
	Characters
	// Hexadecimal values are byte strings in hexadecimal digits.
	Hexadecimal
	// Binary values are bit strings in binary digits.
	Binary
)

func (s *suite) postgres() bool { return s.d.Engine() == "postgres" }

// spell writes a value as the server reads it.
func (s *suite) spell(v spelled) string {
	switch {
	case v.null:
		return "NULL"
	case v.form == Hexadecimal: // a UUID as well, whose dashes are no digits
		v.plain = strings.ReplaceAll(v.plain, "-", "")
	}
	switch {
	case v.form == Bare:
		return v.plain
	case v.form == Universal && s.postgres():
		return "'" + v.plain + "+00'"
	case v.form == Universal:
		return "CONVERT_TZ('" + v.plain + "', '+00:00', @@time_zone)"
	case v.form == Quoted:
		return "'" + strings.ReplaceAll(v.plain, "'", "''") + "'"
	case v.form == Binary && s.postgres():
		return "B'" + v.plain + "'"
	case v.form == Binary:
		return "b'" + v.plain + "'"
	case v.form == Hexadecimal && s.postgres():
		return "decode('" + v.plain + "', 'hex')"
	case v.form == Hexadecimal:
		return "X'" + v.plain + "'"
	case s.postgres():
		return postgresText(v.plain)
	default:
		return "_utf8mb4 X'" + hexOf(v.plain) + "'"
	}
}

// postgresText is a literal, so that the column reads it by its own type.
func postgresText(text string) string {
	return "E'" + strings.NewReplacer("'", "''", `\`, `\\`).Replace(text) + "'"
}

func hexOf(text string) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 2*len(text))
	for i := range len(text) {
		out = append(out, digits[text[i]>>4], digits[text[i]&15])
	}
	return string(out)
}

// equality is the engine's own, with NULL equal to NULL alone.
func (s *suite) equality() string {
	if s.postgres() {
		return "{a} IS NOT DISTINCT FROM {b}"
	}
	return "{a} <=> {b}"
}

// asText is an expression as a concatenation takes it.
func (s *suite) asText(expr string) string {
	if s.postgres() {
		return "(" + expr + ")::text || ''"
	}
	return "CONCAT(" + expr + ", '')"
}

// oddZone puts a session into a time zone with minutes.
func (s *suite) oddZone() string {
	if s.postgres() {
		return "SET TIME ZONE INTERVAL '+05:45' HOUR TO MINUTE"
	}
	return "SET time_zone = '+05:45'"
}

// ask runs a query in a session as the dialect sets it up.
func (s *suite) ask(t *testing.T, query string) []row.Row {
	t.Helper()
	conn, err := testenv.Open(t, s.dsn).Conn(t.Context())
	must(t, err)
	defer conn.Close()
	for _, statement := range s.d.Setup(true) {
		_, err := conn.ExecContext(t.Context(), statement)
		must(t, err)
	}
	found, err := conn.QueryContext(t.Context(), query)
	must(t, err)
	defer found.Close()
	var out []row.Row
	for found.Next() {
		out = append(out, scan(t, found))
	}
	must(t, found.Err())
	return out
}

func scan(t *testing.T, rows *sql.Rows) row.Row {
	t.Helper()
	names, err := rows.Columns()
	must(t, err)
	values := make([]sql.NullString, len(names))
	into := make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	must(t, rows.Scan(into...))
	out := make(row.Row, len(names))
	for i, v := range values {
		if v.Valid {
			out[i] = row.Value(append([]byte{}, v.String...))
		}
	}
	return out
}
