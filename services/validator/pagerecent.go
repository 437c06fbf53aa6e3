package main

import (
	"fmt"
	"slices"
	"sync"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/standing"
	"github.com/trueup/trueup/pkg/statuspage"
	"github.com/trueup/trueup/services/assembly"
)

// mostRecent is about what a person looks at.
const mostRecent = 20

// recent are the newest outcomes that were read, the newest first.
type recent struct {
	mu   sync.Mutex
	list []statuspage.Outcome
}

// note keeps an outcome if it is one of the newest; topics are not read in the
// order of time. One that is read again is known by where it stands.
func (r *recent) note(o event.Outcome, at standing.Spot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.list) == mostRecent && !o.At.After(r.list[mostRecent-1].At) {
		return
	}
	id := fmt.Sprintf("%d-%d", at.Partition, at.Offset)
	if slices.ContainsFunc(r.list, func(k statuspage.Outcome) bool { return k.ID == id }) {
		return
	}
	place := slices.IndexFunc(r.list, func(k statuspage.Outcome) bool { return o.At.After(k.At) })
	if place < 0 {
		place = len(r.list)
	}
	r.list = slices.Insert(r.list, place, shownOutcome(o, id))
	r.list = r.list[:min(len(r.list), mostRecent)]
}

func shownOutcome(o event.Outcome, id string) statuspage.Outcome {
	shown := statuspage.Outcome{
		ID: id, At: o.At, Pair: o.Pair, Key: assembly.DescribeKey(o.Key), Result: o.Result.String(), DryRun: o.DryRun, Class: o.Class, Reason: o.Reason,
	}
	if o.Kind != 0 {
		shown.Kind = o.Kind.String()
	}
	if o.Action != event.NoAction {
		shown.Action = o.Action.String()
	}
	if !o.DetectedAt.IsZero() {
		shown.Took = max(o.At.Sub(o.DetectedAt), 0)
	}
	return shown
}

// show are the outcomes as whoever looks may see them.
func (r *recent) show(rows bool) []statuspage.Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := slices.Clone(r.list)
	for i := range out {
		out[i].Reason = tellable(out[i].Result, out[i].Reason, rows)
	}
	return out
}

// tellable is a reason as far as it may be told where rows may not be shown: why a
// row is held the fixer says in its own words, and what is dead may quote the server,
// which quotes the row.
func tellable(result, reason string, rows bool) string {
	if rows || result == event.Held.String() {
		return reason
	}
	return ""
}
