// Package page opens the validator's status page in a real browser: headless
// Chromium, with the real validator, databases and Kafka behind it. It is a module of
// its own because the browser's driver is nothing the product needs.
package page

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/trueup/trueup/internal/testenv"
)

const orders = "CREATE TABLE orders (id BIGINT PRIMARY KEY, state VARCHAR(40) NOT NULL)"

// TestThePageFollowsWhatHappens from the first run to the repair, without being
// loaded again, and asks nothing of anybody but its own service.
func TestThePageFollowsWhatHappens(t *testing.T) {
	w := newWorld(t, "")
	w.fill(2000)
	testenv.Exec(t, w.target, "DELETE FROM orders WHERE id = 7", "UPDATE orders SET state = 'wrong' WHERE id = 9")
	v := w.start("validator")
	b := open(t, v.url, 1280, 900)
	b.run(chromedp.Evaluate(`document.body.dataset.stays = "yes"`, nil))
	b.says("#pairs", "orders", "No verdict yet", "none is scheduled", "verified until")
	b.says("#lag", "0 findings are not settled", "partition 5")
	b.says("#governors", "source reads", "target reads", "running", "canary")

	w.trueup("run", "orders", "--server", v.url)
	b.says("#pairs", "Different", "last full run", "2 found", "2 open rows", "missing in the copy", "unequal", "under 1 min")
	b.says("#summary", "Different", "orders: 2 rows open.")
	b.says("#said", "Different")
	b.says("#lag", "2 findings are not settled")
	b.shoot("different")

	w.start("fixer", "--listen", "127.0.0.1:0")
	b.says("#outcomes", "id=7", "id=9", "repaired insert", "repaired update", "after it was found")
	b.says("#lag", "0 findings are not settled")
	b.says("#pairs", "Different", "0 open rows") // a repair is no verification
	w.trueup("run", "orders", "--server", v.url)
	b.says("#summary", "Clean", "orders: no row open.")
	w.trueup("pause", "orders", "--server", v.url, "--who", "ann", "--why", `<script>alert("x")</script>`)
	b.says("#pairs", "paused", `by ann at`, `<script>alert("x")</script>`, "trueup resume orders")
	b.shoot("clean")
	if stays := evaluate[string](b, `document.body.dataset.stays`); stays != "yes" {
		t.Error("the page was loaded anew")
	}
	b.quiet(v.url)
}

// TestWhatAPersonIsDoingIsLeftAlone while the page follows: focus, selection, what is
// folded out and what is being typed.
func TestWhatAPersonIsDoingIsLeftAlone(t *testing.T) {
	w := newWorld(t, "")
	w.fill(10)
	v := w.start("validator")
	b := open(t, v.url, 1280, 900)
	b.says("#pairs", "No verdict yet")
	b.run(chromedp.SendKeys("#key", "id=4", chromedp.ByQuery), chromedp.Evaluate(`document.querySelector("#pairs summary").click(); document.querySelector("#pairs summary").focus()`, nil))
	w.trueup("run", "orders", "--server", v.url)
	b.says("#pairs", "Clean")
	for what, question := range map[string]string{
		"the commands are folded out": `document.querySelector("#pairs details").open`,
		"the focus is where it was":   `document.activeElement === document.querySelector("#pairs summary")`,
		"what was typed is there":     `document.querySelector("#key").value === "id=4"`,
	} {
		if !evaluate[bool](b, question) {
			t.Errorf("no longer so: %s", what)
		}
	}
	b.run(chromedp.Evaluate(`getSelection().selectAllChildren(document.querySelector("#pairs pre code"))`, nil))
	w.trueup("pause", "orders", "--server", v.url, "--who", "ann", "--why", "lunch")
	const answers = `performance.getEntriesByType("resource").filter(e => e.initiatorType === "fetch").length`
	before := evaluate[int](b, answers)
	b.until("the page has asked twice since", fmt.Sprintf("%s > %d", answers, before+2))
	if got := evaluate[string](b, `getSelection().toString()`); got != "trueup run --mode full orders" {
		t.Errorf("selected is %q", got)
	}
	b.run(chromedp.Evaluate(`getSelection().removeAllRanges()`, nil))
	b.says("#pairs", "lunch")
	b.quiet(v.url)
}

// TestTheKeyboardReachesTheStoryOfARow from the top of the page, by tabs alone.
func TestTheKeyboardReachesTheStoryOfARow(t *testing.T) {
	w := newWorld(t, "")
	w.fill(50)
	testenv.Exec(t, w.target, "UPDATE orders SET state = 'secret of the row' WHERE id = 9")
	v := w.start("validator")
	w.trueup("run", "orders", "--server", v.url)
	w.start("fixer", "--listen", "127.0.0.1:0")
	b := open(t, v.url, 1280, 900)
	b.says("#outcomes", "id=9", "repaired update")
	var stops []string
	for range 40 {
		b.press("\t")
		stop := evaluate[string](b, `document.activeElement.id || document.activeElement.className || document.activeElement.tagName`)
		if visible := evaluate[bool](b, `getComputedStyle(document.activeElement).outlineStyle !== "none"`); !visible {
			t.Errorf("%s does not show that it has the focus", stop)
		}
		if stops = append(stops, stop); stop == "key" {
			break
		}
	}
	if stops[0] != "skip" || stops[len(stops)-1] != "key" {
		t.Fatalf("tabs lead to %v", stops)
	}
	b.press("id=9\r")
	b.says("main", "orders id=9", "found", "unequal: state", "repaired", "unequal: update state", "http.show_rows")
	if said := evaluate[string](b, `document.body.innerText`); strings.Contains(said, "secret of the row") {
		t.Error("the page shows what the row held")
	}
	b.shoot("story")
	b.run(chromedp.Navigate(v.url+"/history?pair=orders&key=12345678"), chromedp.WaitVisible("#story", chromedp.ByQuery))
	b.says("main", "The topics say nothing about that row")
	b.quiet(v.url)
}

// TestThePageFitsAPhone upright, in light and in dark.
func TestThePageFitsAPhone(t *testing.T) {
	w := newWorld(t, "")
	w.fill(300)
	testenv.Exec(t, w.target, "DELETE FROM orders WHERE id < 30")
	v := w.start("validator")
	w.trueup("run", "orders", "--server", v.url)
	b := open(t, v.url, 360, 740)
	b.says("#pairs", "29 open rows")
	w.start("fixer", "--listen", "127.0.0.1:0")
	b.says("#outcomes", "repaired insert")
	light := evaluate[string](b, `getComputedStyle(document.body).backgroundColor`)
	for _, address := range []string{"/", "/history?pair=orders&key=7"} {
		b.run(chromedp.Navigate(v.url+address), chromedp.WaitVisible("form", chromedp.ByQuery))
		b.says("main", "trueup")
		if wide := evaluate[int](b, `document.documentElement.scrollWidth`); wide > 360 {
			t.Errorf("%s is %d pixels wide", address, wide)
		}
		if small := evaluate[string](b, `[...document.querySelectorAll("input,select,button")].filter(e => e.getBoundingClientRect().height < 44).map(e => e.id).join()`); small != "" {
			t.Errorf("%s: too small for a finger: %s", address, small)
		}
	}
	b.run(chromedp.Navigate(v.url))
	b.says("#outcomes", "repaired insert")
	b.shoot("phone")
	b.dark()
	if evaluate[string](b, `getComputedStyle(document.body).backgroundColor`) == light {
		t.Error("dark is as light")
	}
	b.shoot("phone-dark")
	b.quiet(v.url)
}

// TestWithoutScriptThePageIsLoadedAgain by the browser itself.
func TestWithoutScriptThePageIsLoadedAgain(t *testing.T) {
	w := newWorld(t, "")
	w.fill(10)
	v := w.start("validator")
	b := open(t, v.url, 1280, 900)
	b.withoutScript()
	b.run(chromedp.Navigate(v.url))
	w.trueup("run", "orders", "--server", v.url)
	b.says("#pairs", "Clean")
	b.quiet(v.url)
}

// TestAValidatorThatIsGoneIsSaidToBe and is followed again once it is back.
func TestAValidatorThatIsGoneIsSaidToBe(t *testing.T) {
	w := newWorld(t, "")
	w.fill(10)
	v := w.start("validator")
	b := open(t, v.url, 1280, 900)
	b.says("#pairs", "No verdict yet")
	v.kill()
	b.says("main", "The validator does not answer since")
	again := w.start("validator", "--listen", strings.TrimPrefix(v.url, "http://"))
	b.until("the page follows again", `document.getElementById("silence").hidden`)
	w.trueup("run", "orders", "--server", again.url)
	b.says("#pairs", "Clean")
}

// TestABrowserGivesTheTokenAsAPassword and may look, and no more.
func TestABrowserGivesTheTokenAsAPassword(t *testing.T) {
	w := newWorld(t, `, token: "correct-horse-battery"`)
	w.fill(10)
	v := w.start("validator")
	b := open(t, strings.Replace(v.url, "://", "://ann:correct-horse-battery@", 1), 1280, 900)
	b.says("#pairs", "No verdict yet")
	w.trueup("run", "orders", "--config", w.config, "--server", v.url)
	b.says("#pairs", "Clean")
	answer := `fetch(location.origin + "/api/v1/StartRun", {method: "POST", headers: {"Content-Type": "application/json"}, body: '{"pair":"orders"}'}).then(r => String(r.status))`
	if status := evaluate[string](b, answer); status != "401" {
		t.Errorf("a page may start runs: %s", status)
	}
}

// TestThePageMayAskNobodyElse whatever came into it, and the browser's complaint is heard.
func TestThePageMayAskNobodyElse(t *testing.T) {
	w := newWorld(t, "")
	w.fill(10)
	v := w.start("validator")
	b := open(t, v.url, 1280, 900)
	b.says("#pairs", "No verdict yet")
	for _, attempt := range []string{
		`fetch("http://127.0.0.1:1/").then(() => "done", () => "refused")`,
		`new Promise(end => { const i = new Image(); i.onload = () => end("done"); i.onerror = () => end("refused"); i.src = "/favicon.ico"; document.body.append(i) })`,
		`new Promise(end => { const s = document.createElement("script"); s.textContent = "window.ran = 1"; document.body.append(s); end(window.ran ? "done" : "refused") })`,
		`new Promise(end => { document.body.setAttribute("style", "color: rgb(1, 2, 3)"); end(getComputedStyle(document.body).color === "rgb(1, 2, 3)" ? "done" : "refused") })`,
	} {
		before := b.complained()
		if got := evaluate[string](b, attempt); got != "refused" {
			t.Errorf("%s: %s", attempt, got)
		}
		b.heardMore(before)
	}
}
