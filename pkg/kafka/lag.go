package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/IBM/sarama"
)

// GroupLag returns, for every partition of the topic, how many of its messages the
// group has not committed, whether the group has members or not. A partition the
// group never committed counts from its oldest message, where a member would begin;
// so does one whose committed offset is older than that, since retention has taken
// what stood between. Kafka's own kafka-consumer-groups shows no lag in the first
// case, and in the second counts what is gone.
func (a *Admin) GroupLag(ctx context.Context, group, topic string) (map[int32]int64, error) {
	action := "measure lag of group " + group + " on " + topic
	return connected(ctx, a.config, action, func(client sarama.Client, admin sarama.ClusterAdmin) (map[int32]int64, error) {
		partitions, err := client.Partitions(topic)
		if err != nil {
			return nil, err
		}
		committed, err := admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: partitions})
		if errors.Is(err, sarama.ErrGroupIDNotFound) {
			committed, err = nil, nil // nobody has joined the group yet
		}
		if err != nil {
			return nil, err
		}
		begins, err := offsetsOf(client, sarama.OffsetOldest, topic)
		if err != nil {
			return nil, err
		}
		// Ends are asked for last: what is committed or expires meanwhile lowers the lag
		// that is shown next, and never the end below what was committed.
		ends, err := offsetsOf(client, sarama.OffsetNewest, topic)
		if err != nil {
			return nil, err
		}
		lag := map[int32]int64{}
		for _, p := range partitions {
			next, err := nextOffset(committed, topic, p)
			if err != nil {
				return nil, fmt.Errorf("partition %d: %w", p, err)
			}
			lag[p] = left(next, begins[Place{topic, p}], ends[Place{topic, p}])
		}
		return lag, nil
	})
}

// left is the number of messages from the next one to be read, -1 for none
// committed, to the end, of those that the topic still has.
func left(next, begin, end int64) int64 { return max(end-max(next, begin), 0) }

// offsetsOf are offsets of all partitions of topics: those of the oldest records, those that
// the next ones will have, or those of the first ones since a moment. It takes one question
// to each broker that leads some.
func offsetsOf(client sarama.Client, which int64, topics ...string) (map[Place]int64, error) {
	questions, asked := map[*sarama.Broker]*sarama.OffsetRequest{}, map[*sarama.Broker][]Place{}
	for _, topic := range topics {
		partitions, err := client.Partitions(topic)
		if err != nil {
			return nil, err
		}
		for _, p := range partitions {
			leader, err := client.Leader(topic, p)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", Place{topic, p}, err)
			}
			if questions[leader] == nil {
				questions[leader] = sarama.NewOffsetRequest(client.Config().Version)
			}
			questions[leader].AddBlock(topic, p, which, 1)
			asked[leader] = append(asked[leader], Place{topic, p})
		}
	}
	offsets := map[Place]int64{}
	for leader, question := range questions {
		answer, err := leader.GetAvailableOffsets(question)
		if err != nil {
			_ = leader.Close() // the client library opens it anew
			return nil, err
		}
		for _, place := range asked[leader] {
			block := answer.GetBlock(place.Topic, place.Partition)
			switch {
			case block == nil:
				return nil, fmt.Errorf("%s: the broker gave no offset", place)
			case !errors.Is(block.Err, sarama.ErrNoError):
				return nil, fmt.Errorf("%s: %w", place, block.Err)
			}
			offsets[place] = block.Offset
		}
	}
	return offsets, nil
}

// nextOffset is the offset a group committed, -1 for none. The answer is nil
// for a group that does not exist.
func nextOffset(answer *sarama.OffsetFetchResponse, topic string, partition int32) (int64, error) {
	if answer == nil {
		return -1, nil
	}
	block := answer.GetBlock(topic, partition)
	if block == nil {
		return 0, errors.New("the broker gave no offset")
	}
	if !errors.Is(block.Err, sarama.ErrNoError) {
		return 0, block.Err
	}
	return block.Offset, nil
}
