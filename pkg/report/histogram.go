package report

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// histogramSteps is about how many steps a histogram is cut into.
const histogramSteps = 48

// Histogram counts findings by a value in equal steps.
type Histogram struct {
	// Of names the value: a column.
	Of string
	// Sampled is how many findings were looked at, Total how many there are.
	Sampled, Total int64
	// Note says what else to know.
	Note  string
	Steps []Step
	// From and Through are the ends of the axis, Middle what lies between them.
	From, Middle, Through string
	// Each is the width of a step.
	Each string
}

// Step is one step of a histogram.
type Step struct {
	From, Through string
	Found         Kinds
}

// Point is a finding and its value.
type Point struct {
	Kind Kind
	At   float64
}

// Numbers makes a histogram of numbers. The span, as far as it is known,
// belongs to the axis although no point may lie there; pass NaN where it is
// not. Steps of whole numbers are whole.
func Numbers(points []Point, low, high float64, whole bool) *Histogram {
	round := numberStep
	if whole {
		round = func(raw float64) float64 { return numberStep(max(raw, 1)) }
	}
	return histogram(points, low, high, round, func(v, _ float64) string { return formatNumber(v) }, func(step float64) string { return formatNumber(step) })
}

// Times makes a histogram of points in time, in seconds since 1970.
func Times(points []Point) *Histogram {
	return histogram(points, math.NaN(), math.NaN(), timeStep, formatTime, func(step float64) string {
		return formatSpan(time.Duration(step * float64(time.Second)))
	})
}

func histogram(points []Point, low, high float64, round func(float64) float64, label func(v, step float64) string, each func(float64) string) *Histogram {
	points = slices.DeleteFunc(slices.Clone(points), func(p Point) bool { return math.IsNaN(p.At) || math.IsInf(p.At, 0) })
	if len(points) == 0 || math.IsInf(low, 0) || math.IsInf(high, 0) {
		return nil
	}
	for _, p := range points {
		if math.IsNaN(low) || p.At < low {
			low = p.At
		}
		if math.IsNaN(high) || p.At > high {
			high = p.At
		}
	}
	step := round((high - low) / histogramSteps)
	if math.IsInf(step, 0) {
		return nil
	}
	// The axis begins at a round value; step by step it is multiplied, not
	// added up, so that no error does.
	first := math.Floor(low / step)
	n := int(math.Floor(high/step)-first) + 1
	n = min(max(n, 1), 2*histogramSteps+2)
	h := &Histogram{Steps: make([]Step, n), Each: each(step)}
	for i := range h.Steps {
		h.Steps[i].From, h.Steps[i].Through = label((first+float64(i))*step, step), label((first+float64(i)+1)*step, step)
	}
	for _, p := range points {
		i := int(math.Floor(p.At/step) - first)
		h.Steps[min(max(i, 0), n-1)].Found[p.Kind]++
	}
	h.From, h.Through = h.Steps[0].From, h.Steps[n-1].Through
	if n > 2 {
		h.Middle = label((first+float64(n/2))*step, step)
	}
	return h
}

// numberStep rounds up to 1, 2 or 5 times a power of ten.
func numberStep(raw float64) float64 {
	if raw <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if raw <= m*power {
			return m * power
		}
	}
	return 10 * power
}

// timeSteps are the steps people read clocks and calendars by, in seconds.
var timeSteps = []float64{
	1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 2 * 3600, 3 * 3600, 6 * 3600, 12 * 3600,
	86400, 2 * 86400, 7 * 86400, 14 * 86400, 30 * 86400, 91 * 86400, 182 * 86400, 365 * 86400,
}

func timeStep(raw float64) float64 {
	for _, s := range timeSteps {
		if raw <= s {
			return s
		}
	}
	return numberStep(raw/timeSteps[len(timeSteps)-1]) * timeSteps[len(timeSteps)-1]
}

func formatNumber(v float64) string {
	if v == 0 {
		return "0" // and not -0
	}
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return groupDigits(strconv.FormatFloat(v, 'f', 0, 64))
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}

// groupDigits puts a thin space between groups of three digits, from five
// digits on.
func groupDigits(digits string) string {
	sign := ""
	if len(digits) > 0 && digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	if len(digits) < 5 {
		return sign + digits
	}
	out := ""
	for len(digits) > 3 {
		out = "\u202f" + digits[len(digits)-3:] + out
		digits = digits[:len(digits)-3]
	}
	return sign + digits + out
}

func formatTime(seconds, step float64) string {
	t := time.Unix(int64(seconds), 0).UTC()
	switch {
	case step >= 86400:
		return t.Format("2006-01-02")
	case step >= 60:
		return t.Format("2006-01-02 15:04")
	default:
		return t.Format("2006-01-02 15:04:05")
	}
}

// formatSpan is a duration with the largest unit that fits whole.
func formatSpan(d time.Duration) string {
	const day = 24 * time.Hour
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{day, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d%unit.size == 0 {
			n := int64(d / unit.size)
			if n == 1 {
				return "1 " + unit.name
			}
			return strconv.FormatInt(n, 10) + " " + unit.name + "s"
		}
	}
	return d.String()
}
