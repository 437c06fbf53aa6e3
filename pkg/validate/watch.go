package validate

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schema"
)

// A run holds a pair as it was resolved, for hours perhaps. Statements of then
// may still succeed on a table of now and mean something else: a text that
// became a number, a table dropped and created anew. So the definitions are
// read again while the run lasts and after its last read, and only one that
// ends on the tables it began with is complete.

// changedError is a table that is not what the pair was resolved against.
type changedError struct {
	which   event.Side
	table   schema.Name
	changes []string
}

// Error names the table and what has changed.
func (e *changedError) Error() string {
	return fmt.Sprintf("the %s's table %s has changed since the run began: %s; start the run again", e.which, e.table, strings.Join(e.changes, "; "))
}

// Permanent ends the run: what it would still read is another table's.
func (e *changedError) Permanent() bool { return true }

// watch inspects the tables until ctx ends. One that cannot be inspected now is
// inspected later, at the run's end at the latest.
func (r *run) watch(ctx context.Context) {
	for ctx.Err() == nil {
		if err := r.inspect(ctx); err != nil && ctx.Err() == nil && permanent(err) {
			r.stop(err)
			return
		}
		select {
		case <-time.After(r.config.InspectEvery):
		case <-ctx.Done():
		}
	}
}

// inspect makes sure that both tables are what the pair was resolved against.
func (r *run) inspect(ctx context.Context) error {
	for _, s := range []side{r.authority, r.replica} {
		name := s.view.Table.Name
		now, err := retry(ctx, r, fmt.Sprintf("the definition of the %s's table", s.which), func(ctx context.Context) (*schema.Table, error) {
			return read(ctx, r, func(ctx context.Context) (*schema.Table, error) { return s.reader.Table(ctx, name) }, s.which)
		})
		if err != nil {
			return fmt.Errorf("make sure that the %s's table is as it was: %w", s.which, err)
		}
		if changes := s.view.Changed(now); len(changes) > 0 {
			return &changedError{which: s.which, table: name, changes: changes}
		}
	}
	return nil
}

// inspectLast inspects the tables after the last read. A run that has ended
// otherwise has its reason already.
func (r *run) inspectLast() {
	if r.scan.Err() != nil {
		return
	}
	if err := r.inspect(r.scan); err != nil {
		r.stop(err)
		return
	}
	r.inspected = true
}
