package validate

import (
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
	due     time.Time
	// rounds counts how often the row had changed when it was looked at.
	rounds int
}

// suspects is the queue of those that wait. Every one waits equally long, so
// the order of arrival is the order of falling due. It holds a bounded number:
// push blocks while that many are not settled, which includes those being
// looked at, so that one that must wait once more always finds its place.
type suspects struct {
	room *semaphore.Weighted

	mu      sync.Mutex
	waiting []suspect
	// unsettled counts those waiting and those being looked at.
	unsettled int
	closed    bool
	// changed is closed and replaced when takers should look again.
	changed chan struct{}
}

func newSuspects(capacity int) *suspects {
	return &suspects{room: semaphore.NewWeighted(int64(capacity)), changed: make(chan struct{})}
}

// push adds a suspect, waiting for room; false when the context ended first.
func (q *suspects) push(ctx context.Context, s suspect) bool {
	if q.room.Acquire(ctx, 1) != nil {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.unsettled++
	q.append(s)
	return true
}

// again puts suspects that were taken back to wait once more.
func (q *suspects) again(list []suspect) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range list {
		q.append(s)
	}
}

func (q *suspects) append(s suspect) {
	if len(q.waiting) == 0 {
		q.wake()
	}
	q.waiting = append(q.waiting, s)
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
	count := 0
	for count < min(n, len(q.waiting)) && !q.waiting[count].due.After(now) {
		count++
	}
	if count == 0 {
		return nil, q.waiting[0].due.Sub(now), q.changed
	}
	due = append(due, q.waiting[:count]...)
	clear(q.waiting[:count]) // let go of the keys
	q.waiting = q.waiting[count:]
	return due, 0, nil
}
