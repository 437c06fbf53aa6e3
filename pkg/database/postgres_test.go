package database

import (
	"strconv"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/dialect"
)

// Arguments and results of PostgreSQL are texts for every type.
func TestPostgresTakesAndGivesTextsForEveryType(t *testing.T) {
	db := openOn(t, Config{DSN: testenv.Postgres(t)})
	cases := []struct{ cast, in, out string }{
		{"bigint", "-9223372036854775808", "-9223372036854775808"},
		{"numeric", "123456789012345678901234567890.10", "123456789012345678901234567890.10"},
		{"numeric", "NaN", "NaN"},
		{"double precision", "0.1", "0.1"},
		{"real", "3.4028235e+38", "3.4028235e+38"},
		{"boolean", "1", "t"},
		{"bytea", `\x00ff`, `\x00ff`},
		{"uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
		{"timestamptz", "2026-01-02 03:04:05.000001+00", "2026-01-02 03:04:05.000001+00"},
		{"timestamp", "infinity", "infinity"},
		{"date", "0044-03-15 BC", "0044-03-15 BC"},
		{"interval", "1 year 2 days 03:04:05", "P1Y2DT3H4M5S"},
		{"bit(4)", "0101", "0101"},
		{"json", `{"b": 1, "a" : 1.0}`, `{"b": 1, "a" : 1.0}`},
		{"jsonb", `{"b": 1, "a" : 1.0}`, `{"a": 1.0, "b": 1}`},
		{"inet", "10.0.0.1/8", "10.0.0.1/8"},
		{"text", "", ""},
		{"text", "o'clock \\ \"ü\" $1", "o'clock \\ \"ü\" $1"},
	}
	for _, c := range cases {
		line, err := db.readLine(t.Context(), dialect.Query{SQL: "SELECT $1::" + c.cast + ", $2::" + c.cast, Args: []any{c.in, nil}}, 2)
		if err != nil {
			t.Errorf("%s %q: %v", c.cast, c.in, err)
			continue
		}
		if line[0] == nil || *line[0] != c.out || line[1] != nil {
			t.Errorf("%s %q came back as %s", c.cast, c.in, spell(line))
		}
	}
	if _, err := db.readLine(t.Context(), dialect.Query{SQL: "SELECT $1::int", Args: []any{int64(1)}}, 1); err == nil {
		t.Error("a number is taken as an argument")
	}
	if _, err := db.readLine(t.Context(), dialect.Query{SQL: "SET TimeZone TO 'UTC'"}, 1); err == nil {
		t.Error("a statement without columns is read")
	}
	idle(t, db)
}

func spell(line []*string) (out string) {
	for _, v := range line {
		if v == nil {
			out += "NULL "
		} else {
			out += strconv.Quote(*v) + " "
		}
	}
	return out
}
