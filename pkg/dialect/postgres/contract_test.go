package postgres_test

import (
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/dialect/dialecttest"
)

func TestContract(t *testing.T) {
	dialecttest.Exercise(t, dialecttest.Engine{
		DSN: testenv.Postgres(t),
		Before: []string{
			"CREATE EXTENSION IF NOT EXISTS citext",
			"CREATE TYPE mood AS ENUM ('sad', 'Happy', 'it''s | fine')",
			"CREATE DOMAIN short AS varchar(5)",
			"CREATE DOMAIN shorter AS short NOT NULL",
			"CREATE TYPE two AS (a int, b int)",
			"CREATE COLLATION ignoring (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
		},
		Cases:   cases,
		Refused: []string{"integer[]", "text[]", "int4range", "two", "tsvector", "xml", "money", "point", "polygon", "time with time zone", "pg_lsn", "int4multirange"},
	})
}

type list = []dialecttest.Value

const (
	uuidLower = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
	uuidUpper = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"
)

var cases = []dialecttest.Case{
	{Type: "boolean", Kind: canonical.Bool, Key: true, Values: list{{"true", "1"}, {"false", "0"}}},
	{Type: "boolean", As: canonical.Int, Kind: canonical.Bool, Key: true, Values: list{{"true", "1"}, {"false", "0"}}},
	{Type: "smallint", Kind: canonical.Int, Key: true, Values: list{{"-32768", "-32768"}, {"32767", "32767"}}},
	{Type: "integer", Kind: canonical.Int, Key: true, Values: list{{"0", "0"}, {"-2147483648", "-2147483648"}}},
	{Type: "bigint", Kind: canonical.Int, Key: true, Values: list{{"-9223372036854775808", "-9223372036854775808"}, {"9007199254740993", "9007199254740993"}}},
	{Type: "bigint", As: canonical.Decimal, Kind: canonical.Int, Key: true, Values: list{{"0", "0"}, {"-10", "-10"}}},
	{Type: "oid", Kind: canonical.Int, Key: true, Values: list{{"0", "0"}, {"4294967295", "4294967295"}}},
	{Type: "numeric(10,2)", Kind: canonical.Decimal, Key: true, Values: list{{"1.10", "1.1"}, {"20.00", "20"}, {"-0.05", "-0.05"}, {"-0.00", "0"}, {"'NaN'", "NaN"}}},
	{Type: "numeric", Kind: canonical.Decimal, Key: true, Values: list{{"1.10", "1.1"}, {"1e30", "1000000000000000000000000000000"}, {"18446744073709551615", "18446744073709551615"}, {"1e-20", "0.00000000000000000001"}, {"'Infinity'", "Infinity"}, {"'-Infinity'", "-Infinity"}, {"'NaN'", "NaN"}, {"100.000", "100"}}},
	{Type: "numeric(10,0)", Kind: canonical.Decimal, Key: true, Values: list{{"100", "100"}, {"0", "0"}}},
	{Type: "numeric(5,-2)", Kind: canonical.Decimal, Key: true, Values: list{{"12345", "12300"}, {"0", "0"}}},
	{Type: "real", Kind: canonical.Float32, Inexact: true, Values: list{{"0.1", "0.1"}, {"16777216", "16777216"}, {"3.4028235e38", "3.4028235e+38"}, {"'NaN'", "NaN"}, {"'-Infinity'", "-Infinity"}, {"0.33333334", "0.33333334"}, {"0.3333333", "0.3333333"}}},
	{Type: "real", As: canonical.Float64, Kind: canonical.Float32, Inexact: true, Values: list{{"0.1", "0.10000000149011612"}, {"2", "2"}}},
	{Type: "double precision", Kind: canonical.Float64, Inexact: true, Values: list{{"0.1", "0.1"}, {"0.30000000000000004", "0.30000000000000004"}, {"1e22", "1e+22"}, {"'Infinity'", "Infinity"}, {"5e-324", "5e-324"}, {"0", "0"}}},
	{Type: "double precision", As: canonical.Decimal, Kind: canonical.Float64, Inexact: true, Values: list{{"0.1", "0.1"}, {"1e-7", "0.0000001"}, {"1e21", "1000000000000000000000"}}},
	{Type: "text", Kind: canonical.Text, Key: true, Values: texts},
	{Type: "varchar(50)", Kind: canonical.Text, Key: true, Values: texts},
	{Type: `text COLLATE "C"`, Kind: canonical.Text, Key: true, Values: texts},
	{Type: "text COLLATE ignoring", Kind: canonical.Text, Values: texts},
	{Type: "citext", Kind: canonical.Text, Values: texts},
	{Type: "name", Kind: canonical.Text, Key: true, Values: list{{"'a'", "a"}, {"'A'", "A"}}},
	{Type: "char(5)", Kind: canonical.Text, Key: true, Values: list{{"''", ""}, {"'a '", "a"}, {"' b'", " b"}, {"'éé'", "éé"}}},
	{Type: "char", Kind: canonical.Text, Key: true, Values: list{{"''", ""}, {"'a'", "a"}}},
	{Type: "mood", Kind: canonical.Text, Key: true, Values: list{{"'sad'", "sad"}, {"'Happy'", "Happy"}, {"'it''s | fine'", "it's | fine"}}},
	{Type: "short", Kind: canonical.Text, Key: true, Values: list{{"'abcde'", "abcde"}, {"''", ""}}},
	{Type: "char(36)", As: canonical.UUID, Kind: canonical.Text, Key: true, Values: list{{"'" + uuidLower + "'", uuidLower}, {"'B0EEBC99'", "B0EEBC99"}, {"'a|b'", "a|b"}}},
	{Type: "bytea", As: canonical.UUID, Kind: canonical.Bytes, Key: true, Values: list{{`'\xA0EEBC999C0B4EF8BB6D6BB9BD380A11'`, uuidLower}, {`'\x00000000000000000000000000000000'`, "00000000-0000-0000-0000-000000000000"}}},
	{Type: "uuid", Kind: canonical.UUID, Key: true, Values: list{{"'" + uuidUpper + "'", uuidLower}, {"'00000000-0000-0000-0000-000000000001'", "00000000-0000-0000-0000-000000000001"}}},
	{Type: "bytea", Kind: canonical.Bytes, Key: true, Values: list{{"''", ""}, {`'\x00'`, "00"}, {`'\xC328FF5C27'`, "c328ff5c27"}}},
	{Type: "date", Kind: canonical.Date, Key: true, Values: list{{"'2024-02-29'", "2024-02-29"}, {"'infinity'", "infinity"}, {"'-infinity'", "-infinity"}, {"'0044-03-15 BC'", "0044-03-15 BC"}, {"'12024-01-01'", "12024-01-01"}, {"'0001-01-01'", "0001-01-01"}}},
	{Type: "time", Kind: canonical.Time, Key: true, Values: list{{"'00:00'", "00:00:00.000000"}, {"'12:34:56.7'", "12:34:56.700000"}, {"'23:59:59.999999'", "23:59:59.999999"}, {"'24:00'", "24:00:00.000000"}}},
	{Type: "time(0)", Kind: canonical.Time, Key: true, Values: list{{"'00:00'", "00:00:00.000000"}, {"'24:00'", "24:00:00.000000"}}},
	{Type: "time(3)", Kind: canonical.Time, Key: true, Values: list{{"'00:00:00.001'", "00:00:00.001000"}, {"'12:00'", "12:00:00.000000"}}},
	{Type: "timestamp", Kind: canonical.Timestamp, Key: true, Values: moments},
	{Type: "timestamp(3)", Kind: canonical.Timestamp, Key: true, Values: list{{"'2024-02-29 23:59:59.123'", "2024-02-29 23:59:59.123000"}, {"'infinity'", "infinity"}}},
	{Type: "timestamp(0)", Kind: canonical.Timestamp, Key: true, Values: list{{"'2024-02-29 23:59:59'", "2024-02-29 23:59:59.000000"}, {"'infinity'", "infinity"}, {"'0044-03-15 BC'", "0044-03-15 00:00:00.000000 BC"}}},
	{Type: "timestamp", As: canonical.Instant, Kind: canonical.Timestamp, Key: true, Values: moments},
	{Type: "timestamptz", Kind: canonical.Instant, Key: true, Values: append(list{{"'2024-03-31 01:30:00+02'", "2024-03-30 23:30:00.000000"}}, moments...)},
	{Type: "timestamptz(3)", Kind: canonical.Instant, Key: true, Values: list{{"'2024-02-29 23:59:59.5+00'", "2024-02-29 23:59:59.500000"}, {"'-infinity'", "-infinity"}}},
	{Type: "interval", Kind: canonical.Interval, Inexact: true, Values: list{{"'1 mon'", "P1M"}, {"'30 days'", "P30D"}, {"'720 hours'", "PT720H"}, {"'0'", "PT0S"}, {"'-1 year 2 days -03:04:05.678'", "P-1Y2DT-3H-4M-5.678S"}}},
	{Type: "json", Kind: canonical.JSON, Inexact: true, Values: list{{`'{"b": [1, 2.50],  "a": null}'`, `{"b": [1, 2.50],  "a": null}`}, {`'"~|"'`, `"~|"`}, {`'null'`, `null`}}},
	{Type: "jsonb", Kind: canonical.JSON, Inexact: true, Values: list{{`'{"b": [1, 2.50],  "a": null}'`, `{"a": null, "b": [1, 2.50]}`}, {`'"é\"\\"'`, `"é\"\\"`}, {`'null'`, `null`}}},
	{Type: "bit(1)", Kind: canonical.Bits, Key: true, Values: list{{"B'0'", "0"}, {"B'1'", "1"}}},
	{Type: "bit(12)", Kind: canonical.Bits, Key: true, Values: list{{"B'000000000101'", "000000000101"}, {"B'111111111111'", "111111111111"}}},
	{Type: "varbit", Kind: canonical.Bits, Key: true, Values: list{{"B''", ""}, {"B'0'", "0"}, {"B'00'", "00"}}},
	{Type: "varbit(4)", Kind: canonical.Bits, Key: true, Values: list{{"B''", ""}, {"B'0101'", "0101"}}},
	{Type: "inet", Kind: canonical.Inet, Inexact: true, Key: true, Values: list{{"'10.0.0.1'", "10.0.0.1"}, {"'10.0.0.1/24'", "10.0.0.1/24"}, {"'::1'", "::1"}}},
	{Type: "cidr", Kind: canonical.Inet, Inexact: true, Key: true, Values: list{{"'10.0.0.0/8'", "10.0.0.0/8"}, {"'10.0.0.1/32'", "10.0.0.1/32"}}},
	{Type: "macaddr", Kind: canonical.Inet, Inexact: true, Key: true, Values: list{{"'08:00:2B:01:02:03'", "08:00:2b:01:02:03"}, {"'00:00:00:00:00:00'", "00:00:00:00:00:00"}}},
}

var moments = list{
	{"'2024-02-29 23:59:59.123456'", "2024-02-29 23:59:59.123456"},
	{"'2024-01-01'", "2024-01-01 00:00:00.000000"},
	{"'infinity'", "infinity"},
	{"'-infinity'", "-infinity"},
	{"'0044-03-15 12:00:00.5 BC'", "0044-03-15 12:00:00.500000 BC"},
	{"'12024-01-01 00:00:00'", "12024-01-01 00:00:00.000000"},
	{"'0001-01-01'", "0001-01-01 00:00:00.000000"},
	{"'0001-12-31 23:59:59 BC'", "0001-12-31 23:59:59.000000 BC"},
}

var texts = list{
	{"''", ""},
	{"'a'", "a"},
	{"'A'", "A"},
	{"'a '", "a "},
	{"' a'", " a"},
	{"'~'", "~"},
	{"'|'", "|"},
	{"'~|'", "~|"},
	{"'é'", "é"},
	{`E'e\u0301'`, "e\u0301"},
	{"'ß'", "ß"},
	{"'ss'", "ss"},
	{"'😀'", "😀"},
	{"'日本語'", "日本語"},
	{"'it''s'", "it's"},
	{`'back\slash'`, `back\slash`},
	{`E'line\nfeed\t\r'`, "line\nfeed\t\r"},
	{"'NULL'", "NULL"},
	{"'0'", "0"},
	{`'{"a"}'`, `{"a"}`},
	{`E'\x1a\x7f'`, "\x1a\x7f"},
}
