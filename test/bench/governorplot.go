package main

import (
	"fmt"
	"html"
	"math"
	"strings"
	"time"
)

// panel is one diagram over time. Panels stand one below the other.
type panel struct {
	title   string
	log     bool    // the y axis, from 1 up
	seconds float64 // the x axis
	lines   []line
	bands   []band
	marks   []mark
}

// line is what is drawn; steps keep their height until the next point.
type line struct {
	name, colour string
	points       []point
	steps        bool
}

type point struct{ x, y float64 }

// band is a time that is set off, with a word about it.
type band struct {
	from, to float64
	label    string
}

// mark is a moment.
type mark struct {
	at    float64
	label string
}

// Colours that those who do not tell red from green can tell apart (Okabe and
// Ito, "Color Universal Design").
const (
	grey, blue, orange, purple = "#777777", "#0072b2", "#d55e00", "#aa4499"
)

// The picture's measures, in pixels.
const (
	plotWidth, plotHeight  = 860, 190
	plotLeft, plotRight    = 70, 20
	plotAbove, plotBelow   = 34, 34
	panelHeight            = plotAbove + plotHeight + plotBelow
	pictureWidth           = plotLeft + plotWidth + plotRight
	bandLabels, labelSpace = 4, 14
)

// drawPanels returns an SVG document that needs nothing else.
func drawPanels(panels []panel) string {
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", pictureWidth, panelHeight*len(panels))
	fmt.Fprintf(&out, `<rect width="100%%" height="100%%" fill="#ffffff"/>`+"\n")
	for i, p := range panels {
		fmt.Fprintf(&out, `<g transform="translate(%d %d)">`+"\n", plotLeft, i*panelHeight+plotAbove)
		p.draw(&out)
		out.WriteString("</g>\n")
	}
	out.WriteString("</svg>\n")
	return out.String()
}

func (p panel) draw(out *strings.Builder) {
	top := p.top()
	p.drawBands(out)
	p.drawAxes(out, top)
	for _, l := range p.lines {
		fmt.Fprintf(out, `<polyline fill="none" stroke="%s" stroke-width="1.5" points="%s"/>`+"\n", l.colour, p.path(l, top))
	}
	p.drawLabels(out)
}

// x and y put a value on the paper.
func (p panel) x(seconds float64) float64 {
	return plotWidth * math.Min(math.Max(seconds, 0), p.seconds) / p.seconds
}

func (p panel) y(value, top float64) float64 {
	part := value / top
	if p.log {
		part = math.Log10(math.Max(value, 1)) / math.Log10(top)
	}
	return plotHeight * (1 - part)
}

// top is the end of the y axis: the first round number above all lines.
func (p panel) top() float64 {
	most := 1.0
	for _, l := range p.lines {
		for _, at := range l.points {
			most = math.Max(most, at.y)
		}
	}
	decade := math.Pow(10, math.Floor(math.Log10(most)))
	if p.log {
		return decade * 10
	}
	for _, times := range []float64{1, 2, 5} {
		if times*decade >= most {
			return times * decade
		}
	}
	return 10 * decade
}

// ticks are the marked values of the y axis.
func (p panel) ticks(top float64) []float64 {
	if !p.log {
		return []float64{0, top / 4, top / 2, top * 3 / 4, top}
	}
	var out []float64
	for v := 1.0; v <= top; v *= 10 {
		out = append(out, v)
	}
	return out
}

func (p panel) path(l line, top float64) string {
	var out strings.Builder
	for i, at := range l.points {
		if l.steps && i > 0 {
			fmt.Fprintf(&out, "%.1f,%.1f ", p.x(at.x), p.y(l.points[i-1].y, top))
		}
		fmt.Fprintf(&out, "%.1f,%.1f ", p.x(at.x), p.y(at.y, top))
	}
	return strings.TrimSpace(out.String())
}

func (p panel) drawBands(out *strings.Builder) {
	for _, b := range p.bands {
		fmt.Fprintf(out, `<rect x="%.1f" y="0" width="%.1f" height="%d" fill="#f4c7a8" fill-opacity="0.55"><title>%s</title></rect>`+"\n",
			p.x(b.from), p.x(b.to)-p.x(b.from), plotHeight, html.EscapeString(b.label))
	}
	for _, m := range p.marks {
		fmt.Fprintf(out, `<line x1="%.1f" y1="0" x2="%.1f" y2="%d" stroke="#333333" stroke-dasharray="4 3"/>`+"\n", p.x(m.at), p.x(m.at), plotHeight)
	}
}

func (p panel) drawAxes(out *strings.Builder, top float64) {
	fmt.Fprintf(out, `<rect width="%d" height="%d" fill="none" stroke="#333333"/>`+"\n", plotWidth, plotHeight)
	for _, v := range p.ticks(top) {
		y := p.y(v, top)
		fmt.Fprintf(out, `<line x1="0" y1="%.1f" x2="%d" y2="%.1f" stroke="#dddddd"/>`+"\n", y, plotWidth, y)
		fmt.Fprintf(out, `<text x="-6" y="%.1f" text-anchor="end">%s</text>`+"\n", y+4, tickText(v))
	}
	const every = 10 // seconds
	for at := 0.0; at <= p.seconds; at += every {
		fmt.Fprintf(out, `<text x="%.1f" y="%d" text-anchor="middle">%.0f</text>`+"\n", p.x(at), plotHeight+15, at)
	}
	fmt.Fprintf(out, `<text x="%d" y="%d" text-anchor="end">seconds</text>`+"\n", plotWidth, plotHeight+29)
}

func tickText(v float64) string {
	if v >= 10_000 {
		return fmt.Sprintf("%gk", v/1000)
	}
	return fmt.Sprintf("%g", v)
}

// drawLabels writes the title, what the lines are, and what the bands say, the
// latter at alternating heights, so that neighbours do not cover each other.
func (p panel) drawLabels(out *strings.Builder) {
	fmt.Fprintf(out, `<text x="0" y="-20" font-weight="bold">%s</text>`+"\n", html.EscapeString(p.title))
	if len(p.lines) > 1 {
		at := 0
		for _, l := range p.lines {
			fmt.Fprintf(out, `<text x="%d" y="-5" fill="%s">— %s</text>`+"\n", at, l.colour, html.EscapeString(l.name))
			at += 26 + 7*len(l.name)
		}
	}
	for i, b := range p.bands {
		if b.label == "" {
			continue
		}
		anchor, x := "start", p.x(b.from)+3
		if x > plotWidth/2 {
			anchor, x = "end", p.x(b.to)-3
		}
		fmt.Fprintf(out, `<text x="%.1f" y="%d" text-anchor="%s" font-size="11">%s</text>`+"\n",
			x, 12+i%bandLabels*labelSpace, anchor, html.EscapeString(b.label))
	}
	for _, m := range p.marks {
		fmt.Fprintf(out, `<text x="%.1f" y="%d" font-size="11" fill="#333333">%s</text>`+"\n", p.x(m.at)+3, plotHeight-5, html.EscapeString(m.label))
	}
}

// governorPanels are the two scenarios as diagrams.
func governorPanels(steady trials, step *stepped) []panel {
	lasts := step.of(governedName).lasts
	first := panel{title: "Steady at half of capacity: the foreground's p99 of each second, ms", log: true, seconds: steady[0].lasts.Seconds()}
	colours := map[string]string{aloneName: grey, governedName: blue, ungovernedName: orange, ptChecksumName: purple}
	for _, name := range []string{aloneName, governedName, ungovernedName, ptChecksumName} {
		if t := steady.of(name); t.name != "" {
			first.lines = append(first.lines, line{name: legend(t.name), colour: colours[t.name], points: t.everySecond()})
		}
	}
	var bands []band
	for _, p := range step.pauses {
		bands = append(bands, band{(p.from - settling).Seconds(), (p.to - settling).Seconds(), "paused: " + p.reason})
	}
	marks := []mark{{step.up.Seconds(), "overload begins"}, {step.down.Seconds(), "overload ends"}}
	governed := step.of(governedName)
	out := []panel{first, {
		title: "Step to overload: the foreground's p99 of each second, ms", log: true,
		lines: []line{
			{name: legend(aloneName), colour: grey, points: step.of(aloneName).everySecond()},
			{name: governedName, colour: blue, points: governed.everySecond()},
		},
		bands: bands,
	}, {
		title: "Workers that both governors admit",
		lines: []line{{colour: blue, steps: true, points: governed.seen(func(_, l look) float64 { return l.workers })}},
	}, {
		title: "Rows validated a second",
		lines: []line{{colour: blue, points: governed.seen(func(before, l look) float64 {
			return (l.rows - before.rows) / (l.at - before.at).Seconds()
		})}},
	}}
	for i := range out[1:] {
		p := &out[1+i]
		p.seconds, p.marks = lasts.Seconds(), marks
		if i > 0 { // the words stand in the first
			for _, b := range bands {
				p.bands = append(p.bands, band{from: b.from, to: b.to})
			}
		}
	}
	return out
}

func legend(name string) string {
	if name == aloneName {
		return "the foreground alone"
	}
	return name
}

// everySecond is the 99th percentile, in milliseconds, of those that were due
// in each second.
func (t *trial) everySecond() []point {
	var out []point
	for at := time.Duration(0); at < t.lasts; at += time.Second {
		if p99 := percentile(t.in(at, at+time.Second), 99); p99 > 0 {
			out = append(out, point{at.Seconds() + 0.5, float64(p99) / float64(time.Millisecond)})
		}
	}
	return out
}

// seen is a figure of the looks, each with the one before it.
func (t *trial) seen(of func(before, now look) float64) []point {
	var out []point
	for i := 1; i < len(t.looks); i++ {
		if at := t.looks[i].at - settling; at >= 0 {
			out = append(out, point{at.Seconds(), of(t.looks[i-1], t.looks[i])})
		}
	}
	return out
}
