package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
)

// peek reads one finding from Kafka, as any other client could, and says what
// is in it.
func (w *workshop) peek(ctx context.Context) (string, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(w.brokers...), kgo.ConsumeTopics(kafka.Config{}.Topics().Findings))
	if err != nil {
		return "", err
	}
	defer client.Close()
	for {
		fetches := client.PollRecords(ctx, 1)
		if err := fetches.Err(); err != nil {
			return "", fmt.Errorf("read a finding from Kafka: %w", err)
		}
		for _, r := range fetches.Records() {
			record := event.Record{Key: r.Key, Value: r.Value, Headers: map[string]string{}}
			for _, h := range r.Headers {
				record.Headers[h.Key] = string(h.Value)
			}
			finding, err := event.DecodeFinding(record)
			return describe(finding), err
		}
	}
}

func describe(f event.Finding) string {
	var key []string
	for _, c := range f.Key {
		key = append(key, c.Column+"="+string(c.Value))
	}
	return fmt.Sprintf("%s, %s %s", f.Kind, f.Pair, strings.Join(key, " "))
}
