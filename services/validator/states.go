package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// statePublisher makes a pair's state durable.
type statePublisher interface {
	PublishState(ctx context.Context, state event.PairState) error
}

// states keeps where each pair's run stands in the state topic; it is the
// Checkpoints of package validate. A record carries this process's generation,
// one above what was there when it started, so that what a process it replaced
// may still write is ignored.
type states struct {
	publisher statePublisher

	mu    sync.Mutex
	pairs map[string]event.PairState
}

func newStates(publisher statePublisher, known map[string]event.PairState) *states {
	s := &states{publisher: publisher, pairs: map[string]event.PairState{}}
	for name, state := range known {
		state.Generation++
		s.pairs[name] = state
	}
	return s
}

// The phases of a pair.
const (
	phaseRunning = "running"
	phaseIdle    = "idle"
)

// checkpointName is the name under which package validate keeps a position.
func checkpointName(pair string, mode validate.Mode) string { return mode.String() + "/" + pair }

// begin returns the ID of the run that is about to start. When it may resume
// and a position is kept of a run of the same mode under the same authority it
// is that run's, so that its findings stay together; else a new one, which
// starts from the beginning.
func (s *states) begin(p assembly.Pair, mode validate.Mode, resume bool) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.pairs[p.Name]
	resumes := resume && len(state.Position) > 0 && state.Mode == mode.String() && state.Epoch == p.Epoch && state.Authority == p.Side()
	if !resumes {
		state.Position, state.Run, state.Mode = nil, uuid.NewString(), mode.String()
	}
	state.Pair, state.Epoch, state.Authority = p.Name, p.Epoch, p.Side()
	state.Generation = max(state.Generation, 1)
	s.pairs[p.Name] = state
	return state.Run
}

// interrupted says whether a run of the pair stopped before its end.
func (s *states) interrupted(pair string) (validate.Mode, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.pairs[pair]
	mode, err := validate.ParseMode(state.Mode)
	return mode, err == nil && len(state.Position) > 0
}

// Load implements validate.Checkpoints.
func (s *states) Load(_ context.Context, name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	state, err := s.find(name)
	return state.Position, err
}

// Save implements validate.Checkpoints; it returns when the record is durable.
func (s *states) Save(ctx context.Context, name string, position []byte) error {
	s.mu.Lock()
	state, err := s.find(name)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	state.Position, state.Phase, state.At = position, phaseRunning, time.Now()
	if len(position) == 0 {
		state.Phase = phaseIdle
	}
	// Outside the lock: Kafka may be away for long. Nobody else writes this
	// pair, since two runs of a pair never overlap.
	if err := s.publisher.PublishState(ctx, state); err != nil {
		return fmt.Errorf("keep the position of %s: %w", state.Pair, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pairs[state.Pair] = state
	return nil
}

// find returns the state a checkpoint's name stands for; begin has made it.
func (s *states) find(name string) (event.PairState, error) {
	mode, pair, _ := strings.Cut(name, "/")
	state, known := s.pairs[pair]
	if !known || state.Mode != mode {
		return event.PairState{}, fmt.Errorf("no run of %s has begun", name)
	}
	return state, nil
}
