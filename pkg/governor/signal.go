package governor

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Use is what a governor admits, and what a signal speaks for.
type Use uint8

// The uses, which may be added up.
const (
	Reads Use = 1 << iota
	Writes
)

// String is the use's name.
func (u Use) String() string {
	switch u {
	case Reads:
		return "reads"
	case Writes:
		return "writes"
	default:
		return "reads and writes"
	}
}

// Probe measures one signal. An error says that nothing is known at the moment.
type Probe func(ctx context.Context) (float64, error)

// Count measures a signal with Cores.
type Count func(ctx context.Context) (Sessions, error)

// Signal is one figure about a database's load, and the limit it is held to.
type Signal struct {
	// Name stands in reasons and metrics: "canary".
	Name string
	// Unit stands behind values: "ms", "s"; empty for plain numbers.
	Unit string
	// Limit is the value at which the database is busy; more than 0. A signal's
	// utilisation is its value divided by its limit.
	Limit float64
	// Every is how often the signal is measured; DefaultEvery when 0.
	Every time.Duration
	// Hard marks a budget that must not be overdrawn, such as connections:
	// nothing is admitted while it cannot be measured. Where another signal
	// cannot be, the governor keeps what it admits and does not raise it.
	Hard bool
	// For says what the signal holds back; 0 means reads and writes.
	For Use
	// Latency marks a signal whose value is the milliseconds that measuring
	// takes: one that does not come back is known to be slow before it does.
	Latency bool
	// Cores, when more than 0, says that the value counts the sessions of others
	// that are at work on a server of so many cores: the governor leaves them
	// their cores (see room).
	Cores float64
	// Passive signals are not measured but observed, as by-products of work;
	// without work there is nothing to know, so they never grow stale.
	Passive bool
}

const (
	// DefaultEvery is the time between two samples of a signal. Two bad ones
	// pause, so a step is answered after two to three seconds.
	DefaultEvery = time.Second
	// patience is how long one measurement may take before it is given up.
	patience = 10 * time.Second
	// missedPolls is how many samples in a row may be missing before a signal
	// is stale.
	missedPolls = 3
	// passiveFor is how long an observation of a passive signal counts.
	passiveFor = 10 * time.Second

	// smoothing is the weight of a new sample in the smoothed utilisation: about
	// the last five count (block/spirit uses the same).
	smoothing = 0.3
	// slowSmoothing is the same for what others leave over, which is followed
	// rather than answered: about the last fifteen count.
	slowSmoothing = 0.12
	// mostCrowded caps the sessions for each core that enter it. Capped at one for each
	// the mean of them is the number of cores that are kept busy; what waits beyond says
	// how little more a server of few cores stands: of 2 that are half busy, little.
	// But a long queue leaves no more room than a short one, and would be remembered
	// for a minute.
	mostCrowded = 1.5
	// mostUtilisation caps what enters the smoothed utilisation, so that one
	// sample of minutes is forgotten as soon as one of seconds.
	mostUtilisation = 4
)

func (s Signal) withDefaults() Signal {
	if s.Every <= 0 {
		s.Every = DefaultEvery
	}
	if s.For == 0 {
		s.For = Reads | Writes
	}
	return s
}

func (s Signal) validate() error {
	if s.Name == "" {
		return fmt.Errorf("a signal has no name")
	}
	if !(s.Limit > 0) || math.IsInf(s.Limit, 0) {
		return fmt.Errorf("the limit of the signal %s is %v; it must be more than 0", s.Name, s.Limit)
	}
	return nil
}

// Show writes a value of the signal with its unit.
func (s Signal) Show(value float64) string {
	var number string
	switch abs := math.Abs(value); {
	case abs >= 100 || value == math.Trunc(value):
		number = fmt.Sprintf("%.0f", value)
	case abs >= 10:
		number = fmt.Sprintf("%.1f", value)
	default:
		number = fmt.Sprintf("%.2f", value)
	}
	if s.Unit == "" {
		return number
	}
	return number + " " + s.Unit
}

// gauge is a signal with what was measured of it.
type gauge struct {
	signal  Signal
	value   float64
	raw     float64 // the last sample's utilisation
	smooth  float64
	busy    float64   // others at work, of a signal with cores, smoothed slowly
	begin   float64   // and their statements that seem to wait to begin
	at      time.Time // of the last sample; zero before the first
	bad     int       // samples in a row with a utilisation of at least 1
	lost    error
	samples int64

	pace     pace
	quickest quickest
}

func newGauge(s Signal) *gauge { return &gauge{signal: s} }

// observe takes a sample of one look or several. A value that is no number says nothing.
func (g *gauge) observe(now time.Time, looks ...look) {
	g.pace.observe(looks)
	value, busy, begin, most := 0.0, 0.0, 0.0, mostCrowded*g.signal.Cores
	for _, l := range looks {
		g.quickest.observe(l)
		at := min(l.undisturbed(g.signal.Cores), most)
		value += l.value / float64(len(looks))
		busy += at / float64(len(looks))
		begin += min(l.beginning(g.pace.rate, g.quickest.wait(l.reached)), most-at) / float64(len(looks))
	}
	if math.IsNaN(value) {
		g.miss(fmt.Errorf("the server gave no number"))
		return
	}
	g.value, g.raw = value, max(value, 0)/g.signal.Limit
	capped := min(g.raw, mostUtilisation)
	if g.samples == 0 {
		g.smooth = capped
	}
	g.smooth += smoothing * (capped - g.smooth)
	// The first samples count alike: the very first may have met a moment of rest.
	weight := max(slowSmoothing, 1/float64(g.samples+1))
	g.busy += weight * (busy - g.busy)
	g.begin += weight * (begin - g.begin)
	if g.raw >= 1 {
		g.bad++
	} else {
		g.bad = 0
	}
	g.at, g.lost = now, nil
	g.samples++
}

// crowd is about how many sessions of others are at work or wait to begin. Of the latter
// there are no more than a queue before cores so busy holds: the way to the server takes
// longer now and then by itself.
func (g *gauge) crowd() float64 {
	if g.begin <= 0 {
		return g.busy
	}
	return g.busy + min(g.begin, queue(g.busy, g.signal.Cores))
}

// miss notes that a sample could not be taken.
func (g *gauge) miss(err error) { g.lost = err }

// stale says whether the signal is unknown: too long ago, or never measured.
func (g *gauge) stale(now time.Time) bool {
	if g.signal.Passive {
		return false
	}
	last := g.at
	if last.IsZero() {
		return true
	}
	return now.Sub(last) > missedPolls*g.signal.Every+DefaultEvery
}

// Reading is a signal as it stands.
type Reading struct {
	Signal Signal
	// On is the name of the database.
	On string
	// Value is the last sample; Utilisation is it divided by the limit, and
	// Smoothed that of the last few.
	Value, Utilisation, Smoothed float64
	// At is when Value was measured; zero when it never was.
	At time.Time
	// Stale says that the value is too old to go by, and Err why the last
	// attempt failed, nil when it did not.
	Stale bool
	Err   error

	bad  int
	slow float64
}

// reading is the gauge at a moment; false when there is nothing to go by and
// nothing is missing either.
func (g *gauge) reading(now time.Time) (Reading, bool) {
	if g.signal.Passive && (g.at.IsZero() || now.Sub(g.at) > passiveFor) {
		return Reading{}, false
	}
	return Reading{
		Signal: g.signal, Value: g.value, Utilisation: g.raw, Smoothed: g.smooth, At: g.at,
		Stale: g.stale(now), Err: g.lost, bad: g.bad, slow: g.crowd(),
	}, true
}
