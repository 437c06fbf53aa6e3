package governor

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// trial drives a gate second by second through the samples of one signal with
// limit 1; a negative sample is one that could not be taken.
type trial struct {
	gate  gate
	gauge *gauge
	now   time.Time
	order string
	log   []string // "pause" and "resume" with the second they came at
}

func newTrial(s Signal) *trial {
	s.Name, s.Limit = "signal", 1
	return &trial{gauge: newGauge(s.withDefaults()), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func (tr *trial) readings() []Reading {
	r, known := tr.gauge.reading(tr.now)
	if !known {
		return nil
	}
	return []Reading{r}
}

// for feeds a sample a second.
func (tr *trial) feed(seconds int, value float64) {
	for range seconds {
		tr.now = tr.now.Add(time.Second)
		if value < 0 {
			tr.gauge.miss(errors.New("no answer"))
		} else {
			tr.gauge.observe(tr.now, look{value: value})
		}
		if tr.gate.step(tr.now, tr.readings(), tr.order) {
			what := map[bool]string{true: "pause", false: "resume"}[tr.gate.paused]
			tr.log = append(tr.log, what+" "+tr.now.Format("4:05"))
		}
	}
}

func (tr *trial) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := strings.Join(tr.log, ", "); got != strings.Join(want, ", ") {
		t.Errorf("got  %s\nwant %s", got, strings.Join(want, ", "))
	}
}

func TestOneBadSampleIsASpikeAndTwoPause(t *testing.T) {
	tr := newTrial(Signal{})
	tr.feed(10, 0.3)
	tr.feed(1, 1.9)
	tr.feed(10, 0.3)
	tr.expect(t)
	tr.feed(2, 1.1)
	tr.expect(t, "pause 0:23")
	if want := "signal 1.10 ≥ 1 on "; !strings.HasPrefix(tr.gate.reason, want) {
		t.Errorf("reason %q", tr.gate.reason)
	}
}

func TestOneVeryBadSamplePauses(t *testing.T) {
	tr := newTrial(Signal{})
	tr.feed(5, 0.3)
	tr.feed(1, 2)
	tr.expect(t, "pause 0:06")
}

func TestWorkGoesOnOnlyAfterALastingCalm(t *testing.T) {
	tr := newTrial(Signal{})
	tr.feed(2, 1)    // pauses
	tr.feed(15, 0.3) // calm, not for long enough
	tr.feed(3, 1)    // not low
	tr.feed(60, 0.8) // below the limit, and not low either
	tr.expect(t, "pause 0:02")
	tr.feed(30, 0.3)
	tr.expect(t, "pause 0:02", "resume 1:41") // low from 1:21 on
}

func TestOneSampleOfMinutesIsForgottenLikeOneOfSeconds(t *testing.T) {
	tr := newTrial(Signal{})
	tr.feed(1, 1e6)
	tr.feed(40, 0)
	tr.expect(t, "pause 0:01", "resume 0:26")
}

func TestARelapseDoublesTheCalmAndAGoodWhileForgets(t *testing.T) {
	tr := newTrial(Signal{})
	for range 6 {
		tr.feed(1, 2)
		for tr.gate.paused {
			tr.feed(1, 0)
		}
		tr.feed(5, 0)
	}
	if tr.gate.dwell != longDwell {
		t.Errorf("calm of %v after relapses", tr.gate.dwell)
	}
	tr.feed(int(relapse/time.Second), 0)
	tr.feed(1, 2)
	if tr.gate.dwell != shortDwell {
		t.Errorf("calm of %v after a good while", tr.gate.dwell)
	}
}

func TestALostGaugeNeitherPausesNorKeepsAPauseUpAlone(t *testing.T) {
	tr := newTrial(Signal{})
	tr.feed(5, 0.3)
	tr.feed(60, -1)
	tr.expect(t)
	tr.feed(2, 1)
	tr.feed(120, -1) // last seen bad: nobody knows that it is well again
	tr.expect(t, "pause 1:07")
	if !strings.Contains(tr.gate.reason, "not known since 00:01:07 UTC: no answer") {
		t.Errorf("reason %q", tr.gate.reason)
	}
	tr.feed(60, 0.1)
	tr.expect(t, "pause 1:07", "resume 3:28")
}

func TestALostHardLimitPauses(t *testing.T) {
	tr := newTrial(Signal{Hard: true})
	tr.feed(5, 0.3)
	tr.feed(10, -1) // missed at 6, 7, 8 and 9
	tr.expect(t, "pause 0:10")
	tr.feed(30, 0.3)
	tr.expect(t, "pause 0:10", "resume 0:36")
}

func TestAnOrderPausesAtOnceAndEndsAtOnce(t *testing.T) {
	tr := newTrial(Signal{})
	tr.feed(5, 0.3)
	tr.order = "by hand"
	tr.feed(60, 0.3)
	tr.order = ""
	tr.feed(5, 0.3)
	tr.expect(t, "pause 0:06", "resume 1:06")
}

func TestAnOrderThatEndsDuringAnOverloadDoesNotResume(t *testing.T) {
	tr := newTrial(Signal{})
	tr.order = "by hand"
	tr.feed(10, 5)
	tr.order = ""
	tr.feed(10, 5)
	tr.feed(24, 0)
	tr.expect(t, "pause 0:01")
	tr.feed(10, 0)
	tr.expect(t, "pause 0:01", "resume 0:45")
}

func TestAClockThatGoesBackKeepsNobodyWaitingForIt(t *testing.T) {
	tr := newTrial(Signal{})
	tr.feed(2, 1)
	tr.feed(10, 0)
	tr.now = tr.now.Add(-time.Hour)
	tr.feed(40, 0)
	if tr.gate.paused {
		t.Errorf("still paused: %s", tr.gate.reason)
	}
}

func TestLevelsMoveByZones(t *testing.T) {
	now := time.Now()
	at := func(u float64) []Reading { return []Reading{{Smoothed: u}} }
	for _, c := range []struct {
		name     string
		from     level
		readings []Reading
		want     level
	}{
		{"idle", 3, at(0.39), 4},
		{"at the top", 8, at(0), 8},
		{"busy enough", 3, at(0.5), 3},
		{"near the limit", 3, at(0.8), 2},
		{"past the limit", 7, at(1.2), 3},
		{"past the limit with one", 1, at(1.2), -1},
		{"past the limit with a half", -1, at(1.2), -3},
		{"idle with a half", -1, at(0.39), 1},
		{"idle with three quarters", 0, at(0.39), 1},
		{"at the bottom", leastLevel, at(3), leastLevel},
		{"one is unknown", 3, append(at(0.1), Reading{Stale: true, Smoothed: 3}), 3},
		{"others fill the cores", 6, []Reading{{Signal: Signal{Cores: 8}, slow: 8}}, -7},
		{"others fill two cores", 6, []Reading{{Signal: Signal{Cores: 2}, slow: 2}}, -9},
		{"others leave two cores", 6, []Reading{{Signal: Signal{Cores: 8}, slow: 4}}, 2},
		{"others leave half a core", 6, []Reading{{Signal: Signal{Cores: 2}, slow: 1}}, -1},
		{"others leave less than half a core", 6, []Reading{{Signal: Signal{Cores: 2}, slow: 1.05}}, -2},
		{"others are absent", 6, []Reading{{Signal: Signal{Cores: 2}, slow: 0.1}}, 7},
	} {
		s := sizer{most: 8, own: 8, level: c.from}
		if s.step(now, c.readings); s.level != c.want {
			t.Errorf("%s: from %d to %d, want %d", c.name, c.from, s.level, c.want)
		}
		if s.level != c.from && s.step(now.Add(sizeEvery-time.Millisecond), c.readings) {
			t.Errorf("%s: moved again at once", c.name)
		}
	}
	s := sizer{most: 8, own: 4, level: 4}
	if s.step(now, []Reading{{Signal: Signal{Cores: 8}, slow: 2}}); s.level != 2 {
		t.Errorf("one of two processes takes %d of 4 cores", s.level)
	}
}

func TestWorkersAndShareOfALevel(t *testing.T) {
	for l, want := range map[level]struct {
		workers int
		share   float64
	}{
		5: {5, 1}, 1: {1, 1}, 0: {1, 0.75}, -1: {1, 0.5}, -2: {1, 0.375}, -3: {1, 0.25}, leastLevel: {1, 0.125}, -12: {1, 0.01171875},
	} {
		if l != levelOf(float64(want.workers)*want.share) || l != levelOf(float64(want.workers)*want.share*1.3) && l < 1 {
			t.Errorf("the level of %v is %d and of a little more %d, want %d", want, levelOf(want.share), levelOf(want.share*1.3), l)
		}
		if l.workers() != want.workers || l.share() != want.share {
			t.Errorf("level %d: %d workers, share %v", l, l.workers(), l.share())
		}
	}
}

// What waits in an overload says nothing about the load after it.
func TestTheQueueOfAnOverloadIsForgottenWithinACalm(t *testing.T) {
	g, now := newGauge(Signal{Name: "threads", Limit: 10, Cores: 2}.withDefaults()), time.Now()
	feed := func(d time.Duration, value float64) float64 {
		for end := now.Add(d); now.Before(end); now = now.Add(g.signal.Every) {
			g.observe(now, look{value: value})
		}
		r, _ := g.reading(now)
		return room([]Reading{r})
	}
	if free := feed(time.Minute, 400); free > 0 {
		t.Errorf("%v cores are free in an overload", free)
	}
	if free := feed(shortDwell, 0.4); free < 0.6 { // of 1.1 in the end
		t.Errorf("%.2f cores count as free after a calm", free)
	}
}

// What others would be without this program's sessions does not depend on how many
// these are, as long as the cores are shared evenly.
func TestOwnSessionsDoNotMakeOthersSeemMore(t *testing.T) {
	for _, c := range []struct{ others, own, cores, want float64 }{
		{0, 5, 2, 0},
		{1, 0, 2, 1},
		{1, 1, 2, 1},       // a core for each
		{2, 2, 2, 1},       // half a core for each of the others, who had one
		{3, 0, 2, 3},       // a queue of their own
		{3, 1, 2, 2.25},    // a half instead of two thirds
		{8, 8, 16, 8},      // room for all
		{12, 12, 16, 8},    // two thirds for each
		{100, 4, 2, 96.15}, // they are few beside such a queue
	} {
		if got := (look{value: c.others, own: c.own}).undisturbed(c.cores); math.Abs(got-c.want) > 0.01 {
			t.Errorf("%v beside %v of our own on %v cores: %.2f, want %.2f", c.others, c.own, c.cores, got, c.want)
		}
	}
}

// The first sample is one like the others.
func TestAMomentOfRestIsNotTakenForAnIdleServer(t *testing.T) {
	g, now := newGauge(Signal{Name: "threads", Limit: 10, Cores: 2}.withDefaults()), time.Now()
	for _, value := range []float64{0, 2, 1, 1, 2} {
		g.observe(now, look{value: value})
	}
	if r, _ := g.reading(now); math.Abs(r.slow-1.2) > rounding {
		t.Errorf("others keep %.2f cores busy, want 1.2", r.slow)
	}
}
