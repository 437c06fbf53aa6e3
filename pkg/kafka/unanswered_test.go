package kafka_test

import (
	"context"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
)

// silent is a broker that answers everything but a fetch: it waits for records. fetched
// waits until it was asked for some, and returns what for. (Of what it does not answer it
// gives no sign.)
func silent(t *testing.T) (config kafka.Config, fetched func() *sarama.FetchRequest) {
	t.Helper()
	broker := sarama.NewMockBroker(t, 1)
	t.Cleanup(broker.Close)
	config = kafka.Config{Brokers: []string{broker.Addr()}, Prefix: "silent", Partitions: 1}
	topic := config.WithDefaults().Topics().State
	var answered []sarama.ApiVersionsResponseKey
	for key, version := range map[int16]int16{1: 11, 2: 5, 3: 9, 18: 3} { // Fetch, ListOffsets, Metadata, ApiVersions
		answered = append(answered, sarama.ApiVersionsResponseKey{ApiKey: key, MaxVersion: version})
	}
	broker.SetHandlerByMap(map[string]sarama.MockResponse{
		"ApiVersionsRequest": sarama.NewMockApiVersionsResponse(t).SetApiKeys(answered),
		"MetadataRequest":    sarama.NewMockMetadataResponse(t).SetBroker(broker.Addr(), 1).SetController(1).SetLeader(topic, 0, 1),
		"OffsetRequest": sarama.NewMockOffsetResponse(t).
			SetOffset(topic, 0, sarama.OffsetOldest, 0).SetOffset(topic, 0, sarama.OffsetNewest, 1),
	})
	return config, func() *sarama.FetchRequest {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for began := time.Now(); time.Since(began) < shortly; <-tick.C {
			for _, asked := range broker.History() {
				if fetch, ok := asked.Request.(*sarama.FetchRequest); ok {
					return fetch
				}
			}
		}
		t.Fatal("nothing is fetched")
		return nil
	}
}

// shortly is far shorter than a request may take.
const shortly = 5 * time.Second

func TestAFollowerDoesNotWaitForRecordsToEnd(t *testing.T) {
	t.Parallel()
	config, fetched := silent(t)
	f, err := kafka.FollowState(config, zerolog.Nop(), func(event.Record) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = f.Run(ctx) }() // it returns nil
	fetched()
	cancel()
	select {
	case <-ended:
	case <-time.After(shortly):
		t.Error("a follower whose fetch is not answered does not end")
	}
}

func TestWhoReadsWhatStandsThereHasNoBrokerWait(t *testing.T) {
	t.Parallel()
	config, fetched := silent(t)
	admin, err := kafka.NewAdmin(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _, _, _ = admin.ReadState(ctx) }() // it is called off
	defer func() { <-ended }()
	defer cancel()
	if wait := time.Duration(fetched().MaxWaitTime) * time.Millisecond; wait > 10*time.Millisecond {
		t.Errorf("the broker may wait %v for more than stands there", wait)
	}
}
