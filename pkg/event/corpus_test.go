package event

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
	eventv1 "github.com/trueup/trueup/proto/trueup/event/v1"
)

var recordCorpus = flag.Bool("record-corpus", false, "write the records that testdata/corpus lacks; those that are there are never written again")

// The corpus are records as releases wrote them. Topics keep them for days, the
// state topic for ever, so later versions must go on reading each of them as what it
// meant, and give the same rows the same message keys: else a row's findings would
// stand in two partitions, and compaction would keep two positions of a pair.
//
// A new release adds records, and changes or removes none.
const corpus = "testdata/corpus"

// stored is a record in a file; bytes are base64 there.
type stored struct {
	Key     []byte            `json:"key"`
	Value   []byte            `json:"value"`
	Headers map[string]string `json:"headers"`
}

// told is an event that is in the corpus, with what writes and reads it.
type told struct {
	name   string
	encode func(Encoder) (Record, error)
	decode func(Record) (any, error)
	want   any
}

func tell[T any](name string, want T, encode func(Encoder, T) (Record, error), decode func(Record) (T, error)) told {
	return told{
		name: name, want: want,
		encode: func(e Encoder) (Record, error) { return encode(e, want) },
		decode: func(r Record) (any, error) { return decode(r) },
	}
}

// corpusKey has a column of every type that keys have.
var corpusKey = Key{
	{Column: "bool", Type: canonical.Type{Kind: canonical.Bool}, Value: row.Value("1")},
	{Column: "int", Type: canonical.Type{Kind: canonical.Int}, Value: row.Value("-7")},
	{Column: "uint", Type: canonical.Type{Kind: canonical.Int}, Value: row.Value("18446744073709551615")},
	{Column: "big", Type: canonical.Type{Kind: canonical.Int}, Value: row.Value("18446744073709551616")},
	{Column: "decimal", Type: canonical.Type{Kind: canonical.Decimal}, Value: row.Value("-0.05")},
	{Column: "float32", Type: canonical.Type{Kind: canonical.Float32}, Value: row.Value("1.5")},
	{Column: "float64", Type: canonical.Type{Kind: canonical.Float64}, Value: row.Value("1.7976931348623157e+308")},
	{Column: "text", Type: canonical.Type{Kind: canonical.Text}, Value: row.Value("naïve 1:2")},
	{Column: "raw_text", Type: canonical.Type{Kind: canonical.Text}, Value: row.Value("\xff\x00")},
	{Column: "bytes", Type: canonical.Type{Kind: canonical.Bytes}, Value: row.Value("deadbeef")},
	{Column: "uuid", Type: canonical.Type{Kind: canonical.UUID}, Value: row.Value("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")},
	{Column: "raw_uuid", Type: canonical.Type{Kind: canonical.UUID}, Value: row.Value("n/a")},
	{Column: "date", Type: canonical.Type{Kind: canonical.Date}, Value: row.Value("0000-00-00")},
	{Column: "time", Type: canonical.Type{Kind: canonical.Time}, Value: row.Value("-838:59:59.000000")},
	{Column: "timestamp", Type: canonical.Type{Kind: canonical.Timestamp}, Value: row.Value("9999-12-31 23:59:59.999999")},
	{Column: "instant", Type: canonical.Type{Kind: canonical.Instant}, Value: row.Value("-infinity")},
	{Column: "interval", Type: canonical.Type{Kind: canonical.Interval}, Value: row.Value("P1Y2M3DT4H5M6.5S")},
	{Column: "bits", Type: canonical.Type{Kind: canonical.Bits, Width: 3}, Value: row.Value("101")},
	{Column: "json", Type: canonical.Type{Kind: canonical.JSON}, Value: row.Value(`{"a":[1,null]}`)},
	{Column: "raw_json", Type: canonical.Type{Kind: canonical.JSON}, Value: row.Value("\"\xe9\"")},
	{Column: "inet", Type: canonical.Type{Kind: canonical.Inet}, Value: row.Value("10.0.0.0/8")},
	{Column: "raw_inet", Type: canonical.Type{Kind: canonical.Inet}, Value: row.Value("\xff")},
}

// events are what the corpus tells. A field that is added later stays out of them:
// records of before do not have it.
func events() []told {
	at := time.Date(2026, 11, 22, 3, 4, 5, 678901000, time.UTC)
	id := func(value string) Key {
		return Key{{Column: "id", Type: canonical.Type{Kind: canonical.Int}, Value: row.Value(value)}}
	}
	const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	return []told{
		tell("finding", Finding{
			ID: "f1", Kind: NotEqual, Pair: "orders", Key: corpusKey, Run: "r1", Epoch: 3, DetectedAt: at, Columns: []string{"status", "näme"}, TraceParent: trace,
		}, Encoder.Finding, DecodeFinding),
		tell("finding-missing", Finding{ID: "f2", Kind: TargetMissing, Pair: "orders@shop_0.orders", Key: id("1"), Run: "r1", Epoch: 1, DetectedAt: at}, Encoder.Finding, DecodeFinding),
		tell("finding-extra", Finding{ID: "f3", Kind: BaseMissing, Pair: "orders", Key: id("2"), Run: "r1", Epoch: 1, DetectedAt: at}, Encoder.Finding, DecodeFinding),
		tell("outcome-repaired", Outcome{
			FindingID: "f1", Pair: "orders", Key: corpusKey, Run: "r1", Epoch: 3, Kind: NotEqual, Result: Repaired, Action: Update, Columns: []string{"status"},
			Attempts: 2, DetectedAt: at, At: at.Add(time.Second), Took: 1500 * time.Millisecond, TraceParent: trace,
			Writes: []Write{
				{Side: Target, Action: Update, Before: "d1", After: "d2", Columns: []WrittenColumn{
					{Column: "id", Before: &Content{Type: canonical.Type{Kind: canonical.Int}, Value: row.Value("7")}, After: &Content{}},
					{Column: "mail", After: &Content{Masked: "m"}},
				}, Incomplete: "too large"},
				{Side: Source, Action: Delete, Before: "d2"},
			},
		}, Encoder.Outcome, DecodeOutcome),
		tell("outcome-held", Outcome{
			FindingID: "f2", Pair: "orders", Key: id("1"), Run: "r1", Epoch: 1, Kind: TargetMissing, Result: Held, Class: "breaker", Reason: "too many rows",
			Attempts: 1, DetectedAt: at, At: at, DryRun: true,
		}, Encoder.Outcome, DecodeOutcome),
		tell("outcome-undone", Outcome{
			FindingID: "f2", Pair: "orders", Key: id("1"), Run: "undo-1", Epoch: 1, Kind: TargetMissing, Result: Undone, Action: Delete, Attempts: 1,
			DetectedAt: at, At: at, UndoOf: "f2/1/0",
		}, Encoder.Outcome, DecodeOutcome),
		tell("range-task", RangeTask{Pair: "orders", Run: "r1", Epoch: 3, Number: 9, After: id("10"), Through: id("20")}, Encoder.RangeTask, DecodeRangeTask),
		tell("range-task-keys", RangeTask{Pair: "orders", Run: "canary-1", Epoch: 3, Keys: []Key{id("1"), corpusKey}}, Encoder.RangeTask, DecodeRangeTask),
		tell("pair-state", PairState{
			Pair: "orders", Generation: 4, Epoch: 3, Authority: Target, Run: "r1", Mode: "full", Position: []byte{0, 255, '{'}, Watermark: at, Phase: PhaseRunning, At: at,
			Pause: Order{Who: "ann", Why: "backup", At: at, Until: at.Add(time.Hour)}, Stopped: Order{Who: "bob", At: at},
			Pending: []string{"full", "count"}, Began: map[string]time.Time{"full": at},
		}, Encoder.PairState, DecodePairState),
		tell("decision", Decision{Pair: "orders", Epoch: 3, Authority: Target, At: at}, Encoder.Decision, func(r Record) (Decision, error) {
			s, err := DecodePairState(r)
			return Decision{Pair: s.Pair, Epoch: s.Epoch, Authority: s.Authority, At: s.At}, err
		}),
		tell("breaker-state", BreakerState{Pair: "orders", Number: 2, Tripped: true, Reason: "too many", At: at, Released: at.Add(-time.Hour)}, Encoder.BreakerState, DecodeBreakerState),
		tell("verdicts", Verdicts{Pair: "orders", List: []Verdict{{
			Pair: "orders", Run: "r1", Mode: "full", Method: "checksum", Epoch: 3, Authority: "source", Began: at, Ended: at.Add(time.Minute), Complete: true,
			SourceRows: 10, TargetRows: 9, TargetMissing: 1, NotEqual: 2, BaseMissing: 3, Unreadable: 4, Undecided: 5, Reason: "why", Config: "c0ffee",
			Covers: Covers{
				Source: "orders", Target: "public.orders", SourceWhere: "id > 7", TargetWhere: "id > 8", Columns: []string{"id", "note"}, Loosened: []string{"note (trim:right)"},
			},
		}}}, Encoder.Verdicts, DecodeVerdicts),
		tell("canary-report", CanaryReport{
			Pair: "orders", Authority: Source, Kind: NotEqual, Run: "canary-1", Asked: true, At: at, Found: time.Second, Repaired: 2 * time.Second, Missed: "equal", Reason: "why",
		}, Encoder.CanaryReport, DecodeCanaryReport),
	}
}

func TestRecordsOfEarlierReleasesKeepTheirMeaning(t *testing.T) {
	for _, e := range events() {
		for _, form := range contentTypes {
			path := filepath.Join(corpus, e.name+"."+strings.TrimPrefix(form, "application/")+".json")
			t.Run(filepath.Base(path), func(t *testing.T) {
				today, err := e.encode(Encoder{ContentType: form, Source: "/trueup/validator", Instance: "host-1"})
				if err != nil {
					t.Fatal(err)
				}
				if *recordCorpus {
					record(t, path, today)
				}
				r := load(t, path)
				if got, err := e.decode(r); err != nil || !reflect.DeepEqual(got, e.want) {
					t.Errorf("it is read as\n%+v, %v\nand was\n%+v", got, err, e.want)
				}
				if !bytes.Equal(today.Key, r.Key) {
					t.Errorf("the message key is %q today and was %q", today.Key, r.Key)
				}
			})
		}
	}
}

// record writes a record that is not there yet.
func record(t *testing.T, path string, r Record) {
	t.Helper()
	text, err := json.MarshalIndent(stored(r), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if os.IsExist(err) {
		return
	}
	if err == nil {
		_, err = file.Write(append(text, '\n'))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, path string) Record {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it once by -args -record-corpus, and never again", err)
	}
	var r stored
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return Record(r)
}

// TestTheCorpusHasEveryMessage that is sent by itself, which is one that no other
// holds, and tells of no file that is not read.
func TestTheCorpusHasEveryMessage(t *testing.T) {
	messages := eventv1.File_trueup_event_v1_event_proto.Messages()
	missing := map[string]bool{}
	for i := range messages.Len() {
		missing[string(messages.Get(i).FullName())] = true
	}
	for i := range messages.Len() {
		fields := messages.Get(i).Fields()
		for j := range fields.Len() {
			if fields.Get(j).Kind() == protoreflect.MessageKind {
				delete(missing, string(fields.Get(j).Message().FullName()))
			}
		}
	}
	read := map[string]bool{}
	for _, e := range events() {
		for _, form := range contentTypes {
			name := e.name + "." + strings.TrimPrefix(form, "application/") + ".json"
			read[name] = true
			delete(missing, load(t, filepath.Join(corpus, name)).Headers[HeaderType])
		}
	}
	if len(missing) > 0 {
		t.Errorf("the corpus has no record of %v", missing)
	}
	files, err := os.ReadDir(corpus)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !read[f.Name()] {
			t.Errorf("nothing reads %s", f.Name())
		}
	}
}
