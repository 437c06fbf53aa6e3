package validate

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/chunk"
)

// finalSave is how long the last position of a run may take to be saved, after
// the run's own context has ended.
const finalSave = 10 * time.Second

// saver writes the position down, one save at a time and not more often than
// configured. A save that fails costs nothing but repeated work after a crash,
// so the run goes on and says so.
type saver struct {
	run *run

	mu   sync.Mutex
	last time.Time
}

func (s *saver) save() {
	if s.run.checkpoints == nil || s.run.spec.Checkpoint == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.last) < s.run.config.CheckpointEvery {
		return
	}
	s.write(s.run.scan)
	s.last = time.Now()
}

// finish saves the last position, or forgets it after a run that is over, so that
// the next one starts from the beginning.
func (s *saver) finish(over bool) {
	if s.run.checkpoints == nil || s.run.spec.Checkpoint == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.run.publish), finalSave)
	defer cancel()
	if !over {
		s.write(ctx)
		return
	}
	if err := s.run.checkpoints.Save(ctx, s.run.spec.Checkpoint, nil); err != nil {
		s.warn(err)
	}
}

func (s *saver) write(ctx context.Context) {
	position := s.run.ledger.settledUpTo()
	data, err := position.Encode()
	if err == nil {
		err = s.run.checkpoints.Save(ctx, s.run.spec.Checkpoint, data)
	}
	if err != nil && ctx.Err() == nil {
		s.warn(err)
	}
}

func (s *saver) warn(err error) {
	s.run.observer.Warn(s.run.spec.Pair.Name, fmt.Sprintf(
		"the position could not be saved; after a crash the work since the last one is repeated: %v", err))
}

// load reads the position to go on from; the start when there is none. One that
// belongs to another comparison or release is an error, unless the run may start over.
func (r *run) load(ctx context.Context) (chunk.Position, error) {
	aspects := r.aspects()
	fingerprint, err := fingerprint(aspects)
	if err != nil {
		return chunk.Position{}, err
	}
	begin := chunk.Position{Fingerprint: fingerprint}
	if r.checkpoints == nil || r.spec.Checkpoint == "" {
		return begin, nil
	}
	data, err := r.checkpoints.Load(ctx, r.spec.Checkpoint)
	if err != nil {
		return begin, fmt.Errorf("load the position of %s: %w", r.spec.Checkpoint, err)
	}
	if len(data) == 0 {
		return begin, nil
	}
	position, err := chunk.DecodePosition(data)
	if err != nil && r.spec.StartOver {
		r.observer.Warn(r.spec.Pair.Name, fmt.Sprintf("%v; starting from the beginning", err))
		return begin, nil
	}
	if err != nil {
		return begin, fmt.Errorf("load the position of %s: %w", r.spec.Checkpoint, err)
	}
	if position.Fingerprint != fingerprint {
		other := fmt.Sprintf("the position kept for it belongs to another comparison: %s", differing(aspects, position.Fingerprint, fingerprint))
		if !r.spec.StartOver {
			return begin, fmt.Errorf("go on with the run of %s: %s; go back to what was asked for then, or delete the checkpoint file to start over", r.spec.Pair.Name, other)
		}
		r.observer.Warn(r.spec.Pair.Name, other+"; starting from the beginning")
		return begin, nil
	}
	for _, w := range position.Again {
		if w.Pass >= len(r.passes) {
			return begin, fmt.Errorf("load the position of %s: it names pass %d of %d; remove it to start the run over",
				r.spec.Checkpoint, w.Pass+1, len(r.passes))
		}
	}
	r.resumed = true
	return position, nil
}
