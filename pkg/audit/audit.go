// Package audit reads the topics of findings and outcomes for what they say
// about the past: the story of a row, and the repairs to take back.
package audit

import (
	"context"
	"time"

	"github.com/trueup/trueup/pkg/event"
)

// Source is what topics are read through; *kafka.Scanner is one.
type Source interface {
	Partitions(topic string) ([]int32, error)
	// PartitionOf is where the messages with a key stand.
	PartitionOf(topic string, key []byte) (int32, error)
	// Span is the offsets of the messages produced since, the last one excluded.
	Span(ctx context.Context, topic string, partition int32, since time.Time) (from, to int64, err error)
	// Read calls apply with each message from one offset up to, and without, another.
	Read(ctx context.Context, topic string, partition int32, from, to int64, apply func(event.Record) error) error
}

// Log is the topics to read.
type Log struct {
	Source             Source
	Findings, Outcomes string
}
