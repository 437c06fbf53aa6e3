package testenv

import (
	"strings"
	"testing"

	"github.com/IBM/sarama"
)

// Kafka returns the addresses (host:port) of the test cluster's brokers.
func Kafka(t testing.TB) []string {
	t.Helper()
	return strings.Split(server(t, kafkaVariable, "Kafka"), ",")
}

// Prefix returns a prefix for topic and group names no other test has. Topics of
// the test cluster that start with it are deleted when the test ends; under
// -short, with no cluster to ask, it is only a name.
func Prefix(t testing.TB) string {
	t.Helper()
	prefix := "t-" + unique(t, "-")
	if !testing.Short() {
		brokers := Kafka(t)
		t.Cleanup(func() { deleteTopics(t, brokers, prefix) })
	}
	return prefix
}

// deleteTopics logs what it cannot do: a topic left over wastes a little of the
// test cluster and says nothing about the test.
func deleteTopics(t testing.TB, brokers []string, prefix string) {
	t.Helper()
	config := sarama.NewConfig()
	config.Version = sarama.V4_0_0_0
	admin, err := sarama.NewClusterAdmin(brokers, config)
	if err != nil {
		t.Logf("delete topics %s*: %v", prefix, err)
		return
	}
	defer admin.Close()
	topics, err := admin.ListTopics()
	if err != nil {
		t.Logf("delete topics %s*: %v", prefix, err)
		return
	}
	for topic := range topics {
		if !strings.HasPrefix(topic, prefix) {
			continue
		}
		if err := admin.DeleteTopic(topic); err != nil {
			t.Logf("delete topic %s: %v", topic, err)
		}
	}
}
