package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

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
	return &Publisher{
		topics:    c.Topics(),
		encoder:   c.encoder(),
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

// PublishOutcomes writes outcomes.
func (p *Publisher) PublishOutcomes(ctx context.Context, outcomes []event.Outcome) error {
	return publish(ctx, p, p.topics.Outcomes, outcomes, p.encoder.Outcome)
}

// PublishState writes where a pair stands.
func (p *Publisher) PublishState(ctx context.Context, state event.PairState) error {
	return publish(ctx, p, p.topics.State, []event.PairState{state}, p.encoder.PairState)
}

func publish[T any](ctx context.Context, p *Publisher, topic string, events []T, encode func(T) (event.Record, error)) error {
	var rejected []error
	for len(events) > 0 {
		b, n, err := fillBatch(topic, events, p.capacity, encode)
		if err != nil {
			return fmt.Errorf("publish to %s: %w", topic, err)
		}
		if err := p.deliver(ctx, b); Rejected(err) {
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
