package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/IBM/sarama"

	"github.com/trueup/trueup/pkg/event"
)

// judgement is what the journal says of trueup.
type judgement struct {
	findings int
	fates    map[fate]int64
	// took is the time from a damage, or the commit of the change that was lost,
	// to the publication of its finding: by kind, sorted.
	took map[string][]time.Duration
	// undisturbed are those of all kinds that no mishap was near.
	undisturbed []time.Duration
}

// inspect is the check at the end, without the product's code: all services have
// stopped, and nobody writes.
func (r *route) inspect(ctx context.Context, mishaps []time.Time) error {
	for _, t := range followedTables {
		rows, different, err := differencesIn(ctx, r.authority, r.target, t.table)
		if err != nil {
			return err
		}
		r.compared, r.different = r.compared+rows, append(r.different, different...)
		var slots []*slot
		for _, a := range r.authors {
			slots = append(slots, a.slots...)
		}
		strange, err := untouchedIn(ctx, r.authority, t.table, slots)
		if err != nil {
			return err
		}
		for _, line := range strange {
			r.wrong("authority written: " + line)
		}
	}
	for _, line := range r.different {
		r.wrong("different: " + line)
	}
	for _, k := range r.keepers() {
		if sign := k.panicked(); sign != "" {
			r.wrong(sign)
		}
	}
	if err := r.readTopics(ctx); err != nil {
		return err
	}
	r.judge(mishaps)
	return nil
}

// readTopics adds to the journal what trueup found and did.
func (r *route) readTopics(ctx context.Context) error {
	open, err := r.topics.unanswered(ctx)
	if err != nil {
		return err
	}
	if len(open) > 0 {
		r.wrong(fmt.Sprintf("lost: %d findings have no outcome", len(open)))
	}
	if r.results, err = r.topics.results(ctx); err != nil {
		return err
	}
	var wrong error
	err = r.topics.each(ctx, "findings", func(m *sarama.ConsumerMessage) {
		f, err := event.DecodeFinding(recordOf(m))
		if err != nil {
			wrong = err
			return
		}
		r.judged.findings++
		r.journal.note(foundRow(f.Pair, f.Key), func(h *history) {
			h.found = append(h.found, sighting{f.Kind.String(), f.DetectedAt, m.Timestamp})
		})
	})
	if err := errors.Join(err, wrong); err != nil {
		return err
	}
	err = r.topics.each(ctx, "outcomes", func(m *sarama.ConsumerMessage) {
		o, err := event.DecodeOutcome(recordOf(m))
		if err != nil {
			wrong = err
			return
		}
		if o.Result == event.Repaired || o.Result == event.AlreadyEqual || o.Result == event.Vanished {
			r.journal.note(foundRow(o.Pair, o.Key), func(h *history) { h.outcomes = append(h.outcomes, span{o.At.Add(-o.Took), o.At}) })
		}
	})
	return errors.Join(err, wrong)
}

func recordOf(m *sarama.ConsumerMessage) event.Record {
	return event.Record{Key: m.Key, Value: m.Value, Headers: map[string]string{event.HeaderContentType: header(m, event.HeaderContentType)}}
}

func foundRow(pair string, key event.Key) rowID {
	var texts []string
	for _, v := range key.Values() {
		texts = append(texts, string(v))
	}
	return rowID{pair, strings.Join(texts, "/")}
}

// judge holds the findings against the journal, and the journal against them.
func (r *route) judge(mishaps []time.Time) {
	r.judged.fates, r.judged.took = map[fate]int64{}, map[string][]time.Duration{}
	for id, h := range r.journal.rows {
		for _, f := range h.found {
			if !h.justifies(f, confirmTime) {
				r.wrong(fmt.Sprintf("false finding: %s: %s, seen at %s, published at %s; what is known of the row: %s",
					id, f.kind, clock(f.detected), clock(f.published), h))
			}
		}
		for _, d := range h.damages {
			r.judgeDamage(id, h, d, mishaps)
		}
	}
	for _, list := range r.judged.took {
		slices.Sort(list)
	}
	slices.Sort(r.judged.undisturbed)
}

func (r *route) judgeDamage(id rowID, h *history, d damage, mishaps []time.Time) {
	fate, published := h.fateOf(d)
	r.judged.fates[fate]++
	switch fate {
	case overtaken, swept:
	case missed:
		r.wrong(fmt.Sprintf("missed: %s: %s at %s; what is known of the row: %s", id, d.kind, clock(d.from), h))
	case found:
		took := max(published.Sub(d.to), 0)
		r.judged.took[d.kind] = append(r.judged.took[d.kind], took)
		near := span{d.to.Add(-nearTime), published}
		if !slices.ContainsFunc(mishaps, func(at time.Time) bool { return near.meets(span{at, at}) }) {
			r.judged.undisturbed = append(r.judged.undisturbed, took)
		}
	}
	for _, mode := range d.claimed() {
		if c, said := r.claims.first(id.table+", "+mode, d.to); said && h.belies(d, c) {
			r.wrong(fmt.Sprintf("claimed: %s: %s at %s, and at %s everything until %s was said to be verified (%s); what is known of the row: %s",
				id, d.kind, clock(d.to), clock(c.at), clock(c.until), mode, h))
		}
	}
}

// nearTime is how long a mishap has its effects: a consumer group takes half a
// minute to notice that a member was killed.
const nearTime = 45 * time.Second

func clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }

// String is what is known of a row, for whoever looks into a violation.
func (h *history) String() string {
	var out strings.Builder
	list := func(name string, spans []span) {
		for _, s := range spans {
			fmt.Fprintf(&out, " %s %s–%s;", name, clock(s.from), clock(s.to))
		}
	}
	list("changed", h.changed)
	list("brought", h.brought)
	for _, d := range h.damages {
		list(d.kind, []span{d.span})
	}
	for _, f := range h.found {
		list("finding "+f.kind, []span{{f.detected, f.published}})
	}
	list("repair", h.outcomes)
	return strings.TrimSpace(out.String())
}
