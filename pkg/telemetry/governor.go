package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/trueup/trueup/pkg/governor"
)

// Governed is a governor to be shown: what it admits of which side.
type Governed struct {
	Side, Use string
	Ask       func() governor.Status
}

// WatchGovernors shows governors, asked for at every scrape.
func WatchGovernors(m *Metrics, list []Governed) { m.registry.MustRegister(governors(list)) }

// governors is a collector: which signals there are is known only once the
// databases were reached.
type governors []Governed

func governorDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("trueup_governor_"+name, help, append([]string{"side", "use"}, labels...), nil)
}

var (
	descStatements = governorDesc("statements", "Statements a database may be asked for at once (limit), those that run and those that wait for a place.", "state")
	descPaused     = governorDesc("paused", "1 while nothing new is begun. Work that waits for it piles up; more processes would not help.")
	descPausedFor  = governorDesc("paused_seconds_total", "Time spent in pauses.")
	descShare      = governorDesc("share", "The part of the time that an admitted statement works; below 1 there is less than one worker.")
	descValue      = governorDesc("signal_value", "A signal of the database's load, in its own unit.", "signal")
	descLimit      = governorDesc("signal_limit", "The value of a signal at which the database counts as busy.", "signal")
	descUse        = governorDesc("signal_utilisation", "A signal's value divided by its limit, over the last samples.", "signal")
	descStale      = governorDesc("signal_stale", "1 while a signal cannot be measured.", "signal")
)

// Describe implements prometheus.Collector.
func (governors) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descStatements, descPaused, descPausedFor, descShare, descValue, descLimit, descUse, descStale} {
		descs <- d
	}
}

// Collect implements prometheus.Collector.
func (list governors) Collect(metrics chan<- prometheus.Metric) {
	for _, g := range list {
		s := g.Ask()
		gauge := func(d *prometheus.Desc, value float64, labels ...string) {
			metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, append([]string{g.Side, g.Use}, labels...)...)
		}
		gauge(descStatements, float64(s.Workers), "limit")
		gauge(descStatements, float64(s.Running), "running")
		gauge(descStatements, float64(s.Waiting), "waiting")
		gauge(descPaused, truth(s.State == governor.Paused))
		gauge(descShare, s.Share)
		metrics <- prometheus.MustNewConstMetric(descPausedFor, prometheus.CounterValue, s.PausedFor.Seconds(), g.Side, g.Use)
		for _, r := range s.Signals {
			gauge(descValue, r.Value, r.Signal.Name)
			gauge(descLimit, r.Signal.Limit, r.Signal.Name)
			gauge(descUse, r.Smoothed, r.Signal.Name)
			gauge(descStale, truth(r.Stale), r.Signal.Name)
		}
	}
}
