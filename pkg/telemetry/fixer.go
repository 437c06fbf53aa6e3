package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/trueup/trueup/pkg/event"
)

// Fixer measures repairs; it is the Observer of package fix.
type Fixer struct {
	outcomes *prometheus.CounterVec
	keys     *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	age      *prometheus.HistogramVec
	waits    *prometheus.CounterVec
	waiting  *prometheus.GaugeVec
	tripped  *prometheus.GaugeVec
}

// NewFixer registers the metrics of repairs.
func NewFixer(m *Metrics) *Fixer {
	return &Fixer{
		outcomes: m.counter("trueup_fixer_outcomes_total", "Findings that have their outcome.", "pair", "result", "action"),
		keys:     m.counter("trueup_fixer_keys_total", "Rows looked at, counting a row again for each round over it.", "pair"),
		seconds:  m.histogram("trueup_fixer_batch_seconds", "Time of one round over a batch of rows: lock, read, write, commit, read again.", workBuckets, "pair"),
		age:      m.histogram("trueup_fixer_finding_age_seconds", "Time from seeing a difference to its outcome.", ageBuckets, "pair"),
		waits:    m.counter("trueup_fixer_waits_total", "Times a repair had to wait and try again.", "pair"),
		waiting:  m.gauge("trueup_fixer_waiting", "1 while the last thing a pair's repair did was to wait for a database.", "pair"),
		tripped:  m.gauge("trueup_fixer_breaker_tripped", "1 while repairs of the pair are held because they were too many; see `trueup release`.", "pair"),
	}
}

// unknownPair stands for pairs that nobody knows: their names come from outside and
// have no bound.
const unknownPair = "unknown"

// Expect shows the metrics of pairs before anything happened: the increase of a
// counter begins with its second value, and the first dead finding must not be
// overlooked.
func (f *Fixer) Expect(pairs ...string) {
	none := event.NoAction.String()
	f.outcomes.WithLabelValues(unknownPair, event.Dead.String(), none)
	for _, pair := range pairs {
		for _, result := range []event.Result{event.AlreadyEqual, event.Vanished, event.Held, event.Dead} {
			f.outcomes.WithLabelValues(pair, result.String(), none)
		}
		for _, action := range []event.Action{event.Insert, event.Update, event.Delete} {
			f.outcomes.WithLabelValues(pair, event.Repaired.String(), action.String())
		}
		f.keys.WithLabelValues(pair)
		f.seconds.WithLabelValues(pair)
		f.age.WithLabelValues(pair)
		f.waits.WithLabelValues(pair)
		f.waiting.WithLabelValues(pair)
		f.tripped.WithLabelValues(pair)
	}
}

// Undecodable counts messages that went to the dead topic because nobody could
// understand them: no outcome tells of them.
func (f *Fixer) Undecodable(n int) {
	f.outcomes.WithLabelValues(unknownPair, event.Dead.String(), event.NoAction.String()).Add(float64(n))
}

// Batch notes a round over a batch of rows.
func (f *Fixer) Batch(pair string, keys int, took time.Duration) {
	f.keys.WithLabelValues(pair).Add(float64(keys))
	f.seconds.WithLabelValues(pair).Observe(took.Seconds())
	f.waiting.WithLabelValues(pair).Set(0)
}

// Waiting notes that nothing can be done for the moment.
func (f *Fixer) Waiting(pair string, _ error, _ time.Duration) {
	f.waits.WithLabelValues(pair).Inc()
	f.waiting.WithLabelValues(pair).Set(1)
}

// Breaker notes whether the repairs of a pair are held back.
func (f *Fixer) Breaker(s event.BreakerState) {
	f.tripped.WithLabelValues(s.Pair).Set(truth(s.Tripped))
}

// Settled counts an outcome.
func (f *Fixer) Settled(o event.Outcome) {
	pair := o.Pair
	if o.Class == "unknown_pair" {
		pair = unknownPair
	}
	result := o.Result.String()
	if o.DryRun && o.Result == event.Repaired {
		result = "would_be_repaired"
	}
	f.outcomes.WithLabelValues(pair, result, o.Action.String()).Inc()
	if !o.DetectedAt.IsZero() && o.At.After(o.DetectedAt) {
		f.age.WithLabelValues(pair).Observe(o.At.Sub(o.DetectedAt).Seconds())
	}
}
