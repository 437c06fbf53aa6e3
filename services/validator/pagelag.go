package main

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/statuspage"
	"github.com/trueup/trueup/pkg/telemetry"
	"github.com/trueup/trueup/services/assembly"
)

// The lag is asked of Kafka now and then for the metrics, and soon again while
// somebody looks at the page.
const (
	lagEvery    = 15 * time.Second
	lagLooked   = 3 * time.Second
	lagPatience = 10 * time.Second
	// lagFresh is how old a lag may be to be a metric, which has no word for its age.
	lagFresh = time.Minute
)

// backlog is what a consumer group of the fixers has left to do.
type backlog struct {
	group, topic string
	// retried says that what stands there was put off.
	retried bool
	// left are messages, by partition, as it was at; zero before it was measured once.
	// problem is why the last attempt failed.
	left    map[int32]int64
	at      time.Time
	problem string
}

// lag is what the fixers' groups have left to do, whether there are fixers or not.
type lag struct {
	// measure asks Kafka for what is left, by partition.
	measure func(ctx context.Context, group, topic string) (map[int32]int64, error)
	// looked has a place for one look that was not answered yet.
	looked chan struct{}

	mu   sync.Mutex
	last []backlog
}

func newLag(file assembly.File, measure func(ctx context.Context, group, topic string) (map[int32]int64, error)) *lag {
	topics := file.Kafka.Topics()
	return &lag{measure: measure, looked: make(chan struct{}, 1), last: []backlog{
		{group: assembly.FixerGroup(file), topic: topics.Findings},
		{group: assembly.RetryGroup(file), topic: topics.Retry, retried: true},
	}}
}

// lagOf is the lag of the validator's fixers, which is also a metric.
func (v *validator) lagOf(admin *kafka.Admin) *lag {
	l := newLag(v.file, admin.GroupLag)
	telemetry.WatchGroups(v.service.Metrics, l.shown)
	return l
}

// look is the lag as it was measured last, and has it be measured.
func (l *lag) look() []backlog {
	select {
	case l.looked <- struct{}{}:
	default:
	}
	return l.known()
}

func (l *lag) known() []backlog {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.last)
}

// shown is the lag as far as it is of now.
func (l *lag) shown() []telemetry.Lag {
	var out []telemetry.Lag
	for _, b := range l.known() {
		if time.Since(b.at) <= lagFresh {
			out = append(out, telemetry.Lag{Group: b.group, Topic: b.topic, Left: b.left})
		}
	}
	return out
}

// run measures until ctx ends: every lagEvery, and at a look, but not before
// lagLooked has passed.
func (l *lag) run(ctx context.Context) {
	for {
		l.take(ctx)
		next := time.After(lagEvery)
		select {
		case <-time.After(lagLooked):
		case <-ctx.Done():
			return
		}
		select {
		case <-l.looked:
		case <-next:
		case <-ctx.Done():
			return
		}
	}
}

// take measures the groups one by one: what one may not be asked of says nothing of
// the other.
func (l *lag) take(ctx context.Context) {
	for i, b := range l.known() {
		asked, cancel := context.WithTimeout(ctx, lagPatience)
		left, err := l.measure(asked, b.group, b.topic)
		cancel()
		l.mu.Lock()
		if err != nil {
			l.last[i].problem = err.Error()
		} else {
			l.last[i].left, l.last[i].at, l.last[i].problem = left, time.Now(), ""
		}
		l.mu.Unlock()
	}
}

// shownGroups is the lag for the page.
func shownGroups(all []backlog) []statuspage.Group {
	var out []statuspage.Group
	for _, b := range all {
		g := statuspage.Group{Name: b.group, Retries: b.retried, At: b.at, Err: b.problem}
		for partition, n := range b.left {
			g.Lag = append(g.Lag, statuspage.Partition{Number: partition, Lag: n})
		}
		slices.SortFunc(g.Lag, func(a, b statuspage.Partition) int { return cmp.Compare(a.Number, b.Number) })
		out = append(out, g)
	}
	return out
}
