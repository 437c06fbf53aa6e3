package validate

import (
	"context"
	"fmt"
	"time"

	"github.com/trueup/trueup/pkg/event"
)

const (
	// pingTimeout is how long an answer may take before the server counts as
	// away: as long as making a connection may.
	pingTimeout = 10 * time.Second
	// pingEvery is the pause between two questions to a server that is away.
	pingEvery = 500 * time.Millisecond
)

// awayError is a server that was waited for in vain.
type awayError struct {
	which event.Side
	after time.Duration
	err   error
}

// Error says which server and for how long.
func (e *awayError) Error() string {
	return fmt.Sprintf("the %s has not answered for %s: %v; start the run again when it does", e.which, e.after, e.err)
}

// Unwrap returns what the last question was answered with.
func (e *awayError) Unwrap() error { return e.err }

// Permanent ends the run: no other range could be read either.
func (e *awayError) Permanent() bool { return true }

// awaitServers returns once both servers answer, so that a read that failed
// because one of them restarts is tried again when that makes sense, and uses
// up none of the attempts meanwhile. One goroutine asks for all.
func (r *run) awaitServers(ctx context.Context) error {
	if err := r.asking.Acquire(ctx, 1); err != nil {
		return err
	}
	defer r.asking.Release(1)
	for _, s := range []side{r.authority, r.replica} {
		if err := r.awaitServer(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) awaitServer(ctx context.Context, s side) error {
	began := time.Now()
	for told := false; ; told = true {
		err := r.ping(ctx, s)
		switch took := time.Since(began); {
		case err == nil, ctx.Err() != nil, permanent(err):
			return err
		case took >= r.config.Patience:
			return &awayError{which: s.which, after: r.config.Patience, err: err}
		case !told:
			r.observer.Warn(r.spec.Pair.Name, fmt.Sprintf("the %s does not answer; waiting up to %s for it: %v", s.which, r.config.Patience, err))
		}
		select {
		case <-time.After(pingEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ping asks without the pacer, which may itself be waiting for a server that is
// away: the run would never notice that its patience is over.
func (r *run) ping(ctx context.Context, s side) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	return s.reader.Ping(ctx)
}
