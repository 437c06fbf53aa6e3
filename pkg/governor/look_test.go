package governor

import (
	"math"
	"testing"
	"time"
)

func TestWhoWaitsToBeginCountsAsFarAsOthersDo(t *testing.T) {
	const rate, wait = 1000, 2 * time.Millisecond // two begin later at a time
	for _, c := range []struct{ others, own, want float64 }{
		{1, 0, 2},
		{0, 0, 2},   // those at work have ended meanwhile
		{1, 1, 0.5}, // half of the statements, and half of their wait
		{3, 1, 1.125},
		{0, 4, 0},
	} {
		if got := (look{value: c.others, own: c.own}).beginning(rate, wait); math.Abs(got-c.want) > rounding {
			t.Errorf("%v at work beside %v of our own: %v wait to begin, want %v", c.others, c.own, got, c.want)
		}
	}
}

// What the way to the server takes longer now and then is nobody's wait: where cores are
// free hardly anybody waits for one.
func TestAnUnsteadyWayIsNotTakenForAQueue(t *testing.T) {
	for _, c := range []struct{ cores, atWork, least, most float64 }{
		{2, 1, 1.9, 2.2}, // the queue before two half-busy cores may be as long as that
		{2, 0.4, 0.4, 0.5},
		{16, 8, 8, 8.2},
		{16, 15, 19, 24},
	} {
		g, now := newGauge(Signal{Name: "threads", Limit: 100, Cores: c.cores}.withDefaults()), time.Now()
		statements := 0.0
		for i := range 120 {
			now = now.Add(g.signal.Every)
			statements += 40_000
			g.observe(now, look{value: c.atWork, statements: statements, at: now, reached: time.Duration(i%2+1) * time.Millisecond})
		}
		if r, _ := g.reading(now); r.slow < c.least-0.01 || r.slow > c.most {
			t.Errorf("%v of %v cores busy count as %v", c.atWork, c.cores, r.slow)
		}
	}
}

func TestThePaceIsThatOfTheLastSample(t *testing.T) {
	began := time.Now()
	at := func(after time.Duration, statements float64) look {
		return look{at: began.Add(after), statements: statements}
	}
	var p pace
	for _, c := range []struct {
		looks []look
		want  float64
	}{
		{[]look{at(0, 1000)}, 0},
		{[]look{at(time.Second, 1100), at(2*time.Second, 1400)}, 200},
		{[]look{at(3*time.Second, 5)}, 200}, // restarted
		{[]look{at(4*time.Second, 75)}, 70},
		{[]look{at(4*time.Second, 75)}, 70},
	} {
		if p.observe(c.looks); math.Abs(p.rate-c.want) > rounding {
			t.Errorf("after %v: %v statements a second, want %v", c.looks, p.rate, c.want)
		}
	}
	var first pace
	if first.observe([]look{at(0, 10), at(100*time.Millisecond, 20)}); math.Abs(first.rate-100) > rounding {
		t.Errorf("%v statements a second in the first sample, want 100", first.rate)
	}
}

// A host that takes over may be farther away, and then all looks take longer.
func TestAFartherHostIsNotTakenForABusyOne(t *testing.T) {
	var q quickest
	now := time.Now()
	look := func(took time.Duration) time.Duration {
		now = now.Add(time.Second)
		q.observe(look{at: now, reached: took})
		return q.wait(took)
	}
	if w := look(3 * time.Millisecond); w != 0 {
		t.Errorf("the first look waited %v", w)
	}
	if look(time.Millisecond); look(4*time.Millisecond) != 3*time.Millisecond {
		t.Error("a look is not compared with the quickest")
	}
	var w time.Duration
	for range 2 * remembered / time.Second {
		w = look(9 * time.Millisecond)
	}
	if w != 0 {
		t.Errorf("looks wait %v for ever", w)
	}
}
