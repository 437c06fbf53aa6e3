package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/trueup/trueup/pkg/event"
)

// Canaries shows what became of canaries.
type Canaries struct {
	proven  *prometheus.GaugeVec
	seconds *prometheus.GaugeVec
	planted *prometheus.GaugeVec
	last    *prometheus.GaugeVec
}

// NewCanaries registers the metrics of canaries.
func NewCanaries(m *Metrics) *Canaries {
	return &Canaries{
		proven:  m.gauge("trueup_canary_last_proven", "1 when the last canary was found, repaired and read equal, 0 when something of that did not come to pass.", "pair", "kind"),
		seconds: m.gauge("trueup_canary_last_seconds", "Seconds after its planting at which the last canary was found, repaired and equal; absent for what was not.", "pair", "kind", "stage"),
		planted: m.gauge("trueup_canary_last_timestamp_seconds", "When the last canary was planted, as Unix time.", "pair", "kind"),
		last:    m.gauge("trueup_canary_last_proven_timestamp_seconds", "When the last canary was planted that was found, repaired and read equal, as Unix time; 0 for never.", "pair", "kind"),
	}
}

// Show shows the last canary of a pair and kind, and when the last one was planted
// that was proven; zero for none.
func (c *Canaries) Show(last event.CanaryReport, proven time.Time) {
	kind := last.Kind.String()
	c.proven.WithLabelValues(last.Pair, kind).Set(truth(last.Proven()))
	c.planted.WithLabelValues(last.Pair, kind).Set(unix(last.At))
	c.last.WithLabelValues(last.Pair, kind).Set(unix(proven))
	for stage, took := range map[string]time.Duration{"found": last.Found, "repaired": last.Repaired, "equal": last.Equal} {
		if took == 0 {
			c.seconds.DeleteLabelValues(last.Pair, kind, stage)
			continue
		}
		c.seconds.WithLabelValues(last.Pair, kind, stage).Set(took.Seconds())
	}
}

// unix is a moment in seconds since 1970; 0 for the zero time.
func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
