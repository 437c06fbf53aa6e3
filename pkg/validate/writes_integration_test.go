package validate_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/validate"
)

// The load of the test: rows up to hotRows are written all the time, those
// above are left to be damaged.
const (
	hotRows, allRows = 8000, 8600
	writers          = 2
	batchWrites      = 10
	batchEvery       = 20 * time.Millisecond // 1000 writes a second together
	wantedRate       = 500                   // writes a second
	// A change reaches the copy after 200 to 500 ms. The writers stop while
	// the copy is further behind than maxLag, so that a machine under load
	// slows the test down rather than outlasting confirm.
	maxLag  = 700 * time.Millisecond
	confirm = 1500 * time.Millisecond
)

// traffic writes to the source, and a replicator of its own applies the same in
// the same order to the copy.
type traffic struct {
	l         *live
	written   atomic.Int64
	throttled atomic.Int64
}

// batch is a transaction as both engines spell it.
type batch struct {
	source, target []string
	committed, due time.Time
}

func (b *batch) add(l *live, statement func(e engine) string) {
	b.source, b.target = append(b.source, statement(l.source)), append(b.target, statement(l.target))
}

// start runs the traffic until the returned function is called, which waits
// until the copy has everything, and returns the rate reached.
func (tr *traffic) start() (stop func() float64) {
	ctx, cancel := context.WithCancel(tr.l.t.Context())
	var all sync.WaitGroup
	for w := range writers {
		queue := make(chan batch, 10_000) // never full: the writer waits long before
		var oldest atomic.Int64           // when the batch in work was committed, in ns; 0: none
		all.Go(func() { tr.write(ctx, w, queue, &oldest) })
		all.Go(func() { tr.replicate(w, queue, &oldest) })
	}
	began := time.Now()
	return sync.OnceValue(func() float64 {
		rate := float64(tr.written.Load()) / time.Since(began).Seconds()
		cancel()
		all.Wait()
		return rate
	})
}

// write changes the rows whose number leaves w when divided by the writers:
// changes of one row have one order.
func (tr *traffic) write(ctx context.Context, w int, queue chan<- batch, oldest *atomic.Int64) {
	defer close(queue)
	source := testenv.Open(tr.l.t, tr.l.sourceURL)
	random := rand.New(rand.NewPCG(9, uint64(w)))
	gone := map[int]bool{}
	var due time.Time
	pace := time.NewTicker(batchEvery)
	defer pace.Stop()
	for n := 0; ; n++ {
		select {
		case <-pace.C:
		case <-ctx.Done():
			return
		}
		if at := oldest.Load(); at != 0 && time.Since(time.Unix(0, at)) > maxLag {
			tr.throttled.Add(1)
			continue
		}
		var b batch
		for i := range batchWrites {
			tr.change(&b, random, gone, w, n*batchWrites+i)
		}
		if _, err := source.ExecContext(context.WithoutCancel(ctx), transaction(b.source)); err != nil {
			tr.l.t.Error(err)
			return
		}
		b.committed = time.Now()
		b.due = b.committed.Add(200*time.Millisecond + time.Duration(random.IntN(300))*time.Millisecond)
		if b.due.Before(due) {
			b.due = due // in order, so that one late batch holds up the next
		}
		due = b.due
		queue <- b
		tr.written.Add(batchWrites)
	}
}

func transaction(statements []string) string {
	return "BEGIN; " + strings.Join(statements, "; ") + "; COMMIT"
}

// change adds a change of a random row: an update, a delete, an insert, or a
// delete and an insert under the same key.
func (tr *traffic) change(b *batch, random *rand.Rand, gone map[int]bool, w, n int) {
	id := 1 + w + writers*random.IntN(hotRows/writers)
	insert := func(e engine) string { return "INSERT INTO orders VALUES " + e.row(id, fmt.Sprint("again ", n)) }
	remove := func(engine) string { return fmt.Sprintf("DELETE FROM orders WHERE id = %d", id) }
	switch kind := random.IntN(10); {
	case gone[id]:
		b.add(tr.l, insert)
		delete(gone, id)
	case kind == 0:
		b.add(tr.l, remove)
		b.add(tr.l, insert)
	case kind <= 2:
		b.add(tr.l, remove)
		gone[id] = true
	default:
		b.add(tr.l, func(engine) string {
			return fmt.Sprintf("UPDATE orders SET name = 'version %d', amount = amount + 1 WHERE id = %d", n, id)
		})
	}
}

func (tr *traffic) replicate(w int, queue <-chan batch, oldest *atomic.Int64) {
	target := testenv.Open(tr.l.t, tr.l.copyURL)
	for b := range queue {
		oldest.Store(b.committed.UnixNano())
		<-time.After(time.Until(b.due)) // the delay of replication
		if _, err := target.ExecContext(context.WithoutCancel(tr.l.t.Context()), transaction(b.target)); err != nil {
			tr.l.t.Errorf("replicator %d: %v", w, err)
		}
		oldest.Store(0)
	}
}

// TestHundredsOfWritesASecondCauseNoFindingAndHideNone compares while the
// source is written to and the copy follows with a delay; in between, rows of
// the copy that nobody else touches are damaged.
func TestHundredsOfWritesASecondCauseNoFindingAndHideNone(t *testing.T) {
	for _, direction := range crossed {
		t.Run(direction[0].name+"-"+direction[1].name, func(t *testing.T) {
			t.Parallel()
			l := newLive(t, direction)
			testenv.Exec(t, l.sourceURL, l.source.insert(sequence(1, allRows)...))
			testenv.Exec(t, l.copyURL, l.target.insert(sequence(1, allRows)...))
			tr := &traffic{l: l}
			stop := tr.start()
			defer stop()
			var want []string
			for i, run := range []validate.Run{
				{Pair: l.pair(schema.Checksum)},
				{Pair: l.pair(schema.Merge)},
				{Pair: l.pair(schema.Lookup)},
				{Pair: l.pair(schema.Checksum), Mode: validate.Reverse},
			} {
				want = append(want, l.damageStable(i)...)
				slices.Sort(want)
				expected := want
				if run.Mode == validate.Reverse {
					expected = slices.DeleteFunc(slices.Clone(want), func(s string) bool { return strings.HasPrefix(s, "target_missing") })
				}
				run.Confirm = confirm
				v, found, err := l.compare(validate.Config{Range: chunk.SizerConfig{MinRows: 500, MaxRows: 500}, DrillRows: 50}, run)
				if err != nil || !v.Complete || !slices.Equal(found.names(), expected) {
					t.Errorf("%s by %s: %+v, %v\nfound %q\nwant  %q", run.Mode, run.Pair.Method, v, err, found.names(), expected)
				}
			}
			rate := stop()
			t.Logf("%.0f writes/s; the writers waited %d times for the replicator", rate, tr.throttled.Load())
			if rate < wantedRate && tr.throttled.Load() == 0 {
				t.Logf("the machine is too slow for %d writes/s", wantedRate)
			}
			if rate < wantedRate/5 {
				t.Errorf("%.0f writes/s prove nothing", rate)
			}
			if v, found, err := l.compare(validate.Config{}, validate.Run{Pair: l.pair(schema.Merge)}); err != nil || !slices.Equal(found.names(), want) {
				t.Errorf("at rest: %+v, %q, %v", v, found.names(), err)
			}
		})
	}
}

// damageStable damages three rows of the copy and returns what must be found.
func (l *live) damageStable(n int) []string {
	l.t.Helper()
	missing, changed, surplus := hotRows+10*n+1, hotRows+10*n+2, allRows+10*n+3
	testenv.Exec(l.t, l.copyURL, fmt.Sprintf("DELETE FROM orders WHERE id = %d", missing),
		fmt.Sprintf("UPDATE orders SET amount = amount + 1 WHERE id = %d", changed), l.target.insert(surplus))
	return []string{fmt.Sprintf("target_missing %d", missing), fmt.Sprintf("neq %d", changed), fmt.Sprintf("base_missing %d", surplus)}
}
