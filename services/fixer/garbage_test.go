package main

import (
	"context"
	"math"
	"runtime/debug"
	"testing"
	"testing/synctest"
)

func TestTheLimitLeavesRoomForGarbageHoweverMuchIsInUse(t *testing.T) {
	const mib = 1 << 20
	for live, want := range map[uint64]int64{
		0: leastMemory, 12 * mib: leastMemory, 20 * mib: leastMemory, 24 * mib: 48 * mib, 200 * mib: 312 * mib, 1000 * mib: 1512 * mib,
	} {
		if got := memoryLimit(live); got != want {
			t.Errorf("%d MiB in use: a limit of %d MiB, want %d", live/mib, got/mib, want/mib)
		}
	}
	if memoryLimit(1<<63) <= 0 {
		t.Error("no limit at all for what no machine has")
	}
}

func TestTheLimitIsSetUnlessTheEnvironmentDoes(t *testing.T) {
	usual := debug.SetGCPercent(100)
	defer debug.SetMemoryLimit(math.MaxInt64)
	defer debug.SetGCPercent(usual)
	for _, c := range []struct {
		environment string
		limited     bool
	}{{"", true}, {"400MiB", false}} {
		t.Setenv("GOGC", "")
		t.Setenv("GOMEMLIMIT", c.environment)
		debug.SetMemoryLimit(math.MaxInt64)
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- limitMemory(ctx) }()
			synctest.Wait()
			if limit := debug.SetMemoryLimit(-1); (limit < math.MaxInt64) != c.limited {
				t.Errorf("GOMEMLIMIT %q: a limit of %d", c.environment, limit)
			}
			select {
			case err := <-ended:
				t.Errorf("ended before it was asked to: %v", err)
			default:
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}
