package kafkatest_test

import (
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/kafka/kafkatest"
)

func TestKafkaKeepsTheContract(t *testing.T) {
	for _, encoding := range []string{kafka.EncodingProtobuf, kafka.EncodingJSON} {
		t.Run(encoding, func(t *testing.T) {
			kafkatest.Exercise(t, kafka.Config{
				Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t), Partitions: 4, Encoding: encoding,
			})
		})
	}
}
