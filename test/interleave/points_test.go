package interleave

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// The points at which a repair can be stopped.
const (
	beforeLock   = "before the lock"
	afterLock    = "after the lock"
	afterRead    = "after the read of the authority"
	beforeCommit = "before the commit"
	afterCommit  = "after the commit"
	afterReread  = "after the second read"
)

var allPoints = []string{beforeLock, afterLock, afterRead, beforeCommit, afterCommit, afterReread}

// points calls, the first time a repair comes to a point, what is to happen
// there. The repair stands still meanwhile.
type points struct {
	t  testing.TB
	mu sync.Mutex
	do map[string]func()
	// always, when set, is called at every point.
	always func()
	// committed: the next read of the authority is the second one.
	committed bool
	// older: a row was about to be overwritten with an older version.
	older bool
}

func newPoints(t testing.TB) *points { return &points{t: t, do: map[string]func(){}} }

func (p *points) at(point string, do func()) *points {
	p.do[point] = do
	return p
}

func (p *points) reach(point string) {
	p.mu.Lock()
	do := p.do[point]
	delete(p.do, point)
	p.mu.Unlock()
	if do != nil {
		do()
	}
	if p.always != nil {
		p.always()
	}
}

type reader struct {
	fix.Reader
	points *points
}

func (r *reader) Lookup(ctx context.Context, view *schema.View, keys []row.Key) ([]row.Row, error) {
	rows, err := r.Reader.Lookup(ctx, view, keys)
	if r.points.committed {
		r.points.committed = false
		r.points.reach(afterReread)
	} else {
		r.points.reach(afterRead)
	}
	return rows, err
}

type sink struct {
	fix.Sink
	points *points
}

func (s *sink) Begin(ctx context.Context, keys []row.Key) (fix.Batch, error) {
	s.points.reach(beforeLock)
	b, err := s.Sink.Begin(ctx, keys)
	s.points.reach(afterLock)
	if err != nil {
		return nil, err
	}
	return &batch{Batch: b, points: s.points}, nil
}

type batch struct {
	fix.Batch
	points *points
}

// Apply minds that no version is written over a newer one.
func (b *batch) Apply(ctx context.Context, changes []fix.Change) error {
	held := map[string]int{}
	for _, values := range b.Rows() {
		held[row.Key{values[0]}.ID()] = versionOf(values)
	}
	for _, c := range changes {
		if c.Action == event.Update && versionOf(c.Row) < held[c.Key.ID()] {
			b.points.older = true
		}
	}
	return b.Batch.Apply(ctx, changes)
}

func (b *batch) Commit(ctx context.Context) error {
	b.points.reach(beforeCommit)
	err := b.Batch.Commit(ctx)
	b.points.committed = err == nil
	b.points.reach(afterCommit)
	return err
}

func (b *batch) Reread(ctx context.Context, keys []row.Key) ([]row.Row, error) {
	reader, ok := b.Batch.(fix.Rereader)
	if !ok {
		return nil, fmt.Errorf("%T reads nothing back", b.Batch)
	}
	return reader.Reread(ctx, keys)
}

func (b *batch) Holders(ctx context.Context, unique []int, rows []row.Row) ([]fix.Holder, error) {
	finder, ok := b.Batch.(fix.Finder)
	if !ok {
		return nil, fmt.Errorf("%T finds no holders", b.Batch)
	}
	return finder.Holders(ctx, unique, rows)
}

func versionOf(values row.Row) int {
	n, err := strconv.Atoi(string(values[1]))
	if err != nil {
		panic(err) // the column is an int
	}
	return n
}

// replicator brings versions to a row of the copy, in order.
type replicator struct {
	t    testing.TB
	copy *server
	id   int
	late []int // what a held row keeps waiting
}

func (r *replicator) send(versions ...int) {
	r.late = append(r.late, versions...)
	for len(r.late) > 0 && r.copy.try(r.t, r.copy.version(r.id, r.late[0])) {
		r.late = r.late[1:]
	}
}
