package governor

import "context"

// Alone is the Circle of a process that shares with no other, or by a stated number:
// it divides the budgets among the process's own governors.
type Alone struct{}

// Join returns what this process says.
func (Alone) Join(_ context.Context, said []byte) (map[string][]byte, error) {
	return map[string][]byte{"": said}, nil
}

// Sync returns its part.
func (Alone) Sync(_ context.Context, parts map[string][]byte) ([]byte, error) { return parts[""], nil }

// Beat does nothing.
func (Alone) Beat(context.Context) error { return nil }

// Leave does nothing.
func (Alone) Leave(context.Context) error { return nil }
