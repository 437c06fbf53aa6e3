package statuspage_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/statuspage"
)

func TestAPairIsCleanOnlyIfARunSaysSoAndNothingIsOpen(t *testing.T) {
	clean := statuspage.Verdict{Mode: "full", Complete: true, Clean: true}
	counted := statuspage.Verdict{Mode: "count", Complete: true, Clean: true}
	different := statuspage.Verdict{Mode: "full", Complete: true, Found: 1}
	known := statuspage.Standing{Known: true}
	for name, c := range map[string]struct {
		verdicts []statuspage.Verdict
		standing statuspage.Standing
		want     statuspage.State
	}{
		"clean":                               {[]statuspage.Verdict{clean}, known, statuspage.Clean},
		"clean, and a row open since":         {[]statuspage.Verdict{clean}, statuspage.Standing{Known: true, Open: 1}, statuspage.Different},
		"clean, and nobody knows of open":     {[]statuspage.Verdict{clean}, statuspage.Standing{}, statuspage.Incomplete},
		"found, and repaired since":           {[]statuspage.Verdict{different}, known, statuspage.Different},
		"found, and nobody knows of open":     {[]statuspage.Verdict{different}, statuspage.Standing{}, statuspage.Different},
		"counted":                             {[]statuspage.Verdict{counted}, known, statuspage.Agree},
		"counted after a run that found":      {[]statuspage.Verdict{counted, different}, known, statuspage.Different},
		"counted differently":                 {[]statuspage.Verdict{{Mode: "count", Complete: true}}, known, statuspage.Different},
		"could not look":                      {[]statuspage.Verdict{{Mode: "full", Reason: "no route"}, clean}, known, statuspage.Incomplete},
		"left undecided":                      {[]statuspage.Verdict{{Mode: "full", Complete: true}}, known, statuspage.Incomplete},
		"never compared":                      {nil, known, statuspage.Pending},
		"never compared, found by increments": {nil, statuspage.Standing{Known: true, Open: 2}, statuspage.Different},
	} {
		if got := (statuspage.Pair{Verdicts: c.verdicts, Standing: c.standing}).State(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestThePageStandsAsItsWorstPair(t *testing.T) {
	clean := statuspage.Pair{Name: "a", Verdicts: []statuspage.Verdict{{Mode: "full", Complete: true, Clean: true}}, Standing: statuspage.Standing{Known: true}}
	open := clean
	open.Standing.Open = 1
	for want, pairs := range map[string][]statuspage.Pair{
		"Starting. The databases and Kafka have not been reached yet.": nil,
		"Clean. a: no row open.":                                                    {clean},
		"All pairs clean. 2 pairs: 2 clean; no row open.":                           {clean, clean},
		"Different. 2 pairs: 1 clean, 1 different; 1 row open.":                     {clean, open},
		"No verdict yet. 2 pairs: 1 clean, 1 no verdict yet; at least 0 rows open.": {clean, {Name: "b"}},
	} {
		p := statuspage.Page{Pairs: pairs}
		if got := p.Heading() + ". " + p.Sentence(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestOfVeryManyPartitionsThoseWithALagAreListed(t *testing.T) {
	var g statuspage.Group
	for i := range int32(500) {
		g.Lag = append(g.Lag, statuspage.Partition{Number: i, Lag: int64(i % 100 / 99)})
	}
	if len(g.Listed()) != 5 || g.Unlisted() != 495 || g.Total() != 5 {
		t.Errorf("%d listed, %d not, %d in all", len(g.Listed()), g.Unlisted(), g.Total())
	}
}

func TestALineBreaksWhereNothingWasMeasured(t *testing.T) {
	s := statuspage.Signal{}
	for _, seconds := range []int{-700, -600, -595, -300, 0} {
		s.Track = append(s.Track, statuspage.Point{At: noon.Add(time.Duration(seconds) * time.Second), Value: 1})
	}
	if got := s.Path(noon, 10*time.Minute); got != "M0 13.3L5 13.3M300 13.3M600 13.3" {
		t.Error(got)
	}
	s.Track[4].Value = 50
	if got := s.Path(noon, 10*time.Minute); !strings.HasSuffix(got, "M600 0") {
		t.Error(got)
	}
}

func TestABarLastsWhileTheStateDoes(t *testing.T) {
	g := statuspage.Governor{}
	for i, state := range []string{"running", "running", "paused", "running"} {
		g.Track = append(g.Track, statuspage.Band{At: noon.Add(time.Duration(i-4) * 5 * time.Second), State: state, Part: 0.5})
	}
	bars := g.Bars(noon, time.Minute)
	want := []statuspage.Bar{
		{Class: "running", X: "400", Y: "20", W: "100", H: "20"}, {Class: "paused", X: "500", Y: "0", W: "50", H: "40"}, {Class: "running", X: "550", Y: "20", W: "50", H: "20"},
	}
	if len(bars) != 3 || bars[0] != want[0] || bars[1] != want[1] || bars[2] != want[2] {
		t.Errorf("%+v", bars)
	}
}
