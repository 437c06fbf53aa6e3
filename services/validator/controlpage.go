package main

import (
	"slices"
	"strings"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/standing"
	"github.com/trueup/trueup/pkg/statuspage"
	controlv1 "github.com/trueup/trueup/proto/trueup/control/v1"
)

// shown are the pairs as the status page shows them, in the order of the file;
// none before the databases and Kafka were reached.
func (c *control) shown(now time.Time) []statuspage.Pair {
	stands := map[string]standing.Pair{}
	for _, s := range c.history.Snapshot() {
		stands[s.Pair] = s
	}
	var out []statuspage.Pair
	for _, one := range c.runs() {
		p := shownPair(one.status(now), one.underWay())
		p.Standing, p.Verdicts = shownStanding(stands[p.Name], now), shownVerdicts(c.history.Verdicts(p.Name))
		out = append(out, p)
	}
	return out
}

// underWay says whether a run that ends by itself has begun and is not over, also
// while it rests.
func (c *conductor) underWay() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current != nil
}

func shownPair(s *controlv1.Pair, underWay bool) statuspage.Pair {
	p := statuspage.Pair{
		Name: s.GetName(), Phase: s.GetPhase(), Authority: s.GetAuthority(), Epoch: s.GetEpoch(), WaitsFor: s.GetWaitsFor(), Pending: s.GetPending(),
	}
	if next := s.GetNextStart(); next != nil {
		p.NextStart = next.AsTime()
	}
	if o := s.GetOrder(); o != nil {
		p.Order = &statuspage.Order{Who: o.GetWho(), Why: o.GetWhy()}
		if o.GetAt() != nil {
			p.Order.At = o.GetAt().AsTime()
		}
		if o.GetUntil() != nil {
			p.Order.Until = o.GetUntil().AsTime()
		}
	}
	if r := s.GetRun(); r != nil && underWay {
		p.Run = &statuspage.Run{
			Mode: r.GetMode(), Done: r.GetRowsScanned(), Total: r.GetRowsEstimated(), Remaining: r.GetRemaining().AsDuration(), Resumed: r.GetResumed(),
		}
		if r.GetBegan() != nil {
			p.Run.Began = r.GetBegan().AsTime()
		}
	}
	return p
}

// shownVerdicts are the last verdicts of each mode, the newest first.
func shownVerdicts(all []event.Verdict) []statuspage.Verdict {
	var out []statuspage.Verdict
	for _, v := range slices.Backward(all) {
		if !slices.ContainsFunc(out, func(o statuspage.Verdict) bool { return o.Mode == v.Mode }) {
			out = append(out, statuspage.Verdict{
				Mode: v.Mode, Complete: v.Complete, Clean: v.Clean, Found: v.TargetMissing + v.NotEqual + v.BaseMissing, Reason: v.Reason, Ended: v.Ended,
			})
		}
	}
	return out
}

func shownStanding(s standing.Pair, now time.Time) statuspage.Standing {
	out := statuspage.Standing{
		Line: strings.TrimPrefix(s.Line, s.Pair+": "), Known: s.Known, AsOf: s.AsOf, Open: s.Open, AtLeast: s.AtLeast, Oldest: s.Oldest,
		Until: s.Whole, By: "the last full run", Behind: max(now.Sub(s.Whole), 0),
	}
	for _, w := range s.Verified {
		if w.Until.After(out.Until) {
			out.Until, out.By, out.Behind = w.Until, "the "+w.Mode+" run", time.Duration(w.BehindSeconds*float64(time.Second))
			out.Held, out.Stalled = w.Held, w.Stalled
		}
	}
	for _, kind := range []event.Kind{event.TargetMissing, event.NotEqual, event.BaseMissing} {
		if n := s.Kinds[kind.String()]; n > 0 {
			out.Kinds = append(out.Kinds, statuspage.Kind{Name: kind.String(), Open: n, Ages: s.Ages[kind.String()]})
		}
	}
	for _, c := range []statuspage.Count{{Name: "put off", N: s.PutOff}, {Name: "still changing", N: s.Hot}, {Name: "held", N: s.Held}, {Name: "dead", N: s.Dead}, {Name: "undone", N: s.Undone}} {
		if c.N > 0 {
			out.HeldUp = append(out.HeldUp, c)
		}
	}
	return out
}
