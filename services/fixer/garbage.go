package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// A fixer holds little and makes much garbage: collecting it takes a quarter of its
// processor time where it may become as much as what is in use (the runtime's default),
// more where less is in use, as when several share the work. So it may gather up to a
// limit with which the process stays below 64 MiB at any backlog. A fixer that holds
// much, since its rows are large, has a limit in proportion: under one that is too low
// the runtime would do little else but collect.
const (
	leastMemory = 44 << 20 // bytes that the runtime has of the system
	beside      = 12 << 20 // of which are no heap
	mostGarbage = 400      // per cent of what is in use
	liveHeap    = "/gc/heap/live:bytes"
	// betweenLimits is for how long a heap that has outgrown its limit may be collected
	// again and again.
	betweenLimits = 500 * time.Millisecond
)

// limitMemory keeps the limit as it should be until ctx ends, unless the environment
// says what it is to be.
func limitMemory(ctx context.Context) error {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		<-ctx.Done()
		return nil
	}
	debug.SetGCPercent(mostGarbage)
	sample := []metrics.Sample{{Name: liveHeap}}
	pulse := time.NewTicker(betweenLimits)
	defer pulse.Stop()
	for last := int64(0); ; {
		metrics.Read(sample)
		if limit := memoryLimit(sample[0].Value.Uint64()); limit != last {
			last = limit
			debug.SetMemoryLimit(limit)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-pulse.C:
		}
	}
}

// memoryLimit is for a heap of which so many bytes were in use when it was last
// collected: half as much garbage as that may gather, or more. It comes in steps, so
// that it is seldom set.
func memoryLimit(live uint64) int64 {
	const step = 4 << 20
	wanted := int64(min(live, 1<<50)) * 3 / 2
	return max(leastMemory, beside+(wanted+step-1)/step*step)
}
