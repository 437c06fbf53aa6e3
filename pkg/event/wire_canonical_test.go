package event

import (
	"bytes"
	"testing"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
)

// encoders are the functions that turn what a server sent into canonical text,
// by the type of the column.
var encoders = []struct {
	as     canonical.Type
	encode func(raw []byte) ([]byte, error)
}{
	{canonical.Type{Kind: canonical.Bool}, func(raw []byte) ([]byte, error) { return canonical.AppendBool(nil, len(raw) > 0), nil }},
	{canonical.Type{Kind: canonical.Int}, text(canonical.AppendIntText)},
	{canonical.Type{Kind: canonical.Decimal}, text(canonical.AppendDecimal)},
	{canonical.Type{Kind: canonical.Float32}, float(32)},
	{canonical.Type{Kind: canonical.Float64}, float(64)},
	{canonical.Type{Kind: canonical.Text}, anyBytes(canonical.AppendText)},
	{canonical.Type{Kind: canonical.Text}, anyBytes(canonical.AppendPadded)},
	{canonical.Type{Kind: canonical.Bytes}, anyBytes(canonical.AppendHex)},
	{canonical.Type{Kind: canonical.UUID}, text(canonical.AppendUUIDText)},
	{canonical.Type{Kind: canonical.UUID}, text(canonical.AppendUUID)},
	{canonical.Type{Kind: canonical.Date}, text(canonical.AppendDate)},
	{canonical.Type{Kind: canonical.Time}, text(canonical.AppendTime)},
	{canonical.Type{Kind: canonical.Timestamp}, text(canonical.AppendTimestamp)},
	{canonical.Type{Kind: canonical.Instant}, text(canonical.AppendInstant)},
	{canonical.Type{Kind: canonical.Interval}, text(canonical.AppendInterval)},
	{canonical.Type{Kind: canonical.Bits}, text(canonical.AppendBitsText)},
	{canonical.Type{Kind: canonical.Bits, Width: 13}, func(raw []byte) ([]byte, error) { return canonical.AppendBitsBytes(nil, raw, 13) }},
	{canonical.Type{Kind: canonical.JSON}, anyBytes(canonical.AppendJSON)},
	{canonical.Type{Kind: canonical.Inet}, anyBytes(canonical.AppendInet)},
}

func text(appendText func(dst, text []byte) ([]byte, error)) func([]byte) ([]byte, error) {
	return func(raw []byte) ([]byte, error) { return appendText([]byte{}, raw) }
}

func anyBytes(appendAny func(dst, raw []byte) []byte) func([]byte) ([]byte, error) {
	return func(raw []byte) ([]byte, error) { return appendAny([]byte{}, raw), nil }
}

func float(bits int) func([]byte) ([]byte, error) {
	return func(raw []byte) ([]byte, error) { return canonical.AppendFloatText([]byte{}, raw, bits) }
}

// FuzzWhateverIsReadCanBeSent holds that every value a reader can produce
// travels and arrives as it was. One that could not would stop its run for good.
func FuzzWhateverIsReadCanBeSent(f *testing.F) {
	for _, raw := range []string{
		"", " ", "x", "\xff\xfe", "half \xe2\x82", "\x00", "1", "007", "-0", "+5", "18446744073709551616",
		"1.10", "-0.00", "1e3", "1e-7", "NaN", "Infinity", "-Infinity", "1e21", "5e-324",
		"F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", "f81d4fae7dec11d0a76500a0c91e6bf6", "0123456789abcdef",
		"0000-00-00", "2024-00-15", "0044-03-15 BC", "12024-01-01", "infinity", "-infinity",
		"00:00:00", "-838:59:59", "24:00:00.5", "-00:00:00",
		"0000-00-00 00:00:00", "0044-03-15 00:00:00 BC", "2024-01-02 03:04:05.6+00", "2024-01-02 03:04:05+00:00",
		"1 year 2 mons -3 days 04:05:06.789", "00:00:00", "P1Y2M3DT4H5M6.5S", "-1 days +02:03:00",
		"0", "101", "\x1f\xff", `{"a":[1,null]}`, "\"\xe9\"",
		"10.0.0.0/8", "1:0:2:3:4:5:6:7", "fe80::1%eth0", "08:00:2b:01:02:03",
	} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, e := range encoders {
			value, err := e.encode(raw)
			if err != nil {
				continue // such a value is refused where it is read
			}
			want := Finding{ID: "f", Kind: NotEqual, Pair: "p", Key: Key{{"k", e.as, row.Value(value)}}}
			for _, ct := range contentTypes {
				data, err := MarshalFinding(want, ct)
				if err != nil {
					t.Fatalf("%s %q: %v", e.as, value, err)
				}
				got, err := UnmarshalFinding(data, ct)
				if err != nil {
					t.Fatalf("%s %q as %s: %v", e.as, value, ct, err)
				}
				if k := got.Key[0]; k.Type != e.as || k.Value.IsNull() || !bytes.Equal(k.Value, value) {
					t.Fatalf("%s %q came back as %s %q", e.as, value, k.Type, k.Value)
				}
			}
		}
	})
}
