package statuspage_test

import (
	"crypto/sha256"
	"encoding/base64"
	"math"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/trueup/trueup/pkg/statuspage"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// markup stands in everything that comes from outside.
const markup = `<script>alert("x")</script><img src=x onerror=alert(1)>`

// full is a page on which everything is shown, with a text in all that comes from
// outside.
func full(text string) statuspage.Page {
	track, bands := []statuspage.Point{}, []statuspage.Band{}
	for i := range 120 {
		at := noon.Add(time.Duration(i-120) * 5 * time.Second)
		track = append(track, statuspage.Point{At: at, Value: 0.6 + 0.5*math.Sin(float64(i)/9)})
		state := "running"
		if i > 40 && i < 55 {
			state = "paused"
		}
		bands = append(bands, statuspage.Band{At: at, State: state, Part: float64(i%7) / 7})
	}
	return statuspage.Page{
		Version: "v1", Now: noon, Window: 10 * time.Minute, Names: []string{text, "items"},
		Unmet: []statuspage.Condition{{Name: "kafka", Detail: text}}, Noted: []statuspage.Condition{{Name: "clocks", Detail: text}},
		Pairs: []statuspage.Pair{
			{
				Name: text, Phase: "paused", Authority: "source", Epoch: 1, NextStart: noon.Add(3 * time.Hour), Pending: []string{"reverse"},
				Order: &statuspage.Order{Who: text, Why: text, At: noon.Add(-time.Minute)},
				Run:   &statuspage.Run{Mode: "full", Began: noon.Add(-time.Minute), Done: 1_234_567, Total: 4_000_000, Remaining: 3 * time.Minute},
				Verdicts: []statuspage.Verdict{
					{Mode: "full", Complete: true, Found: 3, Ended: noon.Add(-time.Hour)}, {Mode: "reverse", Reason: text, Ended: noon.Add(-24 * time.Hour)},
				},
				Standing: statuspage.Standing{
					Line: text, Known: true, AsOf: noon, Open: 3, Oldest: noon.Add(-2 * time.Hour), Until: noon.Add(-4 * time.Second), By: "the incremental run",
					Behind: 4 * time.Second, Held: text, Kinds: []statuspage.Kind{{Name: "neq", Open: 3, Ages: [4]int{1, 0, 2, 0}}}, HeldUp: []statuspage.Count{{Name: "held", N: 2}},
				},
			},
			{
				Name: "items", Phase: "complete", Authority: "source", Epoch: 1,
				Verdicts: []statuspage.Verdict{{Mode: "full", Complete: true, Clean: true, Ended: noon.Add(-time.Hour)}},
				Standing: statuspage.Standing{Line: "items: everything changed before 11:59:58 is verified equal; no row open", Known: true, AsOf: noon},
			},
		},
		Governors: []statuspage.Governor{
			{Name: "source reads", State: "running", Workers: 4, Most: 6, Share: 1, Running: 3, Waiting: 1, Track: bands, Signals: []statuspage.Signal{
				{Name: "canary", Value: "4.2 ms", Limit: "20 ms", Utilisation: 0.21, Track: track}, {Name: "lag", Stale: true, Why: text},
			}},
			{Name: "target reads", State: "paused", Reason: text, Since: noon.Add(-time.Minute), Track: bands},
		},
		Groups: []statuspage.Group{
			{Name: text, At: noon, Err: text, Lag: []statuspage.Partition{{Number: 0}, {Number: 1, Lag: 12_345}}},
			{Name: text, Retries: true, At: noon, Lag: []statuspage.Partition{{Number: 3, Lag: 2}}},
		},
		Outcomes: []statuspage.Outcome{
			{ID: "0-1", At: noon, Pair: text, Key: "id=" + text, Kind: "neq", Result: "dead", Class: "refused", Reason: text},
			{ID: "0-0", At: noon.Add(-time.Second), Pair: "items", Key: "id=7", Kind: "neq", Result: "repaired", Action: "update", Took: 1500 * time.Millisecond},
		},
	}
}

// served is a page as a browser reads it.
type served struct {
	*httptest.ResponseRecorder
	root *html.Node
}

func serve(t *testing.T, write func(*httptest.ResponseRecorder)) served {
	t.Helper()
	w := httptest.NewRecorder()
	write(w)
	root, err := html.Parse(strings.NewReader(w.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	return served{w, root}
}

func status(t *testing.T, p statuspage.Page) served {
	return serve(t, func(w *httptest.ResponseRecorder) { p.Serve(w) })
}

// all are the elements that satisfy a condition.
func (s served) all(is func(*html.Node) bool) (found []*html.Node) {
	for n := range s.root.Descendants() {
		if n.Type == html.ElementNode && is(n) {
			found = append(found, n)
		}
	}
	return found
}

func (s served) named(names ...string) []*html.Node {
	return s.all(func(n *html.Node) bool {
		for _, name := range names {
			if n.Data == name {
				return true
			}
		}
		return false
	})
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// text is what a person reads, without what is style and script.
func text(n *html.Node) string {
	var out strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode && c.Parent.Data != "script" && c.Parent.Data != "style" {
			out.WriteString(c.Data + " ")
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

func TestThePageSaysHowEverythingStands(t *testing.T) {
	said := text(status(t, full("orders")).root)
	for _, want := range []string{
		"2 pairs: 1 clean, 1 different; 3 rows open.", "paused by orders at 11:59:00: orders", "1,234,567 of about 4,000,000 rows (31 %), about 3 min left",
		"3 open rows oldest 2 h ago", "11:59:56 verified until 4 s behind, by the incremental run", "≠ Different last full run 60 min ago, 3 found",
		"! Not complete last reverse run 24 h ago; orders", "in 3 h next run 15:00:00 UTC; waiting: reverse", "Open rows by kind and age; 2 held", "unequal neq 3 1 0 2 0",
		"trueup resume orders", "4 of 6 statements at once; 3 at work, 1 waiting", "canary 4.2 ms of 20 ms (21 %)", "lag cannot be measured: orders",
		"12,345 findings are not settled by the group orders", "partition 1 12,345", "2 findings were put off and are tried again by the group orders", "partition 3 2", "dead refused orders", "repaired update 1.5 s after it was found", "Not ready kafka : orders",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(said)
	}
}

// TestNothingFromOutsideBecomesMarkup is about names, keys, reasons and errors.
func TestNothingFromOutsideBecomesMarkup(t *testing.T) {
	search := statuspage.Search{
		Now: noon, Names: []string{markup}, Pair: markup, Key: markup, Since: markup, Problem: markup, Asked: true,
		Story: []statuspage.Entry{{At: noon, Pair: "p", Event: markup, Columns: []string{markup}, Reason: markup, Values: []statuspage.Value{{markup, markup, markup}}}},
	}
	unfound := search
	unfound.Problem = ""
	for name, page := range map[string]served{
		"status": status(t, full(markup)), "starting": status(t, statuspage.Page{Names: []string{markup}}),
		"search": serve(t, func(w *httptest.ResponseRecorder) { search.Serve(w, 400) }),
		"story":  serve(t, func(w *httptest.ResponseRecorder) { unfound.Serve(w, 200) }),
	} {
		scripts := page.named("script")
		if len(scripts) > 1 || len(page.named("img", "iframe", "object")) > 0 {
			t.Errorf("%s: %d scripts, %d images", name, len(scripts), len(page.named("img")))
		}
		for _, n := range page.all(func(*html.Node) bool { return true }) {
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
					t.Errorf("%s: <%s %s=%q>", name, n.Data, a.Key, a.Val)
				}
			}
		}
	}
	if said := text(status(t, full(markup)).root); strings.Count(said, markup) < 15 {
		t.Errorf("what comes from outside is not shown as it is:\n%s", said)
	}
}

// TestThePolicyAllowsTheStyleAndTheScriptOfThePageAlone by their digests, as a
// browser works them out.
func TestThePolicyAllowsTheStyleAndTheScriptOfThePageAlone(t *testing.T) {
	page := status(t, full("orders"))
	policy := page.Header().Get("Content-Security-Policy")
	for _, n := range page.named("style", "script") {
		sum := sha256.Sum256([]byte(n.FirstChild.Data))
		if want := n.Data + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) {
			t.Errorf("%s is not in %s", want, policy)
		}
	}
	for _, want := range []string{"default-src 'none'", "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("%s is not in %s", want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Error(policy)
	}
	for _, n := range page.named("a", "link", "script", "form") {
		for _, name := range []string{"href", "src", "action"} {
			if to := attribute(n, name); strings.Contains(to, "//") && !strings.HasPrefix(to, "data:") {
				t.Errorf("<%s> leads to %s", n.Data, to)
			}
		}
	}
	if size := page.Body.Len(); size > 60_000 {
		t.Errorf("the page has %d bytes", size)
	}
}

// TestWhatIsReplacedCanBeFoundAgain: each part that is kept up to date, and all that
// can be focused in one, has a name of its own.
func TestWhatIsReplacedCanBeFoundAgain(t *testing.T) {
	page := status(t, full("orders"))
	seen := map[string]bool{}
	for _, n := range page.all(func(n *html.Node) bool { return attribute(n, "id") != "" }) {
		if id := attribute(n, "id"); seen[id] {
			t.Errorf("two elements are %q", id)
		} else {
			seen[id] = true
		}
	}
	live := page.all(func(n *html.Node) bool {
		for _, a := range n.Attr {
			if a.Key == "data-live" {
				return true
			}
		}
		return false
	})
	if len(live) != 6 {
		t.Errorf("%d parts are kept up to date", len(live))
	}
	for _, part := range live {
		if attribute(part, "id") == "" {
			t.Errorf("<%s> has no name", part.Data)
		}
		for n := range part.Descendants() {
			if (n.Data == "a" || n.Data == "summary" || n.Data == "details" || attribute(n, "tabindex") != "") && n.Type == html.ElementNode && attribute(n, "id") == "" {
				t.Errorf("<%s> in %s has no name", n.Data, attribute(part, "id"))
			}
		}
	}
	for _, label := range page.named("label") {
		if !seen[attribute(label, "for")] {
			t.Errorf("a label is for %q", attribute(label, "for"))
		}
	}
	for _, n := range page.all(func(n *html.Node) bool { return attribute(n, "aria-labelledby") != "" }) {
		if !seen[attribute(n, "aria-labelledby")] {
			t.Errorf("<%s> is labelled by %q", n.Data, attribute(n, "aria-labelledby"))
		}
	}
}

func TestAnOutcomeLeadsToTheStoryOfItsRow(t *testing.T) {
	o := statuspage.Outcome{Pair: "a&b", Key: `k="x=1, y"`}
	if got := o.Link(); got != "history?key=k%3D%22x%3D1%2C+y%22&pair=a%26b" {
		t.Error(got)
	}
}

func TestACommandIsSafeToPaste(t *testing.T) {
	for name, want := range map[string]string{
		"orders": "trueup resume orders", "orders@shop_0.orders": "trueup resume orders@shop_0.orders", "a b": "trueup resume 'a b'",
		"$(rm -rf ~)": "trueup resume '$(rm -rf ~)'", "it's": `trueup resume 'it'\''s'`, "-x": "trueup resume -- '-x'", "~root": "trueup resume '~root'", "x\ny": "trueup resume 'x\ny'",
	} {
		if got := (statuspage.Pair{Name: name, Phase: "paused"}).Commands()[0].Line; got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}
