package validate

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

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

// half asks for ranges of half the size.
type half struct{ closing }

func (half) Size() float64 { return 0.5 }

func TestAGateMayAskForSmallerRanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ranges := map[bool]int{}
		for _, small := range []bool{false, true} {
			b := newBench(t, newTable(orders(1, 40)...), newTable(orders(1, 40)...), schema.Merge).rangesOf(10)
			counted := &counting{}
			b.ports.Observer = counted
			v := b.validator()
			v.pacer = closing{new(atomic.Bool)}
			if small {
				v.pacer = half{closing{new(atomic.Bool)}}
			}
			if verdict, err := v.Run(t.Context(), b.run); err != nil || !verdict.Clean {
				t.Fatalf("%+v, %v", verdict, err)
			}
			ranges[small] = int(counted.ranges.Load())
		}
		if ranges[true] < 2*ranges[false]-1 {
			t.Errorf("%d ranges at half the share, %d at the whole", ranges[true], ranges[false])
		}
	})
}

// counting counts ranges.
type counting struct {
	NopObserver
	ranges atomic.Int64
}

func (c *counting) RangeDone(RangeReport) { c.ranges.Add(1) }
