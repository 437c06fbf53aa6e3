package main

import (
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/telemetry"
	"github.com/trueup/trueup/services/assembly"
)

// canaries shows what became of the last canaries of this validator's pairs, as the
// state topic tells: trueup canary is over before anybody could ask it.
type canaries struct {
	metrics *telemetry.Canaries
	log     zerolog.Logger

	mu     sync.Mutex
	flown  map[string]bool // by pair
	last   map[flight]event.CanaryReport
	proven map[flight]time.Time
}

// flight is what canaries are told apart by.
type flight struct {
	pair string
	kind event.Kind
}

func newCanaries(pairs []assembly.Pair, metrics *telemetry.Canaries, log zerolog.Logger) *canaries {
	c := &canaries{metrics: metrics, log: log, flown: map[string]bool{}, last: map[flight]event.CanaryReport{}, proven: map[flight]time.Time{}}
	for i := range pairs {
		c.flown[pairs[i].Name] = pairs[i].Canary != nil
	}
	return c
}

// learn takes note of a record of the state topic. Records may come in any order,
// and again. What cannot be read forbids nothing.
func (c *canaries) learn(r event.Record) error {
	if kind, _ := event.StateKind(r.Key); kind != event.StateCanary || r.Value == nil {
		return nil
	}
	report, err := event.DecodeCanaryReport(r)
	if err != nil {
		c.log.Warn().Err(err).Msg("the report of a canary cannot be read")
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.flown[report.Pair] { // somebody else's, or its canary was taken out
		return nil
	}
	of := flight{report.Pair, report.Kind}
	if report.Proven() && report.At.After(c.proven[of]) {
		c.proven[of] = report.At
	}
	if !report.At.Before(c.last[of].At) {
		c.last[of] = report
	}
	c.metrics.Show(c.last[of], c.proven[of])
	return nil
}
