package validate

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schema"
)

// places is a Pacer that knows how many of its places are taken.
type places struct{ taken atomic.Int64 }

func (p *places) Acquire(context.Context, event.Side) (func(), error) {
	p.taken.Add(1)
	return func() { p.taken.Add(-1) }, nil
}

func TestARunAtRestReadsNothingAndHoldsNoPlace(t *testing.T) {
	for _, method := range []schema.Method{schema.Checksum, schema.Merge, schema.Lookup} {
		for _, mode := range []Mode{Full, Reverse, Count} {
			synctest.Test(t, func(t *testing.T) {
				a, c := newTable(orders(1, 200)...), newTable(orders(1, 200)...)
				for id := 3; id < 200; id += 20 {
					c.put(order(id, "damaged", id))
				}
				b := newBench(t, a, c, method).rangesOf(10)
				b.run.Mode = mode
				var admitted atomic.Int64
				rest := make(chan struct{})
				b.run.Admit = func(ctx context.Context) error {
					if admitted.Add(1) <= 4 {
						return nil
					}
					select {
					case <-rest:
						return nil
					case <-ctx.Done():
						return context.Cause(ctx)
					}
				}
				v, held := b.validator(), &places{}
				v.pacer = held
				ended := make(chan Verdict, 1)
				go func() {
					verdict, err := v.Run(t.Context(), b.run)
					if err != nil {
						t.Error(err)
					}
					ended <- verdict
				}()
				synctest.Wait()
				reads := a.statements + c.statements
				time.Sleep(24 * time.Hour)
				synctest.Wait()
				if n := held.taken.Load(); n != 0 || a.statements+c.statements != reads || len(ended) > 0 || reads == 0 {
					t.Errorf("%s %s: %d places are held, %d reads, %d before it rested, ended: %t", method, mode, n, a.statements+c.statements, reads, len(ended) > 0)
				}
				close(rest)
				if verdict := <-ended; !verdict.Complete || mode != Count && verdict.NotEqual != 10 {
					t.Errorf("%s %s: %+v", method, mode, verdict)
				}
			})
		}
	}
}
