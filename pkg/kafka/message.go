package kafka

import (
	"maps"
	"slices"
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

// record copies the headers. One that comes twice counts with its last value.
func record(m *sarama.ConsumerMessage) event.Record {
	headers := make(map[string]string, len(m.Headers))
	for _, h := range m.Headers {
		headers[string(h.Key)] = string(h.Value)
	}
	return event.Record{Key: m.Key, Value: m.Value, Headers: headers}
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

// message is made anew for every attempt: sarama keeps state in it.
func (o *outgoing) message() *sarama.ProducerMessage {
	m := &sarama.ProducerMessage{Topic: o.topic, Metadata: o}
	if o.record.Key != nil {
		m.Key = sarama.ByteEncoder(o.record.Key)
	}
	if o.record.Value != nil {
		m.Value = sarama.ByteEncoder(o.record.Value)
	}
	for _, k := range slices.Sorted(maps.Keys(o.record.Headers)) {
		m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(k), Value: []byte(o.record.Headers[k])})
	}
	return m
}
