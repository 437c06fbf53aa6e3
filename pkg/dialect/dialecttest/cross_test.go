package dialecttest_test

import (
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/canonical"
	. "github.com/trueup/trueup/pkg/dialect/dialecttest"
)

func TestRandomValuesAcrossEngines(t *testing.T) {
	ExerciseCrossings(t, testenv.MySQL(t), testenv.Postgres(t), []string{
		"CREATE EXTENSION IF NOT EXISTS citext",
		"CREATE TYPE mood AS ENUM ('sad', 'Happy', 'é|~', '')",
	}, crossings)
}

var (
	quoted   = [2]Form{Quoted, Quoted}
	texts    = [2]Form{Characters, Characters}
	octets   = [2]Form{Hexadecimal, Hexadecimal}
	digits   = [2]Form{Binary, Binary}
	withNUL  = OneOf("\x00", "a\x00b")
	distant  = OneOf("0044-03-15 BC", "12024-01-01", "infinity", "-infinity")
	distance = OneOf("0044-03-15 12:00:00.5 BC", "12024-01-01 00:00:00", "infinity", "-infinity")
	zeroDate = OneOf("0000-00-00", "2024-00-15", "2024-02-00", "2023-02-30")
	zeroTime = OneOf("0000-00-00 00:00:00", "2024-00-15 10:00:00", "2023-02-30 10:00:00")
	unknown  = OneOf("'NaN'", "'Infinity'", "'-Infinity'")
	utc      = canonical.Rule{Zone: canonical.ZoneUTC}
	long     = "99999999999999999999999999999999999999999999999999999999999999999"
)

var crossings = []Crossing{
	{MySQL: "tinyint", Postgres: "smallint", Values: Integers("-128", "127"), OnlyPostgres: OneOf("128", "-129", "32767")},
	{MySQL: "tinyint(1)", Postgres: "boolean", Values: OneOf("0", "1"), Forms: quoted, OnlyMySQL: OneOf("2", "-1", "127")},
	{MySQL: "smallint", Postgres: "smallint", Values: Integers("-32768", "32767")},
	{MySQL: "mediumint", Postgres: "integer", Values: Integers("-8388608", "8388607"), OnlyPostgres: OneOf("8388608", "-2147483648")},
	{MySQL: "int", Postgres: "integer", Values: Integers("-2147483648", "2147483647")},
	{MySQL: "int unsigned", Postgres: "bigint", Values: Integers("0", "4294967295"), OnlyPostgres: OneOf("-1", "4294967296")},
	{MySQL: "int unsigned zerofill", Postgres: "oid", Values: Integers("0", "4294967295")},
	{MySQL: "bigint", Postgres: "bigint", Values: Integers("-9223372036854775808", "9223372036854775807")},
	{MySQL: "bigint unsigned", Postgres: "bigint", Values: Integers("0", "9223372036854775807"), OnlyMySQL: OneOf("9223372036854775808", "18446744073709551615"), OnlyPostgres: OneOf("-1")},
	{MySQL: "bigint unsigned", Postgres: "numeric(20,0)", Values: Integers("0", "18446744073709551615"), OnlyPostgres: OneOf("'NaN'", "18446744073709551616", "-1")},
	{MySQL: "bigint", Postgres: "numeric", Values: Integers("-9223372036854775808", "9223372036854775807"), OnlyPostgres: unknown},
	{MySQL: "year", Postgres: "integer", Values: Either(OneOf("0"), Integers("1901", "2155")), OnlyPostgres: OneOf("1900", "2156", "70", "-1")},
	{MySQL: "decimal(10,2)", Postgres: "numeric(10,2)", Values: Decimals(10, 2), OnlyPostgres: OneOf("'NaN'")},
	{MySQL: "decimal(20,0)", Postgres: "bigint", Values: Integers("-9223372036854775808", "9223372036854775807"), OnlyMySQL: OneOf("9223372036854775808")},
	{MySQL: "decimal(30,10)", Postgres: "numeric", Values: Decimals(30, 10), OnlyPostgres: Either(unknown, OneOf("1e20"))},
	{MySQL: "decimal(65,30)", Postgres: "numeric(65,30)", Values: Decimals(65, 30)},
	{MySQL: "decimal(65,0)", Postgres: "numeric", Values: Decimals(65, 0), OnlyPostgres: Either(unknown, OneOf(long+"9"))},
	{MySQL: "float", Postgres: "real", Values: Floats(32), Forms: quoted, OnlyPostgres: OneOf("NaN", "Infinity", "-Infinity")},
	{MySQL: "double", Postgres: "double precision", Values: Floats(64), Forms: quoted, OnlyPostgres: OneOf("NaN", "Infinity", "-Infinity")},
	{MySQL: "float", Postgres: "double precision", Values: Floats(32), Forms: quoted, OnlyPostgres: OneOf("1e300", "NaN")},
	{MySQL: "double", Postgres: "real", Values: Floats(32), Forms: quoted, OnlyMySQL: OneOf("1e300", "-1e39")},
	{MySQL: "bit(1)", Postgres: "boolean", Values: OneOf("0", "1"), Forms: [2]Form{Binary, Quoted}},
	{MySQL: "bit(1)", Postgres: "bit(1)", Values: BitStrings(1, 1), Forms: digits},
	{MySQL: "bit(9)", Postgres: "bit(9)", Values: BitStrings(9, 9), Forms: digits},
	{MySQL: "bit(33)", Postgres: "bit(33)", Values: BitStrings(33, 33), Forms: digits},
	{MySQL: "bit(64)", Postgres: "bit(64)", Values: BitStrings(64, 64), Forms: digits},
	{MySQL: "bit(7)", Postgres: "varbit", Values: BitStrings(7, 7), Forms: digits, OnlyPostgres: OneOf("", "1", "000000", "00000000", "11111111")},
	{MySQL: "char(20) CHARACTER SET utf8mb4", Postgres: "char(20)", Values: Texts(20), Forms: texts, OnlyMySQL: withNUL},
	{MySQL: "varchar(20) CHARACTER SET utf8mb4", Postgres: "varchar(20)", Values: Texts(20), Forms: texts, OnlyMySQL: withNUL},
	{MySQL: "varchar(20) CHARACTER SET utf8mb4", Postgres: "text", Values: Texts(20), Forms: texts, OnlyPostgres: OneOf("more than twenty characters", "twenty characters + b")},
	{MySQL: "varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", Postgres: `text COLLATE "C"`, Values: Texts(20), Forms: texts},
	{MySQL: "varchar(20) CHARACTER SET utf16", Postgres: "text", Values: Texts(20), Forms: texts, OnlyMySQL: withNUL},
	{MySQL: "varchar(20) CHARACTER SET latin1", Postgres: "text", Values: TextsOf(10, "", "a", " ", "é", "ÿ", "€", "|", "~"), Forms: texts, OnlyPostgres: OneOf("日本", "a😀", "e\u0301")},
	{MySQL: "varchar(20) CHARACTER SET utf8mb3", Postgres: "text", Values: TextsOf(10, "", "a", " ", "é", "日本"), Forms: texts, OnlyPostgres: OneOf("😀")},
	{MySQL: "tinytext", Postgres: "text", Values: Texts(50), Forms: texts},
	{MySQL: "longtext", Postgres: "citext", Values: Texts(200), Forms: texts, OnlyMySQL: withNUL},
	{MySQL: "enum('sad','Happy','é|~','','other')", Postgres: "mood", Values: OneOf("sad", "Happy", "é|~", ""), Forms: texts, OnlyMySQL: OneOf("other")},
	{MySQL: "enum('a','B')", Postgres: "text", Values: OneOf("a", "B"), Forms: texts, OnlyPostgres: OneOf("", "c", "1", "0")},
	{MySQL: "set('a','b','c')", Postgres: "text", Values: OneOf("", "a", "a,c", "b"), Forms: texts, OnlyPostgres: OneOf("d", "a,d", ",", "1")},
	{MySQL: "uuid", Postgres: "uuid", Values: UUIDs(), Forms: quoted, OnlyPostgres: OneOf("00000000-0000-8fff-8000-000000000000")},
	{MySQL: "char(36)", Postgres: "uuid", Values: Either(UUIDs(), AnyUUIDs()), Forms: quoted, OnlyMySQL: OneOf("", "B0EEBC99", "zzzzzzzz-0000-0000-0000-000000000000")},
	{MySQL: "binary(16)", Postgres: "uuid", Values: Either(UUIDs(), AnyUUIDs()), Forms: [2]Form{Hexadecimal, Quoted}},
	{MySQL: "uuid", Postgres: "char(36)", Values: UUIDs(), Forms: quoted, OnlyPostgres: OneOf("", "B0EEBC99", "zzzzzzzz-0000-0000-0000-000000000000")},
	{MySQL: "binary(16)", Postgres: "bytea", Values: Octets(16, 16), Forms: octets, OnlyPostgres: Octets(17, 40)},
	{MySQL: "varbinary(50)", Postgres: "bytea", Values: Octets(0, 50), Forms: octets, OnlyPostgres: Octets(51, 60)},
	{MySQL: "longblob", Postgres: "bytea", Values: Octets(0, 300), Forms: octets},
	{MySQL: "date", Postgres: "date", Values: Dates("0001-01-01", "9999-12-31"), Forms: quoted, OnlyMySQL: zeroDate, OnlyPostgres: distant},
	{MySQL: "time", Postgres: "time(0)", Values: Clocks(0), Forms: quoted, OnlyMySQL: OneOf("-00:00:01", "24:00:01", "838:59:59")},
	{MySQL: "time(1)", Postgres: "time(1)", Values: Clocks(1), Forms: quoted},
	{MySQL: "time(2)", Postgres: "time(2)", Values: Clocks(2), Forms: quoted},
	{MySQL: "time(3)", Postgres: "time(3)", Values: Clocks(3), Forms: quoted},
	{MySQL: "time(4)", Postgres: "time(4)", Values: Clocks(4), Forms: quoted},
	{MySQL: "time(5)", Postgres: "time(5)", Values: Clocks(5), Forms: quoted},
	{MySQL: "time(6)", Postgres: "time", Values: Either(Clocks(6), OneOf("24:00:00")), Forms: quoted, OnlyMySQL: OneOf("-00:00:00.000001", "24:00:00.000001", "-838:59:59")},
	{MySQL: "datetime", Postgres: "timestamp(0)", Values: Moments("0001-01-01", "9999-12-31", 0), Forms: quoted, OnlyMySQL: zeroTime, OnlyPostgres: distance},
	{MySQL: "datetime(1)", Postgres: "timestamp(1)", Values: Moments("0001-01-01", "9999-12-31", 1), Forms: quoted},
	{MySQL: "datetime(2)", Postgres: "timestamp(2)", Values: Moments("0001-01-01", "9999-12-31", 2), Forms: quoted},
	{MySQL: "datetime(3)", Postgres: "timestamp(3)", Values: Moments("0001-01-01", "9999-12-31", 3), Forms: quoted},
	{MySQL: "datetime(4)", Postgres: "timestamp(4)", Values: Moments("0001-01-01", "9999-12-31", 4), Forms: quoted},
	{MySQL: "datetime(5)", Postgres: "timestamp(5)", Values: Moments("0001-01-01", "9999-12-31", 5), Forms: quoted},
	{MySQL: "datetime(6)", Postgres: "timestamp", Values: Moments("0001-01-01", "9999-12-31", 6), Forms: quoted, OnlyMySQL: zeroTime, OnlyPostgres: distance},
	{MySQL: "timestamp", Postgres: "timestamptz(0)", Values: Moments("1970-01-03", "2038-01-18", 0), Forms: quoted, OnlyMySQL: OneOf("0000-00-00 00:00:00"), OnlyPostgres: distance},
	{MySQL: "timestamp(3)", Postgres: "timestamptz(3)", Values: Moments("1970-01-03", "2038-01-18", 3), Forms: quoted},
	{MySQL: "timestamp(6)", Postgres: "timestamptz", Values: Moments("1970-01-03", "2038-01-18", 6), Forms: quoted, OnlyPostgres: Either(distance, OneOf("1969-12-31 00:00:00", "9999-12-31 00:00:00"))},
	{MySQL: "datetime", Postgres: "timestamptz(0)", Rule: utc, Values: Moments("0001-01-01", "9999-12-31", 0), Forms: [2]Form{Quoted, Universal}, OnlyMySQL: zeroTime, OnlyPostgres: OneOf("12024-01-01 00:00:00")},
	{MySQL: "datetime(6)", Postgres: "timestamptz", Rule: utc, Values: Moments("0001-01-01", "9999-12-31", 6), Forms: [2]Form{Quoted, Universal}},
	{MySQL: "timestamp(3)", Postgres: "timestamp(3)", Rule: utc, Values: Moments("1970-01-03", "2038-01-18", 3), Forms: [2]Form{Universal, Quoted}},
	{MySQL: "timestamp(6)", Postgres: "timestamp", Rule: utc, Values: Moments("1970-01-03", "2038-01-18", 6), Forms: [2]Form{Universal, Quoted}},
	{MySQL: "json", Postgres: "jsonb", Values: Documents(), Forms: texts, OnlyMySQL: OneOf(`"\u0000"`)},
	{MySQL: "json", Postgres: "json", Values: Documents(), Forms: texts},
	{MySQL: "json", Postgres: "text", Values: Documents(), Forms: texts, OnlyPostgres: OneOf("", "{", "no")},
	{MySQL: "longtext", Postgres: "jsonb", Values: Documents(), Forms: texts, OnlyMySQL: OneOf("", "{", "no")},
	{MySQL: "inet4", Postgres: "inet", Values: Addresses(false), Forms: quoted, OnlyPostgres: OneOf("::1", "10.0.0.1/24")},
	{MySQL: "inet6", Postgres: "inet", Values: Addresses(true), Forms: quoted, OnlyPostgres: OneOf("fe80::/10", "08:00::/64")},
}
