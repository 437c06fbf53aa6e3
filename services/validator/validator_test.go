package main

import (
	"testing"
	"time"

	"github.com/trueup/trueup/services/assembly"
)

func TestClocksThatAreApartAreNamed(t *testing.T) {
	const limit = 5 * time.Second
	for _, c := range []struct {
		source, target time.Duration
		want           string
	}{
		{0, -limit, ""},
		{limit + time.Second, 0, "the source's clock is off by 6s against this machine's, and 5s is the limit (validator.max_clock_skew); " +
			"synchronise the clocks, or times in logs and outcomes mislead"},
		{-time.Hour, time.Minute, "the source's clock is off by -1h0m0s and the target's clock is off by 1m0s against this machine's, and 5s is the limit " +
			"(validator.max_clock_skew); synchronise the clocks, or times in logs and outcomes mislead"},
	} {
		if got := clocks(c.source, c.target, limit); got != c.want {
			t.Errorf("clocks(%v, %v) = %q", c.source, c.target, got)
		}
	}
}

func TestOnePairCanBeChosen(t *testing.T) {
	pairs := []assembly.Pair{{Name: "orders"}, {Name: "items"}}
	if got, err := chosen(pairs, "items"); err != nil || len(got) != 1 || got[0].Name != "items" {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := chosen(pairs, ""); err != nil || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := chosen(pairs, "parcels"); err == nil {
		t.Error("an unknown pair was taken")
	}
}
