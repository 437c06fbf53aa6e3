package validate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/schema"
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

// finish saves the last position, or forgets it after a complete run, so that
// the next one starts from the beginning.
func (s *saver) finish(complete bool) {
	if s.run.checkpoints == nil || s.run.spec.Checkpoint == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.run.publish), finalSave)
	defer cancel()
	if !complete {
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

// load reads the position to go on from; the start when there is none, or when
// it belongs to another comparison.
func (r *run) load(ctx context.Context) (chunk.Position, error) {
	fingerprint, err := r.fingerprint()
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
	if err != nil {
		return begin, fmt.Errorf("load the position of %s: %w", r.spec.Checkpoint, err)
	}
	if position.Fingerprint != fingerprint {
		r.observer.Warn(r.spec.Pair.Name, "the saved position belongs to another comparison (tables, mapping, "+
			"order of keys, authority or epoch have changed); starting from the beginning")
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

// fingerprint is a digest of everything that gives a position its meaning.
func (r *run) fingerprint() (string, error) {
	type column struct{ Name, Native, As, Collation string }
	type view struct {
		Engine, Table, Where string
		Columns              []column
		Key                  []int
	}
	describe := func(v *schema.View) view {
		out := view{Engine: v.Table.Engine, Table: v.Table.Name.String(), Where: v.Where, Key: v.Key}
		for _, c := range v.Columns {
			out.Columns = append(out.Columns, column{c.Name, c.Native, c.As.String(), c.Collation})
		}
		return out
	}
	pair := r.spec.Pair
	data, err := json.Marshal(struct {
		Pair, Mode, Walk, Authority string
		Epoch                       uint64
		Source, Target              view
		Rules                       []canonical.Rule
	}{
		pair.Name, r.spec.Mode.String(), walk(pair.Method), r.spec.Authority.String(),
		r.spec.Epoch, describe(&pair.Source), describe(&pair.Target), pair.Rules,
	})
	if err != nil {
		return "", fmt.Errorf("fingerprint the pair %s: %w", pair.Name, err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16]), nil
}

// walk says how a method cuts the key space, which is what a position refers
// to. Checksum and merge cut it alike, so that a run may go on with the other
// one when the servers have come nearer or moved away.
func walk(method schema.Method) string {
	if method == schema.Lookup {
		return "lookup"
	}
	return "ranges"
}
