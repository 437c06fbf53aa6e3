package mysql_test

import (
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/canonical"
	. "github.com/trueup/trueup/pkg/dialect/dialecttest"
)

func TestRandomValuesOfEveryType(t *testing.T) {
	ExerciseProperties(t, testenv.MySQL(t), nil, properties)
}

// Texts are the same when their bytes are, whatever their collation says.
const (
	sameBytes = "CAST({a} AS BINARY) <=> CAST({b} AS BINARY)"
	sameUUID  = "CAST(IF(LENGTH({a}) = 36, LOWER({a}), {a}) AS BINARY) <=> CAST(IF(LENGTH({b}) = 36, LOWER({b}), {b}) AS BINARY)"
)

var (
	latin  = TextsOf(10, "", "a", "A", " ", "é", "E", "ß", "ü", "€", "|", "~", "'", `\`, "\n", "\x00", "\u00a0", "ÿ")
	kanji  = TextsOf(10, "", "a", "A", " ", "|", "~x", "日", "本", "表", "ｱ", "ア", "'", "\n")
	basic  = TextsWithNUL(10)
	dates  = Either(Dates("0001-01-01", "9999-12-31"), OneOf("0000-00-00", "2024-00-15", "2024-02-00", "2023-02-30", "0000-01-01"))
	zeroes = OneOf("0000-00-00 00:00:00", "2024-00-15 10:00:00", "2023-02-30 23:59:59")
)

var properties = []Property{
	{Type: "tinyint", Values: Integers("-128", "127")},
	{Type: "tinyint unsigned", Values: Integers("0", "255")},
	{Type: "tinyint(1)", Values: Integers("-128", "127")},
	{Type: "tinyint(1)", As: canonical.Decimal, Values: Integers("-128", "127")},
	{Type: "smallint", Values: Integers("-32768", "32767")},
	{Type: "smallint unsigned", Values: Integers("0", "65535")},
	{Type: "mediumint", Values: Integers("-8388608", "8388607")},
	{Type: "mediumint unsigned", Values: Integers("0", "16777215")},
	{Type: "int", Values: Integers("-2147483648", "2147483647")},
	{Type: "int unsigned", Values: Integers("0", "4294967295")},
	{Type: "int(7) zerofill", Values: Integers("0", "4294967295")},
	{Type: "bigint", Values: Integers("-9223372036854775808", "9223372036854775807")},
	{Type: "bigint unsigned", Values: Integers("0", "18446744073709551615")},
	{Type: "bigint(20) zerofill", Values: Integers("0", "18446744073709551615")},
	{Type: "bigint unsigned", As: canonical.Decimal, Values: Integers("0", "18446744073709551615")},
	{Type: "year", Values: Either(OneOf("0"), Integers("1901", "2155"))},
	{Type: "decimal(1,0)", Values: Decimals(1, 0)},
	{Type: "decimal(1,1)", Values: Decimals(1, 1)},
	{Type: "decimal(10,2)", Values: Decimals(10, 2)},
	{Type: "decimal(10,3) zerofill", Values: Either(OneOf("0", "10", "1234567.890"))},
	{Type: "decimal(65,0)", Values: Decimals(65, 0)},
	{Type: "decimal(65,30)", Values: Decimals(65, 30)},
	{Type: "float", Values: Floats(32), Keyless: true},
	{Type: "float", As: canonical.Float64, Values: Floats(32), Keyless: true},
	{Type: "float", As: canonical.Decimal, Values: Floats(32), Keyless: true},
	{Type: "double", Values: Floats(64), Keyless: true},
	{Type: "double", As: canonical.Decimal, Values: Floats(64), Keyless: true},
	{Type: "bit(1)", Form: Binary, Values: BitStrings(1, 1)},
	{Type: "bit(1)", As: canonical.Bool, Form: Binary, Values: BitStrings(1, 1)},
	{Type: "bit(7)", Form: Binary, Values: BitStrings(1, 7)},
	{Type: "bit(8)", Form: Binary, Values: BitStrings(1, 8)},
	{Type: "bit(9)", Form: Binary, Values: BitStrings(1, 9)},
	{Type: "bit(33)", Form: Binary, Values: BitStrings(1, 33)},
	{Type: "bit(64)", Form: Binary, Values: BitStrings(1, 64)},
	{Type: "char(20) CHARACTER SET utf8mb4", Form: Characters, Values: Unpadded(basic), Same: sameBytes},
	{Type: "varchar(20) CHARACTER SET utf8mb4", Form: Characters, Values: basic, Same: sameBytes},
	{Type: "varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci", Form: Characters, Values: basic, Same: sameBytes},
	{Type: "varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", Form: Characters, Values: basic, Same: sameBytes},
	{Type: "varchar(20) CHARACTER SET utf16", Form: Characters, Values: basic, Same: sameBytes},
	{Type: "varchar(20) CHARACTER SET utf32", Form: Characters, Values: basic, Same: sameBytes},
	{Type: "varchar(20) CHARACTER SET ucs2", Form: Characters, Values: kanji, Same: sameBytes},
	{Type: "varchar(20) CHARACTER SET utf8mb3", Form: Characters, Values: kanji, Same: sameBytes},
	{Type: "varchar(20) CHARACTER SET latin1", Form: Characters, Values: latin, Same: sameBytes},
	{Type: "varchar(20) CHARACTER SET sjis", Form: Characters, Values: kanji, Same: sameBytes},
	{Type: "varchar(20) CHARACTER SET cp932", Form: Characters, Values: kanji, Same: sameBytes},
	{Type: "varchar(20) CHARACTER SET ujis", Form: Characters, Values: kanji, Same: sameBytes},
	{Type: "varchar(20) CHARACTER SET gbk", Form: Characters, Values: TextsOf(10, "a", " ", "日", "本", "中", "|"), Same: sameBytes},
	{Type: "tinytext", Form: Characters, Values: basic, Same: sameBytes, Keyless: true},
	{Type: "text", Form: Characters, Values: TextsWithNUL(200), Same: sameBytes, Keyless: true},
	{Type: "mediumtext", Form: Characters, Values: TextsWithNUL(200), Same: sameBytes, Keyless: true},
	{Type: "text", Form: Characters, Values: LongTexts("a", "é", "日", "\U0001f600", "\x00", "|"), Same: sameBytes, Keyless: true},
	{Type: "text CHARACTER SET utf16", Form: Characters, Values: LongTexts("a", "é", "日", "\U0001f600"), Same: sameBytes, Keyless: true},
	{Type: "varchar(1500) CHARACTER SET latin1", Form: Characters, Values: LongTexts("a", "é", "€", "~"), Same: sameBytes, Keyless: true},
	{Type: "longtext", Form: Characters, Values: TextsWithNUL(200), Same: sameBytes, Keyless: true},
	{Type: "longtext", As: canonical.JSON, Form: Characters, Values: Documents(), Same: sameBytes, Finer: true, Keyless: true},
	{Type: "enum('small','BIG','','é|~','0')", Form: Characters, Values: OneOf("small", "BIG", "", "é|~", "0"), Same: sameBytes, Keyless: true},
	{Type: "set('a','b','é|~')", Form: Characters, Values: OneOf("", "a", "a,b", "b", "a,é|~", "é|~"), Same: sameBytes, Keyless: true},
	{Type: "json", Form: Characters, Values: Documents(), Same: sameBytes, Finer: true, Keyless: true},
	{Type: "char(36)", As: canonical.UUID, Form: Quoted, Values: Either(UUIDs(), AnyUUIDs(), OneOf("", "B0EEBC99", "b0eebc99", "a|b")), Same: sameUUID},
	{Type: "varchar(50) CHARACTER SET latin1", As: canonical.UUID, Form: Quoted, Values: Either(UUIDs(), OneOf("", "é")), Same: sameUUID},
	{Type: "binary(16)", As: canonical.UUID, Form: Hexadecimal, Values: Octets(16, 16)},
	{Type: "uuid", Form: Quoted, Values: UUIDs()},
	{Type: "binary(1)", Form: Hexadecimal, Values: Octets(0, 1)},
	{Type: "binary(16)", Form: Hexadecimal, Values: Octets(0, 16)},
	{Type: "varbinary(50)", Form: Hexadecimal, Values: Octets(0, 50)},
	{Type: "tinyblob", Form: Hexadecimal, Values: Octets(0, 255), Keyless: true},
	{Type: "blob", Form: Hexadecimal, Values: Octets(0, 300), Keyless: true},
	{Type: "mediumblob", Form: Hexadecimal, Values: Octets(1000, 1050), Keyless: true},
	{Type: "longblob", Form: Hexadecimal, Values: Octets(0, 300), Keyless: true},
	{Type: "date", Form: Quoted, Values: dates},
	{Type: "time", Form: Quoted, Values: Spans(0)},
	{Type: "time(1)", Form: Quoted, Values: Spans(1)},
	{Type: "time(2)", Form: Quoted, Values: Spans(2)},
	{Type: "time(3)", Form: Quoted, Values: Spans(3)},
	{Type: "time(4)", Form: Quoted, Values: Spans(4)},
	{Type: "time(5)", Form: Quoted, Values: Spans(5)},
	{Type: "time(6)", Form: Quoted, Values: Spans(6)},
	{Type: "datetime", Form: Quoted, Values: Either(Moments("0001-01-01", "9999-12-31", 0), zeroes)},
	{Type: "datetime(1)", Form: Quoted, Values: Either(Moments("0001-01-01", "9999-12-31", 1), zeroes)},
	{Type: "datetime(2)", Form: Quoted, Values: Moments("0001-01-01", "9999-12-31", 2)},
	{Type: "datetime(3)", Form: Quoted, Values: Moments("0001-01-01", "9999-12-31", 3)},
	{Type: "datetime(4)", Form: Quoted, Values: Moments("0001-01-01", "9999-12-31", 4)},
	{Type: "datetime(5)", Form: Quoted, Values: Moments("0001-01-01", "9999-12-31", 5)},
	{Type: "datetime(6)", Form: Quoted, Values: Either(Moments("0001-01-01", "9999-12-31", 6), zeroes)},
	{Type: "datetime(6)", As: canonical.Instant, Form: Quoted, Values: Moments("0001-01-01", "9999-12-31", 6)},
	{Type: "timestamp", Form: Quoted, Values: Either(Moments("1970-01-03", "2038-01-18", 0), OneOf("0000-00-00 00:00:00"))},
	{Type: "timestamp(1)", Form: Quoted, Values: Moments("1970-01-03", "2038-01-18", 1)},
	{Type: "timestamp(3)", Form: Quoted, Values: Moments("1970-01-03", "2038-01-18", 3)},
	{Type: "timestamp(6)", Form: Quoted, Values: Either(Moments("1970-01-03", "2038-01-18", 6), OneOf("0000-00-00 00:00:00"))},
	{Type: "inet4", Form: Quoted, Values: Addresses(false)},
	{Type: "inet6", Form: Quoted, Values: Addresses(true)},
}
