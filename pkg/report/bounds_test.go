package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestATrackLosesNothingAndStaysSmall(t *testing.T) {
	for _, n := range []int{1, 95, 96, 97, 1000, 100_003} {
		var track Track
		order := rand.New(rand.NewPCG(1, uint64(n))).Perm(n)
		for _, i := range order {
			track.Find(i, Kind(i%3))
			track.Range(Stretch{Number: i, Rows: 10, Unreadable: i%7 == 0, From: strconv.Itoa(i), Through: strconv.Itoa(i + 1)})
		}
		buckets := track.Buckets()
		if len(buckets) > trackBuckets || len(buckets) < min(n, trackBuckets/2) {
			t.Errorf("%d ranges make %d buckets", n, len(buckets))
		}
		var sum Bucket
		from := "0"
		for _, b := range buckets {
			if b.From != from {
				t.Fatalf("%d ranges: a bucket begins at %s where the one before ends at %s", n, b.From, from)
			}
			from = b.Through
			sum = sum.join(b)
		}
		if sum.Ranges != int64(n) || sum.Rows != 10*int64(n) || sum.Found.Total() != int64(n) || sum.Unreadable != int64((n+6)/7) || from != strconv.Itoa(n) {
			t.Errorf("%d ranges add up to %+v, up to %s", n, sum, from)
		}
	}
}

func TestARangeThatWasNotFinishedIsNotAllDamage(t *testing.T) {
	var track Track
	for i := range 9 {
		track.Range(Stretch{Number: i, Rows: 1000})
	}
	for range 10 {
		track.Find(9, NotEqual)
	}
	p := pairView{}.space(track)
	if p.Top != "1\u00a0%" || len(p.Lines) != 1 || p.Lines[0].Cells[0] != "not finished" {
		t.Errorf("scale up to %s, figures %+v", p.Top, p.Lines)
	}
}

func TestASampleIsEvenAndBounded(t *testing.T) {
	var hits [1000]int
	for range 400 {
		s := Sample[int]{Limit: 50}
		for i := range hits {
			s.Add(i)
		}
		if len(s.Items()) != 50 || s.Seen() != 1000 {
			t.Fatalf("%d of %d kept", len(s.Items()), s.Seen())
		}
		for _, i := range s.Items() {
			hits[i]++
		}
	}
	first, last := 0, 0
	for i, n := range hits {
		if i < 500 {
			first += n
		} else {
			last += n
		}
	}
	// 20,000 draws: the halves differ by more than 5 standard deviations once
	// in two million runs.
	if d := math.Abs(float64(first - last)); d > 5*math.Sqrt(20000) {
		t.Errorf("%d of the first half and %d of the second", first, last)
	}
	none := Sample[int]{}
	none.Add(1)
	if len(none.Items()) != 0 {
		t.Error("a sample of none kept one")
	}
}

func TestAHistogramCountsEveryPoint(t *testing.T) {
	nan := math.NaN()
	cases := map[string]struct {
		at        []float64
		low, high float64
		whole     bool
	}{
		"one":      {[]float64{7}, nan, nan, true},
		"equal":    {[]float64{7, 7, 7}, nan, nan, true},
		"span":     {[]float64{7, 900}, 1, 100_000, true},
		"negative": {[]float64{-5e9, -1, 0, 12}, nan, nan, true},
		"unsigned": {[]float64{18446744073709551615, 18446744073709551614, 9.3e18}, 1, nan, true},
		"close":    {[]float64{18446744073709551615, 18446744073709549568}, nan, nan, true},
		"decimals": {[]float64{0.001, 0.0017, 0.002}, nan, nan, false},
		"tiny":     {[]float64{5e-324, 1e-300}, nan, nan, false},
		"wide":     {[]float64{-1e300, 1e300}, nan, nan, false},
	}
	for name, c := range cases {
		var points []Point
		for i, at := range c.at {
			points = append(points, Point{Kind(i % 3), at})
		}
		points = append(points, Point{Missing, math.Inf(1)}, Point{Missing, nan})
		h := Numbers(points, c.low, c.high, c.whole)
		if h == nil {
			t.Errorf("%s: nothing", name)
			continue
		}
		var all Kinds
		for _, s := range h.Steps {
			all.add(s.Found)
		}
		if all.Total() != int64(len(c.at)) || len(h.Steps) > 2*histogramSteps+2 {
			t.Errorf("%s: %d points in %d steps", name, all.Total(), len(h.Steps))
		}
	}
	if Numbers(nil, 1, 2, true) != nil || Times(nil) != nil || Numbers([]Point{{0, -1.7e308}, {0, 1.7e308}}, nan, nan, false) != nil {
		t.Error("a histogram of nothing")
	}
	h := Times([]Point{{Missing, 0}, {Missing, 86400 * 365 * 3}})
	if h.From != "1970-01-01" || h.Each != "30 days" {
		t.Errorf("from %s in steps of %s", h.From, h.Each)
	}
}

func TestThePageIsBoundedByWhatIsShown(t *testing.T) {
	p := examplePage()
	p.Pairs = p.Pairs[:1]
	pair := &p.Pairs[0]
	var track Track
	var points []Point
	for i := range 200_000 {
		track.Range(Stretch{Number: i, Rows: 1000, From: strings.Repeat("k", 40), Through: strings.Repeat("k", 40)})
		track.Find(i, Kind(i%3))
		points = append(points, Point{Kind(i % 3), float64(i)})
	}
	pair.Space, pair.ByKey, pair.ByTime = []Track{track}, Numbers(points, 0, 200_000, true), Times(points)
	pair.Found = Kinds{70_000, 70_000, 60_000}
	pair.Samples = nil
	for kind := range Kind(kindCount) {
		s := Samples{Kind: kind, Total: 70_000}
		for i := range 25 {
			s.Keys = append(s.Keys, Key{Values: []Value{{"id", "int", fmt.Sprint(i)}}})
		}
		pair.Samples = append(pair.Samples, s)
	}
	if n := len(render(t, p)); n > 150_000 {
		t.Errorf("the page has %d bytes", n)
	}
}

func TestSaveReplacesThePageAsAWhole(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "out.html")
	if err := os.WriteFile(file, []byte("old"), 0o644); err != nil { //nolint:gosec // others may read it on purpose
		t.Fatal(err)
	}
	old, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if err := Save(file, examplePage()); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 10)
	if n, _ := old.Read(text); string(text[:n]) != "old" {
		t.Error("the old page was written over, not replaced")
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() < 1000 {
		t.Errorf("%v, %v", info, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if err := Save(filepath.Join(dir, "no", "such.html"), examplePage()); err == nil || !strings.HasPrefix(err.Error(), "write the report") {
		t.Errorf("error %v", err)
	}
}
