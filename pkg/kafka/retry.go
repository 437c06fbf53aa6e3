package kafka

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/trueup/trueup/pkg/event"
)

// Headers that a message in the retry topic has beside those it came with, and
// beside its class, reason, attempts and origin, which are a dead message's.
const (
	// HeaderNotBefore is when to try again, HeaderWaitingSince when the message
	// was put off for the first time; both in RFC 3339.
	HeaderNotBefore    = "trueup-not-before"
	HeaderWaitingSince = "trueup-waiting-since"
)

// Retry is a message that had better be acted on later.
type Retry struct {
	Dead
	NotBefore time.Time
}

// PublishRetry writes messages to the retry topic, under the same terms as
// PublishFindings.
func (p *Publisher) PublishRetry(ctx context.Context, retries []Retry) error {
	return publish(ctx, p, p.topics.Retry, retries, func(r Retry) (event.Record, error) { return r.record(), nil })
}

func (r Retry) record() event.Record {
	out := r.Dead.record()
	out.Headers = maps.Clone(out.Headers)
	out.Headers[HeaderNotBefore] = r.NotBefore.UTC().Format(time.RFC3339Nano)
	out.Headers[HeaderWaitingSince] = r.Message.WaitingSince(time.Now()).UTC().Format(time.RFC3339Nano)
	return out
}

// NotBefore is when the message is to be acted on; the zero time is at once. A
// header that cannot be read says nothing.
func (m Message) NotBefore() time.Time {
	at, _ := time.Parse(time.RFC3339Nano, m.Record.Headers[HeaderNotBefore])
	return at
}

// WaitingSince is when the message was put off for the first time, now if never.
func (m Message) WaitingSince(now time.Time) time.Time {
	if at, err := time.Parse(time.RFC3339Nano, m.Record.Headers[HeaderWaitingSince]); err == nil {
		return at
	}
	return now
}

// Attempts is how often the message was tried before it was put off.
func (m Message) Attempts() int {
	n, _ := strconv.Atoi(m.Record.Headers[HeaderAttempts]) // 0 when it never was
	return n
}

// origin is where the message stood first.
func (m Message) origin() string {
	h := m.Record.Headers
	if h[HeaderOriginTopic] != "" {
		return h[HeaderOriginTopic] + "/" + h[HeaderOriginPartition] + "/" + h[HeaderOriginOffset]
	}
	return fmt.Sprintf("%s/%d/%d", m.Topic, m.Partition, m.Offset)
}
