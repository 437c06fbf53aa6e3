package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"golang.org/x/sync/semaphore"

	"github.com/trueup/trueup/pkg/event"
)

// Publisher writes events. Its methods return nil only when every event is
// acknowledged by all in-sync replicas; until then they try again for as long
// as their context lives. An event may be in its topic even if they return an
// error, and may be there twice.
//
// Events that wait take memory up to Config.BufferBytes; past that the methods
// block. They are safe for concurrent use; events of one call are sent in order
// unless some of them have to be sent again.
type Publisher struct {
	// Tracer, where there is one, is set before the first message.
	Tracer Tracer

	topics    Topics
	encoder   event.Encoder
	producers *producers
	buffer    *semaphore.Weighted
	capacity  int64
	log       zerolog.Logger
	observer  PublishObserver
	health    *health

	// alone is held for writing by a message that is sent with no other in its batch.
	alone   sync.RWMutex
	sending sync.WaitGroup
}

// reachability is the health key of the connection itself; deliveries have
// their own.
const reachability = "broker"

// NewPublisher returns a publisher. It connects when it is first used, or by Run.
func NewPublisher(c Config, log zerolog.Logger, observer PublishObserver) (*Publisher, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.WithDefaults()
	if c.SASL.showsSecret() && !c.TLS.Enabled {
		log.Warn().Msg("kafka.sasl: " + c.SASL.Mechanism + " without kafka.tls shows the password or token to whoever is on the network; set kafka.tls.enabled, or use SCRAM-SHA-512")
	}
	encoder := c.encoder()
	encoder.Instance = uuid.NewString()
	return &Publisher{
		topics:    c.Topics(),
		encoder:   encoder,
		producers: &producers{config: c},
		buffer:    semaphore.NewWeighted(int64(c.BufferBytes)),
		capacity:  int64(c.BufferBytes),
		log:       log,
		observer:  observer,
		health:    newHealth("Kafka was not reached yet", observer.PublisherHealthy),
	}, nil
}

// PublishFindings writes findings.
func (p *Publisher) PublishFindings(ctx context.Context, findings []event.Finding) error {
	return publish(ctx, p, p.topics.Findings, findings, p.encoder.Finding)
}

// PublishOutcomes writes outcomes. One that the topic has no room for is written
// without its images and, if that is not enough, without the columns it names, and
// with the beginning of its reason.
func (p *Publisher) PublishOutcomes(ctx context.Context, outcomes []event.Outcome) error {
	err := publish(ctx, p, p.topics.Outcomes, outcomes, p.encoder.Outcome)
	for _, shorten := range []func(event.Outcome) event.Outcome{withoutImages, shortened} {
		if !Rejected(err) {
			return err
		}
		outcomes = p.rejectedOutcomes(err, outcomes, shorten)
		err = publish(ctx, p, p.topics.Outcomes, outcomes, p.encoder.Outcome)
	}
	return err
}

// rejectedOutcomes are those of the outcomes that err is about, shortened.
func (p *Publisher) rejectedOutcomes(err error, outcomes []event.Outcome, shorten func(event.Outcome) event.Outcome) []event.Outcome {
	ids := map[string]bool{}
	collectRejected(err, ids)
	var short []event.Outcome
	for _, o := range outcomes {
		if ids[o.ID()] {
			short = append(short, shorten(o))
		}
	}
	return short
}

func withoutImages(o event.Outcome) event.Outcome {
	o.Writes = slices.Clone(o.Writes)
	for i := range o.Writes {
		if w := &o.Writes[i]; len(w.Columns) > 0 {
			w.Columns = nil
			if w.Action != event.Insert {
				w.Incomplete = "the values were left out: the topic of outcomes takes no message that large; raise its max.message.bytes"
			}
		}
	}
	return o
}

func shortened(o event.Outcome) event.Outcome {
	o.Columns = nil
	o.Reason = strings.ToValidUTF8(o.Reason[:min(len(o.Reason), maxReason)], "") + " (shortened: the topic of outcomes takes no message as large as this one was; raise its max.message.bytes)"
	return o
}

// PublishState writes where a pair stands.
func (p *Publisher) PublishState(ctx context.Context, state event.PairState) error {
	return publish(ctx, p, p.topics.State, []event.PairState{state}, p.encoder.PairState)
}

// PublishBreaker writes that the repairs of a pair are held back, or no longer.
func (p *Publisher) PublishBreaker(ctx context.Context, s event.BreakerState) error {
	return publish(ctx, p, p.topics.State, []event.BreakerState{s}, p.encoder.BreakerState)
}

// PublishVerdicts writes what runs of a pair concluded.
func (p *Publisher) PublishVerdicts(ctx context.Context, v event.Verdicts) error {
	return publish(ctx, p, p.topics.State, []event.Verdicts{v}, p.encoder.Verdicts)
}

// PublishCanary writes what became of a canary.
func (p *Publisher) PublishCanary(ctx context.Context, c event.CanaryReport) error {
	return publish(ctx, p, p.topics.State, []event.CanaryReport{c}, p.encoder.CanaryReport)
}

// PublishTask writes a task for the validators.
func (p *Publisher) PublishTask(ctx context.Context, t event.RangeTask) error {
	return publish(ctx, p, p.topics.Tasks, []event.RangeTask{t}, p.encoder.RangeTask)
}

// Instance is in the header event.HeaderInstance of every record of this
// publisher, and of no other's.
func (p *Publisher) Instance() string { return p.encoder.Instance }

// PublishDecision writes which side of a pair is the authority. It is there once
// and for all: see event.Decision.
func (p *Publisher) PublishDecision(ctx context.Context, d event.Decision) error {
	return publish(ctx, p, p.topics.State, []event.Decision{d}, p.encoder.Decision)
}

func publish[T any](ctx context.Context, p *Publisher, topic string, events []T, encode func(T) (event.Record, error)) error {
	var rejected []error
	for len(events) > 0 {
		b, n, err := fillBatch(topic, events, p.capacity, encode)
		if err != nil {
			return fmt.Errorf("publish to %s: %w", topic, err)
		}
		sent := p.trace(b.records)
		err = p.deliver(ctx, b)
		sent(err)
		if Rejected(err) {
			rejected = append(rejected, err)
		} else if err != nil {
			return fmt.Errorf("publish to %s: %w", topic, err)
		}
		events = events[n:]
	}
	return errors.Join(rejected...)
}

// Run keeps Healthy honest while nothing is published: it asks the brokers for
// the topics now and then, until ctx ends.
func (p *Publisher) Run(ctx context.Context) error {
	for {
		if err := p.Ping(ctx); err != nil && ctx.Err() == nil {
			p.log.Warn().Err(err).Msg("Kafka is not reached")
		}
		if err := pause(ctx, pingInterval); err != nil {
			return nil
		}
	}
}

// pingInterval is short beside the time a readiness probe takes to act on it.
const pingInterval = 10 * time.Second

// Ping asks a broker for the topics of findings and outcomes, and notes in
// Healthy whether it could.
func (p *Publisher) Ping(ctx context.Context) error {
	_, err := within(ctx, "reach Kafka", func() (struct{}, error) {
		producer, err := p.producers.acquire()
		if err != nil {
			return struct{}{}, err
		}
		err = producer.client.RefreshMetadata(p.topics.Findings, p.topics.Outcomes)
		p.producers.release(producer, err != nil)
		return struct{}{}, err
	})
	switch {
	case err == nil:
		p.health.heal(reachability)
	case ctx.Err() == nil:
		p.health.fail(reachability, err.Error())
	}
	return err
}

// Healthy says whether Kafka takes what is published; if not, why, and in both
// cases since when.
func (p *Publisher) Healthy() (ok bool, reason string, since time.Time) { return p.health.now() }

// Close waits for deliveries whose callers are gone, then for the connections.
// No other method may be running or be called any more. It gives up when ctx
// ends; what it waited for then ends by its own time-outs.
func (p *Publisher) Close(ctx context.Context) error {
	_, err := within(ctx, "close publisher", func() (struct{}, error) {
		p.sending.Wait()
		p.producers.close()
		return struct{}{}, nil
	})
	return err
}
