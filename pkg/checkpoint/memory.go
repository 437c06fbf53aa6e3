// Package checkpoint keeps the positions of runs. A position is opaque here:
// whoever makes it reads it.
package checkpoint

import (
	"context"
	"slices"
	"sync"
)

// Memory keeps positions for as long as the process lives. The zero value is
// ready, and it is safe for concurrent use.
type Memory struct {
	mu        sync.Mutex
	positions map[string][]byte
}

// Load returns the position saved last under id, or nil when there is none.
func (m *Memory) Load(_ context.Context, id string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.positions[id]), nil
}

// Save keeps the position under id; an empty one is forgotten.
func (m *Memory) Save(_ context.Context, id string, position []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(position) == 0 {
		delete(m.positions, id)
		return nil
	}
	if m.positions == nil {
		m.positions = map[string][]byte{}
	}
	m.positions[id] = slices.Clone(position)
	return nil
}
