package postgres_test

import (
	"context"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	. "github.com/trueup/trueup/pkg/dialect/dialecttest"
	"github.com/trueup/trueup/pkg/row"
)

func TestRandomValuesOfEveryType(t *testing.T) {
	ExerciseProperties(t, testenv.Postgres(t), []string{
		"CREATE EXTENSION IF NOT EXISTS citext",
		"CREATE TYPE mood AS ENUM ('sad', 'Happy', 'it''s | fine', '')",
		"CREATE DOMAIN short AS varchar(20)",
		"CREATE COLLATION ignoring (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
	}, properties)
}

// TestTextsThatAreNoUTF8AreRefused: MySQL can hold bytes that are no character,
// and has no text for them.
func TestTextsThatAreNoUTF8AreRefused(t *testing.T) {
	db := openDatabase(t, "CREATE TABLE t (id int PRIMARY KEY, v text)")
	v := inspect(t, db, "t", "id")
	for _, text := range []string{"\xff80", "a\xc3", "\xed\xa0\x80", "\x00"} {
		err := write(t, db, func(ctx context.Context, tx *database.Tx) error {
			return tx.Insert(ctx, v, []row.Row{values("1", text)})
		})
		if database.ClassOf(err) != dialect.ClassRow {
			t.Errorf("%q: class %d, %v", text, database.ClassOf(err), err)
		}
	}
}

const (
	// Texts are the same when their characters are, whatever their type says.
	sameText = `{a}::text COLLATE "C" = {b}::text COLLATE "C"`
	// A month is not 30 days: the three parts as they are stored.
	sameParts = "interval_send({a}) = interval_send({b})"
	sameUUID  = `CASE WHEN length({a}) = 36 THEN lower({a}) ELSE {a} END COLLATE "C" = CASE WHEN length({b}) = 36 THEN lower({b}) ELSE {b} END COLLATE "C"`
)

var (
	basic    = Texts(20)
	endless  = OneOf("infinity", "-infinity")
	distant  = OneOf("0044-03-15 BC", "0001-12-31 BC", "4713-01-01 BC", "10000-01-01", "12024-02-29", "294276-12-31")
	distance = OneOf("0044-03-15 12:00:00.5 BC", "0001-12-31 23:59:59.999999 BC", "10000-01-01 00:00:00.000001", "294276-12-30 23:59:59.999999")
	midnight = OneOf("24:00:00")
	special  = OneOf("'NaN'", "'Infinity'", "'-Infinity'")
)

var properties = []Property{
	{Type: "boolean", Values: OneOf("true", "false")},
	{Type: "boolean", As: canonical.Int, Values: OneOf("true", "false")},
	{Type: "smallint", Values: Integers("-32768", "32767")},
	{Type: "integer", Values: Integers("-2147483648", "2147483647")},
	{Type: "bigint", Values: Integers("-9223372036854775808", "9223372036854775807")},
	{Type: "bigint", As: canonical.Decimal, Values: Integers("-9223372036854775808", "9223372036854775807")},
	{Type: "oid", Values: Integers("0", "4294967295")},
	{Type: "numeric", Values: Either(Decimals(65, 30), Decimals(200, 90), Decimals(300, 0), special)},
	{Type: "numeric(10,2)", Values: Either(Decimals(10, 2), OneOf("'NaN'"))},
	{Type: "numeric(20,0)", Values: Either(Decimals(20, 0), OneOf("'NaN'"))},
	{Type: "numeric(5,-2)", Values: Integers("-9999900", "9999900")},
	{Type: "numeric(65,30)", Values: Decimals(65, 30)},
	{Type: "real", Form: Quoted, Values: Either(Floats(32), OneOf("NaN", "Infinity", "-Infinity")), Keyless: true},
	{Type: "real", As: canonical.Float64, Form: Quoted, Values: Either(Floats(32), OneOf("NaN", "Infinity", "-Infinity")), Keyless: true},
	{Type: "real", As: canonical.Decimal, Form: Quoted, Values: Either(Floats(32), OneOf("NaN", "Infinity", "-Infinity")), Keyless: true},
	{Type: "double precision", Form: Quoted, Values: Either(Floats(64), OneOf("NaN", "Infinity", "-Infinity")), Keyless: true},
	{Type: "double precision", As: canonical.Decimal, Form: Quoted, Values: Either(Floats(64), OneOf("NaN", "Infinity", "-Infinity")), Keyless: true},
	{Type: "bit(1)", Form: Binary, Values: BitStrings(1, 1)},
	{Type: "bit(1)", As: canonical.Bool, Form: Binary, Values: BitStrings(1, 1)},
	{Type: "bit(9)", Form: Binary, Values: BitStrings(9, 9)},
	{Type: "bit(33)", Form: Binary, Values: BitStrings(33, 33)},
	{Type: "bit(64)", Form: Binary, Values: BitStrings(64, 64)},
	{Type: "bit(200)", Form: Binary, Values: BitStrings(200, 200)},
	{Type: "varbit", Form: Binary, Values: BitStrings(0, 70)},
	{Type: "varbit(9)", Form: Binary, Values: BitStrings(0, 9)},
	{Type: "text", Form: Characters, Values: Texts(200)},
	{Type: "text", Form: Characters, Values: LongTexts("a", "é", "日", "\U0001f600", "|"), Keyless: true},
	{Type: `text COLLATE "C"`, Form: Characters, Values: basic},
	{Type: "text COLLATE ignoring", Form: Characters, Values: basic, Same: sameText},
	{Type: "text", As: canonical.JSON, Form: Characters, Values: Documents(), Same: "{a}::jsonb = {b}::jsonb", Keyless: true},
	{Type: "varchar(20)", Form: Characters, Values: basic},
	{Type: "varchar", Form: Characters, Values: basic},
	{Type: "short", Form: Characters, Values: basic},
	{Type: "char(20)", Form: Characters, Values: basic},
	{Type: "bpchar", Form: Characters, Values: basic},
	{Type: "char(20) COLLATE ignoring", Form: Characters, Values: basic, Same: sameText},
	{Type: "citext", Form: Characters, Values: basic, Same: sameText},
	{Type: "name", Form: Characters, Values: Texts(10)},
	{Type: "mood", Form: Quoted, Values: OneOf("sad", "Happy", "it's | fine", "")},
	{Type: "bytea", Form: Hexadecimal, Values: Octets(0, 300)},
	{Type: "bytea", Form: Hexadecimal, Values: Octets(1000, 1050), Keyless: true}, // around canonical.Long
	{Type: "bytea", As: canonical.UUID, Form: Hexadecimal, Values: Octets(16, 16)},
	{Type: "uuid", Form: Quoted, Values: Either(UUIDs(), AnyUUIDs())},
	{Type: "char(36)", As: canonical.UUID, Form: Quoted, Values: Either(UUIDs(), AnyUUIDs(), OneOf("", "B0EEBC99", "b0eebc99", "a|b")), Same: sameUUID},
	{Type: "text", As: canonical.UUID, Form: Quoted, Values: Either(UUIDs(), AnyUUIDs(), OneOf("", "é", "B0EEBC99", "b0eebc99")), Same: sameUUID},
	{Type: "date", Form: Quoted, Values: Either(Dates("0001-01-01", "9999-12-31"), endless, distant)},
	{Type: "time", Form: Quoted, Values: Either(Clocks(6), midnight)},
	{Type: "time(0)", Form: Quoted, Values: Either(Clocks(0), midnight)},
	{Type: "time(1)", Form: Quoted, Values: Either(Clocks(1), midnight)},
	{Type: "time(3)", Form: Quoted, Values: Either(Clocks(3), midnight)},
	{Type: "time(5)", Form: Quoted, Values: Clocks(5)},
	{Type: "timestamp", Form: Quoted, Values: Either(Moments("0001-01-01", "9999-12-31", 6), endless, distance)},
	{Type: "timestamp(0)", Form: Quoted, Values: Either(Moments("0001-01-01", "9999-12-31", 0), endless)},
	{Type: "timestamp(2)", Form: Quoted, Values: Either(Moments("0001-01-01", "9999-12-31", 2), endless)},
	{Type: "timestamp(4)", Form: Quoted, Values: Moments("0001-01-01", "9999-12-31", 4)},
	{Type: "timestamp", As: canonical.Instant, Form: Quoted, Values: Either(Moments("0001-01-01", "9999-12-31", 6), endless, distance)},
	{Type: "timestamptz", Form: Quoted, Values: Either(Moments("0001-01-01", "9999-12-31", 6), endless, distance)},
	{Type: "timestamptz(0)", Form: Quoted, Values: Either(Moments("0001-01-01", "9999-12-31", 0), endless)},
	{Type: "timestamptz(3)", Form: Quoted, Values: Either(Moments("0001-01-01", "9999-12-31", 3), endless)},
	{Type: "interval", Form: Quoted, Values: Either(Intervals(), OneOf("0", "1 mon", "30 days", "720 hours", "-1 mon", "1 mon -30 days")), Same: sameParts, Keyless: true},
	{Type: "interval(3)", Form: Quoted, Values: Intervals(), Same: sameParts, Keyless: true},
	{Type: "interval day to second", Form: Quoted, Values: Intervals(), Same: sameParts, Keyless: true},
	{Type: "json", Form: Characters, Values: Documents(), Same: "{a}::jsonb = {b}::jsonb", Keyless: true},
	{Type: "jsonb", Form: Characters, Values: Documents(), Keyless: true},
	{Type: "inet", Form: Quoted, Values: Either(Addresses(false), Addresses(true), OneOf("10.0.0.1/24", "10.0.0.1/32", "10.0.0.1", "::1/128", "::1/64", "::ffff:1.2.3.4/100"))},
	{Type: "cidr", Form: Quoted, Values: Either(Addresses(false), Addresses(true), OneOf("10.0.0.0/8", "10.0.0.0/24", "10.0.0.1/32", "2001:db8::/32"))},
	{Type: "macaddr", Form: Quoted, Values: OneOf("08:00:2B:01:02:03", "08-00-2b-01-02-03", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff")},
	{Type: "macaddr8", Form: Quoted, Values: OneOf("08:00:2B:01:02:03:04:05", "08002b:0102030405", "00:00:00:00:00:00:00:00")},
}
