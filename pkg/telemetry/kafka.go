package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Publisher measures what is sent to Kafka; it is the PublishObserver of
// package kafka.
type Publisher struct {
	published *prometheus.CounterVec
	retried   *prometheus.CounterVec
	healthy   prometheus.Gauge
}

// NewPublisher registers the metrics of a publisher.
func NewPublisher(m *Metrics) *Publisher {
	return &Publisher{
		published: m.counter("trueup_kafka_published_total", "Messages acknowledged by all in-sync replicas.", "topic"),
		retried:   m.counter("trueup_kafka_publish_retries_total", "Messages that were not acknowledged and are sent again.", "topic"),
		healthy:   m.gauge("trueup_kafka_publisher_healthy", "1 while messages are acknowledged, 0 while they are not and work stands still.").WithLabelValues(),
	}
}

// Published counts n acknowledged messages.
func (p *Publisher) Published(topic string, n int) {
	p.published.WithLabelValues(topic).Add(float64(n))
	p.retried.WithLabelValues(topic) // is shown from 0 on
}

// PublishRetried counts n messages that are sent again.
func (p *Publisher) PublishRetried(topic string, n int) {
	p.retried.WithLabelValues(topic).Add(float64(n))
}

// PublisherHealthy notes the publisher's health.
func (p *Publisher) PublisherHealthy(ok bool) { p.healthy.Set(truth(ok)) }

// Group measures what is received from Kafka; it is the GroupObserver of
// package kafka.
type Group struct {
	handled    *prometheus.CounterVec
	retried    *prometheus.CounterVec
	seconds    *prometheus.HistogramVec
	last       *prometheus.GaugeVec
	claims     *prometheus.GaugeVec
	rebalances *prometheus.CounterVec
	healthy    prometheus.Gauge
}

// NewGroup registers the metrics of a member of a consumer group.
func NewGroup(m *Metrics) *Group {
	return &Group{
		handled:    m.counter("trueup_kafka_handled_total", "Messages dealt with for good.", "topic"),
		retried:    m.counter("trueup_kafka_handle_retries_total", "Messages of batches that could not be dealt with and are tried again.", "topic"),
		seconds:    m.histogram("trueup_kafka_handle_seconds", "Time to deal with a batch of messages.", workBuckets, "topic"),
		last:       m.gauge("trueup_kafka_last_handled_timestamp_seconds", "When the last batch was dealt with, as Unix time.", "topic"),
		claims:     m.gauge("trueup_kafka_claims", "Partitions this member works on.", "topic"),
		rebalances: m.counter("trueup_kafka_rebalances_total", "Sessions of the consumer group this member took part in.", "topic"),
		healthy:    m.gauge("trueup_kafka_group_healthy", "1 while this member takes part in its consumer group.").WithLabelValues(),
	}
}

// Handled counts a batch that was dealt with.
func (g *Group) Handled(topic string, _ int32, n int, took time.Duration) {
	g.handled.WithLabelValues(topic).Add(float64(n))
	g.seconds.WithLabelValues(topic).Observe(took.Seconds())
	g.last.WithLabelValues(topic).SetToCurrentTime()
}

// HandleRetried counts a batch that is tried again.
func (g *Group) HandleRetried(topic string, _ int32, n int) {
	g.retried.WithLabelValues(topic).Add(float64(n))
}

// Rebalanced counts a new session. Messages are counted from none on: a counter
// that is not there before its first value has no increase.
func (g *Group) Rebalanced(topic string, claims int) {
	g.rebalances.WithLabelValues(topic).Inc()
	g.claims.WithLabelValues(topic).Set(float64(claims))
	g.handled.WithLabelValues(topic)
	g.retried.WithLabelValues(topic)
}

// GroupHealthy notes the member's health.
func (g *Group) GroupHealthy(ok bool) { g.healthy.Set(truth(ok)) }
