package kafka_test

import (
	"math/rand/v2"
	"testing"

	"github.com/IBM/sarama"

	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/kafka/kafkatest"
)

func clusterAdmin(t *testing.T, c kafka.Config) sarama.ClusterAdmin {
	t.Helper()
	settings := sarama.NewConfig()
	settings.Version = sarama.V3_6_0_0
	admin, err := sarama.NewClusterAdmin(c.Brokers, settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := admin.Close(); err != nil {
			t.Error(err)
		}
	})
	return admin
}

// produce writes a message that no publisher of ours would.
func produce(t *testing.T, c kafka.Config, m *sarama.ProducerMessage) {
	t.Helper()
	settings := sarama.NewConfig()
	settings.Version = sarama.V3_6_0_0
	settings.Producer.Return.Successes = true
	settings.Producer.Partitioner = sarama.NewManualPartitioner
	producer, err := sarama.NewSyncProducer(c.Brokers, settings)
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	if _, _, err := producer.SendMessage(m); err != nil {
		t.Fatal(err)
	}
}

func incompressible(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[rand.IntN(len(letters))]
	}
	return string(b)
}

// arrived waits until so many findings are in the topic.
func arrived(t *testing.T, c kafka.Config, findings int) *kafkatest.Collector {
	t.Helper()
	got := kafkatest.NewCollector()
	kafkatest.Member(t, c, kafka.GroupConfig{Group: c.Prefix + ".g"}, got)
	got.Await(t, findings)
	return got
}
