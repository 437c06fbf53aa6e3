package validate

import (
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/row"
)

const (
	// maxOutstanding bounds the ranges that are handed out and not yet
	// settled: those that wait for confirmation of a row. At the target of
	// half a second a range that is hours of confirmation delay, in 10 MB.
	maxOutstanding = 65_536
	// maxAgain bounds the ranges a position carries along to be examined once
	// more. Beyond it the position stays where it is: later work is repeated
	// by the next process rather than remembered.
	maxAgain = 256
)

// task is a range from being handed out to being settled. Its fields belong to
// the ledger.
type task struct {
	work   chunk.Work
	number int // in its pass, see Place
	// repeated tasks come from an earlier process, from before its position.
	repeated bool
	// open counts what keeps the task from being settled: its examination,
	// and each of its suspects and findings on their way out.
	open  int
	tally chunk.Tally
	// troubled: part of it was unreadable or stays open.
	troubled bool
	// keys are what a stream looks at instead of a range, until that is done.
	keys []row.Key
	// mark is what a stream has reached when this and all before are settled;
	// nil for nothing of its own.
	mark any
	// trace is the context of its first look, see Tracer.
	trace string
}

func (t *task) place() Place { return Place{Pass: t.work.Pass, Number: t.number} }

// ledger knows which ranges are settled. The position moves over settled
// ranges in the order they were handed out, whatever the order they settle in.
type ledger struct {
	room *semaphore.Weighted

	mu       sync.Mutex
	tasks    []*task
	numbers  map[int]int // the next task's number, by pass
	position chunk.Position
	all      chunk.Tally // of every range, settled or not, earlier processes included
	frozen   bool        // too many troubled ranges to carry along
	mark     any         // the last task's that had one
}

func newLedger(position chunk.Position, outstanding int64) *ledger {
	l := &ledger{room: semaphore.NewWeighted(outstanding), numbers: map[int]int{}, position: position, all: position.Tally}
	for _, w := range position.Again {
		l.enter(&task{work: w, repeated: true, open: 1})
	}
	l.position.Again = nil
	return l
}

// again returns the tasks that an earlier process left to be done once more.
func (l *ledger) again() []*task {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.tasks)
}

// from says where an earlier process stopped; pass 0 and nil is the start.
func (l *ledger) from() (pass int, after row.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.position.Pass, l.position.After
}

// add enters a range, held once for its examination, waiting for room; false
// when the context ended first.
func (l *ledger) add(ctx context.Context, w chunk.Work) (*task, bool) {
	return l.admit(ctx, &task{work: w, open: 1})
}

// admit enters a task that nobody works on yet.
func (l *ledger) admit(ctx context.Context, t *task) (*task, bool) {
	if l.room.Acquire(ctx, 1) != nil {
		return nil, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.enter(t)
	return t, true
}

// enter numbers a task and lines it up.
func (l *ledger) enter(t *task) {
	t.number = l.numbers[t.work.Pass]
	l.numbers[t.work.Pass]++
	l.tasks = append(l.tasks, t)
}

func (l *ledger) hold(t *task, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t.open += n
}

// count adds to what a task held.
func (l *ledger) count(t *task, tally chunk.Tally) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t.tally.Add(tally)
	l.all.Add(tally)
}

// trouble marks a task to be done again by a later process; true the first time.
func (l *ledger) trouble(t *task) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := !t.troubled
	t.troubled = true
	return first
}

// release takes n holds off a task. It returns true when the position moved.
func (l *ledger) release(t *task, n int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	t.open -= n
	moved := false
	for len(l.tasks) > 0 && l.tasks[0].open == 0 {
		l.pass(l.tasks[0])
		l.tasks[0] = nil
		l.tasks = l.tasks[1:]
		moved = true
	}
	return moved && !l.frozen
}

// pass moves the position over a settled task.
func (l *ledger) pass(t *task) {
	if !t.repeated {
		l.room.Release(1)
	}
	if t.mark != nil {
		l.mark = t.mark
	}
	if t.troubled && len(l.position.Again) >= maxAgain {
		l.frozen = true
	}
	if l.frozen {
		return
	}
	if t.troubled {
		l.position.Again = append(l.position.Again, t.work)
	} else {
		l.position.Tally.Add(t.tally)
	}
	if t.repeated {
		return
	}
	l.position.Pass, l.position.After = t.work.Pass, t.work.Range.Through
	if t.work.Range.Through == nil {
		l.position.Pass++
	}
}

// settledUpTo is the position to save. Tasks of an earlier process that are
// not settled yet stay in it.
func (l *ledger) settledUpTo() chunk.Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.position
	p.Again = slices.Clone(p.Again)
	for _, t := range l.tasks {
		if !t.repeated {
			break
		}
		p.Again = append(p.Again, t.work)
	}
	return p
}

// reached is the mark of the last settled task that had one.
func (l *ledger) reached() any {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mark
}

// settled says whether every range handed out is settled.
func (l *ledger) settled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.tasks) == 0
}

// total is what all ranges held so far.
func (l *ledger) total() chunk.Tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all
}
