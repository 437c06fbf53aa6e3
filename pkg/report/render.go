package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// policy forbids the page everything but its own style sheet, which it names
// by its digest.
var policy = func() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}()

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"count": count, "int": func(n int64) int { return int(n) }, "plural": plural, "when": when, "took": took, "upper": upper, "join": strings.Join,
}).Parse(pageHTML))

// Render writes the page.
func Render(w io.Writer, p Page) error {
	view := pageView{
		Page: p, CSS: template.CSS(pageCSS), Policy: policy, //nolint:gosec // the page's own style sheet
		State: p.State(), Sentence: p.sentence(), Words: words(p.copySide()),
	}
	for i, pair := range p.Pairs {
		view.Views = append(view.Views, newPairView(pair, i, len(p.Pairs) == 1))
	}
	if err := page.Execute(w, view); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// copySide is the side that is repaired, in a word that fits all pairs.
func (p Page) copySide() string {
	side := ""
	for _, pair := range p.Pairs {
		if side != "" && side != pair.Copy {
			return "copy"
		}
		side = pair.Copy
	}
	return side
}

// pageView is a page and what the template would otherwise have to work out.
type pageView struct {
	Page
	CSS      template.CSS
	Policy   string
	State    State
	Sentence string
	Words    [kindCount]string
	Views    []pairView
}

// Hiding counts the columns of all pairs in which a difference could pass unseen.
func (p pageView) Hiding() int64 {
	n := int64(0)
	for _, v := range p.Views {
		n += v.Hiding()
	}
	return n
}

// Title is the verdict for the title of a window.
func (p pageView) Title() string {
	if len(p.Pairs) == 1 {
		return p.State.String() + ": " + p.Pairs[0].Name
	}
	return fmt.Sprintf("%s: %s", p.State, plural(int64(len(p.Pairs)), "pair", "pairs"))
}

type pairView struct {
	Pair
	ID       string
	Alone    bool // the page's only pair, so that its verdict need not be said twice
	Sentence string
	Words    [kindCount]string
	Tracks   []trackView
	KeyPlot  *plot
	TimePlot *plot
}

type trackView struct {
	Title string
	plot
}

func newPairView(p Pair, i int, alone bool) pairView {
	v := pairView{Pair: p, Alone: alone, ID: fmt.Sprintf("pair-%d", i+1), Sentence: p.sentence(), Words: words(p.Copy)}
	if v.Counted() {
		v.Words = [kindCount]string{"Fewer at the " + p.Copy, "Not equal", "More at the " + p.Copy}
	}
	for _, t := range p.Space {
		if t.says() {
			v.Tracks = append(v.Tracks, trackView{Title: t.Title, plot: v.space(t)})
		}
	}
	if p.ByKey != nil {
		plot := v.steps(p.ByKey)
		v.KeyPlot = &plot
	}
	if p.ByTime != nil {
		plot := v.steps(p.ByTime)
		v.TimePlot = &plot
	}
	return v
}

// says tells whether there is anything to see in a track: one range says no
// more than the counts do.
func (t Track) says() bool {
	buckets := t.Buckets()
	for _, b := range buckets {
		if b.Unreadable > 0 || b.Found.Total() > 0 && len(buckets) > 1 {
			return true
		}
	}
	return t.Left > 0 && len(buckets) > 0
}

// Class is the state as the style sheet knows it.
func (s State) Class() string {
	switch s {
	case Clean:
		return "clean"
	case Different:
		return "different"
	case CountsAgree:
		return "counts"
	default:
		return "incomplete"
	}
}

// Sign is the state as a sign, so that it does not hang on colour.
func (s State) Sign() string {
	switch s {
	case Clean:
		return "✓"
	case Different:
		return "≠"
	case CountsAgree:
		return "≈"
	case Pending:
		return "–"
	default:
		return "!"
	}
}

// Examined is the number of ranges looked at.
func (v pairView) Examined() int64 {
	n := int64(0)
	for _, t := range v.Space {
		for _, b := range t.buckets {
			n += b.Ranges - b.Unreadable
		}
	}
	return n
}

// Legend are the kinds that the plots show.
func (v pairView) Legend() []kindView {
	var shown Kinds
	for _, t := range v.Space {
		if t.says() {
			for _, b := range t.buckets {
				shown.add(b.Found)
			}
		}
	}
	for _, h := range []*Histogram{v.ByKey, v.ByTime} {
		if h != nil {
			for _, s := range h.Steps {
				shown.add(s.Found)
			}
		}
	}
	var out []kindView
	for kind, n := range shown {
		if n > 0 {
			out = append(out, kindView{Word: v.Words[kind], Class: Kind(kind).class(), N: n})
		}
	}
	return out
}

// Hatched says whether a plot shows stretches that were not read.
func (v pairView) Hatched() bool {
	for _, t := range v.Tracks {
		for _, b := range t.Bars {
			if b.Class == "unreadable" || b.Class == "left" {
				return true
			}
		}
	}
	return false
}

// Kinds are the counts of findings with the words for them.
func (v pairView) Kinds() []kindView {
	notes := [kindCount]string{
		Missing:  "the " + v.Authority + " has the row",
		NotEqual: "both have the row",
		Extra:    "the " + v.Authority + " lacks the row",
	}
	var out []kindView
	for kind, n := range v.Found {
		out = append(out, kindView{Word: v.Words[kind], Name: Kind(kind).name(), Note: notes[kind], Class: Kind(kind).class(), N: n})
	}
	return out
}

type kindView struct {
	Word, Name, Note, Class string
	N                       int64
}

func (k Kind) name() string {
	switch k {
	case Missing:
		return "target_missing"
	case NotEqual:
		return "neq"
	default:
		return "base_missing"
	}
}

// Word is the kind of the samples in words.
func (v pairView) Word(k Kind) string { return v.Words[k] }

// Class is the kind as the style sheet knows it.
func (k Kind) Class() string { return k.class() }

// Hiding counts the columns in which a difference could pass unseen.
func (v pairView) Hiding() int64 {
	n := int64(0)
	for _, c := range v.Columns {
		if c.Hides != "" {
			n++
		}
	}
	return n
}

// More is the number of ranges that could not be read and are not listed.
func (v pairView) More() int64 { return v.Unreadable - int64(len(v.Ranges)) }

// Counted says that only numbers of rows were compared.
func (v pairView) Counted() bool { return v.Mode == "count" }
