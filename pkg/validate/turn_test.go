package validate

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schema"
)

// server is a Pacer of two sides that share one server's places.
type server struct {
	places *semaphore.Weighted
	inTurn bool
}

func (s server) Acquire(ctx context.Context, _ event.Side) (func(), error) {
	if err := s.places.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return func() { s.places.Release(1) }, nil
}

func (s server) InTurn() bool { return s.inTurn }

// Where a server has one place, digests come through it in turn; digests of both
// sides at once would wait for each other for ever.
func TestDigestsInTurnNeedOnePlace(t *testing.T) {
	for _, inTurn := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			source, target := newTable(orders(1, 200)...), newTable(orders(1, 200)...)
			b := newBench(t, source, target, schema.Checksum).rangesOf(10)
			digests := 0
			source.before = func(op string, _ int) error {
				if op == "digest" {
					digests++
				}
				return nil
			}
			v := b.validator()
			v.pacer = server{places: semaphore.NewWeighted(1), inTurn: inTurn}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			verdict, err := v.Run(ctx, b.run)
			if inTurn && (err != nil || !verdict.Clean || digests < 20) {
				t.Errorf("in turn: %+v, %v after %d digests of the source", verdict, err, digests)
			}
			if !inTurn && (err != nil || verdict.Complete || digests != 0) {
				t.Errorf("at once: %+v, %v after %d digests of the source", verdict, err, digests)
			}
		})
	}
}

func TestDigestsInTurnFindWhatDigestsAtOnceFind(t *testing.T) {
	for _, inTurn := range []bool{true, false} {
		source, target := newTable(orders(1, 200)...), newTable(orders(1, 200)...)
		for id := 3; id < 200; id += 20 {
			target.put(order(id, "damaged", id))
		}
		b := newBench(t, source, target, schema.Checksum).rangesOf(10)
		v := b.validator()
		v.pacer = server{places: semaphore.NewWeighted(100), inTurn: inTurn}
		verdict, err := v.Run(t.Context(), b.run)
		if err != nil || !verdict.Complete || verdict.NotEqual != 10 {
			t.Errorf("in turn %v: %+v, %v", inTurn, verdict, err)
		}
	}
}
