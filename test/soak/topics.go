package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/IBM/sarama"

	"github.com/trueup/trueup/pkg/event"
)

// topics are those of one direction, read past the proxy.
type topics struct {
	broker, prefix string
}

// each hands over every record of a topic that was there when it was asked.
func (t topics) each(ctx context.Context, suffix string, take func(*sarama.ConsumerMessage)) (err error) {
	topic := t.prefix + "." + suffix
	client, err := sarama.NewClient([]string{t.broker}, sarama.NewConfig())
	if err != nil {
		return fmt.Errorf("read topic %s: %w", topic, err)
	}
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return errors.Join(err, client.Close())
	}
	defer func() { err = errors.Join(err, consumer.Close(), client.Close()) }()
	partitions, err := client.Partitions(topic)
	if err != nil {
		return fmt.Errorf("read topic %s: %w", topic, err)
	}
	for _, p := range partitions {
		if err := t.partition(ctx, client, consumer, topic, p, take); err != nil {
			return fmt.Errorf("read topic %s: %w", topic, err)
		}
	}
	return nil
}

func (t topics) partition(ctx context.Context, client sarama.Client, consumer sarama.Consumer, topic string, p int32, take func(*sarama.ConsumerMessage)) error {
	end, err := client.GetOffset(topic, p, sarama.OffsetNewest)
	if err != nil || end == 0 {
		return err
	}
	reader, err := consumer.ConsumePartition(topic, p, sarama.OffsetOldest)
	if err != nil {
		return err
	}
	defer reader.AsyncClose()
	for {
		select {
		case m := <-reader.Messages():
			take(m)
			if m.Offset >= end-1 {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// count is how many records a topic has.
func (t topics) count(ctx context.Context, suffix string) (n int, err error) {
	err = t.each(ctx, suffix, func(*sarama.ConsumerMessage) { n++ })
	return n, err
}

// unanswered are the findings that have no outcome: the promise is that none is lost.
func (t topics) unanswered(ctx context.Context) (map[string]bool, error) {
	open := map[string]bool{}
	if err := t.each(ctx, "findings", func(m *sarama.ConsumerMessage) { open[header(m, event.HeaderID)] = true }); err != nil {
		return nil, err
	}
	err := t.each(ctx, "outcomes", func(m *sarama.ConsumerMessage) {
		id := header(m, event.HeaderID) // the finding's, a slash, and the time
		delete(open, id[:max(0, strings.LastIndexByte(id, '/'))])
	})
	return open, err
}

// results counts the outcomes by result, and repairs by what was written.
func (t topics) results(ctx context.Context) (map[string]int, error) {
	out := map[string]int{}
	var wrong error
	err := t.each(ctx, "outcomes", func(m *sarama.ConsumerMessage) {
		record := event.Record{Key: m.Key, Value: m.Value, Headers: map[string]string{event.HeaderContentType: header(m, event.HeaderContentType)}}
		o, err := event.DecodeOutcome(record)
		if err != nil {
			wrong = err
			return
		}
		name := o.Result.String()
		if o.Action != event.NoAction {
			name += " by " + o.Action.String()
		}
		if o.Class != "" {
			name += ", " + o.Class
		}
		out[name]++
	})
	return out, errors.Join(err, wrong)
}

func header(m *sarama.ConsumerMessage, name string) string {
	for _, h := range m.Headers {
		if string(h.Key) == name {
			return string(h.Value)
		}
	}
	return ""
}
