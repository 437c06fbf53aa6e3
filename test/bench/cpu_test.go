package main

import (
	"os"
	"strconv"
	"testing"
	"time"
)

func TestAStatLineIsReadWhateverTheProcessIsCalled(t *testing.T) {
	got, err := parseStat("23700 (a (b) c) S 1 23700 23700 0 -1 4194560 8411 2099 3 4 150 50 700 300 20 0 1 0 17 644\n")
	want := procStat{name: "a (b) c", parent: 1, own: 2 * time.Second, buried: 10 * time.Second}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for _, line := range []string{"", "1 (x", "1 (x) S 1", "1 (x) S one 1 1 0 -1 0 0 0 0 0 1 1 1 1 20"} {
		if _, err := parseStat(line); err == nil {
			t.Errorf("%q is read as a stat line", line)
		}
	}
}

func TestTheTimeOfAProcessGrowsWithItsWork(t *testing.T) {
	pid := os.Getpid()
	before, err := treeCPU(pid)
	if err != nil {
		t.Skip("no /proc:", err)
	}
	for used := ownCPU(); ownCPU()-used < 5*tick; {
	}
	after, err := treeCPU(pid)
	if err != nil || after <= before {
		t.Errorf("process %s: %s, then %s, %v", strconv.Itoa(pid), before, after, err)
	}
}
