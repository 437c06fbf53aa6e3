package governor

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestNoMoreStatementsRunThanTheBudgetAdmits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := NewBudget("source", 3)
		if err != nil {
			t.Fatal(err)
		}
		var now, most atomic.Int64
		var wg sync.WaitGroup
		for range 30 {
			wg.Go(func() {
				release, err := b.Acquire(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				most.Store(max(most.Load(), now.Add(1)))
				time.Sleep(time.Second)
				now.Add(-1)
				release()
				release() // does no harm
			})
		}
		synctest.Wait()
		if s := b.Stats(); s.Limit != 3 || s.InUse != 3 || s.Waiting != 27 || s.Admitted != 3 {
			t.Errorf("stats %+v", s)
		}
		wg.Wait()
		if most.Load() != 3 {
			t.Errorf("%d statements ran at a time", most.Load())
		}
		// The n-th trio waits n seconds: 3 × (1 + … + 9).
		if s := b.Stats(); s.InUse != 0 || s.Waiting != 0 || s.Admitted != 30 || s.Waited != 135*time.Second {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestAContextsEndAcquiresNothing(t *testing.T) {
	b, err := NewBudget("the target", 1)
	if err != nil {
		t.Fatal(err)
	}
	release, err := b.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := b.Acquire(ended)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "the target") {
		t.Errorf("error %v", err)
	}
	release()
	if _, err := b.Acquire(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("a free place was given to an ended context: %v", err)
	}
	if s := b.Stats(); s.InUse != 0 || s.Waiting != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestABudgetOfNothingIsRefused(t *testing.T) {
	for _, n := range []int{0, -1} {
		if _, err := NewBudget("source", n); err == nil {
			t.Errorf("a budget of %d was accepted", n)
		}
	}
}
