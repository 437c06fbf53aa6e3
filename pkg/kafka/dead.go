package kafka

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/event"
)

// Headers that a dead message has beside those it came with.
const (
	HeaderErrorClass      = "trueup-error-class"
	HeaderErrorReason     = "trueup-error-reason"
	HeaderAttempts        = "trueup-attempts"
	HeaderOriginTopic     = "trueup-origin-topic"
	HeaderOriginPartition = "trueup-origin-partition"
	HeaderOriginOffset    = "trueup-origin-offset"
	// HeaderValueBytes is the size of a value that was left out because the dead
	// topic takes no message that large. The origin headers say where it is.
	HeaderValueBytes = "trueup-value-bytes"
)

// Dead is a message that cannot be acted on without a person.
type Dead struct {
	// Message is kept as it came, also if it could not be decoded.
	Message Message
	// Class is a stable word, Reason a sentence.
	Class    string
	Reason   string
	Attempts int
	// TraceParent is the trace context it carries from here on; empty for the one it
	// came with.
	TraceParent string
}

// PublishDead writes messages to the dead topic, under the same terms as
// PublishFindings. A message without a key gets that of its finding, or a key
// made of its origin.
func (p *Publisher) PublishDead(ctx context.Context, dead []Dead) error {
	err := publish(ctx, p, p.topics.Dead, dead, func(d Dead) (event.Record, error) { return d.record(), nil })
	if !Rejected(err) {
		return err
	}
	// The headers made a message larger that was large already. Better to keep
	// the word that it is dead than to hold up its partition for ever.
	return publish(ctx, p, p.topics.Dead, rejectedOf(err, dead), func(d Dead) (event.Record, error) {
		r := d.record()
		r.Headers[HeaderValueBytes] = strconv.Itoa(len(r.Value))
		r.Value = nil
		return r, nil
	})
}

func rejectedOf(err error, dead []Dead) []Dead {
	ids := map[string]bool{}
	collectRejected(err, ids)
	var out []Dead
	for _, d := range dead {
		if ids[d.record().Headers[event.HeaderID]] {
			out = append(out, d)
		}
	}
	return out
}

func collectRejected(err error, ids map[string]bool) {
	var rejected *RejectedError
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			collectRejected(e, ids)
		}
	} else if errors.As(err, &rejected) {
		ids[rejected.ID] = true
	}
}

// maxReason bounds the header in bytes: a database may quote a whole row.
const maxReason = 1024

func (d Dead) record() event.Record {
	r := d.Message.Record
	headers := maps.Clone(r.Headers)
	if headers == nil {
		headers = map[string]string{}
	}
	origin := d.Message.origin()
	if headers[event.HeaderID] == "" {
		headers[event.HeaderID] = origin
	}
	if r.Key == nil {
		r.Key = []byte(origin)
		if d.Message.DecodeErr == nil {
			r.Key = event.RowKey(d.Message.Finding.Pair, d.Message.Finding.Key.Values())
		}
	}
	headers[HeaderErrorClass] = d.Class
	headers[HeaderErrorReason] = strings.ToValidUTF8(d.Reason[:min(len(d.Reason), maxReason)], "")
	headers[HeaderAttempts] = strconv.Itoa(d.Attempts)
	if d.TraceParent != "" {
		headers[event.HeaderTraceParent] = d.TraceParent
	}
	if headers[HeaderOriginTopic] == "" { // or it was put off in between
		headers[HeaderOriginTopic] = d.Message.Topic
		headers[HeaderOriginPartition] = strconv.FormatInt(int64(d.Message.Partition), 10)
		headers[HeaderOriginOffset] = strconv.FormatInt(d.Message.Offset, 10)
	}
	delete(headers, HeaderNotBefore)
	r.Headers = headers
	return r
}
