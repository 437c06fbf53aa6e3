package main

import (
	"context"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/row"
)

// governed is an Undoer that asks the governors before it plants.
type governed struct {
	*fix.Undoer
	admit func(context.Context) (release func(), err error)
}

// Plant implements canary.Planter.
func (g governed) Plant(ctx context.Context, change fix.Change, was row.Row, accept func(row.Row) error) (*fix.Step, error) {
	release, err := g.admit(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return g.Undoer.Plant(ctx, change, was, accept)
}

// rowTopics reads what is published about one row; it is the Topics of package
// canary.
type rowTopics struct {
	scanner            *kafka.Scanner
	findings, outcomes string
	pair               string
	key                []byte
	places             map[string]*place
}

// place is where reading a topic goes on.
type place struct {
	partition int32
	next      int64
}

// Watch implements canary.Topics.
func (t *rowTopics) Watch(ctx context.Context, key event.Key) error {
	t.key, t.places = event.RowKey(t.pair, key.Values()), map[string]*place{}
	for _, topic := range []string{t.findings, t.outcomes} {
		partition, err := t.scanner.PartitionOf(topic, t.key)
		if err != nil {
			return err
		}
		end, err := t.scanner.End(ctx, topic, partition)
		if err != nil {
			return err
		}
		t.places[topic] = &place{partition, end}
	}
	return nil
}

// Read implements canary.Topics. Outcomes are read first: what they are about was
// published before them.
func (t *rowTopics) Read(ctx context.Context) (findings []event.Finding, outcomes []event.Outcome, err error) {
	nextOutcome, err := t.read(ctx, t.outcomes, func(r event.Record) {
		if o, err := event.DecodeOutcome(r); err == nil {
			outcomes = append(outcomes, o)
		}
	})
	if err != nil {
		return nil, nil, err
	}
	nextFinding, err := t.read(ctx, t.findings, func(r event.Record) {
		if f, err := event.DecodeFinding(r); err == nil {
			findings = append(findings, f)
		}
	})
	if err != nil {
		return nil, nil, err
	}
	t.places[t.outcomes].next, t.places[t.findings].next = nextOutcome, nextFinding
	return findings, outcomes, nil
}

// read calls note with the records about the row up to the end of the topic, and
// returns that end. What cannot be decoded is none that a validator or a fixer of
// this version wrote.
func (t *rowTopics) read(ctx context.Context, topic string, note func(event.Record)) (end int64, err error) {
	p := t.places[topic]
	if end, err = t.scanner.End(ctx, topic, p.partition); err != nil {
		return 0, err
	}
	return end, t.scanner.Read(ctx, topic, p.partition, p.next, end, func(r event.Record) error {
		if string(r.Key) == string(t.key) {
			note(r)
		}
		return nil
	})
}
