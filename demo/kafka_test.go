package main

import (
	"testing"

	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/kafka/kafkatest"
)

func TestTheEmbeddedKafkaKeepsTheContract(t *testing.T) {
	brokers, stop, err := startKafka()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	kafkatest.Exercise(t, kafka.Config{Brokers: brokers, Prefix: "contract", Partitions: partitions, Replication: 1})
}
