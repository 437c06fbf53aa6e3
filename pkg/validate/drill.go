package validate

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
)

// How an unequal range is narrowed down.
//
// Digesting a row costs a server about twice the CPU of sending it, but sending
// it costs the network its size and this process its decoding. So:
//
//   - Up to Config.DrillRows rows are read at once. 2000 rows of 130 bytes are
//     a quarter of a MiB, which takes about as long as the round trips of
//     digesting their parts.
//   - A larger range is cut into up to fanOut parts. Their digests cost one
//     more pass over the range together, whatever the fan-out; a large one
//     reaches the readable size in few rounds (100,000 rows: two), where
//     bisecting takes six, each a pair of round trips.
//   - When the first two parts both differ, the damage is dense and digests
//     would be paid in vain: the other parts are read without them. One damaged
//     row never meets that, and damage everywhere wastes about a quarter pass.
//   - When denseRanges ranges in a row were like that, the following ones are
//     read without a digest, until one of them holds fewer differences than it
//     would have parts. A copy that was never loaded, or a column that differs
//     everywhere, is then read once and not digested as well.
const (
	fanOut      = 8
	denseRanges = 2
)

// siblings are the parts one range was cut into. One worker examines all of
// them, so nothing is locked.
type siblings struct {
	examined, unequal int
	dense             bool
	top               bool // cut from a whole range, not from a part
}

func (s *siblings) isDense() bool { return s != nil && s.dense }

func (s *siblings) note(equal bool) {
	if s == nil {
		return
	}
	s.examined++
	if !equal {
		s.unequal++
	}
	if s.examined == 2 && s.unequal == 2 {
		s.dense = true
	}
}

// checksum lets both servers digest a range and reads only what is unequal.
type checksum struct {
	run                *run
	authority, replica side
	merge              merge
	// dense counts the ranges in a row that turned out dense.
	dense atomic.Int64
	// hopeless: the servers' limits are below the smallest range.
	hopeless atomic.Bool
}

// limitsError is a server that cannot digest even small ranges, although that
// was asked for.
type limitsError struct {
	rows int
	err  error
}

// Error says what the server's limit is and what to do.
func (e *limitsError) Error() string {
	return fmt.Sprintf("method checksum: ranges of %d rows are too large to be digested: %v, which method auto does by itself", e.rows, e.err)
}

// Unwrap returns the server's refusal.
func (e *limitsError) Unwrap() error { return e.err }

// Permanent ends the run: the other ranges would be refused as well.
func (e *limitsError) Permanent() bool { return true }

func (c *checksum) examine(ctx context.Context, p piece) (examined, error) {
	if p.siblings.isDense() || c.hopeless.Load() {
		return c.merge.examine(ctx, p)
	}
	if p.siblings == nil && c.dense.Load() >= denseRanges {
		return c.expectDense(ctx, p)
	}
	authority, replica, cost, err := c.run.digests(ctx, c.authority, c.replica, p.bounds)
	if err != nil {
		return c.withoutDigest(ctx, p, err)
	}
	rows := cost.Rows
	equal := authority.Rows == replica.Rows && authority.Sum == replica.Sum
	if rows > 0 {
		p.siblings.note(equal)
	}
	c.remember(p, equal)
	switch {
	case equal:
		return examined{authorityRows: authority.Rows, copyRows: replica.Rows, cost: cost}, nil
	case rows <= c.run.config.DrillRows, min(authority.Rows, replica.Rows) == 0, p.siblings.isDense():
		return c.merge.examine(ctx, p)
	}
	larger := c.authority
	if replica.Rows > authority.Rows {
		larger = c.replica
	}
	parts, err := c.cut(ctx, larger, p, rows)
	if err != nil {
		return examined{}, err
	}
	if len(parts) < 2 {
		return c.merge.examine(ctx, p)
	}
	return examined{parts: parts, cost: cost}, nil
}

// remember keeps count of dense ranges. What a range is shows when it is equal,
// or when two of its parts were digested.
func (c *checksum) remember(p piece, equal bool) {
	switch {
	case p.siblings == nil && equal:
		c.dense.Store(0)
	case p.siblings == nil || !p.siblings.top || p.siblings.examined != 2:
	case p.siblings.dense:
		c.dense.Add(1)
	default:
		c.dense.Store(0)
	}
}

// expectDense reads a range because those before it were dense.
func (c *checksum) expectDense(ctx context.Context, p piece) (examined, error) {
	result, err := c.merge.examine(ctx, p)
	if err == nil && len(result.parts) == 0 && len(result.differences) < fanOut {
		c.dense.Store(0)
	}
	return result, err
}

// withoutDigest reads a range that a server would not or could not digest in
// time; reading streams, and is cut where it is too much. Other errors stay.
func (c *checksum) withoutDigest(ctx context.Context, p piece, err error) (examined, error) {
	timedOut := errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil
	if !tooLarge(err) && !timedOut {
		return examined{}, err
	}
	if rows := c.run.sizer.Rows(); p.siblings == nil && tooLarge(err) && rows < c.run.config.Range.MinRows {
		// Ranges have shrunk to less than they may and are refused still.
		if c.run.spec.Pair.Insisted {
			return examined{}, &limitsError{rows: rows, err: err}
		}
		if !c.hopeless.Swap(true) {
			c.run.observer.Warn(c.run.spec.Pair.Name, "rows are read, since a server does not digest even small ranges: "+err.Error())
		}
		return c.merge.examine(ctx, p)
	}
	result, err := c.merge.examine(ctx, p)
	result.refused = true
	return result, err
}

// cut walks the larger side's key index and returns the parts of a range that
// holds about that many rows there, in ascending order.
func (c *checksum) cut(ctx context.Context, larger side, p piece, rows int64) ([]piece, error) {
	bounds := p.bounds
	count := min(fanOut, rows/c.run.config.DrillRows+1)
	step := int((rows + count - 1) / count)
	boundary := c.run.boundary(larger)
	together := &siblings{top: p.siblings == nil}
	var parts []piece
	after := bounds.After
	for range count - 1 {
		through, err := boundary(ctx, after, step)
		if err != nil {
			return nil, fmt.Errorf("cut the range: %w", err)
		}
		if through == nil || chunk.SameKey(through, after) || chunk.SameKey(through, bounds.Through) {
			break
		}
		parts = append(parts, piece{bounds: row.Range{After: after, Through: through}, siblings: together})
		after = through
	}
	return append(parts, piece{bounds: row.Range{After: after, Through: bounds.Through}, siblings: together}), nil
}

// digests asks both servers for the digest of a range at the same time, or in turn.
func (r *run) digests(ctx context.Context, authority, replica side, bounds row.Range) (a, b row.Digest, cost chunk.Sample, err error) {
	if inTurn(r.pacer) {
		return r.digestsInTurn(ctx, authority, replica, bounds)
	}
	release, err := r.admit(ctx, event.Source, event.Target)
	if err != nil {
		return a, b, cost, err
	}
	defer release()
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, r.config.ReadTimeout)
	defer cancel()
	err = both(cancel, func() (err error) {
		a, err = digest(ctx, authority, bounds)
		return err
	}, func() (err error) {
		b, err = digest(ctx, replica, bounds)
		return err
	})
	cost = chunk.Sample{Rows: max(a.Rows, b.Rows), Bytes: max(a.Bytes, b.Bytes), Took: time.Since(began)}
	return a, b, cost, err
}

// digestsInTurn asks the authority first: a copy that follows has until then to do so.
func (r *run) digestsInTurn(ctx context.Context, authority, replica side, bounds row.Range) (a, b row.Digest, cost chunk.Sample, err error) {
	ask := func(s side) (d row.Digest, err error) {
		var took time.Duration
		d, err = read(ctx, r, func(ctx context.Context) (row.Digest, error) {
			began := time.Now()
			defer func() { took = time.Since(began) }()
			return digest(ctx, s, bounds)
		}, s.which)
		cost = chunk.Sample{Rows: max(cost.Rows, d.Rows), Bytes: max(cost.Bytes, d.Bytes), Took: max(cost.Took, took)}
		return d, err
	}
	if a, err = ask(authority); err == nil {
		b, err = ask(replica)
	}
	return a, b, cost, err
}

func digest(ctx context.Context, s side, bounds row.Range) (row.Digest, error) {
	d, err := s.reader.Digest(ctx, s.view, bounds)
	if err == nil && d.Rows > 0 && d.Sum == "" {
		// Two missing digests would look equal.
		err = errors.New("the server counted rows and gave no digest of them")
	}
	if err != nil {
		return row.Digest{}, fmt.Errorf("digest the %s's rows: %w", s.which, err)
	}
	return d, nil
}
