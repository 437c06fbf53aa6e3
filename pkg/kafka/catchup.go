package kafka

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/IBM/sarama"
)

// catchUp reads what stands in the topics up to the given ends in the order of
// its time, over all partitions: what is told of a finding in one topic is read soon
// after the finding in another, as when it happened.
func (f *Follower) catchUp(ctx context.Context, ends map[Place]int64) error {
	client, err := f.connect(ctx, inTurns)
	if err != nil {
		return err
	}
	defer client.Close()
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return err
	}
	defer consumer.Close()
	var heads []*head
	defer func() {
		for _, h := range heads {
			h.reader.Close()
		}
	}()
	for place, end := range ends {
		if f.readTo(place) >= end {
			continue
		}
		reader, err := f.open(consumer, place)
		if err != nil {
			return err
		}
		h := &head{reader: reader, place: place, end: end}
		heads = append(heads, h)
	}
	for i := len(heads) - 1; i >= 0; i-- {
		if err := heads[i].advance(ctx); err != nil {
			return err
		}
	}
	for len(heads) > 0 {
		first := 0
		for i := range heads {
			if heads[i].message.Timestamp.Before(heads[first].message.Timestamp) {
				first = i
			}
		}
		h := heads[first]
		if err := f.take(h.message); err != nil {
			return err
		}
		if h.message.Offset+1 >= h.end {
			h.reader.Close()
			heads = slices.Delete(heads, first, first+1)
			continue
		}
		if err := h.advance(ctx); err != nil {
			return err
		}
	}
	return nil
}

// inTurns has the client library bear with partitions of which nothing is taken
// for a while: it would wait for them before it fetches of others, and a fetch
// of those that are read to their end would wait for more.
func inTurns(c *sarama.Config) {
	c.Consumer.MaxProcessingTime = 5 * time.Millisecond
	c.Consumer.MaxWaitTime = noWait
	c.Consumer.Fetch.Default = 4 * partitionBytes
}

func (f *Follower) readTo(place Place) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.next[place]
}

// head is the next message of a partition.
type head struct {
	reader  sarama.PartitionConsumer
	place   Place
	end     int64
	message *sarama.ConsumerMessage
}

func (h *head) advance(ctx context.Context) error {
	stalled := time.NewTimer(readStall)
	defer stalled.Stop()
	select {
	case m, ok := <-h.reader.Messages():
		if !ok {
			return fmt.Errorf("%s: reading ended", h.place)
		}
		h.message = m
		return nil
	case err := <-h.reader.Errors():
		return fmt.Errorf("%s: %w", h.place, err)
	case <-stalled.C:
		return fmt.Errorf("%s: no message for %v before offset %d", h.place, readStall, h.end)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
