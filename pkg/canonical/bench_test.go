package canonical

import (
	"testing"

	"github.com/trueup/trueup/pkg/row"
)

// The benchmarks of what runs once per value of a comparison; none but the
// documents that differ as texts may allocate.

func benchmarkText(b *testing.B, encode appendText, text string) {
	dst, in := make([]byte, 0, 64), []byte(text)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := encode(dst, in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecimal(b *testing.B)   { benchmarkText(b, AppendDecimal, "12345.6700") }
func BenchmarkIntText(b *testing.B)   { benchmarkText(b, AppendIntText, "1234567890") }
func BenchmarkTimestamp(b *testing.B) { benchmarkText(b, AppendTimestamp, "2024-02-29 12:34:56.5") }
func BenchmarkInstant(b *testing.B)   { benchmarkText(b, AppendInstant, "2024-02-29 12:34:56.5+00") }

func BenchmarkUUIDText(b *testing.B) {
	benchmarkText(b, AppendUUIDText, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
}
func BenchmarkFloatText(b *testing.B) { benchmarkText(b, encoders["float64"], "12345.678901") }

func BenchmarkFloat64(b *testing.B) {
	dst := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		AppendFloat64(dst, 12345.678901)
	}
}

func BenchmarkEqualSame(b *testing.B) {
	x, y := row.Value("the same text of forty characters or so."), row.Value("the same text of forty characters or so.")
	b.ReportAllocs()
	for b.Loop() {
		if !Equal(Type{Kind: Text}, Rule{}, x, y) {
			b.Fatal("differ")
		}
	}
}

func BenchmarkEqualJSON(b *testing.B) {
	x := row.Value(`{"id": 17, "tags": ["new", "red"], "price": 12.50, "note": "a\nb", "nested": {"k": true}}`)
	y := row.Value(`{"id":17,"note":"a\nb","tags":["new","red"],"price":12.5,"nested":{"k":true}}`)
	b.ReportAllocs()
	for b.Loop() {
		if !Equal(Type{Kind: JSON}, Rule{}, x, y) {
			b.Fatal("differ")
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	types := []Type{{Kind: Int}, {Kind: Text}, {Kind: Decimal}, {Kind: Timestamp}}
	r := row.Row{row.Value("123456"), row.Value("some text"), row.Value("12.5"), nil}
	dst := make([]byte, 0, 128)
	b.ReportAllocs()
	for b.Loop() {
		AppendFrame(dst, types, r)
	}
}
