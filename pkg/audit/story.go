package audit

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/trueup/trueup/pkg/event"
)

// Entry is one thing that happened to a row: it was found, or a finding about
// it had an outcome. One of the two is set.
type Entry struct {
	At      time.Time
	Finding *event.Finding
	Outcome *event.Outcome
}

// Story is what happened to the row whose messages have the key (event.RowKey),
// the newest n entries since a time, in the order of time. It reads the one
// partition of each topic where they stand.
func (l Log) Story(ctx context.Context, key []byte, since time.Time, n int) ([]Entry, error) {
	findings, err := newest(ctx, l.Source, l.Findings, key, since, n, func(r event.Record) (Entry, error) {
		f, err := event.DecodeFinding(r)
		return Entry{At: f.DetectedAt, Finding: &f}, err
	})
	if err != nil {
		return nil, err
	}
	outcomes, err := newest(ctx, l.Source, l.Outcomes, key, since, n, func(r event.Record) (Entry, error) {
		o, err := event.DecodeOutcome(r)
		return Entry{At: o.At, Outcome: &o}, err
	})
	if err != nil {
		return nil, err
	}
	story := append(findings, outcomes...)
	slices.SortStableFunc(story, func(a, b Entry) int {
		return cmp.Or(a.At.Compare(b.At), boolOrder(a.Outcome != nil, b.Outcome != nil))
	})
	return story[max(len(story)-n, 0):], nil
}

// boolOrder has false before true.
func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// newest are the last n messages with the key, decoded.
func newest(
	ctx context.Context, s Source, topic string, key []byte, since time.Time, n int, decode func(event.Record) (Entry, error),
) ([]Entry, error) {
	partition, err := s.PartitionOf(topic, key)
	if err != nil {
		return nil, err
	}
	from, to, err := s.Span(ctx, topic, partition, since)
	if err != nil {
		return nil, err
	}
	var found []Entry
	err = s.Read(ctx, topic, partition, from, to, func(r event.Record) error {
		if string(r.Key) != string(key) {
			return nil
		}
		entry, err := decode(r)
		if err != nil {
			return err
		}
		if found = append(found, entry); len(found) > n {
			found = slices.Delete(found, 0, 1)
		}
		return nil
	})
	return found, err
}
