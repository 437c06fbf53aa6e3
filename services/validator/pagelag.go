package main

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/statuspage"
)

// The lag is asked of Kafka while somebody looks, and not for nobody.
const (
	lagEvery    = 3 * time.Second
	lagPatience = 10 * time.Second
)

// lag is what the fixers' group has left to do, as far as somebody wants to know.
type lag struct {
	group string
	// measure asks Kafka for what is left, by partition.
	measure func(ctx context.Context) (map[int32]int64, error)
	// looked has a place for one look that was not answered yet.
	looked chan struct{}

	mu   sync.Mutex
	last statuspage.Group
}

func newLag(group string, measure func(context.Context) (map[int32]int64, error)) *lag {
	return &lag{group: group, measure: measure, looked: make(chan struct{}, 1), last: statuspage.Group{Name: group}}
}

// look is the lag as it was measured last, and has it be measured.
func (l *lag) look() statuspage.Group {
	select {
	case l.looked <- struct{}{}:
	default:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// run measures until ctx ends: at a look, and no more often than every lagEvery.
func (l *lag) run(ctx context.Context) {
	for {
		select {
		case <-l.looked:
		case <-ctx.Done():
			return
		}
		l.take(ctx)
		select {
		case <-time.After(lagEvery):
		case <-ctx.Done():
			return
		}
	}
}

func (l *lag) take(ctx context.Context) {
	asked, cancel := context.WithTimeout(ctx, lagPatience)
	defer cancel()
	left, err := l.measure(asked)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.last.Err = err.Error()
		return
	}
	l.last = statuspage.Group{Name: l.group, At: time.Now()}
	for partition, n := range left {
		l.last.Lag = append(l.last.Lag, statuspage.Partition{Number: partition, Lag: n})
	}
	slices.SortFunc(l.last.Lag, func(a, b statuspage.Partition) int { return cmp.Compare(a.Number, b.Number) })
}
