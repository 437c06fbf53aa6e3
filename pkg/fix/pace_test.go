package fix

import (
	"errors"
	"slices"
	"testing"
)

func TestBatchesShrinkAtOnceForLargeRowsAndGrowStepByStep(t *testing.T) {
	cases := []struct {
		now, keys int
		bytes     int64
		want      int
	}{
		{16, 16, 16 * 100, 64},          // small rows: fourfold
		{100, 100, 100 * 100, 200},      // up to the limit
		{200, 200, 200 << 20, 8},        // 1 MiB each, 8 MiB allowed
		{8, 1, 100 << 20, 1},            // never less than one
		{16, 16, 0, 64},                 // absent on both sides
		{16, 16, 16 * (8 << 20) / 2, 2}, // 4 MiB each
	}
	for _, c := range cases {
		if got := nextKeys(c.now, c.keys, c.bytes, 200, 8<<20); got != c.want {
			t.Errorf("after %d keys with %d bytes: %d keys, want %d", c.keys, c.bytes, got, c.want)
		}
	}
}

func TestMovedRowsAreNotWaitedForAndTheRestIs(t *testing.T) {
	p := newPace()
	moved, held := &job{restart: true}, &job{}
	if d := p.delay(nil, []*job{moved}); d != 0 {
		t.Errorf("%v for a row that moved", d)
	}
	if d := p.delay(nil, []*job{moved, held}); d < shortWait/2 || d > shortWait*3/2 {
		t.Errorf("%v for a held row", d)
	}
	away := &Error{Fault: Transient, Err: errors.New("away")}
	first := p.delay(away, []*job{held})
	for range 30 {
		first = max(first, p.delay(away, []*job{held}))
	}
	if first < longWaitMax/2 || first > longWaitMax*3/2 {
		t.Errorf("waits grow to %v", first)
	}
	p.progress()
	if d := p.delay(away, []*job{held}); d > longWait*3/2 {
		t.Errorf("%v after progress", d)
	}
}

func TestBatchesAreAsEvenAsTheyCanBe(t *testing.T) {
	cases := map[[2]int][]int{
		{200, 200}: {200}, {200, 150}: {100, 100}, {201, 100}: {67, 67, 67}, {7, 3}: {3, 2, 2}, {1, 200}: {1}, {3, 1}: {1, 1, 1},
	}
	for c, want := range cases {
		var got []int
		for left := c[0]; left > 0; left -= got[len(got)-1] {
			got = append(got, evenly(left, c[1]))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d in batches of at most %d are %v, want %v", c[0], c[1], got, want)
		}
	}
}
