package page

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// pictures is the directory to keep screenshots in; empty for none.
var pictures = os.Getenv("TRUEUP_PICTURES")

// program is the browser; empty where there is none.
func program() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// needsBrowser skips a test aloud where no browser is, which `make page-test` takes
// for a failure.
func needsBrowser(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a real browser, which -short leaves out")
	}
	if program() == "" {
		t.Skip("needs Chromium (Debian: apt-get install chromium): the page was NOT looked at")
	}
}

// browser is a tab of a headless browser of a test's own.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu sync.Mutex
	// complaints are what stands on the console, asked what was asked for.
	complaints, asked []string
}

// open opens an address in a window of a size, in light colours.
func open(t *testing.T, address string, width, height int) *browser {
	t.Helper()
	profile, process := t.TempDir(), (*exec.Cmd)(nil)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program()),
		chromedp.NoSandbox, // root may not have one
		chromedp.UserDataDir(profile), chromedp.WSURLReadTimeout(patience),
		chromedp.ModifyCmdFunc(func(c *exec.Cmd) {
			c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			process = c
		}))
	parent, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	ctx, _ := chromedp.NewContext(parent)
	t.Cleanup(func() {
		cancel()
		gone(t, process, profile)
	})
	b := &browser{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, b.hear)
	b.run(log.Enable(), network.Enable(), runtime.Enable(), chromedp.EmulateViewport(int64(width), int64(height)), scheme("light"), chromedp.Navigate(address))
	return b
}

// gone ends what is left of a browser. Its first process is the only one that chromedp
// ends and waits for; the others go on writing into its profile for a moment, and more
// than once a directory was not empty when the testing package removed it.
func gone(t *testing.T, browser *exec.Cmd, profile string) {
	t.Helper()
	if browser == nil || browser.Process == nil {
		return
	}
	_ = syscall.Kill(-browser.Process.Pid, syscall.SIGKILL) // all of them may have ended
	pulse := time.NewTicker(10 * time.Millisecond)
	defer pulse.Stop()
	late := time.After(patience)
	for {
		err := os.RemoveAll(profile)
		if err == nil {
			return
		}
		select {
		case <-pulse.C:
		case <-late:
			t.Errorf("remove the browser's profile: %v", err)
			return
		}
	}
}

func (b *browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, fmt.Sprintf("%s: %s (%s)", e.Entry.Level, e.Entry.Text, e.Entry.URL))
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, "console."+string(e.Type))
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Error())
	case *network.EventLoadingFailed:
		if !e.Canceled { // as what a page was still asking for when it was left
			b.complaints = append(b.complaints, fmt.Sprintf("%s: %s", e.Type, e.ErrorText))
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			b.complaints = append(b.complaints, fmt.Sprintf("%d from %s", e.Response.Status, e.Response.URL))
		}
	case *network.EventRequestWillBeSent:
		b.asked = append(b.asked, e.Request.URL)
	}
}

// run does something in the browser, within patience.
func (b *browser) run(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Run(b.ctxOf(ctx), actions...); err != nil {
		b.t.Fatalf("in the browser: %v", err)
	}
}

// ctxOf keeps the first call, which starts the browser, from binding it to a time-out.
func (b *browser) ctxOf(bounded context.Context) context.Context {
	if chromedp.FromContext(b.ctx).Target == nil {
		return b.ctx
	}
	return bounded
}

// evaluate is what an expression, or its promise, comes to.
func evaluate[T any](b *browser, expression string) T {
	b.t.Helper()
	var value T
	b.run(chromedp.Evaluate(expression, &value, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return value
}

// until waits for an expression, or its promise, to be true.
func (b *browser) until(what, expression string) {
	b.t.Helper()
	pulse := time.NewTicker(100 * time.Millisecond)
	defer pulse.Stop()
	for deadline := time.Now().Add(patience); !evaluate[bool](b, "Promise.resolve("+expression+").then(Boolean, () => false)"); <-pulse.C {
		if time.Now().After(deadline) {
			b.t.Fatalf("not so after %s: %s\nthe page says:\n%s", patience, what, evaluate[string](b, "document.body.innerText"))
		}
	}
}

// says waits until a part of the page, as a person reads it, says all the texts.
func (b *browser) says(part string, texts ...string) {
	b.t.Helper()
	wanted, err := json.Marshal(texts)
	if err != nil {
		b.t.Fatal(err)
	}
	b.until(fmt.Sprintf("%s says %q", part, texts),
		fmt.Sprintf(`(() => { const said = document.querySelector(%q)?.textContent.replace(/\s+/g, " ") ?? "", shown = document.querySelector(%q)?.innerText.replace(/\s+/g, " ") ?? "";`+
			`return %s.every(t => shown.includes(t) || said.includes(t)) })()`, part, part, wanted))
}

// press presses keys, one after the other.
func (b *browser) press(keys string) {
	b.t.Helper()
	b.run(chromedp.KeyEvent(keys))
}

func scheme(name string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}})
}

func (b *browser) dark() { b.run(scheme("dark")) }

func (b *browser) withoutScript() { b.run(emulation.SetScriptExecutionDisabled(true)) }

// shoot keeps a picture of the whole page where somebody asked for pictures.
func (b *browser) shoot(name string) {
	b.t.Helper()
	if pictures == "" {
		return
	}
	var png []byte
	b.run(chromedp.FullScreenshot(&png, 100))
	if err := os.WriteFile(filepath.Join(pictures, name+".png"), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// quiet fails the test when the browser complained of anything, or asked anybody but
// the service.
func (b *browser) quiet(service string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.complaints) > 0 {
		b.t.Errorf("the browser complains: %s", strings.Join(b.complaints, "\n"))
	}
	home, err := url.Parse(service)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, address := range b.asked {
		if u, err := url.Parse(address); err != nil || u.Scheme != "data" && u.Host != home.Host {
			b.t.Errorf("the page asks for %s", address)
		}
	}
}

// complained is the number of complaints so far.
func (b *browser) complained() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.complaints)
}

// heardMore waits until there are more complaints than before.
func (b *browser) heardMore(before int) {
	b.t.Helper()
	pulse := time.NewTicker(10 * time.Millisecond)
	defer pulse.Stop()
	for deadline := time.Now().Add(patience); b.complained() == before; <-pulse.C {
		if time.Now().After(deadline) {
			b.t.Fatal("the browser does not complain")
		}
	}
}
