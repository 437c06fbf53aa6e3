package validate

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schema"
)

// sides is a Pacer of one server, which knows how many places of each side are taken.
type sides struct {
	taken  [3]atomic.Int64
	inTurn bool
}

func (p *sides) Acquire(_ context.Context, side event.Side) (func(), error) {
	p.taken[side].Add(1)
	return func() { p.taken[side].Add(-1) }, nil
}

func (p *sides) InTurn() bool { return p.inTurn }

// Where one server has no room for two statements, the source is digested before a
// place of the target is taken, and the same is found.
func TestDigestsInTurnHoldAPlaceOnOneSideAtATime(t *testing.T) {
	for _, inTurn := range []bool{true, false} {
		source, target := newTable(orders(1, 200)...), newTable(orders(1, 200)...)
		for id := 3; id < 200; id += 20 {
			target.put(order(id, "damaged", id))
		}
		b := newBench(t, source, target, schema.Checksum).rangesOf(10)
		b.config.Threads = 1 // only who compares takes places of the target
		pacer := &sides{inTurn: inTurn}
		digests, both := 0, 0
		source.before = func(op string, _ int) error {
			if op == "digest" {
				digests++
				both += int(pacer.taken[event.Target].Load())
			}
			return nil
		}
		v := b.validator()
		v.pacer = pacer
		verdict, err := v.Run(t.Context(), b.run)
		if err != nil || !verdict.Complete || verdict.NotEqual != 10 {
			t.Errorf("in turn %v: %+v, %v", inTurn, verdict, err)
		}
		if digests == 0 || inTurn != (both == 0) {
			t.Errorf("in turn %v: %d of %d digests of the source with a place of the target taken", inTurn, both, digests)
		}
	}
}
