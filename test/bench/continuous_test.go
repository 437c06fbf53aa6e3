package main

import (
	"slices"
	"testing"
	"time"
)

func TestAChangeIsVerifiedOnceATimeNotBeforeItsCommitIsSaid(t *testing.T) {
	at := func(seconds float64) time.Time { return time.Unix(0, int64(seconds*1e9)) }
	list := []said{{at(3), at(1)}, {at(4), at(2)}, {at(5), at(2)}, {at(6), at(4)}}
	got := lags([]time.Time{at(0.5), at(1), at(1.5), at(2.5), at(9)}, list)
	want := []time.Duration{-3 * time.Second, 2 * time.Second, 2500 * time.Millisecond, 2500 * time.Millisecond, 3500 * time.Millisecond}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
