package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
	"github.com/cenkalti/backoff/v5"

	"github.com/trueup/trueup/pkg/event"
)

// Bounds of what is encoded and sent at once: enough to hide the round trip,
// little enough that several callers share the buffer.
const (
	batchMessages = 1000
	batchBytes    = 1 << 20
)

// batch is what is sent at once.
type batch struct {
	records []*outgoing
	size    int64
}

func fillBatch[T any](topic string, events []T, capacity int64, encode func(T) (event.Record, error)) (batch, int, error) {
	most := min(len(events), batchMessages)
	b, all := batch{records: make([]*outgoing, 0, most)}, make([]outgoing, most)
	for i, e := range events {
		record, err := encode(e)
		if err != nil {
			return b, 0, err
		}
		o := &all[i]
		*o = outgoing{topic: topic, name: record.Headers[event.HeaderID], record: record}
		b.records = append(b.records, o)
		b.size += o.size()
		if len(b.records) == batchMessages || b.size >= min(batchBytes, capacity) {
			return b, i + 1, nil
		}
	}
	return b, len(events), nil
}

// deliver sends a batch until all of it is acknowledged or ctx ends. The work
// goes on without the caller for as long as the client library keeps it; the
// batch's memory is given back only then.
func (p *Publisher) deliver(ctx context.Context, b batch) error {
	// A message may be greater than the buffer; it then takes all of it.
	weight := min(b.size, p.capacity)
	if err := p.buffer.Acquire(ctx, weight); err != nil {
		return fmt.Errorf("wait for buffered messages: %w", context.Cause(ctx))
	}
	done := make(chan error, 1)
	p.sending.Go(func() {
		defer p.buffer.Release(weight)
		done <- p.sendAll(ctx, b.records)
	})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done: // it came to an end at the same moment
		return err
	default:
		return fmt.Errorf("%d messages not acknowledged: %w", len(b.records), context.Cause(ctx))
	}
}

// sendAll repeats what is not acknowledged, less and less often.
func (p *Publisher) sendAll(ctx context.Context, records []*outgoing) error {
	wait := newBackOff() // also the health key of this delivery
	topic := records[0].topic
	var rejected []error
	for attempt := 1; ; attempt++ {
		sent := p.send(records)
		rejected = append(rejected, sent.rejected...)
		if n := len(records) - len(sent.again) - len(sent.rejected); n > 0 {
			p.observer.Published(topic, n)
			p.health.heal(reachability)
		}
		if len(sent.again) == 0 {
			p.health.heal(wait)
			return errors.Join(rejected...)
		}
		cause := explain(sent.cause)
		delay := wait.NextBackOff()
		p.observer.PublishRetried(topic, len(sent.again))
		p.health.fail(wait, topic+": "+cause.Error())
		p.log.Warn().Err(cause).Str("topic", topic).Int("messages", len(sent.again)).
			Int("attempt", attempt).Dur("wait", delay).Msg("not acknowledged, will send again")
		if err := pause(ctx, delay); err != nil {
			// Nobody waits for these messages any more, but what was wrong is wrong
			// until something succeeds.
			p.health.fail(reachability, cause.Error())
			p.health.heal(wait)
			return fmt.Errorf("%d messages not acknowledged: %w; the last attempt: %w", len(sent.again), err, cause)
		}
		records = sent.again
	}
}

// attempt is what became of one try to send a batch. Records in neither list
// are acknowledged.
type attempt struct {
	again []*outgoing
	// cause is the first error of those in again.
	cause    error
	rejected []error
}

func (a *attempt) retry(err error, records ...*outgoing) {
	a.again = append(a.again, records...)
	if a.cause == nil {
		a.cause = err
	}
}

func (a *attempt) reject(err error, o *outgoing) {
	a.rejected = append(a.rejected, &RejectedError{Topic: o.topic, ID: o.name, Err: err})
}

// send tries once. A broker refuses a whole batch for one bad message, and a batch
// may have messages of several callers: the refused are sent again, each alone, and
// only then is a message itself to blame.
func (p *Publisher) send(records []*outgoing) attempt {
	var a attempt
	var suspects []*outgoing
	err := p.produce(p.alone.RLocker(), records, func(o *outgoing, err error) {
		switch {
		case refusedHere(err):
			a.reject(err, o)
		case refusedByBroker(err):
			suspects = append(suspects, o)
		default:
			a.retry(err, o)
		}
	})
	if err != nil {
		a.retry(err, records...)
		return a
	}
	for _, suspect := range suspects {
		err := p.produce(&p.alone, []*outgoing{suspect}, func(o *outgoing, err error) {
			if refusedByBroker(err) {
				a.reject(err, o)
			} else {
				a.retry(err, o)
			}
		})
		if err != nil {
			a.retry(err, suspect)
		}
	}
	return a
}

type locker interface {
	Lock()
	Unlock()
}

// produce sends records under a lock and calls failed for each that is not
// acknowledged. Its error says that nothing was sent.
func (p *Publisher) produce(lock locker, records []*outgoing, failed func(*outgoing, error)) error {
	producer, err := p.producers.acquire()
	if err != nil {
		return err
	}
	lock.Lock()
	failures := producer.send(records)
	lock.Unlock()
	broken := false
	for _, f := range failures {
		broken = broken || !refusedHere(f.err) && !refusedByBroker(f.err)
		failed(f.record, f.err)
	}
	p.producers.release(producer, broken)
	return nil
}

// refusedHere says that the message never left: it is too large for the client,
// or cannot be encoded.
func refusedHere(err error) bool {
	var config sarama.ConfigurationError
	var encoding sarama.PacketEncodingError
	return errors.As(err, &config) || errors.As(err, &encoding)
}

// refusedByBroker says that the broker will refuse the same batch every time.
func refusedByBroker(err error) bool {
	return errors.Is(err, sarama.ErrMessageSizeTooLarge) ||
		errors.Is(err, sarama.ErrInvalidTimestamp) || errors.Is(err, sarama.ErrInvalidRecord)
}

// RejectedError is about a message that Kafka will never take; trying again is
// of no use. All other messages of the call are acknowledged.
type RejectedError struct {
	Topic string
	// ID is the message's ce_id.
	ID  string
	Err error
}

// Error names the message.
func (e *RejectedError) Error() string {
	return fmt.Sprintf("topic %s takes no message %s (raise its max.message.bytes if it is too large): %v", e.Topic, e.ID, e.Err)
}

// Unwrap returns the broker's error.
func (e *RejectedError) Unwrap() error { return e.Err }

// Rejected says whether err is about messages that Kafka will never take.
func Rejected(err error) bool {
	var rejected *RejectedError
	return errors.As(err, &rejected)
}

// newBackOff waits from 200 ms up to 7 s between attempts, each ± 50 %, so that
// a broker that comes back is not met by everybody at once.
func newBackOff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = 200 * time.Millisecond
	b.Multiplier = 2
	b.MaxInterval = 7 * time.Second
	b.Reset()
	return b
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
