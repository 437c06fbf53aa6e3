package kafka

import "time"

// PublishObserver is told what a publisher does, for metrics. Its methods are
// called from many goroutines and must not block.
type PublishObserver interface {
	// Published: n messages were acknowledged by all in-sync replicas.
	Published(topic string, n int)
	// PublishRetried: n messages were not acknowledged and will be sent again.
	PublishRetried(topic string, n int)
	// PublisherHealthy: the publisher became healthy or unhealthy.
	PublisherHealthy(ok bool)
}

// GroupObserver is told what a group member does, for metrics. Its methods are
// called from many goroutines and must not block.
type GroupObserver interface {
	// Handled: the handler finished a batch of n messages.
	Handled(topic string, partition int32, n int, took time.Duration)
	// HandleRetried: the handler returned an error; the batch of n is tried again.
	HandleRetried(topic string, partition int32, n int)
	// Rebalanced: a new session with this many claimed partitions began.
	Rebalanced(topic string, claims int)
	// GroupHealthy: the member became healthy or unhealthy.
	GroupHealthy(ok bool)
}

// Unobserved is a PublishObserver and a GroupObserver that ignores everything.
type Unobserved struct{}

// Published ignores.
func (Unobserved) Published(string, int) {}

// PublishRetried ignores.
func (Unobserved) PublishRetried(string, int) {}

// PublisherHealthy ignores.
func (Unobserved) PublisherHealthy(bool) {}

// Handled ignores.
func (Unobserved) Handled(string, int32, int, time.Duration) {}

// HandleRetried ignores.
func (Unobserved) HandleRetried(string, int32, int) {}

// Rebalanced ignores.
func (Unobserved) Rebalanced(string, int) {}

// GroupHealthy ignores.
func (Unobserved) GroupHealthy(bool) {}
