package fix

import (
	"context"
	"fmt"
	"strings"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
)

// Rereader is what a batch can offer besides: the rows with the given keys as
// its own writes left them, before Commit. It is asked where the copy might
// store another value than it was given (schema.Pair.Keeps), since a row must
// not be called repaired that differs still.
type Rereader interface {
	Reread(ctx context.Context, keys []row.Key) ([]row.Row, error)
}

// stored makes sure that the written rows stand in the copy as they were
// given. What the copy altered counts as refused, and is rolled back. It returns
// the rows that it had to look at, by the ID of their key.
func (s *session) stored(ctx context.Context, batch Batch, writes []write, right map[string]row.Row) (map[string]row.Row, error) {
	reader, ok := batch.(Rereader)
	if !ok || s.r.keeps {
		return nil, nil
	}
	var jobs []*job
	for _, w := range writes {
		if right[w.job.id] != nil {
			jobs = append(jobs, w.job)
		}
	}
	if len(jobs) == 0 {
		return nil, nil
	}
	rows, err := reader.Reread(ctx, keysOf(jobs))
	if err != nil {
		return nil, fmt.Errorf("read what was written to the copy: %w", err)
	}
	found, err := index(s.r.to, jobs, rows)
	if err != nil {
		return nil, fmt.Errorf("read what was written to the copy: %w", err)
	}
	for _, j := range jobs {
		if change, _ := s.r.decide(j.key, right[j.id], found[j.id]); change.Action != event.NoAction {
			return nil, &Error{Fault: RowRefused, Reason: s.r.altered(change)}
		}
	}
	return found, nil
}

// altered says what became of a row that the copy did not keep as it was given.
func (r *Repairer) altered(c Change) string {
	if c.Action == event.Insert {
		return fmt.Sprintf("%s stores the key as another value, or outside the row filter; give its key columns the authority's type", r.to.Table.Name)
	}
	return fmt.Sprintf("%s stores %s as another value than it is given; give it the authority's type, give it a rule that allows for the loss, or exclude it",
		r.to.Table.Name, strings.Join(r.names(c.Columns), ", "))
}
