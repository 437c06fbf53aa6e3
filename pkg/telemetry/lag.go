package telemetry

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// Lag is how many messages of a topic are left, by partition.
type Lag struct {
	Group, Topic string
	Left         map[int32]int64
}

// WatchClaims shows what is left of the partitions that this process holds, asked
// for at every scrape: also of one whose first batch is not done, or waits for a
// database.
func WatchClaims(m *Metrics, ask func() []Lag) {
	m.registry.MustRegister(lags{descClaimed, ask, func(l Lag) []string { return []string{l.Topic} }})
}

// WatchGroups shows what consumer groups have left to do as the brokers tell, also
// while a group has no member.
func WatchGroups(m *Metrics, ask func() []Lag) {
	m.registry.MustRegister(lags{descGroupLag, ask, func(l Lag) []string { return []string{l.Group, l.Topic} }})
}

var (
	descClaimed  = prometheus.NewDesc("trueup_kafka_lag", "Messages of a partition this member holds that are not dealt with yet, as far as its last fetch knows.", []string{"topic", "partition"}, nil)
	descGroupLag = prometheus.NewDesc("trueup_kafka_group_lag", "Messages of a partition that the consumer group has not committed, as the brokers tell; every validator tells it. Absent while they do not.", []string{"group", "topic", "partition"}, nil)
)

// lags is a collector: which partitions there are changes.
type lags struct {
	desc   *prometheus.Desc
	ask    func() []Lag
	labels func(Lag) []string
}

// Describe implements prometheus.Collector.
func (l lags) Describe(descs chan<- *prometheus.Desc) { descs <- l.desc }

// Collect implements prometheus.Collector.
func (l lags) Collect(metrics chan<- prometheus.Metric) {
	for _, one := range l.ask() {
		for partition, left := range one.Left {
			labels := append(l.labels(one), strconv.Itoa(int(partition)))
			metrics <- prometheus.MustNewConstMetric(l.desc, prometheus.GaugeValue, float64(left), labels...)
		}
	}
}
