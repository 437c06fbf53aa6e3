package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write testdata anew")

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// examplePage has a pair of each state that matters and every part of a page.
func examplePage() Page {
	orders := Pair{
		Name: "orders", State: Different, Source: Table{Name: "shop.orders", Rows: 3000, Estimated: 3000, Where: "tenant = 7"},
		Target: Table{Name: "public.orders", Rows: 2995, Estimated: 2900}, Authority: "source", Copy: "target",
		Mode: "full", Method: "checksum", Why: "both servers can digest every column", Key: []string{"id"},
		Confirm: 2 * time.Second, Begun: noon, Took: 1500 * time.Millisecond, Found: Kinds{5, 2, 0}, Open: 1,
		Reason: "1 rows changed each time they were looked at and stay open", Warnings: []string{"column note of orders is not compared"},
		Columns: []Column{
			{Source: "id", Target: "id", SourceType: "bigint(20)", TargetType: "bigint", As: "int", Key: true},
			{Source: "state", Target: "status", SourceType: "varchar(9)", TargetType: "text", As: "text", Rule: "trim:right", Hides: "blanks at the end"},
		},
		Samples: []Samples{
			{Kind: Missing, Total: 5, Keys: []Key{{Values: []Value{{"id", "int", "7"}}}, {Values: []Value{{"id", "int", "9"}}}}},
			{Kind: NotEqual, Total: 2, Keys: []Key{{Values: []Value{{"id", "int", "11"}}, Columns: []string{"state"}}, {Values: []Value{{"id", "int", "12"}}, Columns: []string{"state"}}}},
		},
		Next:  []Command{{For: "Repair", Line: `trueup fix 'mysql://app:${SOURCE_PASSWORD}@db/shop' 'postgres://app:${TARGET_PASSWORD}@db/shop' orders --verify`}},
		ByKey: Numbers([]Point{{Missing, 7}, {Missing, 9}, {NotEqual, 2500}}, 1, 3000, true), ByTime: Times([]Point{{Missing, 1e9}, {NotEqual, 1e9 + 7200}}),
	}
	orders.ByKey.Of, orders.ByKey.Sampled, orders.ByKey.Total = "id", 3, 7
	orders.ByTime.Of, orders.ByTime.Sampled, orders.ByTime.Total, orders.ByTime.Note = "updated_at", 2, 7, "As the source has it."
	track := Track{Title: "By place among the source's keys."}
	for i := range 3 {
		track.Range(Stretch{Number: i, Rows: 1000, From: key(i), Through: key(i + 1)})
	}
	for range 5 {
		track.Find(0, Missing)
	}
	track.Find(2, NotEqual)
	track.Find(2, NotEqual)
	orders.Space = []Track{track}

	items := Pair{
		Name: "items", State: Incomplete, Reason: "something could not be read; the ranges are listed below, each with its reason",
		Source: Table{Name: "items", Rows: 100}, Target: Table{Name: "items", Rows: 100}, Authority: "source", Copy: "target",
		Mode: "full", Method: "merge", Why: "asked for", Key: []string{"id", "line"}, Begun: noon, Took: time.Second,
		Unreadable: 3, Ranges: []Unreadable{{Range: "after 1, 2, up to 5, 1", Reason: "read rows of items: lost connection"}},
		Columns: []Column{{Source: "id", Target: "id", SourceType: "int", TargetType: "int", As: "int", Key: true}},
	}
	broken := Track{Title: "By place among the source's keys.", Left: 900}
	broken.Range(Stretch{Number: 0, Rows: 100, Through: "1, 2"})
	broken.Range(Stretch{Number: 1, Unreadable: true, From: "1, 2", Through: "5, 1"})
	items.Space = []Track{broken}

	parcels := Pair{Name: "parcels", State: Clean, Source: Table{Name: "parcels", Rows: 5}, Target: Table{Name: "parcels", Rows: 5}, Authority: "source", Copy: "target", Mode: "full", Method: "merge", Key: []string{"id"}}
	later := Pair{Name: "later", State: Pending, Source: Table{Name: "later"}, Target: Table{Name: "later"}, Authority: "source", Copy: "target", Mode: "full", Key: []string{"id"}}
	return Page{
		Version: "v1", Begun: noon, Written: noon.Add(time.Minute), Authority: "source",
		Source: Server{"mysql", "8.4.3", "mysql://app@db/shop"}, Target: Server{"postgres", "17.2", "postgres://app@db/shop"},
		Pairs: []Pair{orders, items, parcels, later}, LeftOut: []string{"pair shapes: column where of shapes has type geometry"},
		Notes: []string{"table old is only at the source"}, Repair: []Command{{For: "Repair", Line: "trueup fix --config x.yaml orders"}},
	}
}

func key(i int) string {
	if i == 0 || i == 3 {
		return ""
	}
	return fmt.Sprint(i * 1000)
}

func render(t *testing.T, p Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := Render(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestThePageIsAsItWas(t *testing.T) {
	got := render(t, examplePage())
	file := filepath.Join("testdata", "page.golden.html")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the page changed; look at it, then run go test ./pkg/report -update")
	}
}

// hostile is what keys, errors and conditions may hold.
const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)></style>{{.}}' javascript:alert(1) style="x"`

func TestWhatIsShownIsEscaped(t *testing.T) {
	p := examplePage()
	o := &p.Pairs[0]
	o.Name, o.Reason, o.Why, o.Method, o.NoTime = hostile, hostile, hostile, hostile, hostile
	o.Key, o.Warnings = []string{hostile}, []string{hostile}
	o.Source = Table{Name: hostile, Where: hostile}
	o.Columns[0] = Column{Source: hostile, Target: hostile + "!", SourceType: hostile, TargetType: hostile, As: hostile, Rule: hostile, Hides: hostile}
	o.Samples[0].Keys[0].Values[0] = Value{hostile, hostile, hostile}
	o.Samples[1].Keys[0].Columns = []string{hostile}
	o.Next[0] = Command{For: hostile, Line: hostile}
	o.ByKey.Of, o.ByTime.Note = hostile, hostile
	o.Space[0].Title = hostile
	o.Space[0].buckets[0].From = hostile
	p.Pairs[1].Ranges[0] = Unreadable{hostile, hostile}
	p.LeftOut, p.Notes, p.Version, p.Authority = []string{hostile}, []string{hostile}, hostile, hostile
	p.Source = Server{hostile, hostile, hostile}
	plain := tags(render(t, examplePage()))
	for tag, n := range tags(render(t, p)) {
		if plain[tag] == 0 {
			t.Errorf("%d elements <%s> came in from outside", n, tag)
		}
	}
	checkSealed(t, render(t, p))
}

var quoted = regexp.MustCompile(`"[^"]*"`)

var element = regexp.MustCompile(`<([A-Za-z!][A-Za-z0-9]*)[^>]*>`)

func tags(html string) map[string]int {
	found := map[string]int{}
	for _, m := range element.FindAllStringSubmatch(html, -1) {
		found[m[1]]++
	}
	return found
}

// checkSealed fails on anything that would run, load or style from elsewhere.
func checkSealed(t *testing.T, html string) {
	t.Helper()
	for _, m := range element.FindAllString(html, -1) {
		names := quoted.ReplaceAllString(m, `""`)
		if bad := regexp.MustCompile(`(?i)\s(on[a-z]+|style|src|srcset|action|formaction|background|ping)\s*=`).FindString(names); bad != "" {
			t.Errorf("%s has the attribute%s", m, bad)
		}
		for _, link := range regexp.MustCompile(`(?i)href\s*=\s*"([^"]*)"`).FindAllStringSubmatch(m, -1) {
			if !strings.HasPrefix(link[1], "#") {
				t.Errorf("%s leads out of the page", m)
			}
		}
	}
	for _, tag := range []string{"script", "link", "img", "iframe", "object", "embed", "base", "form", "image", "use"} {
		if n := tags(html)[tag]; n > 0 {
			t.Errorf("%d elements <%s>", n, tag)
		}
	}
}

func TestThePageNeedsAndAllowsNothingFromOutside(t *testing.T) {
	html := render(t, examplePage())
	checkSealed(t, html)
	for _, address := range []string{"http:", "https:", "data:", "@import", "javascript:"} {
		if strings.Contains(html, address) {
			t.Errorf("the page holds %s", address)
		}
	}
	for _, m := range regexp.MustCompile(`url\([^)]*\)`).FindAllString(html, -1) {
		if !strings.HasPrefix(m, "url(#") {
			t.Errorf("the style sheet loads %s", m)
		}
	}
}

func TestThePolicyAllowsTheStyleSheetAndNothingElse(t *testing.T) {
	html := render(t, examplePage())
	_, style, _ := strings.Cut(html, "<style>")
	style, _, ok := strings.Cut(style, "</style>")
	if !ok || strings.Contains(style, "ZgotmplZ") || style != pageCSS {
		t.Fatalf("the style sheet is not in the page as it is")
	}
	sum := sha256.Sum256([]byte(style))
	want := `content="default-src &#39;none&#39;; style-src &#39;sha256-` + strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;") + `&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;"`
	if !strings.Contains(html, want) {
		t.Errorf("the page does not say %s", want)
	}
	if strings.Index(html, "Content-Security-Policy") > strings.Index(html, "<style>") {
		t.Error("the policy stands behind what it is about")
	}
}

func TestTheStateIsTheGravest(t *testing.T) {
	pairs := func(states ...State) Page {
		var p Page
		for _, s := range states {
			p.Pairs = append(p.Pairs, Pair{State: s, Copy: "target"})
		}
		return p
	}
	leftOut, running := pairs(Clean), pairs(Clean)
	leftOut.LeftOut, running.Running = []string{"shapes"}, true
	for _, c := range []struct {
		page Page
		want State
		says string
	}{
		{pairs(Clean, Clean), Clean, "All 2 pairs agree"},
		{pairs(Clean), Clean, "All 0 rows of the source are at the target"},
		{pairs(Clean, CountsAgree), CountsAgree, "a hint and no proof"},
		{pairs(CountsAgree, Unsettled), Unsettled, "rows kept changing"},
		{pairs(Unsettled, Different), Different, "1 of 2 pairs"},
		{pairs(Different, Incomplete), Incomplete, "1 pair is only compared in part"},
		{pairs(Clean, Pending), Incomplete, "1 pair was not compared"},
		{leftOut, Incomplete, "1 table was left out"},
		{running, Incomplete, "was at work"},
		{Page{}, Incomplete, "Nothing was compared"},
	} {
		if got := c.page.State(); got != c.want || !strings.Contains(c.page.sentence(), c.says) {
			t.Errorf("%v, %q; want %v, %q", got, c.page.sentence(), c.want, c.says)
		}
		html := render(t, c.page)
		if clean := strings.Contains(html, "<h1>Clean</h1>"); clean != (c.want == Clean) || !strings.Contains(html, "<h1>"+c.want.String()+"</h1>") {
			t.Errorf("%v: the page says otherwise", c.want)
		}
	}
}

func TestSentencesOfPairs(t *testing.T) {
	p := Pair{Mode: "full", Copy: "target", Authority: "source", Source: Table{Rows: 12345}, Target: Table{Rows: 1}}
	for _, c := range []struct {
		state State
		mode  string
		found Kinds
		want  string
	}{
		{Different, "full", Kinds{1, 0, 0}, "1 row differs: 1 missing at the target."},
		{Different, "full", Kinds{1, 20, 0}, "21 rows differ: 1 missing at the target, 20 not equal."},
		{Incomplete, "full", Kinds{0, 0, 2}, "there may be more than these: 2 rows differ: 2 only at the target."},
		{Incomplete, "full", Kinds{}, "says nothing about the rest"},
		{Clean, "reverse", Kinds{}, "Rows that the target lacks were not looked for."},
		{Clean, "full", Kinds{}, "All 12\u202f345 rows of the source"},
		{CountsAgree, "count", Kinds{}, "a hint and no proof"},
		{Different, "count", Kinds{}, "The source holds 12\u202f345 rows, the target 1."},
		{Pending, "full", Kinds{}, "not compared"},
	} {
		p.State, p.Mode, p.Found = c.state, c.mode, c.found
		if got := p.sentence(); !strings.Contains(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
