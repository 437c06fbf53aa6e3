package mysql_test

import (
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/dialect/dialecttest"
)

func TestContract(t *testing.T) {
	dialecttest.Exercise(t, dialecttest.Engine{
		DSN:     testenv.MySQL(t),
		Cases:   cases,
		Refused: []string{"geometry", "point"},
	})
}

type list = []dialecttest.Value

const (
	uuidLower = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
	uuidUpper = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"
)

var cases = []dialecttest.Case{
	{Type: "tinyint(1)", Kind: canonical.Int, Key: true, Values: list{{"0", "0"}, {"1", "1"}, {"2", "2"}, {"-128", "-128"}}},
	{Type: "int(5) zerofill", Kind: canonical.Int, Key: true, Values: list{{"0", "0"}, {"7", "7"}, {"1234567", "1234567"}}},
	{Type: "mediumint", Kind: canonical.Int, Key: true, Values: list{{"-8388608", "-8388608"}, {"8388607", "8388607"}}},
	{Type: "bigint", Kind: canonical.Int, Key: true, Values: list{{"-9223372036854775808", "-9223372036854775808"}, {"9223372036854775807", "9223372036854775807"}, {"9007199254740993", "9007199254740993"}}},
	{Type: "bigint", As: canonical.Decimal, Kind: canonical.Int, Key: true, Values: list{{"0", "0"}, {"-10", "-10"}}},
	{Type: "bigint unsigned", Kind: canonical.Int, Key: true, Values: list{{"0", "0"}, {"18446744073709551615", "18446744073709551615"}, {"9223372036854775808", "9223372036854775808"}}},
	{Type: "year", Kind: canonical.Int, Key: true, Values: list{{"0", "0"}, {"1901", "1901"}, {"2155", "2155"}}},
	{Type: "decimal(10,2)", Kind: canonical.Decimal, Key: true, Values: list{{"1.10", "1.1"}, {"20.00", "20"}, {"-0.05", "-0.05"}, {"-0.00", "0"}, {"100", "100"}, {"12345678.90", "12345678.9"}}},
	{Type: "decimal(10,0)", Kind: canonical.Decimal, Key: true, Values: list{{"0", "0"}, {"100", "100"}, {"-7000", "-7000"}}},
	{Type: "decimal(65,30)", Kind: canonical.Decimal, Key: true, Values: list{{"99999999999999999999999999999999999.999999999999999999999999999999", "99999999999999999999999999999999999.999999999999999999999999999999"}, {"0.000000000000000000000000000001", "0.000000000000000000000000000001"}}},
	{Type: "decimal(8,3) zerofill", Kind: canonical.Decimal, Key: true, Values: list{{"0", "0"}, {"1.5", "1.5"}, {"30", "30"}}},
	{Type: "float", Kind: canonical.Float32, Inexact: true, Values: list{{"0.1", "0.1"}, {"16777216", "16777216"}, {"1.1920929e-7", "1.1920929e-07"}, {"3.4028234663852886e38", "3.4028235e+38"}, {"0.3333333", "0.3333333"}, {"0.33333334", "0.33333334"}}},
	{Type: "float", As: canonical.Float64, Kind: canonical.Float32, Inexact: true, Values: list{{"0.1", "0.10000000149011612"}, {"2", "2"}}},
	{Type: "double", Kind: canonical.Float64, Inexact: true, Values: list{{"0.1", "0.1"}, {"0.30000000000000004", "0.30000000000000004"}, {"1e22", "1e+22"}, {"-1.7976931348623157e308", "-1.7976931348623157e+308"}, {"2.2250738585072014e-308", "2.2250738585072014e-308"}, {"0", "0"}, {"9007199254740993", "9007199254740992"}}},
	{Type: "double", As: canonical.Decimal, Kind: canonical.Float64, Inexact: true, Values: list{{"0.1", "0.1"}, {"1e-7", "0.0000001"}, {"1e21", "1000000000000000000000"}}},
	{Type: "bit(1)", Kind: canonical.Bits, Key: true, Values: list{{"b'0'", "0"}, {"b'1'", "1"}}},
	{Type: "bit(1)", As: canonical.Bool, Kind: canonical.Bits, Key: true, Values: list{{"b'0'", "0"}, {"b'1'", "1"}}},
	{Type: "bit(12)", Kind: canonical.Bits, Key: true, Values: list{{"b'0'", "000000000000"}, {"b'101'", "000000000101"}, {"b'111111111111'", "111111111111"}}},
	{Type: "bit(64)", Kind: canonical.Bits, Key: true, Values: list{{"1", "0000000000000000000000000000000000000000000000000000000000000001"}, {"~0", "1111111111111111111111111111111111111111111111111111111111111111"}}},
	{Type: "varchar(50) CHARACTER SET utf8mb4", Kind: canonical.Text, Values: texts},
	{Type: "varchar(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", Kind: canonical.Text, Values: texts},
	{Type: "mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci", Kind: canonical.Text, Values: texts},
	{Type: "varchar(50) CHARACTER SET latin1 COLLATE latin1_general_cs", Kind: canonical.Text, Key: true, Values: list{{"''", ""}, {"'é'", "é"}, {"'e'", "e"}, {"' x '", " x "}, {"'€'", "€"}}},
	{Type: "varchar(50) CHARACTER SET utf8mb3", Kind: canonical.Text, Key: true, Values: list{{"''", ""}, {"'é'", "é"}, {"'日本'", "日本"}}},
	{Type: "varchar(20) CHARACTER SET utf16", Kind: canonical.Text, Values: list{{"''", ""}, {"'é|'", "é|"}, {"'😀'", "😀"}}},
	{Type: "varchar(20) CHARACTER SET sjis", Kind: canonical.Text, Key: true, Values: list{{"''", ""}, {"'日本'", "日本"}, {"'表'", "表"}}},
	{Type: "char(5) CHARACTER SET utf8mb4", Kind: canonical.Text, Key: true, Values: list{{"''", ""}, {"'a '", "a"}, {"' b'", " b"}, {"'éé'", "éé"}}},
	{Type: "enum('small','BIG','')", Kind: canonical.Text, Values: list{{"'small'", "small"}, {"'BIG'", "BIG"}, {"''", ""}}},
	{Type: "set('a','b','c')", Kind: canonical.Text, Values: list{{"''", ""}, {"'a,c'", "a,c"}, {"'b'", "b"}}},
	{Type: "char(36)", As: canonical.UUID, Kind: canonical.Text, Key: true, Values: list{{"'" + uuidLower + "'", uuidLower}, {"'00000000-0000-0000-0000-000000000000'", "00000000-0000-0000-0000-000000000000"}, {"'B0EEBC99'", "B0EEBC99"}, {"'a|b'", "a|b"}}},
	{Type: "binary(16)", As: canonical.UUID, Kind: canonical.Bytes, Key: true, Values: list{{"X'A0EEBC999C0B4EF8BB6D6BB9BD380A11'", uuidLower}, {"X'00000000000000000000000000000000'", "00000000-0000-0000-0000-000000000000"}}},
	{Type: "uuid", Kind: canonical.UUID, Key: true, Values: list{{"'" + uuidUpper + "'", uuidLower}, {"'00000000-0000-0000-0000-000000000001'", "00000000-0000-0000-0000-000000000001"}}},
	{Type: "binary(4)", Kind: canonical.Bytes, Key: true, Values: list{{"X''", "00000000"}, {"X'00FF7C7E'", "00ff7c7e"}, {"X'20'", "20000000"}}},
	{Type: "varbinary(20)", Kind: canonical.Bytes, Key: true, Values: list{{"X''", ""}, {"X'00'", "00"}, {"X'0000'", "0000"}, {"X'C328FF5C27'", "c328ff5c27"}, {"'a '", "6120"}}},
	{Type: "longblob", Kind: canonical.Bytes, Values: list{{"X''", ""}, {"X'DEADBEEF'", "deadbeef"}, {"REPEAT(X'C3', 5)", "c3c3c3c3c3"}}},
	{Type: "date", Kind: canonical.Date, Key: true, Values: list{{"'2024-02-29'", "2024-02-29"}, {"'0000-00-00'", "0000-00-00"}, {"'2024-00-15'", "2024-00-15"}, {"'2023-02-30'", "2023-02-30"}, {"'1000-01-01'", "1000-01-01"}, {"'9999-12-31'", "9999-12-31"}}},
	{Type: "time", Kind: canonical.Time, Key: true, Values: list{{"'00:00:00'", "00:00:00.000000"}, {"'-00:00:01'", "-00:00:01.000000"}, {"'838:59:59'", "838:59:59.000000"}, {"'-838:59:59'", "-838:59:59.000000"}, {"'24:00:00'", "24:00:00.000000"}}},
	{Type: "time(3)", Kind: canonical.Time, Key: true, Values: list{{"'12:34:56.789'", "12:34:56.789000"}, {"'-00:00:00.001'", "-00:00:00.001000"}, {"'100:00:00'", "100:00:00.000000"}}},
	{Type: "time(6)", Kind: canonical.Time, Key: true, Values: list{{"'12:34:56.789012'", "12:34:56.789012"}, {"'01:00:00'", "01:00:00.000000"}}},
	{Type: "datetime", Kind: canonical.Timestamp, Key: true, Values: list{{"'2024-02-29 23:59:59'", "2024-02-29 23:59:59.000000"}, {"'0000-00-00 00:00:00'", "0000-00-00 00:00:00.000000"}, {"'1000-01-01 00:00:00'", "1000-01-01 00:00:00.000000"}, {"'0001-01-01 10:00:00'", "0001-01-01 10:00:00.000000"}}},
	{Type: "datetime(3)", Kind: canonical.Timestamp, Key: true, Values: list{{"'2024-02-29 23:59:59.123'", "2024-02-29 23:59:59.123000"}, {"'2024-03-10 02:30:00'", "2024-03-10 02:30:00.000000"}}},
	{Type: "datetime(6)", Kind: canonical.Timestamp, Key: true, Values: list{{"'9999-12-31 23:59:59.999999'", "9999-12-31 23:59:59.999999"}, {"'2024-01-01'", "2024-01-01 00:00:00.000000"}}},
	{Type: "datetime(6)", As: canonical.Instant, Kind: canonical.Timestamp, Key: true, Values: list{{"'2024-01-01 00:00:00.5'", "2024-01-01 00:00:00.500000"}, {"'2024-01-01'", "2024-01-01 00:00:00.000000"}}},
	{Type: "timestamp", Kind: canonical.Instant, Key: true, Values: list{{"'2024-03-31 01:30:00'", "2024-03-31 01:30:00.000000"}, {"'1970-01-01 00:00:01'", "1970-01-01 00:00:01.000000"}, {"'0000-00-00 00:00:00'", "0000-00-00 00:00:00.000000"}}},
	{Type: "timestamp(6)", Kind: canonical.Instant, Key: true, Values: list{{"'2038-01-19 03:14:07.999999'", "2038-01-19 03:14:07.999999"}, {"'2001-09-09 01:46:40.5'", "2001-09-09 01:46:40.500000"}}},
	{Type: "json", Kind: canonical.JSON, Inexact: true, Values: list{{`'{"b": [1, 2.50], "a": null}'`, `{"b": [1, 2.50], "a": null}`}, {`'"~|"'`, `"~|"`}, {`'null'`, `null`}, {`'"é\\u00e9"'`, `"é\u00e9"`}}},
	{Type: "inet6", Kind: canonical.Inet, Inexact: true, Key: true, Values: list{{"'::1'", "::1"}, {"'2001:db8::ff00:42:8329'", "2001:db8::ff00:42:8329"}, {"'::ffff:1.2.3.4'", "::ffff:1.2.3.4"}}},
	{Type: "inet4", Kind: canonical.Inet, Inexact: true, Key: true, Values: list{{"'10.0.0.1'", "10.0.0.1"}, {"'0.0.0.0'", "0.0.0.0"}}},
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
	{"_utf8mb4 X'65CC81'", "e\u0301"},
	{"'ß'", "ß"},
	{"'ss'", "ss"},
	{"'😀'", "😀"},
	{"'日本語'", "日本語"},
	{"X'00'", "\x00"},
	{"X'610062'", "a\x00b"},
	{"'it''s'", "it's"},
	{`'back\\slash'`, `back\slash`},
	{`'line\nfeed\t\r'`, "line\nfeed\t\r"},
	{"'NULL'", "NULL"},
	{"'0'", "0"},
	{"X'1A'", "\x1a"},
	{"X'7F'", "\x7f"},
}
