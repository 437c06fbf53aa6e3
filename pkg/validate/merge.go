package validate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/compare"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
)

// merge reads the rows of a range from both sides and compares them here.
type merge struct {
	run                *run
	authority, replica side
	comparer           *compare.Comparer
}

// examine joins both sides' rows. A range that holds more differences than
// memory may is cut in two; its halves are read as well, for what they hold is
// already known to differ.
func (m *merge) examine(ctx context.Context, p piece) (examined, error) {
	joined, took, err := m.join(ctx, p.bounds)
	if large, ok := errors.AsType[*compare.TooLarge](err); ok {
		halves := &siblings{dense: true}
		return examined{parts: []piece{
			{bounds: row.Range{After: p.bounds.After, Through: large.Mid}, siblings: halves},
			{bounds: row.Range{After: large.Mid, Through: p.bounds.Through}, siblings: halves},
		}}, nil
	}
	if err != nil {
		return examined{}, err
	}
	return examined{
		authorityRows: joined.AuthorityRows,
		copyRows:      joined.CopyRows,
		differences:   joined.Differences,
		cost:          chunk.Sample{Rows: max(joined.AuthorityRows, joined.CopyRows), Bytes: joined.Bytes, Took: took},
	}, nil
}

func (m *merge) join(ctx context.Context, bounds row.Range) (joined compare.Joined, took time.Duration, err error) {
	r := m.run
	release, err := r.admit(ctx, event.Source, event.Target)
	if err != nil {
		return joined, 0, err
	}
	defer release()
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, r.config.ReadTimeout)
	defer cancel()

	var authority, replica row.Cursor
	defer func() {
		// The rows were read to their end or are not trusted: closing can add
		// nothing to either.
		for _, c := range []row.Cursor{authority, replica} {
			if c != nil {
				_ = c.Close()
			}
		}
	}()
	err = both(cancel, func() (err error) {
		authority, err = open(ctx, m.authority, bounds)
		return err
	}, func() (err error) {
		replica, err = open(ctx, m.replica, bounds)
		return err
	})
	if err != nil {
		return joined, 0, err
	}
	limits := compare.Limits{Rows: r.config.MemoryRows, Bytes: r.config.MemoryBytes}
	joined, err = m.comparer.Join(authority, replica, limits)
	return joined, time.Since(began), err
}

func open(ctx context.Context, s side, bounds row.Range) (row.Cursor, error) {
	cursor, err := s.reader.Rows(ctx, s.view, bounds)
	if err != nil {
		return nil, fmt.Errorf("read the %s's rows: %w", s.which, err)
	}
	return cursor, nil
}
