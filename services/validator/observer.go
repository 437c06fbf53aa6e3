package main

import (
	"slices"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/telemetry"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// observer logs what runs do, and measures it; it is the Observer of package
// validate.
type observer struct {
	log     zerolog.Logger
	metrics *telemetry.Validator
	// governors are told what reading costs.
	governors *assembly.Governors
	runs      []*conductor
}

// of is the conductor of a pair; nil for none.
func (o observer) of(pair string) *conductor {
	i := slices.IndexFunc(o.runs, func(c *conductor) bool { return c.pair.Name == pair })
	if i < 0 {
		return nil
	}
	return o.runs[i]
}

func (o observer) Started(s validate.Start) {
	if c := o.of(s.Pair); c != nil {
		c.started(s)
	}
	o.metrics.RunStarted(s.Pair, s.Mode, s.Rows, s.Done)
	o.log.Info().Str("pair", s.Pair).Str("mode", s.Mode).Str("method", s.Method).Int64("rows_estimated", s.Rows).
		Bool("resumed", s.Resumed).Msg("run started")
}

func (o observer) RangeDone(r validate.RangeReport) {
	if r.Endless {
		o.metrics.RowsLooked(r.Pair, r.Scanned, r.Took)
		return
	}
	if c := o.of(r.Pair); c != nil {
		c.scanned(r.Scanned)
	}
	o.metrics.RangeDone(r.Pair, r.Scanned, r.Took, r.Unreadable == nil)
	o.governors.Observe(r.Cost.Rows, r.Cost.Took)
	if r.Unreadable != nil {
		o.log.Error().Err(r.Unreadable).Str("pair", r.Pair).Stringer("range", r.Range).Msg("range unreadable")
	}
}

func (o observer) Suspects(r validate.SuspectReport) {
	for _, count := range []struct {
		state string
		n     int
	}{{"seen", r.Seen}, {"confirmed", r.Confirmed}, {"cleared", r.Cleared}, {"hot", r.Hot}, {"open", r.Open}} {
		if count.n > 0 {
			o.metrics.Suspects(r.Pair, count.state, count.n)
		}
	}
	for _, p := range r.Placed {
		if r.Endless { // others are counted when they end
			o.metrics.Found(r.Pair, p.Kind.String())
		}
	}
}

func (o observer) ReadFailed(f validate.Failure) {
	o.metrics.ReadFailed(f.Pair)
	o.log.Warn().Err(f.Err).Str("pair", f.Pair).Str("reading", f.Reading).Int("attempt", f.Attempt).Msg("read failed")
}

func (o observer) Warn(pair, message string) {
	o.log.Warn().Str("pair", pair).Msg(message)
}
