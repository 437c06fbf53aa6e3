package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
)

// findings publishes the held findings again, partition by partition of the topic
// of outcomes: all outcomes of a row stand in one.
func (r *releaser) findings(ctx context.Context) error {
	partitions, err := r.scanner.Partitions(r.topics.Outcomes)
	if err != nil {
		return err
	}
	since := time.Now().Add(-r.options.since)
	for _, p := range partitions {
		if err := r.partition(ctx, p, since); err != nil {
			return err
		}
	}
	return nil
}

// partition reads a partition twice, since the last outcome of a row decides: the
// first time it notes which ones are held, in a few bytes each.
func (r *releaser) partition(ctx context.Context, p int32, since time.Time) error {
	from, to, err := r.scanner.Span(ctx, r.topics.Outcomes, p, since)
	if err != nil {
		return err
	}
	held := heldOutcomes{}
	position := 0
	err = r.scanner.Read(ctx, r.topics.Outcomes, p, from, to, func(record event.Record) error {
		position++
		if o, ok := r.outcome(record); ok {
			held.note(record.Key, position, o, r.options.run)
		}
		return nil
	})
	if err != nil || len(held) == 0 {
		return err
	}
	return r.publish(ctx, p, from, to, held)
}

// outcome reads an outcome of one of the pairs. What cannot be read is held by no
// breaker of this version.
func (r *releaser) outcome(record event.Record) (event.Outcome, bool) {
	o, err := event.DecodeOutcome(record)
	return o, err == nil && r.pairs[o.Pair] != nil
}

// heldOutcomes are the positions of outcomes that are the last of their row and
// held by a breaker, by a digest of the row's key.
type heldOutcomes map[[16]byte]int

func (h heldOutcomes) note(key []byte, position int, o event.Outcome, run string) {
	if o.DryRun { // which changed nothing
		return
	}
	digest := digestOf(key)
	if o.Result == event.Held && o.Class == fix.ClassBreaker && (run == "" || o.Run == run) {
		h[digest] = position
		return
	}
	delete(h, digest)
}

func digestOf(key []byte) [16]byte {
	sum := sha256.Sum256(key)
	return [16]byte(sum[:16])
}

// releaseBatch is how many findings are published at once.
const releaseBatch = 1000

func (r *releaser) publish(ctx context.Context, p int32, from, to int64, held heldOutcomes) error {
	var batch []event.Finding
	flush := func() error {
		if len(batch) == 0 || r.options.dryRun {
			batch = nil
			return nil
		}
		err := r.publisher.PublishFindings(ctx, batch)
		batch = nil
		if err != nil {
			return fmt.Errorf("%w; run release again, it goes on with what is still held", err)
		}
		return nil
	}
	position := 0
	err := r.scanner.Read(ctx, r.topics.Outcomes, p, from, to, func(record event.Record) error {
		position++
		if held[digestOf(record.Key)] != position {
			return nil
		}
		o, ok := r.outcome(record)
		if !ok {
			return nil
		}
		*r.pairs[o.Pair]++
		batch = append(batch, findingOf(o))
		if len(batch) < releaseBatch {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// findingOf is the finding that an outcome is about.
func findingOf(o event.Outcome) event.Finding {
	return event.Finding{
		ID: o.FindingID, Kind: o.Kind, Pair: o.Pair, Key: o.Key, Run: o.Run, Epoch: o.Epoch,
		DetectedAt: o.DetectedAt, TraceParent: o.TraceParent,
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
