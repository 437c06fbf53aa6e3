package main

import (
	"context"
	"errors"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/kafka"
)

// handler turns the messages of a partition into findings for package fix, and
// what became of them into messages; it is the Handler of package kafka.
type handler struct {
	pairs     map[string]fix.Fixer
	publisher publisher
	breakers  *breakers
	observer  observer
	// stripes is how many transactions at once a partition's batch is spread over.
	stripes func() int
	// delay and patience are those of later.
	delay, patience time.Duration
}

// publisher is what the handler needs of kafka.Publisher.
type publisher interface {
	PublishOutcomes(ctx context.Context, outcomes []event.Outcome) error
	PublishDead(ctx context.Context, dead []kafka.Dead) error
	PublishRetry(ctx context.Context, retries []kafka.Retry) error
	PublishBreaker(ctx context.Context, state event.BreakerState) error
}

// classUndecodable is the class of messages that cannot be understood; no
// outcome tells of them, since nobody knows what they are about.
const classUndecodable = "undecodable"

// Handle implements kafka.Handler: nil says that whatever became of each
// message is durable.
func (h *handler) Handle(ctx context.Context, batch []kafka.Message) error {
	err := h.handle(ctx, batch)
	if ctx.Err() == nil {
		h.observer.handled(err)
		return err
	}
	for _, m := range batch {
		if h.pairs[m.Finding.Pair] != nil {
			h.observer.letGo(m.Finding.Pair)
		}
	}
	return err
}

func (h *handler) handle(ctx context.Context, batch []kafka.Message) error {
	origins := &origins{batch: batch}
	findings := make([]event.Finding, 0, len(batch))
	var unreadable []kafka.Dead
	for i := range batch {
		m := &batch[i]
		if m.DecodeErr != nil {
			unreadable = append(unreadable, kafka.Dead{Message: *m, Class: classUndecodable, Reason: m.DecodeErr.Error(), Attempts: 1})
			continue
		}
		findings = append(findings, m.Finding)
	}
	if len(unreadable) > 0 {
		if err := h.publisher.PublishDead(ctx, unreadable); err != nil {
			return err
		}
		h.observer.undecodable(unreadable)
	}
	if len(findings) == 0 {
		return nil
	}
	dispatcher := fix.Dispatcher{
		Pairs: h.pairs, Stripes: h.stripes(), Outcomes: outcomes{h.publisher, h.breakers}, Dead: letterbox{h.publisher, origins}, Observer: h.observer,
		Retries: later{publisher: h.publisher, origins: origins, delay: h.delay, patience: h.patience},
	}
	for {
		if err := h.breakers.current(ctx, findings); err != nil {
			return err
		}
		if err := dispatcher.Dispatch(ctx, findings); !errors.Is(err, errReleased) || ctx.Err() != nil {
			return err
		}
	}
}

// letterbox publishes dead findings as the messages they came in; it is the
// DeadLetters of package fix.
type letterbox struct {
	publisher publisher
	origins   *origins
}

// origin tells findings of a batch apart; the key is part of it, since a
// careless sender may use an ID twice.
type origin struct{ pair, run, id, key string }

func originOf(f event.Finding) origin {
	return origin{pair: f.Pair, run: f.Run, id: f.ID, key: f.Key.Values().ID()}
}

// origins finds the messages of a batch by their findings. Few batches ask.
type origins struct {
	batch []kafka.Message
	found map[origin]kafka.Message
}

func (o *origins) of(f event.Finding) kafka.Message {
	if o.found == nil {
		o.found = make(map[origin]kafka.Message, len(o.batch))
		for _, m := range o.batch {
			if m.DecodeErr == nil {
				o.found[originOf(m.Finding)] = m
			}
		}
	}
	return o.found[originOf(f)]
}

func (l letterbox) Bury(ctx context.Context, letters []fix.DeadLetter) error {
	dead := make([]kafka.Dead, len(letters))
	for i, letter := range letters {
		dead[i] = kafka.Dead{
			Message: l.origins.of(letter.Finding),
			Class:   letter.Outcome.Class, Reason: letter.Outcome.Reason, Attempts: letter.Outcome.Attempts, TraceParent: letter.Outcome.TraceParent,
		}
	}
	return l.publisher.PublishDead(ctx, dead)
}
