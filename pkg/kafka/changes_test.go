package kafka_test

import (
	"context"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/kafka/kafkatest"
)

// nextChange is the first message that a new member of the group is given; done says
// whether it is dealt with.
func nextChange(t *testing.T, c kafka.Config, topic string, done bool) (m kafka.Message, partitions int) {
	t.Helper()
	changes, err := kafka.NewChanges(c, kafka.ChangesConfig{Group: c.Prefix + ".changes", Topics: []string{topic}}, zerolog.New(zerolog.NewTestWriter(t)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = changes.Run(ctx) // it returns nil when ctx ends, and ends no sooner
	}()
	defer func() {
		cancel()
		<-over
	}()
	select {
	case m = <-changes.Messages():
	case <-time.After(time.Minute):
		t.Fatal("no message in a minute")
	}
	if done {
		changes.Done(map[kafka.Place]int64{{Topic: topic, Partition: m.Partition}: m.Offset + 1})
	}
	return m, changes.Partitions(topic)
}

func TestAChangeComesAgainUntilItIsDone(t *testing.T) {
	t.Parallel()
	c := kafkatest.Config(t)
	topic := c.Topics().Findings
	send := func(text string) {
		produce(t, c, &sarama.ProducerMessage{Topic: topic, Partition: 2, Value: sarama.StringEncoder(text)})
	}
	send("first")
	want := "first"
	for _, done := range []bool{false, true, true} {
		m, partitions := nextChange(t, c, topic, done)
		if string(m.Record.Value) != want || m.Partition != 2 {
			t.Errorf("got %q of partition %d, want %q", m.Record.Value, m.Partition, want)
		}
		if partitions != c.Partitions {
			t.Errorf("%d partitions, want %d", partitions, c.Partitions)
		}
		if done {
			want = "second"
			send(want)
		}
	}
}
