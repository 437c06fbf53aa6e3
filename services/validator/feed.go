package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/cdc"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/telemetry"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// changeSource is where messages come from; *kafka.Changes is one.
type changeSource interface {
	Messages() <-chan kafka.Message
	Done(next map[kafka.Place]int64)
	Partitions(topic string) int
}

// deadLetters takes messages that nobody can read.
type deadLetters interface {
	PublishDead(ctx context.Context, dead []kafka.Dead) error
}

// feed reads change events of a pair; it is the Feed of package validate.
type feed struct {
	source  changeSource
	dead    deadLetters
	metrics *telemetry.Continuous
	log     zerolog.Logger
	pair    string
	// authority is the topic of the side that is right.
	authority string
	tables    map[string]cdc.Table // by topic
	next      map[kafka.Place]int64
	// newest are the newest commits read of each partition of the authority's topic.
	newest map[int32]time.Time
}

func newFeed(source changeSource, dead deadLetters, metrics *telemetry.Continuous, log zerolog.Logger, p assembly.Pair, pair *schema.Pair) *feed {
	f := &feed{
		source: source, dead: dead, metrics: metrics, pair: p.Name, tables: map[string]cdc.Table{}, next: map[kafka.Place]int64{}, newest: map[int32]time.Time{},
		log: log.Sample(&zerolog.BurstSampler{Burst: 5, Period: time.Minute}).With().Str("pair", p.Name).Logger(),
	}
	f.authority = p.Changes.Source
	if p.Side() == event.Target {
		f.authority = p.Changes.Target
	}
	for topic, view := range map[string]*schema.View{p.Changes.Source: &pair.Source, p.Changes.Target: &pair.Target} {
		f.tables[topic] = cdc.Table{Name: view.Table.Name, Key: view.KeyColumns()}
	}
	return f
}

// Next implements validate.Feed.
func (f *feed) Next(ctx context.Context) (validate.Change, error) {
	select {
	case m := <-f.source.Messages():
		return f.read(ctx, m)
	case <-ctx.Done():
		return validate.Change{}, context.Cause(ctx)
	}
}

// read is what a message says. One that cannot be understood stands in the dead
// topic before it counts as read.
func (f *feed) read(ctx context.Context, m kafka.Message) (validate.Change, error) {
	next := maps.Clone(f.next) // marks of earlier messages are still in use
	next[kafka.Place{Topic: m.Topic, Partition: m.Partition}] = m.Offset + 1
	f.next = next
	change := validate.Change{Mark: next}
	said, err := f.tables[m.Topic].Read(m.Record.Key, m.Record.Value)
	if err != nil {
		f.metrics.Event(f.pair, "unreadable")
		f.log.Error().Err(err).Str("topic", m.Topic).Int32("partition", m.Partition).Int64("offset", m.Offset).Msg("a change event cannot be read; it stands in the dead topic")
		m.DecodeErr = err
		if err := f.dead.PublishDead(ctx, []kafka.Dead{{Message: m, Class: "change_event", Reason: err.Error(), Attempts: 1}}); err != nil {
			return change, fmt.Errorf("put a change event in the dead topic: %w", err)
		}
		return change, nil
	}
	// A row that a snapshot read says nothing of those that it has not read yet.
	if m.Topic == f.authority && !said.Snapshot && !said.At.IsZero() {
		change.At = f.committed(m.Partition, said.At)
	}
	switch said.Kind {
	case cdc.Rows:
		f.metrics.Event(f.pair, "rows")
		change.Keys = said.Keys
	case cdc.All:
		f.metrics.Event(f.pair, "all")
		f.log.Warn().Str("topic", m.Topic).Msg("the table was truncated; it is compared whole")
		change.All = true
	case cdc.Other:
		f.metrics.Event(f.pair, "other")
		f.log.Warn().Str("topic", m.Topic).Str("table", said.Table).Msg("a change event is of another table and says nothing about this pair; name the table's own topic in changes")
	case cdc.Nothing:
		f.metrics.Event(f.pair, "nothing")
	}
	return change, nil
}

// committed is the commit up to which the authority's events were read, now that one
// of a partition was; zero while it is not known of every partition. The others may
// hold earlier ones that are still to be read.
func (f *feed) committed(partition int32, at time.Time) time.Time {
	if at.After(f.newest[partition]) {
		f.newest[partition] = at
	}
	if len(f.newest) < f.source.Partitions(f.authority) {
		return time.Time{}
	}
	return slices.MinFunc(slices.Collect(maps.Values(f.newest)), time.Time.Compare)
}

// Done implements validate.Feed.
func (f *feed) Done(mark any) {
	f.source.Done(mark.(map[kafka.Place]int64)) //nolint:forcetypeassert // read gives no other
}
