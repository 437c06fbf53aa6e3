package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestArrivalsAreTheSameEveryTimeAndFollowTheRates(t *testing.T) {
	phases := []phase{{10 * time.Second, 100}, {10 * time.Second, 400}}
	list := arrivals(1000, phases...)
	if !reflect.DeepEqual(list, arrivals(1000, phases...)) {
		t.Fatal("two draws of the same seed differ")
	}
	counts, writes, last := [2]int{}, 0, time.Duration(0)
	for _, a := range list {
		if a.due < last || a.id < 1 || a.id > 1000 {
			t.Fatalf("arrival %+v after %s", a, last)
		}
		last = a.due
		counts[a.due/(10*time.Second)]++
		if a.rows == 0 {
			writes++
		}
	}
	for i, want := range []float64{1000, 4000} {
		if off := math.Abs(float64(counts[i]) - want); off > 4*math.Sqrt(want) {
			t.Errorf("phase %d has %d arrivals, want about %.0f", i, counts[i], want)
		}
	}
	if share := float64(writes) / float64(len(list)); math.Abs(share-writeShare) > 0.03 {
		t.Errorf("%.2f of the statements write", share)
	}
}

func TestTimesAreThoseDueInTheSpan(t *testing.T) {
	all := []served{{1 * time.Second, 30}, {2 * time.Second, 20}, {3 * time.Second, 10}, {4 * time.Second, 5}}
	if got := times(all, 2*time.Second, 4*time.Second); !reflect.DeepEqual(got, []time.Duration{10, 20}) {
		t.Errorf("got %v", got)
	}
}

func TestALookIsOfTheMoreRestrictiveGovernor(t *testing.T) {
	const scraped = `# HELP trueup_rows_scanned_total Rows scanned by all runs.
# TYPE trueup_rows_scanned_total counter
trueup_rows_scanned_total{pair="orders0"} 1.5e+06
trueup_rows_scanned_total{pair="orders1"} 10
trueup_governor_statements{side="source",state="limit",use="reads"} 3
trueup_governor_statements{side="source",state="running",use="reads"} 9
trueup_governor_statements{side="target",state="limit",use="reads"} 1
trueup_governor_share{side="source",use="reads"} 1
trueup_governor_share{side="target",use="reads"} 0.25
go_goroutines 12
`
	got, err := parseLook(strings.NewReader(scraped))
	if want := (look{rows: 1500010, workers: 0.25}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestPausesAreReadFromTheLog(t *testing.T) {
	start := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	log := `{"level":"info","service":"validator","time":"2026-11-22T10:00:01.5Z","message":"starting"}
some other line
{"level":"warn","service":"validator","governor":"source reads","reason":"canary 41 ms ≥ 25 ms on source","time":"2026-11-22T10:00:02.5Z","message":"paused: no new work is begun, what runs goes on"}
{"level":"info","service":"validator","governor":"source reads","paused_ms":20000,"time":"2026-11-22T10:00:22.5Z","message":"resumed, with one worker"}
`
	got, err := changesIn(log, start)
	want := []change{
		{2500 * time.Millisecond, "source reads", true, "canary 41 ms ≥ 25 ms on source"},
		{22500 * time.Millisecond, "source reads", false, ""},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAPauseLastsUntilNoGovernorIsPaused(t *testing.T) {
	s := time.Second
	changes := []change{
		{10 * s, "a", true, "one"},
		{12 * s, "b", true, "two"},
		{20 * s, "a", false, ""},
		{30 * s, "b", false, ""},
		{50 * s, "a", true, "three"},
	}
	got := pauses(changes, 60*s)
	if want := []span{{10 * s, 30 * s, "one"}, {50 * s, 60 * s, "three"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	for name, c := range map[string]struct{ up, down, paused, resumed float64 }{
		"paused after, resumed after": {8, 25, 2, 5},
		"paused already":              {15, 25, 0, 5},
		"resumed before it was over":  {8, 40, 2, 0},
		"never resumed":               {45, 55, 5, 5},
		"never paused":                {61, 70, math.Inf(1), 0},
	} {
		up, down := time.Duration(c.up)*s, time.Duration(c.down)*s
		if paused, resumed := answered(got, up, down); paused != c.paused || resumed != c.resumed {
			t.Errorf("%s: paused after %v, resumed after %v", name, paused, resumed)
		}
	}
}

func TestAMachineThatStandsStillIsNoPartOfMostMoments(t *testing.T) {
	tr := &trial{lasts: 5 * moment}
	for at := settling; at < settling+tr.lasts; at += 10 * time.Millisecond {
		took := 3 * time.Millisecond
		if at < settling+150*time.Millisecond {
			took = time.Second
		}
		tr.served = append(tr.served, served{at, took})
	}
	if got := tr.worst(); got != time.Second {
		t.Errorf("the 99th percentile of all is %v", got)
	}
	got := moments([]*trial{tr, tr})
	if len(got) != 10 || percentile(got, 50) != 3*time.Millisecond || got[9] != time.Second {
		t.Errorf("those of moments are %v", got)
	}
}

func TestOneInAHundredIsOfAllTrialsTogether(t *testing.T) {
	trialWith := func(slow int) *trial {
		tr := &trial{lasts: 10 * time.Second}
		for i := range 1000 {
			took := time.Millisecond
			if i < slow {
				took = time.Second
			}
			tr.served = append(tr.served, served{settling + time.Duration(i)*10*time.Millisecond, took})
		}
		return tr
	}
	for slow, want := range map[int]time.Duration{18: time.Millisecond, 22: time.Second} { // of 2000
		if got := overAll([]*trial{trialWith(0), trialWith(slow)}); got != want {
			t.Errorf("with %d slow ones of 2000 the 99th percentile is %v, want %v", slow, got, want)
		}
	}
}

func TestTheWorstMinuteIsOfOneGovernor(t *testing.T) {
	s := time.Second
	changes := []change{{at: 0, governor: "a"}, {at: 30 * s, governor: "a"}, {at: 31 * s, governor: "b"}, {at: 70 * s, governor: "a"}, {at: 80 * s, governor: "a"}}
	if got := mostChanges(changes); got != 3 {
		t.Errorf("%d changes in the worst minute, want 3", got)
	}
}

func TestTheQueueIsDrainedAtTheFirstSecondLikeThoseBefore(t *testing.T) {
	tr := trial{lasts: 40 * time.Second}
	for second := range 40 {
		took := time.Millisecond
		if second >= 10 && second < 23 {
			took = time.Second
		}
		tr.served = append(tr.served, served{settling + time.Duration(second)*time.Second, took})
	}
	if got := tr.drained(10*time.Second, 20*time.Second); got != 3 {
		t.Errorf("drained after %v s, want 3", got)
	}
	if got := tr.drained(10*time.Second, 50*time.Second); !math.IsInf(got, 1) {
		t.Errorf("drained after %v s, want never", got)
	}
}

func TestTheOracleFillsThreeQuartersOfTheCores(t *testing.T) {
	s := time.Second
	tenSeconds := 10*s - (settling - started) // and as long to settle
	steady := trials{
		{name: aloneName, lasts: tenSeconds, server: 6 * s},
		{name: aloneName, lasts: tenSeconds, server: 4 * s},
	}
	// The foreground takes 0.5 cores at half of capacity, 0.2 at a fifth.
	if got, want := oracle(steady, 10e-6, 2, 20*s), (1.5-0.2)*20/10e-6; math.Abs(got-want) > 1 {
		t.Errorf("%.0f rows, want %.0f", got, want)
	}
	if got := oracle(steady, 0, 2, 20*s); got != 0 {
		t.Errorf("%.0f rows where what one costs is not known", got)
	}
	steady[0].server, steady[1].server = 0, 0
	if got := oracle(steady, 10e-6, 2, 20*s); got != 0 {
		t.Errorf("%.0f rows where the server's time is not known", got)
	}
}

func TestThePlotIsOneDocumentWithWhatWasSaid(t *testing.T) {
	text := drawPanels([]panel{{
		title: "latency <ms>", log: true, seconds: 60,
		lines: []line{{name: "alone", colour: grey, points: []point{{0, 1}, {30, 100}, {60, 12}}}, {name: "beside", colour: blue, points: []point{{0, 2}}}},
		bands: []band{{10, 20, "paused: canary 41 ms ≥ 25 ms & more"}},
		marks: []mark{{10, "overload"}},
	}})
	for decoder := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
	}
	// 100 is two thirds of the way from 1 to 1000, and half a minute half of the way across.
	for _, want := range []string{"latency &lt;ms&gt;", "≥ 25 ms &amp; more", "overload", "430.0,63.3", `y="67.3" text-anchor="end">100<`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
