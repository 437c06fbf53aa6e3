package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trueup/trueup/pkg/audit"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/services/assembly"
)

// past is what history and undo read: the configuration of the services, and
// the topics it names.
type past struct {
	file assembly.File
	log  audit.Log
	// close gives the connection back.
	close func()
}

func openPast(ctx context.Context, config string) (*past, error) {
	if config == "" {
		return nil, usage("--config is missing; name the file the services read")
	}
	file, err := assembly.Load(config)
	if err != nil {
		return nil, err
	}
	if len(file.Kafka.Brokers) == 0 {
		return nil, errors.New("kafka.brokers is missing; name at least one broker, host:port")
	}
	scanner, err := kafka.NewScanner(ctx, file.Kafka)
	if err != nil {
		return nil, err
	}
	topics := file.Kafka.Topics()
	return &past{
		file: file, log: audit.Log{Source: scanner, Findings: topics.Findings, Outcomes: topics.Outcomes},
		close: func() { _ = scanner.Close() }, // nothing was left to be written
	}, nil
}

// parseSince reads a moment: RFC 3339, a date, or how long ago.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	return time.Time{}, usage("--since %q: %w", text, fmt.Errorf("write a time (2026-11-22T09:00:00Z), a date, or how long ago (90m)"))
}
