package event

import (
	"strconv"
	"time"

	"github.com/trueup/trueup/pkg/row"
)

// Record is an event as a broker carries it: CloudEvents 1.0 in the binary mode
// of its Kafka binding, attributes as headers and the event as the value.
type Record struct {
	Key     []byte
	Value   []byte
	Headers map[string]string
}

// Names of the headers. The first five are CloudEvents attributes, the last is
// the W3C trace context.
const (
	HeaderID          = "ce_id"
	HeaderSource      = "ce_source"
	HeaderType        = "ce_type"
	HeaderSpecVersion = "ce_specversion"
	HeaderTime        = "ce_time"
	HeaderContentType = "content-type"
	HeaderTraceParent = "traceparent"
	// HeaderInstance tells the processes apart that write the same kind of events.
	HeaderInstance = "trueup-instance"
)

// Encoder turns events into records.
type Encoder struct {
	// ContentType is Protobuf or JSON.
	ContentType string
	// Source is the ce_source of every record: which service wrote it.
	Source string
	// Instance is in HeaderInstance of every record; empty for none.
	Instance string
}

// Finding encodes a finding. All findings about a row have the same key, so
// that they stand in one partition.
func (e Encoder) Finding(f Finding) (Record, error) {
	value, err := MarshalFinding(f, e.ContentType)
	headers := e.headers("Finding", f.ID, f.DetectedAt, f.TraceParent)
	return Record{RowKey(f.Pair, f.Key.Values()), value, headers}, err
}

// Outcome encodes an outcome under the key of its finding. Its ce_id holds the
// time beside the finding's ID: a finding that is delivered twice has two outcomes.
func (e Encoder) Outcome(o Outcome) (Record, error) {
	value, err := MarshalOutcome(o, e.ContentType)
	headers := e.headers("Outcome", o.ID(), o.At, o.TraceParent)
	return Record{RowKey(o.Pair, o.Key.Values()), value, headers}, err
}

// RangeTask encodes a range task under its pair and range.
func (e Encoder) RangeTask(t RangeTask) (Record, error) {
	value, err := MarshalRangeTask(t, e.ContentType)
	id := t.Run + "/" + t.Pair + "/" + strconv.FormatUint(t.Number, 10)
	return Record{rangeKey(t), value, e.headers("RangeTask", id, time.Time{}, "")}, err
}

// PairState encodes a pair's state. Its key is the pair alone: the topic keeps
// the last record of a key.
func (e Encoder) PairState(s PairState) (Record, error) {
	value, err := MarshalPairState(s, e.ContentType)
	id := s.Pair + "/" + strconv.FormatUint(s.Generation, 10) + "/" + strconv.FormatInt(s.At.UnixNano(), 10)
	return Record{[]byte(s.Pair), value, e.headers("PairState", id, s.At, "")}, err
}

func (e Encoder) headers(name, id string, at time.Time, traceParent string) map[string]string {
	h := map[string]string{
		HeaderID:          id,
		HeaderSource:      e.Source,
		HeaderType:        "trueup.event.v1." + name,
		HeaderSpecVersion: "1.0",
		HeaderContentType: e.ContentType,
	}
	if !at.IsZero() {
		h[HeaderTime] = at.UTC().Format(time.RFC3339Nano)
	}
	if e.Instance != "" {
		h[HeaderInstance] = e.Instance
	}
	if traceParent != "" {
		h[HeaderTraceParent] = traceParent
	}
	return h
}

// DecodeFinding reads a finding from a record.
func DecodeFinding(r Record) (Finding, error) {
	f, err := UnmarshalFinding(r.Value, r.Headers[HeaderContentType])
	f.TraceParent = r.Headers[HeaderTraceParent]
	return f, err
}

// DecodeOutcome reads an outcome from a record.
func DecodeOutcome(r Record) (Outcome, error) {
	o, err := UnmarshalOutcome(r.Value, r.Headers[HeaderContentType])
	o.TraceParent = r.Headers[HeaderTraceParent]
	return o, err
}

// DecodeRangeTask reads a range task from a record.
func DecodeRangeTask(r Record) (RangeTask, error) {
	return UnmarshalRangeTask(r.Value, r.Headers[HeaderContentType])
}

// DecodePairState reads a pair's state from a record.
func DecodePairState(r Record) (PairState, error) {
	return UnmarshalPairState(r.Value, r.Headers[HeaderContentType])
}

// RowKey is the key of messages about one row: the pair and the row's key, each
// part preceded by its length, so that no two rows share a key.
func RowKey(pair string, key row.Key) []byte {
	return key.AppendID(row.Key{row.Value(pair)}.AppendID(nil))
}

func rangeKey(t RangeTask) []byte {
	dst := row.Key{row.Value(t.Pair)}.AppendID(nil)
	for _, bound := range []Key{t.After, t.Through} {
		// The number of columns in front tells an open bound from one that is there.
		dst = strconv.AppendInt(dst, int64(len(bound)), 10)
		dst = append(dst, '/')
		dst = bound.Values().AppendID(dst)
	}
	for _, key := range t.Keys {
		dst = key.Values().AppendID(append(dst, '='))
	}
	return dst
}
