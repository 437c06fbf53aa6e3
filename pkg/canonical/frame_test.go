package canonical

import (
	"bytes"
	"testing"

	"github.com/trueup/trueup/pkg/row"
)

func TestFrameIsTheOneTheServersSpell(t *testing.T) {
	types := []Type{{Kind: Int}, {Kind: Text}, {Kind: Date}, {Kind: Text}}
	r := row.Row{row.Value("7"), row.Value("ä|~"), nil, row.Value("")}
	if got, want := string(AppendFrame(nil, types, r)), "7|4:ä|~|~|0:|"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// MD5 of the two frames, as md5sum prints it.
	got := Digest(types[:2], row.Row{row.Value("1"), row.Value("a")}, row.Row{row.Value("2"), nil})
	want := row.Digest{Rows: 2, Sum: "926bee2f1524f2cf00b339779c7215b8", Bytes: int64(len("1|1:a|2|~|"))}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := Digest(types); got != (row.Digest{}) {
		t.Errorf("no rows: got %+v", got)
	}
}

func TestALongValueIsDigestedByItself(t *testing.T) {
	types := []Type{{Kind: Text}, {Kind: Bytes}}
	text := bytes.Repeat([]byte("x"), Long+1)
	got, spared := appendDigested(nil, types, row.Row{text, AppendHex(nil, text)})
	// md5sum of 1025 times x.
	const sum = "41b2b8ce59ecc0c64c9c7ecaae3002c3"
	if want := "1025:" + sum + "|#1025:" + sum + "|"; string(got) != want || spared != 3*(Long+1)-2*32 {
		t.Errorf("got %q and %d, want %q", got, spared, want)
	}
	for _, r := range []row.Row{{text[:Long], AppendHex(nil, text[:Long])}, {nil, nil}, {row.Value(""), row.Value("")}} {
		if got, spared := appendDigested(nil, types, r); !bytes.Equal(got, AppendFrame(nil, types, r)) || spared != 0 {
			t.Errorf("got %q and %d, want the row's own frame", got, spared)
		}
	}
}

func TestTypesThatAreNotFreeHoldNoMarks(t *testing.T) {
	free := map[Kind]bool{Text: true, JSON: true, Inet: true, UUID: true}
	for kind := Bool; kind <= Inet; kind++ {
		if got := (Type{Kind: kind}).Free(); got != free[kind] {
			t.Errorf("%s: Free is %v; a type becomes unframed only with a proof that its texts hold no mark", kind, got)
		}
	}
}

// frameRow makes a row of the types Text, Int, UUID and Bytes from fuzzed
// input; null's bits say which values are NULL.
func frameRow(a, b, c, d []byte, null uint8) row.Row {
	r := row.Row{append(row.Value{}, a...), AppendInt(row.Value{}, int64(len(b))), append(row.Value{}, c...), AppendHex(row.Value{}, d)}
	for i := range r {
		if null>>i&1 == 1 {
			r[i] = nil
		}
	}
	return r
}

var frameTypes = []Type{{Kind: Text}, {Kind: Int}, {Kind: UUID}, {Kind: Bytes}}

func FuzzFrame(f *testing.F) {
	f.Add([]byte("a"), []byte("b"), []byte("c"), []byte("d"), uint8(0), []byte("a|1:b"), []byte(""), []byte("c"), []byte("d"), uint8(0))
	f.Add([]byte("~"), []byte(""), []byte("~|"), []byte(""), uint8(0), []byte(""), []byte(""), []byte("|"), []byte(""), uint8(15))
	f.Add([]byte("1|2:x"), []byte(""), []byte("~"), []byte(""), uint8(2), []byte("1"), []byte(""), []byte(":~"), []byte(""), uint8(1))
	f.Fuzz(func(t *testing.T, a, b, c, d []byte, null uint8, e, g, h, i []byte, nulls uint8) {
		x, y := frameRow(a, b, c, d, null), frameRow(e, g, h, i, nulls)
		equal := true
		for p := range x {
			equal = equal && (x[p] == nil) == (y[p] == nil) && bytes.Equal(x[p], y[p])
		}
		fx, fy := AppendFrame(nil, frameTypes, x), AppendFrame(nil, frameTypes, y)
		if bytes.Equal(fx, fy) != equal {
			t.Errorf("rows %q and %q have frames %q and %q", x, y, fx, fy)
		}
		// Rows end where they end: neither frame begins with the other.
		if !equal && (bytes.HasPrefix(fx, fy) || bytes.HasPrefix(fy, fx)) {
			t.Errorf("frame %q and %q: one begins with the other", fx, fy)
		}
	})
}

// FuzzMarks feeds every encoder of a type that is not free: whatever it
// accepts holds no mark of the frame, and encoding it again changes nothing.
func FuzzMarks(f *testing.F) {
	for _, text := range []string{"0044-03-15 00:00:00.5+00 BC", "infinity", "-838:59:59", "1.50e3", "P1Y2M3DT4H", "1 year -2 mons 04:05:06", "~|", "0x1p-2", "0101"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for name, encode := range encoders {
			got, err := encode(nil, text)
			if err != nil {
				continue
			}
			if name != "uuid" && bytes.ContainsAny(got, "|~") {
				t.Errorf("%s: %q became %q, which holds a mark of the frame", name, text, got)
			}
			again, err := encode(nil, got)
			if err != nil || !bytes.Equal(again, got) {
				t.Errorf("%s: %q became %q, and that %q, %v", name, text, got, again, err)
			}
		}
		if got := AppendInet(nil, text); !bytes.Equal(AppendInet(nil, got), got) {
			t.Errorf("inet: %q became %q, and that %q", text, got, AppendInet(nil, got))
		}
		if bytes.ContainsAny(AppendHex(nil, text), "|~") {
			t.Errorf("hex of %q holds a mark of the frame", text)
		}
	})
}
