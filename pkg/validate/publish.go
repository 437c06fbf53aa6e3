package validate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/compare"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
)

// found is a difference that is a finding, and the task it belongs to.
type found struct {
	task       *task
	difference compare.Difference
	seen       time.Time
	// akin is a key on the side that lacks the row which equals this one there.
	akin row.Key
	// trace is the context of the look that found it, see Tracer.
	trace string
}

func newFound(t *task, d compare.Difference, seen time.Time) found {
	return found{task: t, difference: d, seen: seen, trace: t.trace}
}

// report publishes findings, batch by batch, and settles them once they are
// durable. It returns false when the run has ended or ends with this.
func (r *run) report(findings []found) bool {
	for len(findings) > 0 {
		batch := findings[:min(len(findings), r.config.BatchRows)]
		findings = findings[len(batch):]
		allowed := r.allow(len(batch))
		if !r.publishAll(batch[:allowed]) {
			return false
		}
		if r.enough() {
			r.stop(errEnough)
			return false
		}
		if err := r.tooDifferent(); err != nil {
			r.stop(err)
			return false
		}
	}
	return true
}

// allow takes n findings, or what is left of them, off the limit.
func (r *run) allow(n int) int {
	limit := r.spec.MaxFindings
	if limit == 0 {
		r.reported.Add(int64(n))
		return n
	}
	for {
		taken := r.reported.Load()
		allowed := min(int64(n), limit-taken)
		if r.reported.CompareAndSwap(taken, taken+allowed) {
			return int(allowed)
		}
	}
}

func (r *run) enough() bool {
	return r.spec.MaxFindings > 0 && r.reported.Load() >= r.spec.MaxFindings
}

func (r *run) publishAll(batch []found) bool {
	if len(batch) == 0 {
		return true
	}
	r.collide(batch)
	events := make([]event.Finding, len(batch))
	for i, f := range batch {
		events[i] = r.finding(f)
	}
	if err := r.publisher.Publish(r.publish, events); err != nil {
		r.stop(fmt.Errorf("publish findings of %s: %w", r.spec.Pair.Name, err))
		return false
	}
	placed := make([]Placed, len(batch))
	for i, f := range batch {
		placed[i] = Placed{Kind: f.difference.Kind, Place: f.task.place()}
	}
	r.observer.Suspects(SuspectReport{Pair: r.spec.Pair.Name, Confirmed: len(batch), Placed: placed, Endless: r.stream != nil})
	for _, f := range batch {
		if f.akin != nil && f.difference.Kind == event.TargetMissing {
			r.collisions.found.Add(1)
		}
		r.ledger.count(f.task, tallyOf(f.difference.Kind))
		r.settle(f.task, 1)
	}
	return true
}

func (r *run) finding(f found) event.Finding {
	finding := event.Finding{
		ID:          r.findingID(f),
		Kind:        f.difference.Kind,
		Pair:        r.spec.Pair.Name,
		Key:         r.eventKey(f.difference.Key),
		Run:         r.spec.ID,
		Epoch:       r.spec.Epoch,
		DetectedAt:  f.seen,
		TraceParent: f.trace,
	}
	for _, p := range f.difference.Columns {
		finding.Columns = append(finding.Columns, r.spec.Pair.Names[p])
	}
	if f.akin != nil {
		finding.CollidesWith = r.eventKey(f.akin)
	}
	return finding
}

func (r *run) eventKey(key row.Key) event.Key {
	names, columns := r.spec.Pair.KeyNames(), r.authority.view.KeyColumns()
	out := make(event.Key, len(key))
	for i, v := range key {
		out[i] = event.KeyColumn{Column: names[i], Type: columns[i].As, Value: v}
	}
	return out
}

// findingID names a finding by what it says, so that one that is published
// twice, because a run repeated a range after a crash, has the same ID.
func (r *run) findingID(f found) string {
	h := sha256.New()
	parts := []string{r.spec.ID, r.spec.Pair.Name, f.difference.Kind.String(), f.difference.Key.ID()}
	if r.stream != nil { // which may find the same row different on many days
		parts = append(parts, f.seen.UTC().Format(time.RFC3339Nano))
	}
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func tallyOf(kind event.Kind) chunk.Tally {
	var t chunk.Tally
	switch kind {
	case event.TargetMissing:
		t.TargetMissing = 1
	case event.NotEqual:
		t.NotEqual = 1
	case event.BaseMissing:
		t.BaseMissing = 1
	case event.KindUnknown:
	}
	return t
}
