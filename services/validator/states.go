package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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

// states keeps where each pair's runs stand in the state topic; it is the
// Checkpoints of package validate. A record carries this process's generation,
// one above what was there when it came to lead, so that what a process it replaced
// may still write is ignored.
type states struct {
	publisher statePublisher
	// prefix begins the keys of records: empty for the service.
	prefix string

	mu    sync.Mutex
	pairs map[string]event.PairState
	// turns are held by who changes a pair's record: its run, and those who give
	// orders meanwhile.
	turns map[string]chan struct{}
}

func newStates(publisher statePublisher, known map[string]event.PairState) *states {
	s := &states{publisher: publisher, pairs: map[string]event.PairState{}, turns: map[string]chan struct{}{}}
	for name, state := range known {
		state.Generation++
		s.pairs[name] = state
	}
	return s
}

// onceStates are states of a process that was started with --once. It keeps to
// the pauses of the service; what was asked of the last such process is over.
func onceStates(publisher statePublisher, known map[string]event.PairState) *states {
	s := newStates(publisher, known)
	s.prefix = assembly.OnceState
	for name, state := range s.pairs {
		if strings.HasPrefix(name, s.prefix) {
			state.Pause, state.Pending = event.Order{}, nil
			s.pairs[name] = state
		}
	}
	return s
}

// checkpointName is the name under which package validate keeps a position.
func checkpointName(pair string, mode validate.Mode) string { return mode.String() + "/" + pair }

// of is what is known of a pair.
func (s *states) of(pair string) event.PairState {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.pairs[s.prefix+pair]
	if state.Pause == (event.Order{}) {
		state.Pause = s.pairs[pair].Pause
	}
	return state
}

// take waits for the turn to change a pair's record, which give ends.
func (s *states) take(ctx context.Context, pair string) (give func(), err error) {
	s.mu.Lock()
	turn, ok := s.turns[pair]
	if !ok {
		turn = make(chan struct{}, 1)
		s.turns[pair] = turn
	}
	s.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("keep the state of %s: %w", pair, context.Cause(ctx))
	}
}

// errUnchanged has change leave everything as it is, without an error.
var errUnchanged = errors.New("nothing to keep")

// change has a new record of the pair made durable. What edit is given is its
// own; its error ends the change. After an error nothing is known to have
// changed, though the record may yet arrive in the topic: the next one replaces it.
func (s *states) change(ctx context.Context, pair string, edit func(*event.PairState) error) error {
	give, err := s.take(ctx, pair)
	if err != nil {
		return err
	}
	defer give()
	state := s.of(pair)
	state.Pending, state.Began = slices.Clone(state.Pending), maps.Clone(state.Began)
	if err := edit(&state); err != nil {
		if errors.Is(err, errUnchanged) {
			return nil
		}
		return err
	}
	state.At = time.Now()
	// Outside the lock: Kafka may be away for long.
	if err := s.publisher.PublishState(ctx, state); err != nil {
		return fmt.Errorf("keep the state of %s: %w", pair, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pairs[s.prefix+pair] = state
	return nil
}

// claim makes this process's generation known under every key that it writes of
// a pair.
func (s *states) claim(ctx context.Context, p assembly.Pair) error {
	err := s.order(ctx, p, func(*event.PairState) error { return nil })
	if err == nil && p.Schedule.Incremental != "" {
		err = s.progressOf(p, validate.Incremental).claim(ctx)
	}
	return err
}

// order is change for what somebody asks for, who may be the first to say
// anything about the pair.
func (s *states) order(ctx context.Context, p assembly.Pair, edit func(*event.PairState) error) error {
	return s.change(ctx, p.Name, func(state *event.PairState) error {
		if state.Pair == "" {
			state.Pair, state.Epoch, state.Authority = s.prefix+p.Name, p.Epoch, p.Side()
		}
		state.Generation = max(state.Generation, 1)
		return edit(state)
	})
}

// begin returns the ID of the run that is about to start. When it may resume
// and a position is kept of a run of the same mode under the same authority it
// is that run's, so that its findings stay together; else a new one, which
// starts from the beginning. Its first position makes that durable: a process
// that dies before begins the run once more.
func (s *states) begin(ctx context.Context, p assembly.Pair, mode validate.Mode, resume bool) (id string, err error) {
	give, err := s.take(ctx, p.Name)
	if err != nil {
		return "", err
	}
	defer give()
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.pairs[s.prefix+p.Name]
	resumes := resume && len(state.Position) > 0 && state.Mode == mode.String() && state.Epoch == p.Epoch && state.Authority == p.Side()
	if !resumes {
		state.Position, state.Run, state.Mode = nil, uuid.NewString(), mode.String()
		state.Began = maps.Clone(state.Began)
		if state.Began == nil {
			state.Began = map[string]time.Time{}
		}
		state.Began[state.Mode] = time.Now()
	}
	state.Pending = slices.DeleteFunc(slices.Clone(state.Pending), func(m string) bool { return m == state.Mode })
	state.Pair, state.Epoch, state.Authority = s.prefix+p.Name, p.Epoch, p.Side()
	state.Phase, state.Stopped = event.PhaseRunning, event.Order{}
	state.Generation = max(state.Generation, 1)
	s.pairs[s.prefix+p.Name] = state
	return state.Run, nil
}

// interrupted says whether a run of the pair stopped before its end, without
// anybody having asked for that.
func (s *states) interrupted(pair string) (validate.Mode, bool) {
	state := s.of(pair)
	mode, err := validate.ParseMode(state.Mode)
	return mode, err == nil && len(state.Position) > 0
}

// Load implements validate.Checkpoints.
func (s *states) Load(_ context.Context, name string) ([]byte, error) {
	mode, pair, _ := strings.Cut(name, "/")
	state := s.of(pair)
	return state.Position, begun(name, mode, state)
}

// Save implements validate.Checkpoints; it returns when the record is durable.
// What a run that was stopped still has to say changes nothing.
func (s *states) Save(ctx context.Context, name string, position []byte) error {
	mode, pair, _ := strings.Cut(name, "/")
	return s.change(ctx, pair, func(state *event.PairState) error {
		if err := begun(name, mode, *state); err != nil {
			return err
		}
		if state.Phase == event.PhaseStopped {
			return errUnchanged
		}
		state.Position, state.Phase = position, event.PhaseRunning
		if len(position) == 0 {
			state.Phase = event.PhaseComplete
		}
		return nil
	})
}

// begun is an error unless the state is that of a run that a checkpoint's name
// stands for; begin has made it.
func begun(name, mode string, state event.PairState) error {
	if state.Run == "" || state.Mode != mode {
		return fmt.Errorf("no run of %s has begun", name)
	}
	return nil
}
