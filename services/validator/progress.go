package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// progress keeps how far an endless run of a pair has come, under a key of its
// own in the state topic: runs of the pair that end go on beside it. It is the
// Progress of package validate.
type progress struct {
	publisher statePublisher

	mu    sync.Mutex
	state event.PairState
}

// progressOf goes on from what the topic held when this process started.
func (s *states) progressOf(p assembly.Pair, mode validate.Mode) *progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := checkpointName(p.Name, mode)
	state := s.pairs[name]
	state.Pair, state.Mode, state.Epoch, state.Authority = name, mode.String(), p.Epoch, p.Side()
	state.Generation = max(state.Generation, 1)
	if state.Run == "" {
		state.Run = uuid.NewString()
	}
	s.pairs[name] = state // or the run would have another name next time
	return &progress{publisher: s.publisher, state: state}
}

// claim makes this process's generation known before it has come anywhere.
func (p *progress) claim(ctx context.Context) error {
	if err := p.publisher.PublishState(ctx, p.state); err != nil {
		return fmt.Errorf("take over the position of %s: %w", p.state.Pair, err)
	}
	return nil
}

// run is the name of the run, which outlives this process.
func (p *progress) run() string { return p.state.Run }

// Load implements validate.Progress.
func (p *progress) Load(context.Context) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.Position, nil
}

// Save implements validate.Progress; it returns when the record is durable.
func (p *progress) Save(ctx context.Context, position []byte, verified time.Time) error {
	p.mu.Lock()
	state := p.state
	p.mu.Unlock()
	state.Position, state.Watermark, state.Phase, state.At = position, verified, event.PhaseRunning, time.Now()
	// Outside the lock, since Kafka may be away for long; one run writes at a time.
	if err := p.publisher.PublishState(ctx, state); err != nil {
		return fmt.Errorf("keep the position of %s: %w", state.Pair, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = state
	return nil
}
