package canonical

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/row"
)

func TestTimesAreComparedInFewerDigits(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		rule Rule
		a, b string
		want bool
	}{
		{Timestamp, Rule{Precision: new(3)}, "2024-02-29 12:00:00.123400", "2024-02-29 12:00:00.123000", true},
		{Timestamp, Rule{Precision: new(3)}, "2024-02-29 12:00:00.123600", "2024-02-29 12:00:00.124000", true},
		{Timestamp, Rule{Precision: new(3)}, "2024-02-29 12:00:00.123600", "2024-02-29 12:00:00.123000", false},
		{Timestamp, Rule{Cut: new(3)}, "2024-02-29 12:00:00.123600", "2024-02-29 12:00:00.123000", true},
		{Timestamp, Rule{Cut: new(3)}, "2024-02-29 12:00:00.123600", "2024-02-29 12:00:00.124000", false},
		// What rounding carries over.
		{Timestamp, Rule{Precision: new(0)}, "2023-12-31 23:59:59.500001", "2024-01-01 00:00:00.000000", true},
		{Instant, Rule{Precision: new(5)}, "2024-02-28 23:59:59.999996", "2024-02-29 00:00:00.000000", true},
		{Instant, Rule{Precision: new(5)}, "2023-02-28 23:59:59.999996", "2023-03-01 00:00:00.000000", true},
		{Timestamp, Rule{Precision: new(0)}, "9999-12-31 23:59:59.600000", "10000-01-01 00:00:00.000000", true},
		{Timestamp, Rule{Precision: new(0)}, "0001-12-31 23:59:59.600000 BC", "0001-01-01 00:00:00.000000", true},
		{Timestamp, Rule{Precision: new(0)}, "0044-03-15 12:00:00.600000 BC", "0044-03-15 12:00:01.000000", false},
		{Timestamp, Rule{Cut: new(0)}, "2023-12-31 23:59:59.999999", "2024-01-01 00:00:00.000000", false},
		// A half goes up in MySQL, and in PostgreSQL down before the year 2000.
		{Timestamp, Rule{Precision: new(0)}, "1999-12-31 23:59:59.500000", "1999-12-31 23:59:59.000000", true},
		{Timestamp, Rule{Precision: new(0)}, "1999-12-31 23:59:59.500000", "2000-01-01 00:00:00.000000", true},
		{Timestamp, Rule{Precision: new(0)}, "1999-12-31 23:59:59.500001", "1999-12-31 23:59:59.000000", false},
		{Timestamp, Rule{Precision: new(5)}, "2024-01-01 00:00:00.000005", "2024-01-01 00:00:00.000000", true},
		{Timestamp, Rule{Precision: new(5)}, "2024-01-01 00:00:00.000005", "2024-01-01 00:00:00.000010", true},
		{Timestamp, Rule{Precision: new(5)}, "2024-01-01 00:00:00.000005", "2024-01-01 00:00:00.000015", false},
		// What is no moment equals itself alone.
		{Timestamp, Rule{Precision: new(0)}, "infinity", "-infinity", false},
		{Timestamp, Rule{Precision: new(0)}, "0000-00-00 00:00:00.000000", "0000-00-00 00:00:00.100000", false},
		{Timestamp, Rule{Cut: new(0)}, "2023-02-30 00:00:00.000000", "2023-03-02 00:00:00.000000", false},
		// Times of day and durations.
		{Time, Rule{Precision: new(0)}, "23:59:59.700000", "24:00:00.000000", true},
		{Time, Rule{Precision: new(0)}, "-838:59:58.700000", "-838:59:59.000000", true},
		{Time, Rule{Precision: new(0)}, "-00:00:01.000000", "00:00:01.000000", false},
		{Time, Rule{Precision: new(0)}, "-00:00:00.400000", "00:00:00.400000", true},
		{Time, Rule{Cut: new(0)}, "-00:00:00.900000", "00:00:00.900000", true},
		{Time, Rule{Cut: new(1)}, "-00:00:00.900000", "00:00:00.900000", false},
	} {
		for _, order := range [][2]string{{c.a, c.b}, {c.b, c.a}} {
			if got := Equal(Type{Kind: c.kind}, c.rule, value(order[0]), value(order[1])); got != c.want {
				t.Errorf("%s %s: %q and %q: got %v, want %v", c.kind, seconds(c.rule), order[0], order[1], got, c.want)
			}
		}
	}
}

func seconds(r Rule) string {
	if r.Cut != nil {
		return "cut to " + string(AppendInt(nil, int64(*r.Cut)))
	}
	return "rounded to " + string(AppendInt(nil, int64(*r.Precision)))
}

// What either engine stores of a time in fewer digits must be found equal to
// the time, and what is further away than that must not.
func TestRoundedTimesMeetWhatServersStore(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		digits := random.IntN(6)
		unit := time.Second
		for range digits {
			unit /= 10
		}
		at := time.UnixMicro(random.Int64N(4e15) - 1e15).UTC()
		if random.IntN(3) == 0 { // exactly between two
			at = at.Truncate(unit).Add(unit / 2)
		}
		text := func(at time.Time) row.Value { return appendCivil(nil, at) }
		below := at.Truncate(unit) // from the year 1, so downwards
		rule := Rule{Precision: &digits}
		for steps := -2; steps <= 3; steps++ {
			stored := below.Add(time.Duration(steps) * unit)
			want := at.Sub(stored).Abs() <= unit/2
			if got := Equal(Type{Kind: Timestamp}, rule, text(at), text(stored)); got != want {
				t.Fatalf("%s against %s in %d digits: got %v", text(at), text(stored), digits, got)
			}
			if got := Equal(Type{Kind: Timestamp}, Rule{Cut: &digits}, text(at), text(stored)); got != (steps == 0) {
				t.Fatalf("%s against %s cut to %d digits: got %v", text(at), text(stored), digits, got)
			}
		}
	}
}

func FuzzMoment(f *testing.F) {
	for _, text := range []string{"2024-02-29 12:34:56.5", "0044-03-15 00:00:00 BC", "294276-12-31 23:59:59.999999", "2023-02-30 00:00:00", "infinity", "0000-00-00 00:00:00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		canonical, err := AppendTimestamp(nil, []byte(text))
		if err != nil {
			return
		}
		m, ok := parseMoment(canonical)
		if !ok {
			return
		}
		again := appendCivil(nil, time.Unix(m.seconds, m.micros*1000).UTC())
		if string(again) != string(canonical) {
			t.Errorf("%q was read as %q", canonical, again)
		}
	})
}
