package validate

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trueup/trueup/pkg/row"
)

func keysOfIDs(ids ...int) []row.Key {
	var keys []row.Key
	for _, id := range ids {
		keys = append(keys, row.Key{row.Value(strconv.Itoa(id))})
	}
	return keys
}

func TestACheckFindsWhatDiffersAmongItsKeysAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, _ := newTriggeredBench(t)
		for id := range 6 {
			b.authority.put(order(id, "a", 1))
			b.replica.put(order(id, "a", 1))
		}
		b.replica.put(order(1, "b", 1))
		b.replica.remove(2)
		b.replica.put(order(5, "b", 1)) // nobody asks
		b.replica.put(order(9, "a", 1))
		b.run.ID = "asked"
		if err := b.validator().Check(t.Context(), b.run, keysOfIDs(1, 2, 3, 9, 10)); err != nil {
			t.Fatal(err)
		}
		b.want("base_missing 9", "neq 1", "target_missing 2")
		for _, f := range b.published.findings {
			if f.Run != "asked" {
				t.Errorf("a finding of run %q", f.Run)
			}
		}
	})
}

func TestACheckThatCannotReadOrPublishIsToBeDoneAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, _ := newTriggeredBench(t)
		b.authority.put(order(1, "a", 1))
		refused := errors.New("no broker")
		b.published.before = func(int) error { return refused }
		if err := b.validator().Check(t.Context(), b.run, keysOfIDs(1)); !errors.Is(err, refused) {
			t.Errorf("unpublished, it ended with %v", err)
		}
		away := errors.New("connection reset")
		b.replica.before = func(string, int) error { return away }
		if err := b.validator().Check(t.Context(), b.run, keysOfIDs(1)); !errors.Is(err, away) {
			t.Errorf("unread, it ended with %v", err)
		}
		b.want()
	})
}

func TestACheckLooksAgainAtARowThatChangedAndEndsAtLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, _ := newTriggeredBench(t)
		b.authority.put(order(1, "a", 1))
		n := 1
		changing := true
		b.authority.before = func(op string, _ int) error {
			if op == "lookup" && changing {
				n++
				b.authority.put(order(1, "a", n))
			}
			return nil
		}
		began := time.Now()
		if err := b.validator().Check(t.Context(), b.run, keysOfIDs(1)); err != nil {
			t.Fatal(err)
		}
		b.want()
		if took := time.Since(began); took > time.Minute {
			t.Errorf("it took %v", took)
		}
		changing = false
		if err := b.validator().Check(t.Context(), b.run, keysOfIDs(1)); err != nil {
			t.Fatal(err)
		}
		b.want("target_missing 1")
	})
}

func TestACheckEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, _ := newTriggeredBench(t)
		b.authority.put(order(1, "a", 1))
		ctx, cancel := context.WithTimeout(t.Context(), b.run.Confirm/2)
		defer cancel()
		if err := b.validator().Check(ctx, b.run, keysOfIDs(1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it ended with %v", err)
		}
		b.want()
	})
}
