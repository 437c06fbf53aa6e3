package postgres

import (
	"encoding/binary"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/schema"
)

func binaryColumn(kind canonical.Kind) *schema.ViewColumn {
	t := canonical.Type{Kind: kind}
	return &schema.ViewColumn{Column: schema.Column{Name: "c", Type: t}, As: t}
}

func fromBinary(t *testing.T, kind canonical.Kind, b []byte) string {
	t.Helper()
	out, err := Dialect{}.AppendValue([]byte("before|"), binaryColumn(kind), &dialect.Raw{Kind: dialect.RawBinary, Bytes: b})
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(string(out), "before|")
}

func TestBinaryTimestampsAreThoseOfTheCalendar(t *testing.T) {
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		// From the year 1 to 9999, where the time package prints alike.
		at := time.UnixMicro(random.Int64N(9998*365*microsPerDay) - 1998*365*microsPerDay + epoch.UnixMicro()).UTC()
		micros := at.UnixMicro() - epoch.UnixMicro()
		if got, want := fromBinary(t, canonical.Timestamp, binary.BigEndian.AppendUint64(nil, uint64(micros))), at.Format("2006-01-02 15:04:05.000000"); got != want {
			t.Fatalf("%d microseconds are %s, want %s", micros, got, want)
		}
		days := int32(at.Unix()/86400 - epoch.Unix()/86400)
		if at.Unix() < 0 && at.Unix()%86400 != 0 {
			days--
		}
		if got, want := fromBinary(t, canonical.Date, binary.BigEndian.AppendUint32(nil, uint32(days))), at.Format(time.DateOnly); got != want {
			t.Fatalf("%d days are %s, want %s", days, got, want)
		}
	}
}

// numericForm is what numeric_send writes for digits to the base 10,000.
func numericForm(sign uint16, weight int16, digits ...uint16) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(digits)))
	for _, n := range append([]uint16{uint16(weight), sign, 0}, digits...) {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	return b
}

func TestBinaryNumbersAreTheirDigits(t *testing.T) {
	for want, b := range map[string][]byte{
		"0":            numericForm(0, 0),
		"7":            numericForm(0, 0, 7),
		"-7":           numericForm(numericNegative, 0, 7),
		"10000":        numericForm(0, 1, 1),
		"120000000003": numericForm(0, 2, 1200, 0, 3),
		"0.5":          numericForm(0, -1, 5000),
		"0.00000001":   numericForm(0, -2, 1),
		"-1.0001":      numericForm(numericNegative, 0, 1, 1),
		"NaN":          numericForm(numericNaN, 0),
		"Infinity":     numericForm(numericInf, 0),
		"-Infinity":    numericForm(numericNegInf, 0),
	} {
		if got := fromBinary(t, canonical.Decimal, b); got != want {
			t.Errorf("%x is %s, want %s", b, got, want)
		}
	}
}

func TestBinaryNumbersKeepTheirValue(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		digits := make([]uint16, 1+random.IntN(5))
		for i := range digits {
			digits[i] = uint16(random.IntN(10_000))
		}
		digits[0], digits[len(digits)-1] = max(digits[0], 1), max(digits[len(digits)-1], 1)
		weight := random.IntN(9) - 4
		want := new(big.Rat)
		for i, d := range digits {
			place := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10_000), big.NewInt(int64(max(weight-i, i-weight))), nil))
			if i > weight {
				place.Inv(place)
			}
			want.Add(want, place.Mul(place, big.NewRat(int64(d), 1)))
		}
		text := fromBinary(t, canonical.Decimal, numericForm(0, int16(weight), digits...))
		got, ok := new(big.Rat).SetString(text)
		again, err := canonical.AppendDecimal(nil, []byte(text))
		if !ok || got.Cmp(want) != 0 || err != nil || string(again) != text {
			t.Fatalf("%v at %d is %s (%s), want %s", digits, weight, text, again, want.FloatString(20))
		}
	}
}

func TestABinaryFormOfAnotherSizeIsRefused(t *testing.T) {
	for _, kind := range []canonical.Kind{
		canonical.Bool, canonical.Int, canonical.Float64, canonical.Decimal, canonical.UUID,
		canonical.Date, canonical.Time, canonical.Timestamp, canonical.Instant, canonical.JSON,
	} {
		for _, b := range [][]byte{{}, {1, 2, 3}, numericForm(0, 0, 1)[:9], make([]byte, 17)} {
			if out, err := (Dialect{}).AppendValue(nil, binaryColumn(kind), &dialect.Raw{Kind: dialect.RawBinary, Bytes: b}); err == nil {
				t.Errorf("%s: %x was read as %s", kind, b, out)
			}
		}
	}
	if _, err := (Dialect{}).AppendValue(nil, binaryColumn(canonical.Decimal), &dialect.Raw{Kind: dialect.RawBinary, Bytes: numericForm(0x1234, 0, 1)}); err == nil {
		t.Error("a sign that is none was read")
	}
}
