package main

import (
	"testing"
	"time"
)

// second is a moment of a made-up soak, and stretch a part of it.
func second(seconds float64) time.Time {
	return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
}

func stretch(from, to float64) span { return span{second(from), second(to)} }

func seen(detected, published float64) sighting {
	return sighting{"neq", second(detected), second(published)}
}

// damagedAndRepaired is a row that was damaged at 10 and repaired at 15.
func damagedAndRepaired() *history {
	return &history{damages: []damage{{"row changed", stretch(10, 10.1), second(10)}}, outcomes: []span{stretch(14.5, 15)}}
}

func TestAFindingIsJustifiedOnlyWhileTheRowMayHaveDiffered(t *testing.T) {
	lost := &history{damages: []damage{{changeLost, stretch(10, 10.1), second(12)}}, brought: []span{stretch(11, 11.1), stretch(20, 20.1)}}
	late := &history{underWay: []span{stretch(10, 14)}, brought: []span{stretch(13.9, 14)}}
	for name, test := range map[string]struct {
		of   *history
		f    sighting
		want bool
	}{
		"of a damage":                                     {damagedAndRepaired(), seen(11, 12), true},
		"published while the repair went on":              {damagedAndRepaired(), seen(14, 16), true},
		"before the damage":                               {damagedAndRepaired(), seen(5, 6), false},
		"long after the repair":                           {damagedAndRepaired(), seen(30, 31), false},
		"of a change under way for longer than the delay": {late, seen(11, 12), true},
		"of a change that had come by the second look":    {late, seen(13.8, 15), false},
		"of a lost change, over an earlier one that came": {lost, seen(13, 14), true},
		"of a lost change after the next one had come":    {lost, seen(23, 24), false},
		"of a row that nobody touched":                    {&history{}, seen(11, 12), false},
	} {
		if got := test.of.justifies(test.f, 500*time.Millisecond); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestADamageIsMissedWhenNothingExplainsThatNobodyFoundIt(t *testing.T) {
	d := damage{"row changed", stretch(10, 10.1), second(10)}
	for name, test := range map[string]struct {
		of   *history
		want fate
	}{
		"nothing happened":              {&history{}, missed},
		"found":                         {&history{found: []sighting{seen(11, 12)}}, found},
		"a finding of before it":        {&history{found: []sighting{seen(8, 9)}}, missed},
		"found after it was gone":       {&history{found: []sighting{seen(21, 22)}, brought: []span{stretch(12, 12.1)}}, overtaken},
		"written over":                  {&history{brought: []span{stretch(12, 12.1)}}, overtaken},
		"written over before it":        {&history{brought: []span{stretch(7, 7.1)}}, missed},
		"repaired with another finding": {&history{outcomes: []span{stretch(9, 10.5)}}, swept},
	} {
		test.of.damages = []damage{d}
		if got, _ := test.of.fateOf(d); got != test.want {
			t.Errorf("%s: fate %d, want %d", name, got, test.want)
		}
	}
	if _, at := (&history{found: []sighting{seen(13, 14), seen(11, 12)}}).fateOf(d); !at.Equal(second(12)) {
		t.Errorf("found at %v, want by the first finding", at)
	}
}

func TestAClaimOverALostChangeIsBelied(t *testing.T) {
	d := damage{changeLost, stretch(10, 10.1), second(12)}
	for name, test := range map[string]struct {
		of   history
		c    claim
		want bool
	}{
		"said too early":           {history{}, claim{second(13), second(11)}, true},
		"not up to the change":     {history{}, claim{second(13), second(10)}, false},
		"published before":         {history{found: []sighting{seen(12, 12.9)}}, claim{second(13), second(11)}, false},
		"published after":          {history{found: []sighting{seen(12, 13.1)}}, claim{second(13), second(11)}, true},
		"its own change is no end": {history{changed: []span{stretch(10, 10.1)}}, claim{second(13), second(11)}, true},
		"an earlier change came":   {history{brought: []span{stretch(11, 11.1)}}, claim{second(13), second(11)}, true},
		"changed again meanwhile":  {history{changed: []span{stretch(12, 12.1)}}, claim{second(13), second(11)}, false},
		"repaired meanwhile":       {history{outcomes: []span{stretch(12, 12.1)}}, claim{second(13), second(11)}, false},
	} {
		if got := test.of.belies(d, test.c); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
