package canonical

import (
	"math"
	"strings"
	"testing"

	"github.com/trueup/trueup/pkg/row"
)

type appendText func(dst, text []byte) ([]byte, error)

var encoders = map[string]appendText{
	"int":       AppendIntText,
	"decimal":   AppendDecimal,
	"float64":   func(dst, text []byte) ([]byte, error) { return AppendFloatText(dst, text, 64) },
	"float32":   func(dst, text []byte) ([]byte, error) { return AppendFloatText(dst, text, 32) },
	"uuid":      AppendUUIDText,
	"date":      AppendDate,
	"time":      AppendTime,
	"timestamp": AppendTimestamp,
	"instant":   AppendInstant,
	"interval":  AppendInterval,
	"bits":      AppendBitsText,
}

// refused marks a text that its encoder must not accept.
const refused = "refused"

func TestTextsBecomeCanonical(t *testing.T) {
	for encoder, cases := range map[string]map[string]string{
		"int": {
			"0": "0", "-0": "0", "00042": "42", "+7": "7", "-9223372036854775808": "-9223372036854775808",
			"18446744073709551615": "18446744073709551615", "0000": "0",
			"": refused, "-": refused, "1.0": refused, "1e3": refused, " 1": refused, "--1": refused,
		},
		"decimal": {
			"1.10": "1.1", "-0.00": "0", "0": "0", "20": "20", "0020.500": "20.5", ".5": "0.5", "5.": "5",
			"-0.05": "-0.05", "1e3": "1000", "1.25E-2": "0.0125", "-12.5e1": "-125", "1200e-2": "12", "1230e-2": "12.3",
			"123456789012345678901234567890.123456789012345678901234567890": "123456789012345678901234567890.12345678901234567890123456789",
			"NaN": "NaN", "Infinity": "Infinity", "-Infinity": "-Infinity", "0e99999": "0",
			"": refused, ".": refused, "-": refused, "1e": refused, "1e999999": refused, "1e-999999": refused,
			"1e99999999999999999999": refused, "0x10": refused, "1,5": refused, "nan": refused, "1|2": refused,
		},
		"float64": {
			"0.1": "0.1", "-0": "0", "1e21": "1e+21", "100000000000000000000": "100000000000000000000", "1e-7": "1e-07",
			"NaN": "NaN", "Infinity": "Infinity", "-Infinity": "-Infinity", "0.30000000000000004": "0.30000000000000004",
			"": refused, "1e999": refused, "~": refused,
		},
		"float32": {"0.1": "0.1", "0.100000001": "0.1", "16777216": "16777216", "1e39": refused},
		"uuid": {
			"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
			"NOT A UUID":                           "NOT A UUID",
			"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A1G": "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A1G",
		},
		"date": {
			"2024-02-29": "2024-02-29", "0000-00-00": "0000-00-00", "2024-00-15": "2024-00-15", "infinity": "infinity",
			"-infinity": "-infinity", "0044-03-15 BC": "0044-03-15 BC", "12024-01-01": "12024-01-01",
			"": refused, "24-01-01": refused, "2024-13-01": refused, "2024-01-32": refused, "01/02/2024": refused,
			"2024-01-01 00:00:00": refused, "02024-01-01": refused, "2024-1-01": refused, "2024-01-1": refused, "0044-03-15 AD": refused,
		},
		"time": {
			"12:34:56": "12:34:56.000000", "12:34:56.5": "12:34:56.500000", "-838:59:59": "-838:59:59.000000", "24:00:00": "24:00:00.000000",
			"-00:00:00": "00:00:00.000000", "-00:00:00.000001": "-00:00:00.000001", "12:34:56.123456": "12:34:56.123456",
			"": refused, "1:00:00": refused, "12:34": refused, "12:60:00": refused, "12:34:56.": refused, "12:34:56.1234567": refused,
			"012:00:00": refused, "12:34:56+01": refused, "12:34:56 ": refused, "-": refused,
		},
		"timestamp": {
			"2024-02-29 12:34:56":         "2024-02-29 12:34:56.000000",
			"2024-02-29 12:34:56.1":       "2024-02-29 12:34:56.100000",
			"0000-00-00 00:00:00":         "0000-00-00 00:00:00.000000",
			"0044-03-15 00:00:00 BC":      "0044-03-15 00:00:00.000000 BC",
			"0044-03-15 00:00:00.25 BC":   "0044-03-15 00:00:00.250000 BC",
			"294276-12-31 23:59:59.99999": "294276-12-31 23:59:59.999990",
			"infinity":                    "infinity", "-infinity": "-infinity",
			"": refused, "2024-02-29": refused, "2024-02-29T12:34:56": refused, "2024-02-29 24:00:00": refused,
			"2024-02-29 12:34:56+00": refused, "2024-02-29 ": refused, "2024-02-29 1": refused,
		},
		"instant": {
			"2024-02-29 12:34:56+00":        "2024-02-29 12:34:56.000000",
			"2024-02-29 12:34:56.5+00:00":   "2024-02-29 12:34:56.500000",
			"2024-02-29 12:34:56":           "2024-02-29 12:34:56.000000",
			"0044-03-15 00:00:00+00 BC":     "0044-03-15 00:00:00.000000 BC",
			"infinity":                      "infinity",
			"2024-02-29 12:34:56+01":        refused,
			"2024-02-29 12:34:56-00:30":     refused,
			"2024-02-29 12:34:56+00:30":     refused,
			"2024-02-29 12:34:56.5+00:00:1": refused,
		},
		"interval": {
			"00:00:00": "PT0S", "1 year 2 mons 3 days 04:05:06.789": "P1Y2M3DT4H5M6.789S", "1 mon": "P1M", "30 days": "P30D",
			"-1 years -2 mons +3 days -04:05:06.7": "P-1Y-2M3DT-4H-5M-6.7S", "14 mons": "P1Y2M", "100:00:00": "PT100H",
			"P1Y2M3DT4H5M6.789S": "P1Y2M3DT4H5M6.789S", "PT0S": "PT0S", "P14M": "P1Y2M", "PT-0.000001S": "PT-0.000001S",
			"-00:00:00.5": "PT-0.5S", "infinity": "infinity", "-infinity": "-infinity", "178000000 years": "P178000000Y",
			"": refused, "1 fortnight": refused, "1": refused, "04:05": refused, "P1H": refused, "PT1Y": refused, "P1": refused, "PS": refused,
			"9223372036854775807 years": refused, "@ 1 day ago": refused, "1.5 days": refused, "00:00:00.0000001": refused, "04:05:06 1 day": refused,
		},
		"bits": {"": "", "0101": "0101", "012": refused, "01 ": refused},
	} {
		for text, want := range cases {
			got, err := encoders[encoder]([]byte("before:"), []byte(text))
			switch {
			case want == refused && (err == nil || string(got) != "before:"):
				t.Errorf("%s %q: got %q, %v; want a refusal that leaves dst as it was", encoder, text, got, err)
			case want != refused && (err != nil || string(got) != "before:"+want):
				t.Errorf("%s %q: got %q, %v; want %q", encoder, text, got, err, want)
			}
		}
	}
}

func TestDriverValuesBecomeCanonical(t *testing.T) {
	uuid, err := AppendUUID(nil, []byte("\xa0\xee\xbc\x99\x9c\x0b\x4e\xf8\xbb\x6d\x6b\xb9\xbd\x38\x0a\x11"))
	if err != nil {
		t.Fatal(err)
	}
	for want, got := range map[string][]byte{
		"1":                                    AppendBool(nil, true),
		"0":                                    AppendBool(nil, false),
		"-9223372036854775808":                 AppendInt(nil, math.MinInt64),
		"18446744073709551615":                 AppendUint(nil, math.MaxUint64),
		"1.7976931348623157e+308":              AppendFloat64(nil, math.MaxFloat64),
		"5e-324":                               AppendFloat64(nil, math.SmallestNonzeroFloat64),
		"0.1":                                  AppendFloat32(nil, 0.1),
		"0.10000000149011612":                  AppendFloat64(nil, float64(float32(0.1))),
		"NaN":                                  AppendFloat64(nil, math.NaN()),
		"Infinity":                             AppendFloat64(nil, math.Inf(1)),
		"-Infinity":                            AppendFloat32(nil, float32(math.Inf(-1))),
		"a \xff|~":                             AppendText(nil, []byte("a \xff|~")),
		"a\t":                                  AppendPadded(nil, []byte("a\t   ")),
		"00ff7c":                               AppendHex(nil, []byte{0, 0xff, '|'}),
		"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11": uuid,
		"::ffff:1.2.3.4":                       AppendInet(nil, []byte("::ffff:1.2.3.4")),
		"1:0:2:3:4:5:6:7":                      AppendInet(nil, []byte("1::2:3:4:5:6:7")),
		"1:0:0:2::3":                           AppendInet(nil, []byte("1:0:0:2:0:0:0:3")),
		"10.0.0.0/8":                           AppendInet(nil, []byte("10.0.0.0/8")),
		"fe80::/10":                            AppendInet(nil, []byte("fe80::/10")),
		"08:00:2b:01:02:03":                    AppendInet(nil, []byte("08:00:2b:01:02:03")),
		"08:00:2b:01:02:03:04:05":              AppendInet(nil, []byte("08:00:2b:01:02:03:04:05")),
		"00:00:00:00:00:00:00:00":              AppendInet(nil, []byte("00:00:00:00:00:00:00:00")),
		`{"a": 1}`:                             AppendJSON(nil, []byte(`{"a": 1}`)),
	} {
		if string(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := AppendFloat64(nil, math.Copysign(0, -1)); string(got) != "0" {
		t.Errorf("negative zero: got %q, want 0", got)
	}
	if _, err := AppendUUID(nil, make([]byte, 15)); err == nil {
		t.Error("a UUID of 15 bytes was accepted")
	}
}

func TestBytesAndUUIDsReadBack(t *testing.T) {
	raw, err := DecodeHex(AppendHex(nil, []byte("\x00|\xff")))
	if err != nil || string(raw) != "\x00|\xff" {
		t.Errorf("bytes: got %q, %v", raw, err)
	}
	if raw, err := DecodeHex(nil); raw != nil || err != nil {
		t.Errorf("NULL bytes: got %v, %v", raw, err)
	}
	if raw, err := DecodeHex(row.Value{}); raw == nil || err != nil {
		t.Errorf("empty bytes: got %v, %v; want empty and not NULL", raw, err)
	}
	if _, err := DecodeHex(row.Value("0")); err == nil {
		t.Error("half a byte was accepted")
	}
	text := "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
	raw, err = DecodeUUID([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := AppendUUID(nil, raw); err != nil || string(got) != text {
		t.Errorf("uuid: got %q, %v", got, err)
	}
	if _, err := DecodeUUID([]byte("no uuid")); err == nil {
		t.Error("a text that is no UUID was decoded")
	}
}

func TestBitsOfBytesHaveTheColumnsWidth(t *testing.T) {
	for _, c := range []struct {
		raw   string
		width int
		want  string
	}{
		{"\x01", 1, "1"},
		{"\x05", 3, "101"},
		{"\x01\x02", 10, "0100000010"},
		{"\x05", 16, "0000000000000101"},
		{"\x00\x05", 4, "0101"},
		{"\xff\xff\xff\xff\xff\xff\xff\xff", 64, strings.Repeat("1", 64)},
	} {
		got, err := AppendBitsBytes(nil, []byte(c.raw), c.width)
		if err != nil || string(got) != c.want {
			t.Errorf("%x as bit(%d): got %s, %v; want %s", c.raw, c.width, got, err, c.want)
		}
	}
	if _, err := AppendBitsBytes(nil, []byte{0x10}, 4); err == nil {
		t.Error("a bit beyond the column's width was dropped")
	}
}

func TestErrorsDoNotRepeatTheValue(t *testing.T) {
	const secret = "4711-secret"
	for name, encode := range encoders {
		if _, err := encode(nil, []byte(secret)); err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error holds the value: %v", name, err)
		}
	}
}
