package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/trueup/trueup/pkg/event"
)

// ReadState reads the state topic from its beginning to its present end and
// returns the state of every pair, and what was decided about authorities. A record of an older generation than one
// before it is ignored: its writer was replaced. A record that cannot be read
// is an error, since it may be the one that fences a pair.
func (a *Admin) ReadState(ctx context.Context) (map[string]event.PairState, *event.Decisions, error) {
	topic := a.config.Topics().State
	action := "read states from " + topic
	known, decisions := states{}, &event.Decisions{}
	_, err := connected(ctx, a.config, action, func(client sarama.Client, _ sarama.ClusterAdmin) (struct{}, error) {
		return struct{}{}, readAll(ctx, client, topic, func(r event.Record) error {
			_, err := decisions.Apply(r)
			return errors.Join(known.apply(r), err)
		})
	})
	if err != nil {
		// Reading may go on for a moment without us.
		return nil, nil, err
	}
	return known, decisions, nil
}

// states is what the records so far say.
type states map[string]event.PairState

func (s states) apply(r event.Record) error {
	if kind, _ := event.StateKind(r.Key); kind != event.StatePosition {
		return nil
	}
	if r.Value == nil {
		delete(s, string(r.Key))
		return nil
	}
	state, err := event.DecodePairState(r)
	if err != nil {
		return err
	}
	if known, ok := s[state.Pair]; ok && state.Generation < known.Generation {
		return nil
	}
	s[state.Pair] = state
	return nil
}

// readAll calls apply with every record that stands in the topic now, in the
// order of each partition.
func readAll(ctx context.Context, client sarama.Client, topic string, apply func(event.Record) error) error {
	partitions, err := client.Partitions(topic)
	if err != nil {
		return err
	}
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return err
	}
	defer consumer.Close()
	for _, p := range partitions {
		if err := readPartition(ctx, client, consumer, topic, p, apply); err != nil {
			return fmt.Errorf("partition %d: %w", p, err)
		}
	}
	return nil
}

// readStall is how long reading may stand still before it is given up. A part of
// a topic must never be taken for the whole.
const readStall = 30 * time.Second

func readPartition(ctx context.Context, client sarama.Client, consumer sarama.Consumer, topic string, partition int32, apply func(event.Record) error) error {
	begin, errBegin := client.GetOffset(topic, partition, sarama.OffsetOldest)
	end, errEnd := client.GetOffset(topic, partition, sarama.OffsetNewest)
	if err := errors.Join(errBegin, errEnd); err != nil {
		return err
	}
	if begin >= end {
		return nil
	}
	reader, err := consumer.ConsumePartition(topic, partition, begin)
	if err != nil {
		return err
	}
	defer reader.Close()
	for next := begin; next < end; {
		stalled := time.NewTimer(readStall)
		select {
		case m, ok := <-reader.Messages():
			if !ok {
				return fmt.Errorf("reading ended at offset %d of %d", next, end)
			}
			if err := apply(record(m)); err != nil {
				return fmt.Errorf("offset %d: %w", m.Offset, err)
			}
			next = m.Offset + 1
		case <-stalled.C:
			return fmt.Errorf("no message for %s at offset %d of %d", readStall, next, end)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		stalled.Stop()
	}
	return nil
}
