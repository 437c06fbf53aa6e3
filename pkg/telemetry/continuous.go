package telemetry

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Continuous measures runs that never end.
type Continuous struct {
	metrics *Metrics
	until   *prometheus.GaugeVec
	events  *prometheus.CounterVec
	keys    *prometheus.CounterVec
	spills  *prometheus.CounterVec
	ended   *prometheus.CounterVec

	mu     sync.Mutex
	behind map[[2]string]reached
}

// reached is how far behind a run was at a moment.
type reached struct {
	behind time.Duration
	at     time.Time
}

// NewContinuous registers the metrics of runs that never end.
func NewContinuous(m *Metrics) *Continuous {
	return &Continuous{
		metrics: m,
		until:   m.gauge("trueup_verified_until_timestamp_seconds", "Up to when changes at the authority were looked at, by its clock, as Unix time: they agree, or findings were published. With mode triggered, the newest commit there with which all events before it are dealt with.", "pair", "mode"),
		events:  m.counter("trueup_change_events_total", "Change events by what they said: rows, all (a truncated table), nothing, other (another table's), unreadable (in the dead topic).", "pair", "kind"),
		keys:    m.counter("trueup_change_keys_total", "Different rows looked at because of change events.", "pair"),
		spills:  m.counter("trueup_change_spills_total", "Times that too many rows waited and a range was compared instead.", "pair"),
		ended:   m.counter("trueup_continuous_restarts_total", "Times an incremental or triggered run ended and was started anew.", "pair", "mode"),
		behind:  map[[2]string]reached{},
	}
}

// VerifiedUntil notes how far a run has come, and how far that is behind now.
func (c *Continuous) VerifiedUntil(pair, mode string, until time.Time, behind time.Duration, at time.Time) {
	c.until.WithLabelValues(pair, mode).Set(float64(until.UnixMilli()) / 1000)
	c.mu.Lock()
	defer c.mu.Unlock()
	key := [2]string{pair, mode}
	_, known := c.behind[key]
	c.behind[key] = reached{behind, at}
	if !known {
		c.metrics.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "trueup_verified_behind_seconds", ConstLabels: prometheus.Labels{"pair": pair, "mode": mode},
			Help: "How far what was verified is behind now; it grows while nothing is verified.",
		}, func() float64 { return c.behindNow(key).Seconds() }))
	}
}

func (c *Continuous) behindNow(key [2]string) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.behind[key]
	return r.behind + time.Since(r.at)
}

// RowsLooked notes rows that a run without end looked at, which are no part of
// anybody's progress.
func (v *Validator) RowsLooked(pair string, rows int64, took time.Duration) {
	v.rows.WithLabelValues(pair).Add(float64(rows))
	v.seconds.WithLabelValues(pair).Observe(took.Seconds())
}

// Found counts a finding of a run without end.
func (v *Validator) Found(pair, kind string) { v.findings.WithLabelValues(pair, kind).Inc() }

// Event counts a change event.
func (c *Continuous) Event(pair, kind string) { c.events.WithLabelValues(pair, kind).Inc() }

// Keys counts rows looked at.
func (c *Continuous) Keys(pair string, n int) { c.keys.WithLabelValues(pair).Add(float64(n)) }

// Spilled counts ranges compared instead of rows.
func (c *Continuous) Spilled(pair string, n int) { c.spills.WithLabelValues(pair).Add(float64(n)) }

// Restarted counts a run that ended.
func (c *Continuous) Restarted(pair, mode string) { c.ended.WithLabelValues(pair, mode).Inc() }
