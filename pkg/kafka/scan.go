package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/trueup/trueup/pkg/event"
)

// Scanner reads what stands in topics, without a group and without a trace.
type Scanner struct {
	client   sarama.Client
	consumer sarama.Consumer
}

// NewScanner connects a Scanner, which is to be closed.
func NewScanner(ctx context.Context, c Config) (*Scanner, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return within(ctx, "connect to read topics", func() (*Scanner, error) {
		settings, err := c.WithDefaults().client()
		if err != nil {
			return nil, err
		}
		settings.Consumer.Return.Errors = true
		settings.Consumer.MaxWaitTime = noWait
		client, err := sarama.NewClient(c.Brokers, settings)
		if err != nil {
			return nil, err
		}
		consumer, err := sarama.NewConsumerFromClient(client)
		if err != nil {
			return nil, errors.Join(err, client.Close())
		}
		return &Scanner{client, consumer}, nil
	})
}

// Close closes the connections.
func (s *Scanner) Close() error { return errors.Join(s.consumer.Close(), s.client.Close()) }

// Partitions are the partitions of a topic.
func (s *Scanner) Partitions(topic string) ([]int32, error) {
	partitions, err := s.client.Partitions(topic)
	if err != nil {
		return nil, fmt.Errorf("list partitions of %s: %w", topic, explain(err))
	}
	return partitions, nil
}

// PartitionOf is where the topic's messages with the key stand, as long as the
// number of its partitions was never changed.
func (s *Scanner) PartitionOf(topic string, key []byte) (int32, error) {
	partitions, err := s.Partitions(topic)
	if err != nil {
		return 0, err
	}
	message := &sarama.ProducerMessage{Topic: topic, Key: sarama.ByteEncoder(key)}
	return sarama.NewMurmur2Partitioner(topic).Partition(message, int32(len(partitions)))
}

// Span is the offsets of a partition's messages, from the first that was
// produced at or after since up to, and without, the next one to come.
func (s *Scanner) Span(ctx context.Context, topic string, partition int32, since time.Time) (from, to int64, err error) {
	type span struct{ from, to int64 }
	found, err := within(ctx, fmt.Sprintf("find the messages of %s/%d", topic, partition), func() (span, error) {
		first := sarama.OffsetOldest
		if !since.IsZero() {
			first = since.UnixMilli()
		}
		// The end first: what is produced in between is not asked for.
		to, err := s.client.GetOffset(topic, partition, sarama.OffsetNewest)
		if err != nil {
			return span{}, err
		}
		from, err := s.client.GetOffset(topic, partition, first)
		if from < 0 || from > to { // none is as young, or the first that is came just now
			from = to
		}
		return span{from, to}, err
	})
	return found.from, found.to, err
}

// End is the offset of the next message to come to a partition.
func (s *Scanner) End(ctx context.Context, topic string, partition int32) (int64, error) {
	return within(ctx, fmt.Sprintf("find the end of %s/%d", topic, partition), func() (int64, error) {
		return s.client.GetOffset(topic, partition, sarama.OffsetNewest)
	})
}

// Read calls apply with each message of a partition from one offset up to, and
// without, another, in their order.
func (s *Scanner) Read(ctx context.Context, topic string, partition int32, from, to int64, apply func(event.Record) error) error {
	return s.messages(ctx, topic, partition, from, to, func(m *sarama.ConsumerMessage) error { return apply(record(m)) })
}

// messages is Read with all that the client library knows of a message.
func (s *Scanner) messages(ctx context.Context, topic string, partition int32, from, to int64, apply func(*sarama.ConsumerMessage) error) error {
	if from >= to {
		return nil
	}
	if err := s.read(ctx, topic, partition, from, to, apply); err != nil {
		return fmt.Errorf("read %s/%d: %w", topic, partition, explain(err))
	}
	return nil
}

func (s *Scanner) read(ctx context.Context, topic string, partition int32, from, to int64, apply func(*sarama.ConsumerMessage) error) error {
	reader, err := s.consumer.ConsumePartition(topic, partition, from)
	if err != nil {
		return err
	}
	defer reader.Close()
	stalled := time.NewTimer(readStall)
	defer stalled.Stop()
	for next := from; next < to; {
		select {
		case m, ok := <-reader.Messages():
			if !ok {
				return fmt.Errorf("reading ended at offset %d of %d", next, to)
			}
			if m.Offset >= to {
				return nil
			}
			if err := apply(m); err != nil {
				return fmt.Errorf("offset %d: %w", m.Offset, err)
			}
			next = m.Offset + 1
			stalled.Reset(readStall)
		case err := <-reader.Errors():
			return err
		case <-stalled.C:
			return fmt.Errorf("no message for %s at offset %d of %d", readStall, next, to)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
