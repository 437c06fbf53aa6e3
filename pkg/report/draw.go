package report

import (
	"fmt"
	"math"
	"strconv"
)

// The canvas of a plot. It is stretched to the width of the page, so it holds
// shapes only; the words around it are HTML.
const (
	canvasWidth  = 1000.0
	canvasHeight = 160.0
	// leastHeight keeps a bar visible however small its share.
	leastHeight = 3.0
	// leastWidth keeps a bucket visible however few its rows.
	leastWidth = 4.0
)

// plot is a plot as rectangles on the canvas, and the words around it.
type plot struct {
	Label         string // for those who cannot see it
	Bars          []bar
	Slots         []slot
	Top, Half     string // the scale
	From, Through string
	Middle        string
	Lines         []line // the figures, for those who want them
	Heads         []string
}

type bar struct {
	X, Y, W, H string
	Class      string
}

// slot is the place of a bucket from top to bottom; it shows its words when
// pointed at.
type slot struct {
	X, W, Title string
}

// line is a line of the figures.
type line struct {
	Head  string
	Cells []string
}

func coordinate(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

func newBar(x, y, w, h float64, class string) bar {
	return bar{X: coordinate(x), Y: coordinate(y), W: coordinate(w), H: coordinate(h), Class: class}
}

// stack draws the kinds of a bucket above each other, up from the bottom.
func (p *plot) stack(x, w, perFinding float64, found Kinds) {
	y := canvasHeight
	for kind, n := range found {
		if n == 0 {
			continue
		}
		h := max(float64(n)*perFinding, leastHeight)
		y -= h
		p.Bars = append(p.Bars, newBar(x, y, w, h, Kind(kind).class()))
	}
}

func (k Kind) class() string {
	switch k {
	case Missing:
		return "missing"
	case NotEqual:
		return "neq"
	default:
		return "extra"
	}
}

// space draws a track: along it the rows in the order of the index, upwards the
// share of them that differs.
func (v pairView) space(t Track) plot {
	buckets := t.Buckets()
	p := plot{From: "first row", Through: "last row", Heads: []string{"Rows", v.Words[Missing], v.Words[NotEqual], v.Words[Extra]}}
	each := meanRange(buckets)
	for i := range buckets {
		// A range that findings were published of but that was not finished
		// says nothing of its rows; it gets the average number.
		if b := &buckets[i]; b.Ranges == 0 {
			b.Rows, b.unfinished = max(int64(each), b.Found.Total()), true
		}
	}
	widths, left, total := weights(buckets, t.Left, each)
	var most float64
	for _, b := range buckets {
		most = max(most, share(b))
	}
	top := min(niceShare(most), 1)
	p.Top, p.Half = percent(top), percent(top/2)
	x := 0.0
	for i, b := range buckets {
		w := widths[i] / total * canvasWidth
		drawn := max(w-1, 1)
		if b.Unreadable > 0 || b.unfinished {
			p.Bars = append(p.Bars, newBar(x, 0, drawn, canvasHeight, "unreadable"))
		}
		if n := b.Found.Total(); n > 0 {
			p.stack(x, drawn, min(share(b), top)/top*(canvasHeight-kindCount*leastHeight)/float64(n), b.Found)
		}
		p.Slots = append(p.Slots, slot{X: coordinate(x), W: coordinate(w), Title: v.bucketTitle(b)})
		if b.Found.Total() > 0 || b.Unreadable > 0 {
			head := span(b.From, b.Through)
			if b.unfinished {
				head = "a range that was not finished"
			}
			p.Lines = append(p.Lines, line{Head: head, Cells: bucketCells(b)})
		}
		x += w
	}
	if left > 0 {
		w := left / total * canvasWidth
		p.Bars = append(p.Bars, newBar(x, 0, w, canvasHeight, "left"))
		p.Slots = append(p.Slots, slot{X: coordinate(x), W: coordinate(w), Title: fmt.Sprintf("not looked at: about %s rows", count(t.Left))})
		p.Through = "not looked at"
	}
	p.Label = fmt.Sprintf("Bars over %d stretches of the key index; the highest share of rows that differ is %s. The figures follow as a table.", len(buckets), percent(most))
	return p
}

// meanRange is the number of rows of the average range that was read.
func meanRange(buckets []Bucket) float64 {
	var rows, ranges int64
	for _, b := range buckets {
		rows += b.Rows
		ranges += b.Ranges - b.Unreadable
	}
	if rows == 0 || ranges == 0 {
		return 1
	}
	return float64(rows) / float64(ranges)
}

// weights are the widths of buckets before they are scaled. A range that could
// not be read gets the width of the average one.
func weights(buckets []Bucket, leftRows int64, each float64) (widths []float64, left, total float64) {
	for _, b := range buckets {
		w := float64(b.Rows) + float64(b.Unreadable)*each
		widths = append(widths, w)
		total += w
		leftRows -= int64(float64(b.Unreadable) * each)
		if b.unfinished {
			leftRows -= b.Rows
		}
	}
	// The estimate of the rows is a guess: a small rest says nothing.
	if rest := float64(leftRows); rest > (total+rest)/20 {
		left = rest
	}
	least := (total + left) * leastWidth / canvasWidth
	total = left
	for i := range widths {
		widths[i] = max(widths[i], least, 1)
		total += widths[i]
	}
	return widths, left, max(total, 1)
}

// share is the share of a bucket's rows that differ.
func share(b Bucket) float64 {
	n := b.Found.Total()
	if n == 0 {
		return 0
	}
	// Rows the other side lacks were not counted on the side that was walked.
	return min(float64(n)/float64(max(b.Rows, n)), 1)
}

// niceShare is the top of a scale that holds the share.
func niceShare(s float64) float64 {
	if s <= 0 {
		return 1
	}
	return niceTop(s)
}

// niceTop is the top of a scale: a round number not far above v.
func niceTop(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 1.2, 1.6, 2, 3, 4, 5, 6, 8} {
		if v <= m*power*(1+1e-9) {
			return m * power
		}
	}
	return 10 * power
}

func bucketCells(b Bucket) []string {
	rows := count(b.Rows)
	if b.unfinished {
		rows = "not finished"
	}
	if b.Unreadable > 0 {
		rows += fmt.Sprintf(" (%s of %s not read)", count(b.Unreadable), plural(b.Ranges, "range", "ranges"))
	}
	return []string{rows, count(b.Found[Missing]), count(b.Found[NotEqual]), count(b.Found[Extra])}
}

func (v pairView) bucketTitle(b Bucket) string {
	if b.unfinished {
		return "a range that was not finished" + v.kindTitle(b.Found)
	}
	title := fmt.Sprintf("%s: %s", span(b.From, b.Through), plural(b.Rows, "row", "rows"))
	if b.Unreadable > 0 {
		title += fmt.Sprintf(", %s not read", plural(b.Unreadable, "range", "ranges"))
	}
	return title + v.kindTitle(b.Found)
}

func (v pairView) kindTitle(found Kinds) string {
	title := ""
	for kind, n := range found {
		if n > 0 {
			title += fmt.Sprintf(", %s %s", count(n), lower(v.Words[kind]))
		}
	}
	return title
}

func span(from, through string) string {
	switch {
	case from == "" && through == "":
		return "all keys"
	case from == "":
		return "up to " + through
	case through == "":
		return "after " + from
	default:
		return "after " + from + ", up to " + through
	}
}

// steps draws a histogram: along it the values, upwards the number of findings.
func (v pairView) steps(h *Histogram) plot {
	p := plot{From: h.From, Middle: h.Middle, Through: h.Through, Heads: []string{v.Words[Missing], v.Words[NotEqual], v.Words[Extra]}}
	most := int64(0)
	for _, s := range h.Steps {
		most = max(most, s.Found.Total())
	}
	top := max(math.Ceil(niceTop(float64(most))), 2)
	p.Top = count(int64(top))
	if int64(top)%2 == 0 {
		p.Half = count(int64(top) / 2)
	}
	w := canvasWidth / float64(len(h.Steps))
	for i, s := range h.Steps {
		x := float64(i) * w
		p.stack(x, max(w-1, 1), (canvasHeight-kindCount*leastHeight)/top, s.Found)
		title := fmt.Sprintf("%s to %s", s.From, s.Through)
		p.Slots = append(p.Slots, slot{X: coordinate(x), W: coordinate(w), Title: title + v.kindTitle(s.Found)})
		if s.Found.Total() > 0 {
			p.Lines = append(p.Lines, line{Head: title, Cells: []string{count(s.Found[Missing]), count(s.Found[NotEqual]), count(s.Found[Extra])}})
		}
	}
	p.Label = fmt.Sprintf("Bars of findings by %s, from %s to %s in steps of %s. The figures follow as a table.", h.Of, h.From, h.Through, h.Each)
	return p
}
