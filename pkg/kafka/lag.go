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
		begins, err := offsetsOf(admin, topic, partitions, sarama.OffsetOldest)
		if err != nil {
			return nil, err
		}
		// Ends are asked for last: what is committed or expires meanwhile lowers the lag
		// that is shown next, and never the end below what was committed.
		ends, err := offsetsOf(admin, topic, partitions, sarama.OffsetNewest)
		if err != nil {
			return nil, err
		}
		lag := map[int32]int64{}
		for _, p := range partitions {
			next, err := nextOffset(committed, topic, p)
			if err != nil {
				return nil, fmt.Errorf("partition %d: %w", p, err)
			}
			lag[p] = left(next, begins[p], ends[p])
		}
		return lag, nil
	})
}

// left is the number of messages from the next one to be read, -1 for none
// committed, to the end, of those that the topic still has.
func left(next, begin, end int64) int64 { return max(end-max(next, begin), 0) }

// offsetsOf are the oldest or newest offsets of a topic's partitions, with one
// question to each broker that leads some.
func offsetsOf(admin sarama.ClusterAdmin, topic string, partitions []int32, which int64) (map[int32]int64, error) {
	asked := map[int32]int64{}
	for _, p := range partitions {
		asked[p] = which
	}
	answers, err := admin.ListOffsets(map[string]map[int32]int64{topic: asked}, nil)
	if err != nil {
		return nil, err
	}
	offsets := map[int32]int64{}
	for _, p := range partitions {
		answer := answers[topic][p]
		switch {
		case answer == nil:
			return nil, fmt.Errorf("partition %d: the broker gave no offset", p)
		case answer.Err != nil && !errors.Is(answer.Err, sarama.ErrNoError):
			return nil, fmt.Errorf("partition %d: %w", p, answer.Err)
		}
		offsets[p] = answer.Offset
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
