// Package telemetry is the only one that knows Prometheus. The other packages
// declare observers; the types here are them, and a service hands each package
// the one it asks for. It also serves the metrics, and how ready a service is.
package telemetry

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is a registry of its own, so that nothing a library registers
// somewhere shows up under this project's name, and two services in one test
// do not meet. Every name begins with trueup_, but for those of the Go runtime
// and the process.
type Metrics struct {
	registry *prometheus.Registry
}

// NewMetrics returns a registry with the runtime's metrics, and the build's version
// and commit. The toolchain's version is go_info's.
func NewMetrics(service, version, commit string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m.gauge("trueup_build_info", "Always 1; the labels say which program, version and commit this is.", "program", "version", "revision").
		WithLabelValues(service, version, commit).Set(1)
	return m
}

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: 4,
		Timeout:             writeTimeout / 2,
	})
}

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(g)
	return g
}

func (m *Metrics) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(h)
	return h
}

// workBuckets are seconds of one piece of work against a server: from a
// network round trip to what is plainly stuck.
var workBuckets = []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// ageBuckets are seconds between seeing a difference and having dealt with it:
// from "at once" to "since yesterday".
var ageBuckets = []float64{.1, .5, 1, 5, 15, 60, 300, 1800, 3600, 21600, 86400}

func truth(ok bool) float64 {
	if ok {
		return 1
	}
	return 0
}
