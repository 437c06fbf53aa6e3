package validate

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/compare"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
)

// piece is a range to examine: a whole task's at first, a part of it later.
type piece struct {
	bounds row.Range
	// siblings are the pieces it was cut with; nil for a whole range.
	siblings *siblings
}

// examined is what the examination of a piece gave. With parts, only what is
// in differences is settled and the parts remain to be examined.
type examined struct {
	authorityRows, copyRows int64
	differences             []compare.Difference
	parts                   []piece
	// cost is what reading the whole piece took, waiting for the pacer left
	// out: a run that is held back must not conclude that its ranges are too
	// large. Zero rows when it is not known.
	cost chunk.Sample
	// refused: a server's limit was met and got round; smaller ranges are called for.
	refused bool
}

// examiner is how a method looks at a piece.
type examiner interface {
	examine(ctx context.Context, p piece) (examined, error)
}

// work examines a task piece by piece and hands over what differs. The pieces
// are kept in descending order and taken from the end, the last range first:
// see joinEmpty.
func (r *run) work(t *task) {
	if t.keys != nil {
		r.workKeys(t)
		return
	}
	began := time.Now()
	report := RangeReport{Pair: r.spec.Pair.Name, Range: t.work.Range, Place: t.place(), Endless: r.stream != nil}
	finished, end := false, r.traceRange(t)
	defer func() { end(report, finished) }()
	pending := []piece{{bounds: t.work.Range}}
	for len(pending) > 0 {
		p := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		whole := p.siblings == nil
		result, err := retry(r.scan, r, "range "+p.bounds.String(), func(ctx context.Context) (examined, error) {
			return r.passes[t.work.Pass].examiner.examine(ctx, p)
		})
		if r.scan.Err() != nil {
			return
		}
		if err != nil {
			if permanent(err) {
				r.stop(err)
				return
			}
			r.unreadable(t, p.bounds, err)
			report.Unreadable = err
			continue
		}
		if whole {
			r.learn(result)
			report.Cost = result.cost
		}
		if joinEmpty(pending, p, result) {
			continue
		}
		pending = append(pending, result.parts...)
		r.count(t, result, &report)
		if !r.deliver(t, result.differences) {
			return
		}
	}
	report.Took = time.Since(began)
	finished = true
	r.observer.RangeDone(report)
	r.settle(t, 1)
}

// joinEmpty gives the bounds of an empty piece to the piece below it. Pieces
// are cut by walking an index for as many keys as were counted a moment
// before; when rows were deleted since, the walk may leave the range, and
// nothing here can compare keys to notice. A bound outside shows in that
// nothing lies between it and the range's end. Such a bound is taken back.
func joinEmpty(pending []piece, p piece, result examined) bool {
	if p.siblings == nil || len(pending) == 0 || result.authorityRows != 0 || result.copyRows != 0 || len(result.parts) > 0 {
		return false
	}
	below := &pending[len(pending)-1]
	if below.siblings != p.siblings {
		return false
	}
	below.bounds.Through = p.bounds.Through
	return true
}

// learn sizes the next ranges by what this one took.
func (r *run) learn(result examined) {
	if result.refused {
		r.sizer.TooLarge()
		return
	}
	r.sizer.Observe(result.cost)
}

func (r *run) count(t *task, result examined, report *RangeReport) {
	tally := chunk.Tally{AuthorityRows: result.authorityRows, CopyRows: result.copyRows}
	r.ledger.count(t, tally)
	if err := r.tooDifferent(); err != nil {
		r.stop(err) // what was found before there was enough to judge it by
	}
	scanned := tally.AuthorityRows
	if r.spec.Mode == Reverse || t.work.Pass > 0 {
		scanned = tally.CopyRows
	}
	report.Scanned += scanned
	if r.authority.which == event.Target {
		tally.AuthorityRows, tally.CopyRows = tally.CopyRows, tally.AuthorityRows
	}
	report.SourceRows += tally.AuthorityRows
	report.TargetRows += tally.CopyRows
	report.Differences += len(result.differences)
}

// deliver hands differences on: to confirmation, or straight to the publisher
// when there is none. It blocks while those behind it are full; false means
// that the run ended first.
func (r *run) deliver(t *task, differences []compare.Difference) bool {
	if len(differences) == 0 {
		return true
	}
	now := time.Now()
	r.ledger.hold(t, len(differences))
	r.observer.Suspects(SuspectReport{Pair: r.spec.Pair.Name, Seen: len(differences)})
	if r.spec.Confirm == 0 {
		found := make([]found, len(differences))
		for i, d := range differences {
			found[i] = newFound(t, d, now)
		}
		return r.report(found)
	}
	for _, d := range differences {
		s := suspect{task: t, key: d.Key, witness: d.Witness, seen: now, due: now.Add(r.spec.Confirm)}
		if !r.suspects.push(r.scan, s) {
			return false
		}
	}
	return true
}

// settle takes n holds off a task and moves the position when that settles it.
func (r *run) settle(t *task, n int) {
	switch moved := r.ledger.release(t, n); {
	case moved && r.stream != nil:
		r.stream.advance()
	case moved:
		r.saver.save()
	}
}

// unreadable notes that part of a task could not be read.
func (r *run) unreadable(t *task, bounds row.Range, err error) {
	if r.stream != nil { // which leaves nothing behind: it starts anew from what is settled
		r.stop(fmt.Errorf("read %s: %w", bounds, err))
		return
	}
	if r.ledger.trouble(t) {
		r.failed.add(bounds, err)
	}
}

// maxFailures bounds the ranges a verdict names as unreadable.
const maxFailures = 100

// failures counts the ranges that could not be read, and remembers the first of them.
type failures struct {
	mu    sync.Mutex
	n     int64
	first []UnreadableRange
}

func (f *failures) add(bounds row.Range, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.first) < maxFailures {
		f.first = append(f.first, UnreadableRange{Range: bounds, Reason: err.Error()})
	}
	f.n++
}

func (f *failures) count() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

func (f *failures) list() []UnreadableRange {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.first)
}

// String says what could not be read.
func (f *failures) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	first := fmt.Sprintf("%s: %s", f.first[0].Range, f.first[0].Reason)
	if f.n == 1 {
		return "1 range could not be read: " + first
	}
	return fmt.Sprintf("%d ranges could not be read, the first of them %s", f.n, first)
}
