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
	// delivery is the present try to send it.
	delivery *delivery
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

// message is made anew for every attempt: sarama keeps state in it.
func (o *outgoing) message() *sarama.ProducerMessage {
	m := &sarama.ProducerMessage{Topic: o.topic, Metadata: o}
	if o.record.Key != nil {
		m.Key = sarama.ByteEncoder(o.record.Key)
	}
	if o.record.Value != nil {
		m.Value = sarama.ByteEncoder(o.record.Value)
	}
	m.Headers = wireHeaders(o.record.Headers)
	return m
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

// wireHeaders are headers as the client library wants them, the usual ones first
// and the others by name, with all values in one piece of memory.
func wireHeaders(headers map[string]string) []sarama.RecordHeader {
	size := 0
	for _, v := range headers {
		size += len(v)
	}
	out, values := make([]sarama.RecordHeader, 0, len(headers)), make([]byte, 0, size)
	add := func(name []byte, value string) {
		start := len(values)
		values = append(values, value...)
		out = append(out, sarama.RecordHeader{Key: name, Value: values[start:len(values):len(values)]})
	}
	for i, name := range usualHeaders {
		if v, ok := headers[name]; ok {
			add(usualNames[i], v)
		}
	}
	if len(out) == len(headers) {
		return out
	}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if !slices.Contains(usualHeaders, name) {
			add([]byte(name), headers[name])
		}
	}
	return out
}
