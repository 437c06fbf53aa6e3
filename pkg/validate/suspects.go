package validate

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/trueup/trueup/pkg/compare"
	"github.com/trueup/trueup/pkg/row"
)

// suspect is a row that differed and is to be looked at again.
type suspect struct {
	task *task
	key  row.Key
	// witness is the authority's row when the difference was seen, at the time seen.
	witness compare.Witness
	seen    time.Time
	// due is when the least wait is over.
	due time.Time
	// rounds counts how often the row had changed when it was looked at.
	rounds int
	// overdue: the copy has not followed, and waiting for it has ended.
	overdue bool
}

// suspects is the queue of those that wait, by when they fall due. It holds a
// bounded number: push blocks while that many are not settled, which includes
// those being looked at, so that one that must wait once more always finds its
// place.
type suspects struct {
	room  *semaphore.Weighted
	delay delay

	mu      sync.Mutex
	waiting byDue
	// applied is the moment up to which the copy has followed.
	applied time.Time
	// unsettled counts those waiting and those being looked at.
	unsettled int
	closed    bool
	// changed is closed and replaced when takers should look again.
	changed chan struct{}
}

func newSuspects(capacity int, d delay) *suspects {
	return &suspects{room: semaphore.NewWeighted(int64(capacity)), delay: d, changed: make(chan struct{})}
}

// push adds a suspect, waiting for room; false when the context ended first.
func (q *suspects) push(ctx context.Context, s suspect) bool {
	if q.room.Acquire(ctx, 1) != nil {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.unsettled++
	q.add(s)
	return true
}

// again puts suspects that were taken back to wait once more.
func (q *suspects) again(list []suspect) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range list {
		q.add(s)
	}
}

func (q *suspects) add(s suspect) {
	if len(q.waiting) == 0 || s.due.Before(q.waiting[0].due) {
		q.wake()
	}
	heap.Push(&q.waiting, s)
}

// settle says that n of those taken need not be looked at again.
func (q *suspects) settle(n int) {
	if n == 0 {
		return
	}
	q.room.Release(int64(n))
	q.mu.Lock()
	defer q.mu.Unlock()
	q.unsettled -= n
	if q.unsettled == 0 {
		q.wake()
	}
}

// close says that no more will be pushed.
func (q *suspects) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.wake()
}

// follow says up to which moment the copy has followed.
func (q *suspects) follow(applied time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if applied.After(q.applied) {
		q.applied = applied
		q.wake()
	}
}

// waits says whether any suspect waits.
func (q *suspects) waits() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) > 0
}

func (q *suspects) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// take waits until some suspects are due and returns at most n of them. It
// returns none when all are settled and no more will come, or when the context
// ended.
func (q *suspects) take(ctx context.Context, n int) []suspect {
	for {
		due, wait, changed := q.due(n)
		if len(due) > 0 || wait < 0 {
			return due
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		timer.Stop()
	}
}

// idle is how long to wait when only a change can bring something to do.
const idle = time.Hour

// due returns those that are due, or how long to wait for the next one; a
// negative wait means that there is nothing left to wait for.
func (q *suspects) due(n int) (due []suspect, wait time.Duration, changed <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		if q.closed && q.unsettled == 0 {
			return nil, -1, nil
		}
		return nil, idle, q.changed
	}
	now := time.Now()
	for len(due) < n && len(q.waiting) > 0 {
		next := q.waiting[0]
		if left := q.left(next, now); left > 0 {
			return due, left, q.changed
		}
		next.overdue = q.delay.moment(next.seen, q.applied, now) == overdue
		heap.Pop(&q.waiting)
		due = append(due, next)
	}
	return due, 0, nil
}

// left is how long a suspect waits at most, unless the copy follows meanwhile.
func (q *suspects) left(s suspect, now time.Time) time.Duration {
	if left := s.due.Sub(now); left > 0 {
		return left
	}
	if q.delay.moment(s.seen, q.applied, now) == early {
		return s.seen.Add(q.delay.most).Sub(now)
	}
	return 0
}

// byDue is a heap of suspects.
type byDue []suspect

func (h byDue) Len() int           { return len(h) }
func (h byDue) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h byDue) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *byDue) Push(s any) { *h = append(*h, s.(suspect)) } //nolint:forcetypeassert // heap.Push is called with nothing else

// Pop implements heap.Interface.
func (h *byDue) Pop() any {
	last := len(*h) - 1
	s := (*h)[last]
	(*h)[last] = suspect{} // let go of the key
	*h = (*h)[:last]
	return s
}
