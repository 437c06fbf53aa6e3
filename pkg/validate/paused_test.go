package validate

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schema"
)

// closing is a Pacer that admits nobody once a server is away, as a governor
// does that has lost sight of it.
type closing struct{ away *atomic.Bool }

func (c closing) Acquire(ctx context.Context, _ event.Side) (func(), error) {
	if c.away.Load() {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	return func() {}, nil
}

func TestAPauseForAServerThatIsAwayDoesNotOutlastThePatienceWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var away atomic.Bool
		a, c := newTable(orders(1, 40)...), newTable(orders(1, 40)...)
		a.before = func(_ string, n int) error {
			if n < 3 {
				return nil
			}
			away.Store(true)
			return errReset
		}
		a.ping = func() error { return errReset }
		b := newBench(t, a, c, schema.Merge).rangesOf(10)
		v := b.validator()
		v.pacer = closing{&away}
		verdict, err := v.Run(t.Context(), b.run)
		if gone, ok := errors.AsType[*awayError](err); !ok || gone.after != v.config.Patience || verdict.Complete {
			t.Errorf("%+v, %v", verdict, err)
		}
	})
}

// shrinking asks for ranges of a part of their size.
type shrinking struct {
	closing
	size float64
}

func (s shrinking) Size() float64 { return s.size }

func TestAGateMayAskForSmallerRanges(t *testing.T) {
	// 40 rows in ranges of 10, of 5, and of no fewer than 4; the last one finds no row.
	for size, want := range map[float64]int{1: 4, 0.5: 8, 0.3: 10, 0.001: 10} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, newTable(orders(1, 40)...), newTable(orders(1, 40)...), schema.Merge)
			b.config.Range = chunk.SizerConfig{MinRows: 4, MaxRows: 10}
			counted := &counting{}
			b.ports.Observer = counted
			v := b.validator()
			v.pacer = shrinking{closing{new(atomic.Bool)}, size}
			if verdict, err := v.Run(t.Context(), b.run); err != nil || !verdict.Clean {
				t.Fatalf("%+v, %v", verdict, err)
			}
			if ranges := int(counted.ranges.Load()); ranges != want+1 {
				t.Errorf("%d ranges at %v of their size, want %d and one without rows", ranges, size, want)
			}
		})
	}
}

// counting counts ranges.
type counting struct {
	NopObserver
	ranges atomic.Int64
}

func (c *counting) RangeDone(RangeReport) { c.ranges.Add(1) }
