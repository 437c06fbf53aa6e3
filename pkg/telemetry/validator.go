package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/trueup/trueup/pkg/event"
)

// Validator measures runs.
type Validator struct {
	active     *prometheus.GaugeVec
	total      *prometheus.GaugeVec
	scanned    *prometheus.GaugeVec
	rows       *prometheus.CounterVec
	seconds    *prometheus.HistogramVec
	suspects   *prometheus.CounterVec
	failures   *prometheus.CounterVec
	unreadable *prometheus.CounterVec
	runs       *prometheus.CounterVec
	findings   *prometheus.CounterVec
	ended      *prometheus.GaugeVec
	clean      *prometheus.GaugeVec
	took       *prometheus.GaugeVec
	// Continuous are the metrics of runs that never end.
	Continuous *Continuous
}

// NewValidator registers the metrics of runs.
func NewValidator(m *Metrics) *Validator {
	return &Validator{
		Continuous: NewContinuous(m),
		active:     m.gauge("trueup_run_active", "1 while a run of the pair is under way.", "pair", "mode"),
		total:      m.gauge("trueup_run_rows_estimated", "Rows the present or last run has to scan, as the engine estimates them.", "pair"),
		scanned:    m.gauge("trueup_run_rows_scanned", "Rows the present or last run has scanned.", "pair"),
		rows:       m.counter("trueup_rows_scanned_total", "Rows scanned by all runs.", "pair"),
		seconds:    m.histogram("trueup_range_seconds", "Time to examine one range of keys, waiting for the governor included.", workBuckets, "pair"),
		suspects:   m.counter("trueup_suspects_total", "Rows that differed when first read: seen, and what became of them (confirmed, cleared, hot: changed meanwhile and looked at once more, open: left undecided).", "pair", "state"),
		failures:   m.counter("trueup_read_failures_total", "Attempts to read a database that failed.", "pair"),
		unreadable: m.counter("trueup_unreadable_ranges_total", "Ranges that could not be read however often it was tried.", "pair"),
		runs:       m.counter("trueup_runs_total", "Runs that ended: clean, different, incomplete, or undecided (complete, nothing found, not clean).", "pair", "mode", "result"),
		findings:   m.counter("trueup_findings_total", "Findings published by runs that ended, and at once by those without an end.", "pair", "kind"),
		ended:      m.gauge("trueup_run_last_end_timestamp_seconds", "When the last run ended, as Unix time.", "pair", "mode"),
		clean:      m.gauge("trueup_run_last_clean", "1 when the last run that ended was clean.", "pair", "mode"),
		took:       m.gauge("trueup_run_last_seconds", "How long the last run took.", "pair", "mode"),
	}
}

// Expect shows the counters of pairs before they count anything: the increase of a
// counter begins with its second value.
func (v *Validator) Expect(pairs ...string) {
	for _, pair := range pairs {
		for _, mode := range []string{"full", "reverse", "count"} {
			for _, result := range []string{runClean, runDifferent, runIncomplete, runUndecided} {
				v.runs.WithLabelValues(pair, mode, result)
			}
		}
		for _, kind := range []event.Kind{event.TargetMissing, event.NotEqual, event.BaseMissing} {
			v.findings.WithLabelValues(pair, kind.String())
		}
		for _, state := range []string{"seen", "confirmed", "cleared", "hot", "open"} {
			v.suspects.WithLabelValues(pair, state)
		}
		v.rows.WithLabelValues(pair)
		v.seconds.WithLabelValues(pair)
		v.failures.WithLabelValues(pair)
		v.unreadable.WithLabelValues(pair)
	}
}

// WatchPauses shows which pairs somebody has paused, asked for at every scrape.
func WatchPauses(m *Metrics, paused func() map[string]bool) { m.registry.MustRegister(pauses(paused)) }

// WatchLeader shows whether this process runs the pairs, asked for at every scrape.
func WatchLeader(m *Metrics, leads func() bool) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "trueup_validator_leads", Help: "1 while this validator runs the pairs, 0 while it stands by or does not know who leads.",
	}, func() float64 { return truth(leads()) }))
}

// pauses is a collector: a pause ends by itself.
type pauses func() map[string]bool

var descPairPaused = prometheus.NewDesc("trueup_pair_paused", "1 while somebody has paused the pair's runs; trueup status says who and why.", []string{"pair"}, nil)

// Describe implements prometheus.Collector.
func (pauses) Describe(descs chan<- *prometheus.Desc) { descs <- descPairPaused }

// Collect implements prometheus.Collector.
func (ask pauses) Collect(metrics chan<- prometheus.Metric) {
	for pair, paused := range ask() {
		metrics <- prometheus.MustNewConstMetric(descPairPaused, prometheus.GaugeValue, truth(paused), pair)
	}
}

// RunStarted notes that a run begins with rows to scan, of which done are done.
func (v *Validator) RunStarted(pair, mode string, rows, done int64) {
	v.active.WithLabelValues(pair, mode).Set(1)
	v.total.WithLabelValues(pair).Set(float64(rows))
	v.scanned.WithLabelValues(pair).Set(float64(done))
}

// RangeDone notes that a range was examined.
func (v *Validator) RangeDone(pair string, scanned int64, took time.Duration, readable bool) {
	v.rows.WithLabelValues(pair).Add(float64(scanned))
	v.scanned.WithLabelValues(pair).Add(float64(scanned))
	v.seconds.WithLabelValues(pair).Observe(took.Seconds())
	if !readable {
		v.unreadable.WithLabelValues(pair).Inc()
	}
}

// Suspects counts suspects by what became of them: "seen", "confirmed",
// "cleared", "hot" or "open".
func (v *Validator) Suspects(pair, state string, n int) {
	v.suspects.WithLabelValues(pair, state).Add(float64(n))
}

// ReadFailed counts an attempt to read that failed.
func (v *Validator) ReadFailed(pair string) { v.failures.WithLabelValues(pair).Inc() }

// Run is how a run ended.
type Run struct {
	Pair, Mode      string
	Complete, Clean bool
	Took            time.Duration
	// Findings counts them by kind.
	Findings map[string]int64
}

// What a run came to.
const (
	runClean      = "clean"
	runDifferent  = "different"
	runIncomplete = "incomplete"
	runUndecided  = "undecided"
)

// RunEnded notes how a run ended.
func (v *Validator) RunEnded(r Run) {
	found := int64(0)
	for kind, n := range r.Findings {
		v.findings.WithLabelValues(r.Pair, kind).Add(float64(n))
		found += n
	}
	result := runUndecided
	switch {
	case r.Clean:
		result = runClean
	case !r.Complete:
		result = runIncomplete
	case found > 0:
		result = runDifferent
	}
	v.active.WithLabelValues(r.Pair, r.Mode).Set(0)
	v.runs.WithLabelValues(r.Pair, r.Mode, result).Inc()
	v.ended.WithLabelValues(r.Pair, r.Mode).SetToCurrentTime()
	v.clean.WithLabelValues(r.Pair, r.Mode).Set(truth(r.Clean))
	v.took.WithLabelValues(r.Pair, r.Mode).Set(r.Took.Seconds())
}
