package kafka_test

import (
	"strings"
	"testing"

	"github.com/IBM/sarama"

	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/kafka/kafkatest"
)

func TestATopicThatForgetsIsNamed(t *testing.T) {
	t.Parallel()
	config := kafkatest.Config(t)
	admin, err := kafka.NewAdmin(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := admin.CheckSettings(t.Context()); err != nil {
		t.Fatal(err)
	}
	compact, outcomes := "compact,delete", config.Topics().Outcomes
	err = clusterAdmin(t, config).IncrementalAlterConfig(sarama.TopicResource, outcomes, map[string]sarama.IncrementalAlterConfigsEntry{
		"cleanup.policy": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &compact},
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the topic of outcomes is named", func() bool {
		err := admin.CheckSettings(t.Context())
		return err != nil && strings.Contains(err.Error(), outcomes+` has cleanup.policy "compact,delete"`) && strings.Contains(err.Error(), "set cleanup.policy=delete")
	})
	if err := admin.Check(t.Context()); err != nil {
		t.Errorf("the services, which may not see it, are stopped by it: %v", err)
	}
}
