package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/services/assembly"
)

// fence sees to it that the last record of each pair in the state topic is the
// leading process's. A reader passes over records of one that was replaced, but
// compaction would keep such a record, since it is the last, and drop the one that
// outranks it.
type fence struct {
	state follower
	pairs []assembly.Pair
	log   zerolog.Logger
	wake  chan struct{}

	mu    sync.Mutex
	mine  *states // nil while this process does not lead
	stale map[string]bool
}

func newFence(pairs []assembly.Pair, log zerolog.Logger) *fence {
	return &fence{pairs: pairs, log: log, wake: make(chan struct{}, 1), stale: map[string]bool{}}
}

// learn takes note of a record of the state topic.
func (f *fence) learn(r event.Record) error {
	if kind, _ := event.StateKind(r.Key); kind != event.StatePosition || r.Value == nil {
		return nil
	}
	state, err := event.DecodePairState(r)
	if err != nil {
		return nil //nolint:nilerr // what cannot be read takes the place of nothing
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	known := slices.ContainsFunc(f.pairs, func(p assembly.Pair) bool { return p.Name == state.Pair })
	if f.mine == nil || !known || state.Generation >= f.mine.of(state.Pair).Generation {
		return nil
	}
	f.stale[state.Pair] = true
	select {
	case f.wake <- struct{}{}:
	default:
	}
	return nil
}

// hold keeps watch until ctx ends. What stood in the topic before is passed over
// already.
func (f *fence) hold(ctx context.Context, mine *states) {
	if f.state.Await(ctx, time.Now()) != nil {
		return // ctx has ended
	}
	f.set(mine)
	defer f.set(nil)
	for {
		select {
		case <-f.wake:
		case <-ctx.Done():
			return
		}
		for _, pair := range f.take() {
			f.log.Warn().Str("pair", pair).Msg("a validator that was replaced has still written where the pair's runs stand; the present record is written again")
			if err := mine.change(ctx, pair, func(*event.PairState) error { return nil }); err != nil && ctx.Err() == nil {
				f.log.Warn().Err(err).Str("pair", pair).Msg("the present record is written again with the next position")
			}
		}
	}
}

func (f *fence) set(mine *states) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mine = mine
	clear(f.stale)
}

func (f *fence) take() (pairs []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for pair := range f.stale {
		pairs = append(pairs, pair)
	}
	clear(f.stale)
	return pairs
}
