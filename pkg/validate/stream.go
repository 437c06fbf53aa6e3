package validate

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/compare"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
)

// streamPatience is how long a suspect of a stream waits for a copy whose delay
// is measured: a stream gives nothing up. While the copy is behind, so is what
// the stream can say.
const streamPatience = 365 * 24 * time.Hour

// maxChecks bounds the batches a stream has handed out and not yet settled.
const maxChecks = 4096

// stream is a run without an end: keys come in as rows change, and what it has
// reached moves on in the order they came in. It shares everything behind the
// first look with other runs. Nothing is left open on the way: what cannot be
// read ends the stream, and the next one starts from what was settled.
type stream struct {
	*run
	tasks chan *task
	moved chan struct{} // holds one sign that the mark may have moved
	hot   func(row.Key)
}

// newStream prepares a stream. hot is told of keys whose row changed at the
// authority while it was looked at, and must not block.
func (v *Validator) newStream(ctx context.Context, spec Run, hot func(row.Key)) (*stream, error) {
	spec.Checkpoint = ""
	r, err := v.prepare(ctx, spec)
	if err != nil {
		return nil, err
	}
	wait := delay{least: spec.Confirm, most: max(spec.Confirm, v.config.ConfirmMax), measured: spec.Follower != nil}
	if wait.measured {
		wait.most = streamPatience
	}
	r.lag, r.suspects = newLag(wait), newSuspects(v.config.Suspects, wait)
	r.ledger = newLedger(chunk.Position{}, maxChecks)
	s := &stream{run: r, tasks: make(chan *task, v.config.Threads), moved: make(chan struct{}, 1), hot: hot}
	r.stream = s
	return s, nil
}

// keeper takes a mark that was reached; last says that no other follows.
type keeper func(ctx context.Context, mark any, last bool) error

// flow works until produce returns or something ends the stream. keep is given
// each mark (a pointer) that was reached, one after the other and not every
// one, and the last one again at the end.
func (s *stream) flow(ctx context.Context, produce func(context.Context) error, keep keeper) error {
	s.publish = ctx
	s.scan, s.run.stop = context.WithCancelCause(ctx)
	defer s.run.stop(nil)
	var all sync.WaitGroup
	all.Go(func() { s.watch(s.scan) })
	for range s.config.Threads {
		all.Go(s.takeTasks)
		all.Go(s.confirm)
	}
	if s.spec.Follower != nil && s.spec.Confirm > 0 {
		all.Go(func() { s.follow(s.scan) })
	}
	all.Go(func() { s.keepMarks(keep) })
	all.Go(s.forget)
	s.run.stop(produce(s.scan))
	all.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	return context.Cause(s.scan)
}

func (s *stream) takeTasks() {
	for {
		select {
		case t := <-s.tasks:
			s.work(t)
		case <-s.scan.Done():
			return
		}
	}
}

// forgetEvery is the time in which a stream halves the patience that a copy once
// taught it: a run that ends has no later, and one that does not would wait a
// minute for ever after one bad hour.
const forgetEvery = time.Minute

func (s *stream) forget() {
	tick := time.NewTicker(forgetEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.lag.forget()
		case <-s.scan.Done():
			return
		}
	}
}

// check hands a batch of keys out; without keys the mark alone is lined up
// behind what was handed out before. False means that the stream ended.
func (s *stream) check(keys []row.Key, mark any) bool {
	t, admitted := s.ledger.admit(s.scan, &task{keys: keys, mark: mark, open: 1})
	if !admitted {
		return false
	}
	if len(keys) == 0 {
		s.settle(t, 1)
		return true
	}
	return s.hand(s.tasks, t)
}

// advance says that the mark may have moved.
func (s *stream) advance() {
	select {
	case s.moved <- struct{}{}:
	default:
	}
}

func (s *stream) again(key row.Key) { s.hot(key.Clone()) }

// keepMarks passes marks on as they are reached.
func (s *stream) keepMarks(keep keeper) {
	pass := func(ctx context.Context, last bool) {
		mark := s.ledger.reached()
		if mark == nil {
			return
		}
		if err := keep(ctx, mark, last); err != nil && ctx.Err() == nil {
			s.saver.warn(err)
		}
	}
	for {
		select {
		case <-s.moved:
			pass(s.scan, false)
		case <-s.scan.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(s.publish), finalSave)
			defer cancel()
			pass(ctx, true)
			return
		}
	}
}

// workKeys looks at a batch of keys on both sides and hands over what differs.
func (r *run) workKeys(t *task) {
	began := time.Now()
	report := RangeReport{Pair: r.spec.Pair.Name, Scanned: int64(len(t.keys)), Endless: true}
	finished, end := false, r.traceRange(t)
	defer func() { end(report, finished) }()
	rows, err := retry(r.scan, r, "changed rows", func(ctx context.Context) (reread, error) {
		return r.readBoth(ctx, t.keys)
	})
	if err != nil {
		if r.scan.Err() == nil {
			r.stop(fmt.Errorf("look at changed rows: %w", err))
		}
		return
	}
	differences := r.differences(t.keys, rows)
	report.Differences, report.Took = len(differences), time.Since(began)
	t.keys = nil // they may wait long for a suspect before them
	if !r.deliver(t, differences) {
		return
	}
	finished = true
	r.observer.RangeDone(report)
	r.settle(t, 1)
}

func (r *run) differences(keys []row.Key, rows reread) []compare.Difference {
	var out []compare.Difference
	for _, key := range keys {
		id := key.ID()
		kind, columns := r.comparer.Rows(rows.authority[id], rows.replica[id])
		if kind != event.KindUnknown {
			out = append(out, compare.Difference{Kind: kind, Key: key, Columns: columns, Witness: compare.WitnessOf(rows.authority[id])})
		}
	}
	return out
}
