package event

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
	eventv1 "github.com/trueup/trueup/proto/trueup/event/v1"
)

var contentTypes = []string{Protobuf, JSON}

// samples holds, for every kind, canonical texts at the edges of its range.
var samples = map[canonical.Type][]string{
	{Kind: canonical.Bool}: {"0", "1"},
	{Kind: canonical.Int}: {
		"0", "-1", "9223372036854775807", "-9223372036854775808",
		"9223372036854775808", "18446744073709551615", "18446744073709551616", "-9223372036854775809",
	},
	{Kind: canonical.Decimal}: {"1.1", "-0.05", "20", "NaN", "Infinity", "-Infinity", "99999999999999999999999999999999999.999999999999999999999999999999"},
	{Kind: canonical.Float32}: {"0", "1.5", "3.4028235e+38", "-1e-45", "NaN"},
	{Kind: canonical.Float64}: {"0.1", "1.7976931348623157e+308", "5e-324", "-Infinity"},
	{Kind: canonical.Text}: {
		"", " ", "a", "naïve", "tail ", "\x00", "\xff\xfe", "half \xe2\x82", "1:2:3", "日本",
	},
	{Kind: canonical.Bytes}: {"", "00", "deadbeef"},
	{Kind: canonical.UUID}: {
		"00000000-0000-0000-0000-000000000000", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
		// A character column compared as UUID holds what it holds.
		"", "n/a", "f81d4fae", "F81D4FAE7DEC11D0A76500A0C91E6BF6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6 ", "\xff",
	},
	{Kind: canonical.Date}:            {"2024-02-29", "0000-00-00", "infinity", "0044-03-15 BC"},
	{Kind: canonical.Time}:            {"00:00:00.000000", "-838:59:59.000000", "24:00:00.000000"},
	{Kind: canonical.Timestamp}:       {"0000-00-00 00:00:00.000000", "9999-12-31 23:59:59.999999"},
	{Kind: canonical.Instant}:         {"1970-01-01 00:00:01.000001", "-infinity"},
	{Kind: canonical.Interval}:        {"PT0S", "P1Y2M3DT4H5M6.5S", "P-1Y-2M-3DT-0.000001S", "-infinity"},
	{Kind: canonical.Bits, Width: 1}:  {"0", "1"},
	{Kind: canonical.Bits, Width: 64}: {strings.Repeat("10", 32)},
	{Kind: canonical.Bits}:            {"", "0", "101"},
	{Kind: canonical.JSON}:            {`{"a":[1,null,"é"]}`, "null", "", "\"\xe9\""},
	{Kind: canonical.Inet}:            {"10.0.0.0/8", "::1", "08:00:2b:01:02:03", "", "\xff"},
}

func keys() []Key {
	var all []Key
	for t, texts := range samples {
		for _, text := range texts {
			all = append(all, Key{{Column: "k", Type: t, Value: row.Value(text)}})
		}
	}
	return all
}

func TestEveryCanonicalKindRoundTripsExactly(t *testing.T) {
	seen := map[canonical.Kind]bool{}
	for _, key := range keys() {
		seen[key[0].Type.Kind] = true
		for _, ct := range contentTypes {
			want := Finding{ID: "f", Kind: NotEqual, Pair: "p", Key: key}
			data, err := MarshalFinding(want, ct)
			if err != nil {
				t.Fatalf("%s %q: %v", key[0].Type, key[0].Value, err)
			}
			got, err := UnmarshalFinding(data, ct)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s %q came back as %+v, %v", ct, key[0].Type, key[0].Value, got, err)
			}
		}
	}
	for kind := canonical.Bool; kind <= canonical.Inet; kind++ {
		if !seen[kind] {
			t.Errorf("no sample of kind %s", kind)
		}
	}
}

func TestEveryFieldRoundTrips(t *testing.T) {
	key := Key{
		{"id", canonical.Type{Kind: canonical.Int}, row.Value("18446744073709551615")},
		{"name", canonical.Type{Kind: canonical.Text}, row.Value("\xff")},
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC)
	finding := Finding{"f1", BaseMissing, "orders", key, "run", 7, at, []string{"a", "b"}, nil, "00-1-2-01"}
	outcome := Outcome{
		"f1", "orders", key, "run", 7, NotEqual, Repaired, Update,
		[]string{"a"},
		"class", "why", 3, at,
		at.Add(time.Second), 1500 * time.Millisecond, true,
		[]Write{{Target, Update, "d1", "d2", []WrittenColumn{
			{"a", &Content{Type: key[0].Type, Value: key[0].Value}, &Content{}},
			{"b", nil, &Content{Masked: "m"}},
		}, "too large"}, {Source, Delete, "d2", "", nil, ""}},
		"f1/1/0", "00-1-2-01",
	}
	tasks := []RangeTask{
		{Pair: "orders", Run: "run", Epoch: 7, Number: 9, After: key, Through: key},
		{Pair: "orders", Run: "run", Through: key},
		{Pair: "orders", Run: "run"},
		{Pair: "orders", Run: "run", Keys: []Key{key, key}},
	}
	state := PairState{
		"orders", 4, 7, Target, "run", "full",
		[]byte{0, 255},
		at, "scan", at,
		Order{"ann", "backup", at, at.Add(time.Hour)},
		Order{"bob", "", at, time.Time{}},
		[]string{"full", "count"},
		map[string]time.Time{"full": at},
	}
	for _, ct := range contentTypes {
		e := Encoder{ContentType: ct, Source: "/trueup/test"}
		check(t, finding, e.Finding, DecodeFinding)
		check(t, outcome, e.Outcome, DecodeOutcome)
		check(t, state, e.PairState, DecodePairState)
		check(t, BreakerState{"orders", 3, true, "why", at, at}, e.BreakerState, DecodeBreakerState)
		for _, task := range tasks {
			check(t, task, e.RangeTask, DecodeRangeTask)
		}
	}
}

func check[T any](t *testing.T, want T, encode func(T) (Record, error), decode func(Record) (T, error)) {
	t.Helper()
	r, err := encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(r)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", r.Headers[HeaderContentType], got, want)
	}
}

func TestAnyTextAndBytesRoundTrip(t *testing.T) {
	roundTrips := func(raw []byte, json bool) bool {
		ct := Protobuf
		if json {
			ct = JSON
		}
		text := append(row.Value{}, raw...)
		want := Finding{ID: "f", Kind: NotEqual, Pair: "p", Key: Key{{"k", canonical.Type{Kind: canonical.Text}, text}}}
		data, err := MarshalFinding(want, ct)
		if err != nil {
			return false
		}
		got, err := UnmarshalFinding(data, ct)
		return err == nil && reflect.DeepEqual(got, want)
	}
	if err := quick.Check(roundTrips, nil); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNotCanonicalIsRefused(t *testing.T) {
	for _, c := range []struct {
		kind canonical.Kind
		text string
	}{
		{canonical.Int, "007"},
		{canonical.Int, "+1"},
		{canonical.Int, ""},
		{canonical.Int, "1.0"},
		{canonical.Int, "-0"},
		{canonical.Bool, "true"},
		{canonical.Bytes, "DEAD"},
		{canonical.Bytes, "0"},
		{canonical.UUID, "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"},
		{canonical.Decimal, "1,5"},
		{canonical.Date, "2024\n"},
		{canonical.Bits, "012"},
		{canonical.Unsupported, "x"},
		{canonical.Kind(200), "x"},
	} {
		f := Finding{ID: "f", Kind: NotEqual, Pair: "p", Key: Key{{"the_key", canonical.Type{Kind: c.kind}, row.Value(c.text)}}}
		if _, err := MarshalFinding(f, Protobuf); err == nil || !strings.Contains(err.Error(), "the_key") {
			t.Errorf("%s %q: got %v, want an error that names the column", c.kind, c.text, err)
		}
	}
}

func TestIncompleteEventsAreRefused(t *testing.T) {
	key := Key{{"id", canonical.Type{Kind: canonical.Int}, row.Value("1")}}
	for name, f := range map[string]Finding{
		"id":   {Kind: NotEqual, Pair: "p", Key: key},
		"pair": {ID: "f", Kind: NotEqual, Key: key},
		"kind": {ID: "f", Pair: "p", Key: key},
		"key":  {ID: "f", Kind: NotEqual, Pair: "p"},
		"NULL": {ID: "f", Kind: NotEqual, Pair: "p", Key: Key{{"id", canonical.Type{Kind: canonical.Int}, nil}}},
	} {
		if _, err := MarshalFinding(f, Protobuf); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

func TestUnknownsFromANewerSenderAreNamed(t *testing.T) {
	wire := func(m *eventv1.Finding) []byte {
		data, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	good := func() *eventv1.Finding {
		return &eventv1.Finding{Id: "f", Pair: "p", Kind: eventv1.FindingKind_FINDING_KIND_NOT_EQUAL, Key: &eventv1.Key{
			Columns: []*eventv1.KeyColumn{{Column: "id", Value: &eventv1.KeyValue{Value: &eventv1.KeyValue_IntValue{IntValue: 1}}}},
		}}
	}
	newKind := good()
	newKind.Kind = 99
	newArm := good()
	newArm.Key.Columns[0].Value = &eventv1.KeyValue{}
	newArm.Key.Columns[0].Value.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 99, protowire.VarintType), 1))
	newField := append(wire(good()), protowire.AppendVarint(protowire.AppendTag(nil, 99, protowire.VarintType), 1)...)

	for _, c := range []struct {
		name, ct string
		data     []byte
		want     string
	}{
		{"kind", Protobuf, wire(newKind), "kind 99"},
		{"key value", Protobuf, wire(newArm), "key column id"},
		{"field", Protobuf, newField, ""},
		{"json kind", JSON, []byte(`{"id":"f","pair":"p","kind":"FINDING_KIND_ODD","key":{"columns":[{"column":"id","value":{"intValue":"1"}}]}}`), "kind"},
		{"json key value", JSON, []byte(`{"id":"f","pair":"p","kind":"FINDING_KIND_NOT_EQUAL","key":{"columns":[{"column":"id","value":{"oddValue":"1"}}]}}`), "key column id"},
		{"json field", JSON, []byte(`{"id":"f","new":1,"pair":"p","kind":"FINDING_KIND_NOT_EQUAL","key":{"columns":[{"column":"id","value":{"intValue":"1"}}]}}`), ""},
		{"garbage", Protobuf, []byte("not protobuf"), "decode finding"},
		{"no value", Protobuf, nil, "no value"},
		{"content type", "text/csv", wire(good()), "text/csv"},
		{"parameters", "application/protobuf; v=1", wire(good()), ""},
		{"no content type", "", wire(good()), ""},
	} {
		_, err := UnmarshalFinding(c.data, c.ct)
		if c.want == "" && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want it to name %q", c.name, err, c.want)
		}
	}
}

func TestAReasonInAnyEncodingDoesNotStopAnOutcome(t *testing.T) {
	o := Outcome{
		FindingID: "f", Pair: "p", Result: Dead, Attempts: 1, Reason: "Duplicate entry '\xe9t\xe9'",
		Key: Key{{"id", canonical.Type{Kind: canonical.Int}, row.Value("1")}},
	}
	for _, ct := range contentTypes {
		data, err := MarshalOutcome(o, ct)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := UnmarshalOutcome(data, ct); err != nil || !strings.HasPrefix(got.Reason, "Duplicate entry '") {
			t.Errorf("%s: %q, %v", ct, got.Reason, err)
		}
	}
}

func TestNoTwoRowsShareAMessageKey(t *testing.T) {
	seen := map[string]string{}
	for _, c := range []struct {
		pair string
		key  row.Key
	}{
		{"p", row.Key{row.Value("1"), row.Value("2")}},
		{"p", row.Key{row.Value("12")}},
		{"p1", row.Key{row.Value("2")}},
		{"p", row.Key{row.Value("1:2")}},
		{"p", row.Key{row.Value(""), row.Value("12")}},
		{"p", row.Key{row.Value("12"), row.Value("")}},
		{"p1:1", row.Key{row.Value("2")}},
		{"p", row.Key{row.Value("1"), row.Value("1:2")}},
	} {
		id := string(RowKey(c.pair, c.key))
		name := c.pair + "|" + c.key.String()
		if other, ok := seen[id]; ok {
			t.Errorf("%s and %s share the key %q", name, other, id)
		}
		seen[id] = name
	}
	k := Key{{"id", canonical.Type{Kind: canonical.Int}, row.Value("1")}}
	if bytes.Equal(rangeKey(RangeTask{Pair: "p", After: k}), rangeKey(RangeTask{Pair: "p", Through: k})) {
		t.Error("ranges with opposite bounds share a key")
	}
}

func TestHeadersFollowCloudEventsBinaryMode(t *testing.T) {
	at := time.Date(2026, 1, 2, 5, 4, 5, 0, time.FixedZone("x", 7200))
	r, err := Encoder{ContentType: JSON, Source: "/trueup/validator"}.Finding(Finding{
		ID: "f1", Kind: NotEqual, Pair: "p", DetectedAt: at, TraceParent: "00-a-b-01",
		Key: Key{{"id", canonical.Type{Kind: canonical.Int}, row.Value("1")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"ce_id": "f1", "ce_source": "/trueup/validator", "ce_type": "trueup.event.v1.Finding", "ce_specversion": "1.0",
		"ce_time": "2026-01-02T03:04:05Z", "content-type": "application/json", "traceparent": "00-a-b-01",
	}
	if !reflect.DeepEqual(r.Headers, want) {
		t.Errorf("got %v, want %v", r.Headers, want)
	}
}

// FuzzUnmarshalFinding holds that no input makes a finding that is incomplete
// or that does not survive being sent on.
func FuzzUnmarshalFinding(f *testing.F) {
	for _, key := range keys() {
		for _, ct := range contentTypes {
			data, err := MarshalFinding(Finding{ID: "f", Kind: NotEqual, Pair: "p", Key: key, DetectedAt: time.Unix(1, 0)}, ct)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data, ct == JSON)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, json bool) {
		ct := Protobuf
		if json {
			ct = JSON
		}
		got, err := UnmarshalFinding(data, ct)
		if err != nil {
			return
		}
		if got.Kind == KindUnknown || got.Pair == "" || got.ID == "" || len(got.Key) == 0 {
			t.Fatalf("accepted an incomplete finding %+v", got)
		}
		for _, c := range got.Key {
			if c.Value.IsNull() || c.Type.Kind == canonical.Unsupported {
				t.Fatalf("accepted the key column %+v", c)
			}
		}
		again, err := MarshalFinding(got, ct)
		if err != nil {
			t.Fatalf("cannot send on %+v: %v", got, err)
		}
		if back, err := UnmarshalFinding(again, ct); err != nil || !reflect.DeepEqual(back, got) {
			t.Fatalf("sent on %+v, got %+v, %v", got, back, err)
		}
	})
}
