package kafka_test

import (
	"context"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/kafka/kafkatest"
)

func TestAMessageThatIsPutOffKeepsWhereItCameFromAndSinceWhen(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	p := kafkatest.Publisher(t, config)
	seen := make(chan kafka.Message, 2)
	handler := kafkatest.NewCollector()
	handler.Before = func(_ context.Context, batch []kafka.Message) error {
		for _, m := range batch {
			seen <- m
		}
		return nil
	}
	kafkatest.Member(t, config, kafka.GroupConfig{Group: config.Prefix + ".g", Topic: config.Topics().Retry}, handler)
	at := time.Now().Add(time.Minute)
	putOff := func(m kafka.Message, attempts int) kafka.Message {
		t.Helper()
		r := kafka.Retry{Dead: kafka.Dead{Message: m, Class: "busy", Reason: "held", Attempts: attempts}, NotBefore: at}
		if err := p.PublishRetry(t.Context(), []kafka.Retry{r}); err != nil {
			t.Fatal(err)
		}
		return <-seen
	}
	m := kafka.Message{Finding: kafkatest.Finding("orders", 1), Topic: "findings", Partition: 3, Offset: 17}
	var err error
	if m.Record, err = (event.Encoder{ContentType: event.Protobuf, Source: "test"}).Finding(m.Finding); err != nil {
		t.Fatal(err)
	}
	first := putOff(m, 1)
	since := first.WaitingSince(time.Time{})
	if !first.NotBefore().Equal(at) || since.IsZero() || first.Attempts() != 1 || first.Finding.ID != m.Finding.ID {
		t.Errorf("not before %v, since %v, attempts %d, %+v", first.NotBefore(), since, first.Attempts(), first.Finding)
	}
	second := putOff(first, 2)
	h := second.Record.Headers
	if h[kafka.HeaderOriginTopic] != "findings" || h[kafka.HeaderOriginOffset] != "17" || !second.WaitingSince(time.Time{}).Equal(since) || second.Attempts() != 2 {
		t.Errorf("the second time: %v", h)
	}
}

func TestAnOutcomeTooLargeForItsTopicIsShortenedAndNotLost(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	limit := "20000"
	if err := clusterAdmin(t, config).AlterConfig(sarama.TopicResource, config.Topics().Outcomes, map[string]*string{"max.message.bytes": &limit}, false); err != nil {
		t.Fatal(err)
	}
	p := kafkatest.Publisher(t, config)
	f := kafkatest.Finding("orders", 1)
	probe := event.Outcome{FindingID: "probe", Pair: "orders", Key: f.Key, Run: incompressible(30_000), Result: event.Dead, At: time.Now()}
	eventually(t, "the new limit holds", func() bool { // a run is not shortened
		return kafka.Rejected(p.PublishOutcomes(t.Context(), []event.Outcome{probe}))
	})
	large := event.Outcome{FindingID: f.ID, Pair: "orders", Key: f.Key, Result: event.Dead, Reason: incompressible(30_000), At: time.Now()}
	small := large
	small.FindingID, small.Reason = "small", "a constraint"
	if err := p.PublishOutcomes(t.Context(), []event.Outcome{small, large}); err != nil {
		t.Errorf("got %.300v", err)
	}
}
