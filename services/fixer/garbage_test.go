package main

import "testing"

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
