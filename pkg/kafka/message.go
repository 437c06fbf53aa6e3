package kafka

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/IBM/sarama"

	"github.com/trueup/trueup/pkg/event"
)

// Message is a finding as it was received.
type Message struct {
	// Finding is what the message says, unless DecodeErr is set.
	Finding event.Finding
	// DecodeErr says why the message cannot be understood. It will not be
	// understood later either: such a message belongs into the dead topic.
	DecodeErr error
	// Record is the message as it stands in the topic.
	Record    event.Record
	Topic     string
	Partition int32
	Offset    int64
	// Timestamp is when the message was produced.
	Timestamp time.Time
}

// received reads what the client library delivered.
func received(m *sarama.ConsumerMessage) Message {
	out := Message{
		Record: record(m), Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Timestamp: m.Timestamp,
	}
	out.Finding, out.DecodeErr = event.DecodeFinding(out.Record)
	return out
}

// record copies the headers, their values in one piece of memory. One that comes
// twice counts with its last value.
func record(m *sarama.ConsumerMessage) event.Record {
	size := 0
	for _, h := range m.Headers {
		size += len(h.Value)
	}
	var text strings.Builder
	text.Grow(size)
	for _, h := range m.Headers {
		text.Write(h.Value)
	}
	values, headers := text.String(), make(map[string]string, len(m.Headers))
	for _, h := range m.Headers {
		headers[headerName(h.Key)], values = values[:len(h.Value)], values[len(h.Value):]
	}
	return event.Record{Key: m.Key, Value: m.Value, Headers: headers}
}

// headerName is a header's name, without a copy of it where it is a usual one.
func headerName(name []byte) string {
	for _, usual := range usualHeaders {
		if string(name) == usual {
			return usual
		}
	}
	return string(name)
}

// instanceOf is the publisher of a record.
func instanceOf(m *sarama.ConsumerMessage) string {
	for _, h := range m.Headers {
		if string(h.Key) == event.HeaderInstance {
			return string(h.Value)
		}
	}
	return ""
}

// outgoing is a record on its way to a topic.
type outgoing struct {
	topic string
	// name is what an error calls the record.
	name   string
	record event.Record
}

// size is the memory the record takes, about: its own bytes, and what the
// client keeps beside them.
func (o *outgoing) size() int64 {
	const overhead = 512
	n := len(o.record.Key) + len(o.record.Value) + overhead
	for k, v := range o.record.Headers {
		n += len(k) + len(v)
	}
	return int64(n)
}

// usualHeaders are those of nearly all messages, in the order of their names.
var usualHeaders = slices.Sorted(slices.Values([]string{
	event.HeaderID, event.HeaderSource, event.HeaderType, event.HeaderSpecVersion, event.HeaderTime,
	event.HeaderContentType, event.HeaderTraceParent, event.HeaderInstance,
}))

// usualNames are usualHeaders as the client library wants them.
var usualNames = func() (names [][]byte) {
	for _, name := range usualHeaders {
		names = append(names, []byte(name))
	}
	return names
}()

// wireRecords are the records of parcels as the client library wants them, all in a few
// pieces of memory.
func wireRecords(parcels []*parcel) []*sarama.Record {
	n, named, bytes := 0, 0, 0
	for _, in := range parcels {
		n += len(in.records)
		for _, o := range in.records {
			named += len(o.record.Headers)
			for _, v := range o.record.Headers {
				bytes += len(v)
			}
		}
	}
	out, all := make([]*sarama.Record, 0, n), make([]sarama.Record, n)
	headers := headerPages{headers: make([]sarama.RecordHeader, 0, named), pointers: make([]*sarama.RecordHeader, 0, named), values: make([]byte, 0, bytes)}
	for _, in := range parcels {
		for _, o := range in.records {
			r := &all[len(out)]
			*r = sarama.Record{OffsetDelta: int64(len(out)), Key: o.record.Key, Value: o.record.Value, Headers: headers.add(o.record.Headers)}
			out = append(out, r)
		}
	}
	return out
}

// headerPages hold the headers of many records. They have room for all that are added,
// since what they hold must not move.
type headerPages struct {
	headers  []sarama.RecordHeader
	pointers []*sarama.RecordHeader
	values   []byte
}

// add gives headers as the client library wants them, the usual ones first and the
// others by name.
func (p *headerPages) add(headers map[string]string) []*sarama.RecordHeader {
	from := len(p.pointers)
	for i, name := range usualHeaders {
		if v, ok := headers[name]; ok {
			p.put(usualNames[i], v)
		}
	}
	if len(p.pointers)-from < len(headers) {
		for _, name := range slices.Sorted(maps.Keys(headers)) {
			if !slices.Contains(usualHeaders, name) {
				p.put([]byte(name), headers[name])
			}
		}
	}
	return p.pointers[from:len(p.pointers):len(p.pointers)]
}

func (p *headerPages) put(name []byte, value string) {
	start := len(p.values)
	p.values = append(p.values, value...)
	p.headers = append(p.headers, sarama.RecordHeader{Key: name, Value: p.values[start:len(p.values):len(p.values)]})
	p.pointers = append(p.pointers, &p.headers[len(p.headers)-1])
}
