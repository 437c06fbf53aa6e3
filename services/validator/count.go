package main

import (
	"context"

	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/validate"
)

// byTime is how a run that counts does so: by windows of the column that tells
// when a row changed, where the pair has one, else, with nil, by ranges of keys.
func (v *validator) byTime(ready *readied, i int, mode validate.Mode) *validate.ByTime {
	p := v.pairs[i]
	if mode != validate.Count || p.UpdatedAt == "" {
		return nil
	}
	timeline, err := schema.TimelineOf(ready.pairs[i], p.Mapping(), p.UpdatedAt)
	if err != nil {
		v.service.Log.Warn().Err(err).Str("pair", p.Name).Msg("rows cannot be counted by time, and are counted by ranges of keys")
		return nil
	}
	return &validate.ByTime{Timeline: timeline, Source: ready.databases.Source, Target: ready.databases.Target}
}

// conclude keeps what a run came to, for those who ask, and says where rows are
// too many or too few.
func (v *validator) conclude(ctx context.Context, runs *conductor, verdict validate.Verdict) {
	if err := runs.ended(ctx, verdict); err != nil && ctx.Err() == nil {
		v.service.Log.Warn().Err(err).Str("pair", verdict.Pair).Msg("the end of the run could not be kept; after a restart it may be run again")
	}
	if verdict.Windows == nil {
		return
	}
	const most = 10 // as many as a person reads in a log
	for _, w := range verdict.Windows.Listed[:min(len(verdict.Windows.Listed), most)] {
		v.service.Log.Warn().Str("pair", verdict.Pair).Str("place", w.Place).Time("from", w.From).Time("until", w.Until).
			Int64("source", w.Source).Int64("target", w.Target).Msg("numbers of rows differ")
	}
}
