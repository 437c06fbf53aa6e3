package interleave

import (
	"context"
	"testing"

	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// The mutants of docs/model, played on real servers: each schedule here is one
// that the repair passes and the mutant does not, so the stage sees the fault.

func TestTheStageSeesAWrongRepair(t *testing.T) {
	mutants := map[string]func(*testing.T, *stage) (sound bool){
		"without a lock": func(t *testing.T, s *stage) bool {
			c := schedule{point: afterRead, authority: 5, copied: junk, then: []int{6}, rounds: 1}
			equal, _ := s.play(t, c, func(c *fix.Config) { c.Sink = unlocked{c.Sink} })
			return equal
		},
		"reading before the lock": func(t *testing.T, s *stage) bool {
			c := schedule{point: beforeLock, authority: 5, copied: junk, then: []int{6}, rounds: 5}
			_, older := s.play(t, c, func(c *fix.Config) {
				from := &s.pair.Source
				if from == s.view {
					from = &s.pair.Target
				}
				early := &early{sink: c.Sink.(*sink), authority: c.Authority, view: from}
				c.Sink, c.Authority = early, early
			})
			return !older
		},
		"without the second read": func(t *testing.T, s *stage) bool {
			c := schedule{point: afterRead, authority: 5, copied: gone, then: []int{gone}, rounds: 5}
			equal, _ := s.play(t, c, func(c *fix.Config) { c.Authority = &content{reader: c.Authority.(*reader)} })
			return equal
		},
		"taking a locked row for an absent one": func(t *testing.T, s *stage) bool {
			return s.playLocked(t, func(c *fix.Config) { c.Sink = blind{c.Sink} })
		},
	}
	each(t, func(t *testing.T, s *stage) {
		for name, sound := range mutants {
			t.Run(name, func(t *testing.T) {
				if sound(t, s) {
					t.Error("the fault went unnoticed")
				}
			})
		}
	})
}

// unlocked looks at the rows and holds none until it writes.
type unlocked struct{ fix.Sink }

func (u unlocked) Begin(ctx context.Context, keys []row.Key) (fix.Batch, error) {
	rows, err := u.Read(ctx, keys)
	if err != nil {
		return nil, err
	}
	b, err := u.Sink.Begin(ctx, nil)
	return seen{b, rows}, err
}

type seen struct {
	fix.Batch
	rows []row.Row
}

func (s seen) Rows() []row.Row { return s.rows }

// early reads the authority before it locks.
type early struct {
	*sink
	authority fix.Reader
	view      *schema.View
	rows      []row.Row
	fresh     bool
}

func (e *early) Begin(ctx context.Context, keys []row.Key) (fix.Batch, error) {
	rows, err := e.authority.Lookup(ctx, e.view, keys)
	if err != nil {
		return nil, err
	}
	e.rows, e.fresh = rows, true
	return e.sink.Begin(ctx, keys)
}

func (e *early) Lookup(ctx context.Context, view *schema.View, keys []row.Key) ([]row.Row, error) {
	if e.fresh {
		e.fresh = false
		return e.rows, nil
	}
	return e.authority.Lookup(ctx, view, keys)
}

// content is content with what the first read saw.
type content struct {
	*reader
	rows []row.Row
}

func (c *content) Lookup(ctx context.Context, view *schema.View, keys []row.Key) (rows []row.Row, err error) {
	if !c.points.committed {
		c.rows, err = c.reader.Lookup(ctx, view, keys)
	}
	c.points.committed = false
	return c.rows, err
}

// blind does not know that there are rows which others hold.
type blind struct{ fix.Sink }

func (b blind) Begin(ctx context.Context, keys []row.Key) (fix.Batch, error) {
	batch, err := b.Sink.Begin(ctx, keys)
	return idle{batch}, err
}

type idle struct{ fix.Batch }

func (idle) Busy() []row.Key { return nil }
