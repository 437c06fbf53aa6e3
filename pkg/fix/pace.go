package fix

import (
	"errors"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
)

// Waiting between passes, doubled each time without progress and spread by
// half so that fixers that met each other do not meet again.
const (
	// A held row is usually free again after one short transaction.
	shortWait    = 20 * time.Millisecond
	shortWaitMax = time.Second
	// A database that is away comes back in seconds (restart) to minutes
	// (failover); asking every half minute does not delay the way back much.
	longWait    = 100 * time.Millisecond
	longWaitMax = 30 * time.Second
)

var errHeld = errors.New("rows are held by another transaction, or refused for now")

type pace struct{ short, long *backoff.ExponentialBackOff }

func newPace() *pace {
	return &pace{short: exponential(shortWait, shortWaitMax), long: exponential(longWait, longWaitMax)}
}

func exponential(first, longest time.Duration) *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = first, longest
	b.Multiplier, b.RandomizationFactor = 2, 0.5
	b.Reset()
	return b
}

func (p *pace) progress() {
	p.short.Reset()
	p.long.Reset()
}

// delay is how long to wait before the next pass over the jobs that are left.
// Jobs are left without an error when their row is held, when the copy refused
// it for now, or when the authority's row moved; only the last want no wait.
func (p *pace) delay(err error, left []*job) time.Duration {
	switch {
	case len(left) == 0:
		return 0
	case err != nil && FaultOf(err) == Transient:
		return p.long.NextBackOff()
	case err == nil && allRestart(left):
		return 0
	default:
		return p.short.NextBackOff()
	}
}

func allRestart(jobs []*job) bool {
	for _, j := range jobs {
		if !j.restart {
			return false
		}
	}
	return true
}

// sizer lowers the number of keys of a batch when rows are large, so that
// memory is bounded by bytes and not by what a table holds, and when a batch
// holds its rows for long. It starts small, as nothing is known of the rows.
type sizer struct {
	limit  int
	bytes  int64
	budget time.Duration

	mu sync.Mutex
	// now and timed are the numbers of keys that bytes and time allow.
	now, timed int
	// fixed is about what a batch takes whatever its size.
	fixed time.Duration
	// whole is what a key's images took last, in bytes, beside its rows.
	whole int64
}

// firstKeys is the first batch's number of keys: 16 rows of 4 MiB, twice, are
// about all that a default container should have to hold by surprise.
const firstKeys = 16

func newSizer(limit int, bytes int64, budget time.Duration) *sizer {
	return &sizer{limit: limit, bytes: bytes, budget: budget, now: min(limit, firstKeys), timed: limit}
}

func (z *sizer) keys() int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return min(z.now, z.timed)
}

// observe takes note of a batch. The number of keys grows fourfold at most, so
// that a few small rows do not vouch for many.
func (z *sizer) observe(keys int, bytes int64) {
	if keys == 0 {
		return
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.now = nextKeys(z.now, keys, bytes+int64(keys)*z.whole, z.limit, z.bytes)
}

// observeWhole takes note of the images of a batch, which are read after its rows.
func (z *sizer) observeWhole(keys int, bytes int64) {
	if keys == 0 {
		return
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.whole = bytes / int64(keys)
	z.now = min(z.now, nextKeys(z.now, keys, bytes, z.limit, z.bytes))
}

// observeTime takes note of how long a batch held its rows.
func (z *sizer) observeTime(keys int, held time.Duration) {
	if keys == 0 {
		return
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.fixed == 0 || held < z.fixed {
		z.fixed = held
	} else {
		z.fixed += z.fixed / forget
	}
	z.timed = timedKeys(keys, held, z.fixed, z.longest(), z.limit)
}

// forget lets the least time ever seen grow by a hundredth with each batch that
// took longer, so that a server that became slow is seen to be.
const forget = 100

// allows is how long a batch may hold its rows.
func (z *sizer) allows() time.Duration {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.longest()
}

// longest is the budget or, where that cannot be had, twice what any batch takes.
func (z *sizer) longest() time.Duration { return max(z.budget, 2*z.fixed) }

// timedKeys is the number of keys that would have taken two thirds of the
// longest time: the last third is for those that take longer than others.
func timedKeys(keys int, held, fixed, longest time.Duration, limit int) int {
	perKey := max((held-fixed)/time.Duration(keys), time.Nanosecond)
	fit := (longest*2/3 - fixed) / perKey
	return int(min(max(fit, 1), time.Duration(limit)))
}

// nextKeys is the number of keys after a batch of that many keys and bytes.
func nextKeys(now, keys int, bytes int64, limit int, target int64) int {
	perKey := max(bytes/int64(keys), 1)
	fit := max(target/perKey, 1)
	return int(min(fit, int64(limit), int64(now)*4))
}

func sizeOf(rows map[string]row.Row) int64 {
	var n int64
	for _, values := range rows {
		for _, v := range values {
			n += int64(len(v))
		}
	}
	return n
}

// silent is the Observer of those who want none.
type silent struct{}

func (silent) Batch(string, int, time.Duration)     {}
func (silent) Waiting(string, error, time.Duration) {}
func (silent) Settled(event.Outcome)                {}
