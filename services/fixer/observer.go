package main

import (
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/telemetry"
)

// repairs is the condition that says whether repairs can be written.
const repairs = "repairs"

// observer logs and measures repairs, and says on /readyz when they cannot be
// made; it is the Observer of package fix.
type observer struct {
	log       zerolog.Logger
	readiness *telemetry.Readiness
	metrics   *telemetry.Fixer
}

// long is a wait that a person should know of; shorter ones are a matter of course.
const long = time.Second

// ofPair is the condition that says whether the databases of a pair answer.
func ofPair(pair string) string { return repairs + " of " + pair }

func (o observer) Batch(pair string, keys int, took time.Duration) {
	o.metrics.Batch(pair, keys, took)
	o.readiness.Set(ofPair(pair), true, "")
}

// Waiting is not worth a warning when rows are only held by others for a
// moment. A database that does not answer makes the service not ready, rows
// that others hold do not: the rest is repaired meanwhile.
func (o observer) Waiting(pair string, err error, delay time.Duration) {
	o.metrics.Waiting(pair, err, delay)
	if delay >= long && fix.FaultOf(err) == fix.Transient {
		o.readiness.Set(ofPair(pair), false, err.Error())
	}
	level := zerolog.DebugLevel
	if delay >= long {
		level = zerolog.WarnLevel
	}
	o.log.WithLevel(level).Err(err).Str("pair", pair).Dur("retry_in_ms", delay).Msg("repair waits")
}

// letGo ends the wait of a pair whose partition now belongs to another member.
// Where this one still waits for it with another partition, it says so again.
func (o observer) letGo(pair string) { o.readiness.Set(ofPair(pair), true, "") }

// stopped notes that a pair is repaired no longer, since this fixer was
// configured for a decision about its authority that is not the present one.
func (o observer) stopped(pair string, why error) {
	o.readiness.Set("epoch of "+pair, false, why.Error())
	o.log.Error().Err(why).Str("pair", pair).Msg("nothing is repaired")
}

// breaker notes that the repairs of a pair are held back, or no longer. The
// service is ready all the same: it does what it is to do.
func (o observer) breaker(s event.BreakerState) {
	o.metrics.Breaker(s)
	name := "breaker of " + s.Pair
	if !s.Tripped {
		o.readiness.Set(name, true, "")
		o.log.Info().Str("pair", s.Pair).Uint64("number", s.Number).Msg("the breaker is released, rows are repaired again")
		return
	}
	o.readiness.Set(name, true, s.Reason)
	o.log.Error().Str("pair", s.Pair).Str("reason", s.Reason).Msg("the breaker has tripped, repairs are held")
}

func (o observer) Settled(outcome event.Outcome) {
	o.metrics.Settled(outcome)
	held := outcome.Result == event.Held && outcome.Class != fix.ClassBreaker // those may be many, and the trip was told
	if outcome.Result != event.Dead && !held {
		return
	}
	// The key may be personal data, and stands in the topics for whoever may know.
	line := o.log.Warn().Str("pair", outcome.Pair).Str("finding", outcome.FindingID).Stringer("result", outcome.Result).
		Str("class", outcome.Class).Str("reason", outcome.Reason)
	if outcome.TraceParent != "" {
		line = line.Str("traceparent", outcome.TraceParent)
	}
	line.Msg("finding not repaired")
}

// handled notes how a batch of messages ended. An error is one that trying
// again has not cured: a missing privilege, a changed table.
func (o observer) handled(err error) {
	if err == nil {
		o.readiness.Set(repairs, true, "")
		return
	}
	o.readiness.Set(repairs, false, err.Error())
	o.log.Error().Err(err).Msg("findings cannot be repaired; they are kept and tried again")
}

func (o observer) undecodable(dead []kafka.Dead) {
	o.metrics.Undecodable(len(dead))
	for _, d := range dead {
		o.log.Error().Err(d.Message.DecodeErr).Str("topic", d.Message.Topic).Int32("partition", d.Message.Partition).
			Int64("offset", d.Message.Offset).Msg("message not understood; moved to the dead topic")
	}
}
