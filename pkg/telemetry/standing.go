package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/standing"
)

// Standing shows how pairs stand: what the topics say of findings, and up to
// when the rest is verified.
type Standing struct {
	open      *prometheus.GaugeVec
	oldest    *prometheus.GaugeVec
	stuck     *prometheus.GaugeVec
	overflown *prometheus.GaugeVec
	outcomes  *prometheus.CounterVec
	stalled   *prometheus.GaugeVec
	age       prometheus.Gauge

	began time.Time
	// counted is the number of outcomes that the counter knows, once there is one.
	counted map[string]map[string]int64
}

// NewStanding registers the metrics of how pairs stand.
func NewStanding(m *Metrics) *Standing {
	return &Standing{
		began: time.Now(), counted: map[string]map[string]int64{},
		open:      m.gauge("trueup_open_rows", "Rows that are known to differ, by the kind of their newest finding.", "pair", "kind"),
		oldest:    m.gauge("trueup_open_row_oldest_seconds", "How long ago the first of the open rows was found; 0 when none is open.", "pair"),
		stuck:     m.gauge("trueup_open_rows_stuck", "Open rows that something holds up: put_off (another transaction, or a row they refer to), hot (still changing), held, dead, undone.", "pair", "why"),
		overflown: m.gauge("trueup_open_rows_overflown", "1 when more rows are open than are counted.", "pair"),
		outcomes:  m.counter("trueup_outcomes_seen_total", "Outcomes of findings as the topic of outcomes tells of them, of all fixers, since this process has read what stood there before.", "pair", "result"),
		stalled:   m.gauge("trueup_watermark_stalled", "1 while what an incremental run has verified stands still, or is far behind.", "pair"),
		age:       m.gauge("trueup_standing_age_seconds", "How old the knowledge of open rows is; since the start of the process before there is any.").WithLabelValues(),
	}
}

// Show notes how pairs stand now. It is for one caller at a time.
func (s *Standing) Show(pairs []standing.Pair, now time.Time) {
	for i := range pairs {
		p := &pairs[i]
		for _, kind := range []event.Kind{event.TargetMissing, event.NotEqual, event.BaseMissing} {
			s.open.WithLabelValues(p.Pair, kind.String()).Set(float64(p.Kinds[kind.String()]))
		}
		for why, n := range map[string]int{"put_off": p.PutOff, "hot": p.Hot, "held": p.Held, "dead": p.Dead, "undone": p.Undone} {
			s.stuck.WithLabelValues(p.Pair, why).Set(float64(n))
		}
		s.oldest.WithLabelValues(p.Pair).Set(p.OldestSeconds)
		s.overflown.WithLabelValues(p.Pair).Set(truth(p.AtLeast))
		for _, w := range p.Verified {
			if w.Mode == "incremental" {
				s.stalled.WithLabelValues(p.Pair).Set(truth(w.Stalled))
			}
		}
		s.count(p)
		age := now.Sub(s.began).Seconds()
		if p.Known {
			age = p.KnownAsOfSeconds
		}
		s.age.Set(age)
	}
}

// count adds the outcomes that are new. Those of before the start are not: a
// restart would look like a flood of them.
func (s *Standing) count(p *standing.Pair) {
	if !p.Known {
		return
	}
	known, any := s.counted[p.Pair]
	for result, n := range p.Outcomes {
		if any {
			s.outcomes.WithLabelValues(p.Pair, result).Add(float64(n - known[result]))
		}
	}
	s.counted[p.Pair] = p.Outcomes
}
