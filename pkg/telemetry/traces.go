package telemetry

import "github.com/prometheus/client_golang/prometheus"

// WatchTraces shows how many spans ended and how many of them a receiver took,
// asked for at every scrape.
func WatchTraces(m *Metrics, counts func() (ended, delivered int64)) {
	for state, of := range map[string]func() int64{
		"ended":     func() int64 { ended, _ := counts(); return ended },
		"delivered": func() int64 { _, delivered := counts(); return delivered },
	} {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "trueup_trace_spans_total", ConstLabels: prometheus.Labels{"state": state},
			Help: "Spans that were sampled and ended, and those that the receiver of traces took. What lies between them waits or was dropped.",
		}, func() float64 { return float64(of()) }))
	}
}
