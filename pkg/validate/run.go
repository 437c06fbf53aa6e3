package validate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/compare"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// errEnough ends a run that has published as many findings as it may.
var errEnough = errors.New("enough findings")

// run is one run at work.
type run struct {
	*Validator
	spec      Run
	authority side
	replica   side // the copy
	comparer  *compare.Comparer
	passes    []pass
	sizer     *chunk.Sizer

	ledger     *ledger
	suspects   *suspects
	lag        *lag
	collisions collisions
	saver      *saver
	resumed    bool
	stream     *stream // nil for a run that ends
	trace      string  // its context, see Tracer

	// scan ends when the run must stop reading; stop ends it and says why.
	// Publishing goes by the caller's context, so that findings on their way
	// out when the run has enough still arrive.
	scan    context.Context
	stop    context.CancelCauseFunc
	publish context.Context

	asking    *semaphore.Weighted // held by the one who asks whether the servers are there
	inspected bool                // the tables were as they were after the last read
	produced  atomic.Bool         // every range was handed out
	reported  atomic.Int64
	open      atomic.Int64
	failed    failures
	outside   outside
}

// pass is one walk over a key index: how its ranges are cut and examined.
type pass struct {
	cut      []side
	examiner examiner
}

// prepare resolves what the run needs before its first read.
func (v *Validator) prepare(ctx context.Context, spec Run) (*run, error) {
	if err := spec.validate(); err != nil {
		return nil, err
	}
	source := side{which: event.Source, reader: v.source, view: &spec.Pair.Source}
	target := side{which: event.Target, reader: v.target, view: &spec.Pair.Target}
	r := &run{Validator: v, spec: spec, authority: source, replica: target}
	if spec.Authority == event.Target {
		r.authority, r.replica = target, source
	}
	r.comparer = compare.New(r.authority.view, spec.Pair.Rules)
	r.sizer = chunk.NewSizer(v.config.Range, max(source.view.Table.RowBytes, target.view.Table.RowBytes))
	r.passes = r.plan()
	position, err := r.load(ctx)
	if err != nil {
		return nil, err
	}
	r.ledger = newLedger(position, maxOutstanding)
	wait := delay{least: spec.Confirm, most: max(spec.Confirm, v.config.ConfirmMax), measured: spec.Follower != nil}
	r.lag = newLag(wait)
	r.suspects = newSuspects(v.config.Suspects, wait)
	r.saver = &saver{run: r}
	r.asking = semaphore.NewWeighted(1)
	return r, nil
}

// plan says which passes the mode and the method take.
func (r *run) plan() []pass {
	var (
		authority, replica         = r.authority, r.replica
		authorityKeys, replicaKeys = keysOf(authority), keysOf(replica)
		comparer, keyComparer      = r.comparer, compare.New(authorityKeys.view, nil)
		rows                       = merge{run: r, authority: authority, replica: replica, comparer: comparer}
		keys                       = merge{run: r, authority: authorityKeys, replica: replicaKeys, comparer: keyComparer}
		lookups                    = r.spec.Pair.Method == schema.Lookup
	)
	switch {
	case r.spec.Mode == Reverse:
		return []pass{{cut: []side{replica}, examiner: &lookup{run: r, scan: replica, look: authority, comparer: comparer, countBoth: true}}}
	case r.spec.Mode == Count && lookups:
		return []pass{{examiner: &countAll{run: r}}}
	case r.spec.Mode == Count:
		return []pass{{cut: []side{authority, replica}, examiner: &countRange{run: r, keys: keys}}}
	case lookups:
		// The second pass finds the rows that only the copy has. What differs
		// was seen by the first, so keys are all it reads.
		return []pass{
			{cut: []side{authority}, examiner: &lookup{run: r, scan: authority, look: replica, comparer: comparer}},
			{cut: []side{replicaKeys}, examiner: &lookup{run: r, scan: replicaKeys, look: authorityKeys, comparer: keyComparer}},
		}
	case r.spec.Pair.Method == schema.Merge:
		return []pass{{cut: []side{authority, replica}, examiner: &rows}}
	default:
		return []pass{{cut: []side{authority, replica}, examiner: &checksum{run: r, authority: authority, replica: replica, merge: rows}}}
	}
}

// execute works until everything is settled or something ends the run.
func (r *run) execute(ctx context.Context) (Verdict, error) {
	began := time.Now()
	r.publish = ctx
	r.scan, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	r.observer.Started(r.start())

	tasks := make(chan *task, r.config.Threads)
	var workers, confirmers, watcher sync.WaitGroup
	watching, enough := context.WithCancel(r.scan)
	watcher.Go(func() { r.watch(watching) })
	for range r.config.Threads {
		workers.Go(func() {
			for t := range tasks {
				r.work(t)
			}
		})
		confirmers.Go(r.confirm)
	}
	if r.spec.Follower != nil && r.spec.Confirm > 0 {
		following, end := context.WithCancel(r.scan)
		var follower sync.WaitGroup
		follower.Go(func() { r.follow(following) })
		defer follower.Wait()
		defer end()
	}
	if r.apart() {
		r.produce(tasks)
	}
	close(tasks)
	workers.Wait()
	r.suspects.close()
	confirmers.Wait()
	r.countOutside()
	enough()
	watcher.Wait()
	r.inspectLast()
	return r.conclude(time.Since(began))
}

// produce hands out the ranges an earlier process left to be done again, then
// those after its position. Ranges are cut while others are examined, so the
// index walk costs no time of its own.
func (r *run) produce(tasks chan<- *task) {
	for _, t := range r.ledger.again() {
		if !r.hand(tasks, t) {
			return
		}
	}
	number, after := r.ledger.from()
	for ; number < len(r.passes); number++ {
		if !r.producePass(tasks, number, after) {
			return
		}
		after = nil
	}
	r.produced.Store(true)
}

func (r *run) producePass(tasks chan<- *task, number int, after row.Key) bool {
	var boundaries []chunk.Boundary
	for _, s := range r.passes[number].cut {
		boundaries = append(boundaries, r.boundary(s))
	}
	splitter := chunk.NewSplitter(after, boundaries...)
	for {
		next, err := r.cut(splitter.Next)
		if err != nil && r.scan.Err() == nil && !permanent(err) {
			// The other side's index may lead around what cannot be read; the
			// range in between then fails alone, if it does.
			if around, failed := r.cut(splitter.Around); failed == nil && around.ok {
				next, err = around, nil
			}
		}
		switch {
		case r.scan.Err() != nil:
			return false
		case err != nil && permanent(err):
			r.stop(err)
			return false
		case err != nil:
			// The rest is unreadable. It is no task, so the position stays
			// before it and a later process cuts it into ranges.
			r.failed.add(splitter.Rest(), err)
			return false
		case !next.ok:
			return true
		}
		t, admitted := r.ledger.add(r.scan, chunk.Work{Pass: number, Range: next.bounds})
		if !admitted || !r.hand(tasks, t) {
			return false
		}
	}
}

// cut is a range as the walk over a key index gives it; ok is false after the last.
type cut struct {
	bounds row.Range
	ok     bool
}

// rows is how many the next range should hold: fewer where the pacer asks for smaller
// ranges, but not fewer than are worth a statement. On a busy server a statement's own
// time is most of a small range's; ranges that were cut by that alone would end at a row.
func (r *run) rows() int {
	usual := r.sizer.Rows()
	return max(int(float64(usual)*sizeOf(r.pacer)), min(usual, r.config.Range.MinRows))
}

func (r *run) cut(next func(ctx context.Context, rows int) (row.Range, bool, error)) (cut, error) {
	return retry(r.scan, r, "the key index", func(ctx context.Context) (cut, error) {
		bounds, ok, err := next(ctx, r.rows())
		return cut{bounds, ok}, err
	})
}

func (r *run) hand(tasks chan<- *task, t *task) bool {
	select {
	case tasks <- t:
		return true
	case <-r.scan.Done():
		return false
	}
}

func (r *run) start() Start {
	s := Start{Pair: r.spec.Pair.Name, Mode: r.spec.Mode.String(), Method: r.spec.Pair.Method.String(), Resumed: r.resumed}
	done := r.ledger.total()
	switch {
	case r.spec.Mode == Reverse:
		s.Rows, s.Done = r.replica.view.Table.Rows, done.CopyRows
	case len(r.passes) > 1:
		s.Rows, s.Done = r.authority.view.Table.Rows+r.replica.view.Table.Rows, done.AuthorityRows+done.CopyRows
	default:
		s.Rows, s.Done = r.authority.view.Table.Rows, done.AuthorityRows
	}
	return s
}

// conclude draws the verdict. Completeness rests on evidence, every range
// handed out and settled, and not on the absence of errors.
func (r *run) conclude(took time.Duration) (Verdict, error) {
	tally := r.ledger.total()
	v := Verdict{
		Pair: r.spec.Pair.Name, Run: r.spec.ID, Mode: r.spec.Mode.String(), Method: r.spec.Pair.Method.String(),
		SourceRows: tally.AuthorityRows, TargetRows: tally.CopyRows,
		TargetMissing: tally.TargetMissing, NotEqual: tally.NotEqual, BaseMissing: tally.BaseMissing,
		Unreadable: r.failed.count(), UnreadableRanges: r.failed.list(), Open: r.open.Load(),
		Seconds: took.Seconds(), Resumed: r.resumed,
	}
	v.Behind, v.Late = r.lag.figures()
	v.Collisions = r.collisions.found.Load()
	if r.spec.Authority == event.Target {
		v.SourceRows, v.TargetRows = v.TargetRows, v.SourceRows
	}
	v.Complete = r.produced.Load() && r.ledger.settled() && v.Unreadable == 0 && r.inspected
	v.Outside = r.outside.rows
	v.Clean = v.Complete && v.Findings() == 0 && v.Open == 0 && v.Outside == 0 && r.spec.Mode != Count
	cause := context.Cause(r.scan)
	v.Reason = r.reason(v, cause)
	r.saver.finish(v.Complete || tooDifferent(cause))
	if v.Complete || cause == nil || errors.Is(cause, errEnough) || r.interrupted(cause) {
		return v, nil
	}
	return v, cause
}

// interrupted says whether the run was ended by its caller.
func (r *run) interrupted(cause error) bool {
	return r.publish.Err() != nil && errors.Is(cause, context.Cause(r.publish))
}

func (r *run) reason(v Verdict, cause error) string {
	switch {
	case !v.Complete && cause == errEnough: //nolint:errorlint // a shareError, which wraps it, has its own reason
		return fmt.Sprintf("stopped after %d findings, which is the limit", r.reported.Load())
	case !v.Complete && r.interrupted(cause):
		return "interrupted: " + cause.Error()
	case !v.Complete && cause != nil:
		return cause.Error()
	case v.Unreadable > 0:
		return r.failed.String()
	case r.spec.Mode == Count && v.SourceRows == v.TargetRows:
		return "the numbers of rows agree, which is a hint and no proof"
	case r.spec.Mode == Count:
		return "the numbers of rows differ"
	default:
		return r.whyNotClean(v)
	}
}

// whyNotClean says why rows stay open, and which are none's; empty else.
func (r *run) whyNotClean(v Verdict) string {
	var reasons []string
	if hot := v.Open - v.Late; hot > 0 {
		reasons = append(reasons, fmt.Sprintf("%d rows changed each time they were looked at and stay open", hot))
	}
	if late := r.lag.reason(); late != "" {
		reasons = append(reasons, late)
	}
	if collisions := r.collisions.reason(r.replica.which); collisions != "" {
		reasons = append(reasons, collisions)
	}
	if outside := r.outside.String(); outside != "" {
		reasons = append(reasons, outside)
	}
	return strings.Join(reasons, "; ")
}
