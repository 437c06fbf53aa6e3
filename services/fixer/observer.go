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

func (o observer) Settled(outcome event.Outcome) {
	o.metrics.Settled(outcome)
	if outcome.Result != event.Dead && outcome.Result != event.Held {
		return
	}
	// The key may be personal data, and stands in the topics for whoever may know.
	o.log.Warn().Str("pair", outcome.Pair).Str("finding", outcome.FindingID).Stringer("result", outcome.Result).
		Str("class", outcome.Class).Str("reason", outcome.Reason).Msg("finding not repaired")
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
	for _, d := range dead {
		o.log.Error().Err(d.Message.DecodeErr).Str("topic", d.Message.Topic).Int32("partition", d.Message.Partition).
			Int64("offset", d.Message.Offset).Msg("message not understood; moved to the dead topic")
	}
}
