package main

import (
	"testing"
	"time"
)

func samples(millis ...int) []sample {
	var out []sample
	for _, ms := range millis {
		out = append(out, sample{wall: time.Duration(ms) * time.Millisecond})
	}
	return out
}

func TestTheMedianIsARunThatTookPlace(t *testing.T) {
	for name, c := range map[string]struct {
		in   []int
		want time.Duration
	}{
		"one":           {[]int{7}, 7},
		"odd":           {[]int{9, 1, 5}, 5},
		"even":          {[]int{4, 3, 2, 1}, 2},
		"with outliers": {[]int{10, 11, 9000, 1, 12}, 11},
	} {
		in := samples(c.in...)
		if got := median(in).wall; got != c.want*time.Millisecond {
			t.Errorf("%s: median %s, want %d ms", name, got, c.want)
		}
		if in[0].wall != time.Duration(c.in[0])*time.Millisecond {
			t.Errorf("%s: the samples were put in another order", name)
		}
	}
}

func TestTheSpreadNamesMedianLeastAndMost(t *testing.T) {
	if got, want := spread(samples(2500, 1000, 1500)), "1.50; 1.00–2.50"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRatiosAreOfMedians(t *testing.T) {
	results := map[string][]sample{"a": samples(1, 2, 30), "b": samples(4, 5, 4), "none": nil}
	if got := ratio(results, "a", "b"); got != 0.5 {
		t.Errorf("a over b is %v, want 0.5", got)
	}
	if got := fastest(results, "b", "none", "a"); got != "a" {
		t.Errorf("the fastest is %q, want a", got)
	}
	if got := fastest(results, "none"); got != "" {
		t.Errorf("the fastest of those that took no part is %q", got)
	}
}

func TestGoalsBoundFromAboveOrBelow(t *testing.T) {
	for name, c := range map[string]struct {
		goal goal
		want bool
	}{
		"at most, below":  {goal{figure: 0.3, want: 0.4}, true},
		"at most, equal":  {goal{figure: 0.4, want: 0.4}, true},
		"at most, above":  {goal{figure: 0.5, want: 0.4}, false},
		"at least, above": {goal{figure: 9, want: 8, least: true}, true},
		"at least, below": {goal{figure: 7, want: 8, least: true}, false},
	} {
		if got := c.goal.met(); got != c.want {
			t.Errorf("%s: met is %t", name, got)
		}
	}
}

func TestPercentilesAreWritesThatTookPlace(t *testing.T) {
	var times []time.Duration
	for i := 1; i <= 200; i++ {
		times = append(times, time.Duration(i))
	}
	for p, want := range map[int]time.Duration{50: 100, 99: 198, 100: 200} {
		if got := percentile(times, p); got != want {
			t.Errorf("p%d is %d, want %d", p, got, want)
		}
	}
	if got := percentile(times[:1], 99); got != 1 {
		t.Errorf("p99 of one write is %d", got)
	}
	if got := percentile(nil, 99); got != 0 {
		t.Errorf("p99 of no write is %d", got)
	}
}

func TestThePeakIsReadFromAStatus(t *testing.T) {
	if got := peakOf("Name:\ttrueup\nVmPeak:\t 1262516 kB\nVmHWM:\t   25996 kB\nVmRSS:\t    5996 kB\n"); got != 25996 {
		t.Errorf("peak %d KiB, want 25996", got)
	}
	if got := peakOf("Name:\ttrueup\nState:\tZ (zombie)\n"); got != 0 {
		t.Errorf("the peak of an ended process is %d KiB", got)
	}
}
