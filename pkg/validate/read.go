package validate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// maxBackoff is the longest wait between two attempts: long enough to sit out a
// failover, short enough that a range is not forgotten.
const maxBackoff = 10 * time.Second

// side is one database of a pair as a run reads it.
type side struct {
	which  event.Side
	reader Reader
	view   *schema.View
}

// boundary is the side's key index as chunk walks it.
func (r *run) boundary(s side) chunk.Boundary {
	return func(ctx context.Context, after row.Key, n int) (row.Key, error) {
		return read(ctx, r, func(ctx context.Context) (row.Key, error) {
			return s.reader.Boundary(ctx, s.view, after, n)
		}, s.which)
	}
}

// find looks keys up and returns the rows by their keys' IDs. Keys without an
// entry have no row: the read was completed.
func (r *run) find(ctx context.Context, s side, keys []row.Key) (map[string]row.Row, error) {
	rows, err := read(ctx, r, func(ctx context.Context) ([]row.Row, error) {
		return s.reader.Lookup(ctx, s.view, keys)
	}, s.which)
	if err != nil {
		return nil, fmt.Errorf("look up %d keys at the %s: %w", len(keys), s.which, err)
	}
	return byID(s.view, rows), nil
}

func byID(v *schema.View, rows []row.Row) map[string]row.Row {
	found := make(map[string]row.Row, len(rows))
	for _, r := range rows {
		found[r.Key(v.Key).ID()] = r
	}
	return found
}

// read does one read within the pacer's bounds and the time limit. Waiting for
// a place does not count against the limit.
func read[T any](ctx context.Context, r *run, do func(context.Context) (T, error), sides ...event.Side) (T, error) {
	var none T
	release, err := r.admit(ctx, sides...)
	if err != nil {
		return none, err
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, r.config.ReadTimeout)
	defer cancel()
	return do(ctx)
}

// admit takes a place on each of the sides, the source's first (see Pacer).
func (r *run) admit(ctx context.Context, sides ...event.Side) (release func(), err error) {
	if r.spec.Admit != nil {
		if err := r.spec.Admit(ctx); err != nil {
			return nil, err
		}
	}
	var releases []func()
	release = func() {
		for _, f := range releases {
			f()
		}
	}
	for _, which := range []event.Side{event.Source, event.Target} {
		for _, wanted := range sides {
			if wanted != which {
				continue
			}
			one, err := r.pacer.Acquire(ctx, which)
			if err != nil {
				release()
				return nil, err
			}
			releases = append(releases, one)
		}
	}
	return release, nil
}

// both asks the two sides at the same time. The first error is the one
// returned; it calls cancel, so that the other side does not work for nothing.
func both(cancel context.CancelFunc, authority, replica func() error) error {
	var (
		wg    sync.WaitGroup
		once  sync.Once
		first error
	)
	for _, do := range []func() error{authority, replica} {
		wg.Go(func() {
			if err := do(); err != nil {
				once.Do(func() { first = err })
				cancel()
			}
		})
	}
	wg.Wait()
	return first
}

// retry tries a read until it succeeds, the context ends, the attempts are
// used up, or an error says that trying again cannot help. A server that is
// away is waited for between two attempts.
func retry[T any](ctx context.Context, r *run, reading string, do func(context.Context) (T, error)) (T, error) {
	attempt := 0
	operation := func() (T, error) {
		attempt++
		result, err := do(ctx)
		if err == nil {
			return result, nil
		}
		if ctx.Err() == nil {
			r.observer.ReadFailed(Failure{Pair: r.spec.Pair.Name, Reading: reading, Attempt: attempt, Err: err})
		}
		if ctx.Err() != nil || permanent(err) || tooLarge(err) {
			return result, backoff.Permanent(err)
		}
		if away := r.awaitServers(ctx); away != nil {
			return result, backoff.Permanent(fmt.Errorf("%s: %w", reading, away))
		}
		return result, err
	}
	pace := backoff.NewExponentialBackOff()
	pace.InitialInterval = r.config.Backoff
	pace.Multiplier = 2
	pace.MaxInterval = maxBackoff
	result, err := backoff.Retry(ctx, operation, backoff.WithBackOff(pace),
		backoff.WithMaxTries(uint(r.config.Attempts)), backoff.WithMaxElapsedTime(0))
	if err == nil {
		return result, nil
	}
	var none T
	if p, ok := errors.AsType[*backoff.PermanentError](err); ok {
		err = p.Unwrap()
	}
	return none, err
}

// permanent says whether an error declares that no later read can succeed.
func permanent(err error) bool {
	e, ok := errors.AsType[interface {
		error
		Permanent() bool
	}](err)
	return ok && e.Permanent()
}

// tooLarge says whether an error declares that a server's limit was met.
func tooLarge(err error) bool {
	e, ok := errors.AsType[interface {
		error
		TooLarge() bool
	}](err)
	return ok && e.TooLarge()
}
