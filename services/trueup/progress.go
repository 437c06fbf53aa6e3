package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/validate"
)

// progress shows how a run gets on; it is the run's Observer.
type progress interface {
	validate.Observer
	// pause clears the way for a line on the terminal.
	pause()
	// done ends the display of a run.
	done()
}

// newProgress is a bar on a terminal, lines elsewhere, and nothing but
// warnings when quiet, or for a program that reads JSON.
func newProgress(stderr io.Writer, quiet, json bool) progress {
	lines := &lines{w: stderr, every: lineEvery}
	file, ok := stderr.(*os.File)
	switch {
	case quiet:
		return &warnings{w: stderr}
	case ok && term.IsTerminal(int(file.Fd())):
		return &bar{lines: lines}
	case json:
		return &warnings{w: stderr}
	default:
		return lines
	}
}

// lineEvery is the time between two lines of progress in a log.
const lineEvery = 10 * time.Second

// warnings shows what must be known and nothing else.
type warnings struct {
	validate.NopObserver
	w io.Writer
}

func (w *warnings) pause() {}
func (w *warnings) done()  {}

func (w *warnings) Warn(pair, message string) {
	fmt.Fprintf(w.w, "trueup: %s: %s\n", pair, message)
}

func (w *warnings) RangeDone(r validate.RangeReport) {
	if r.Unreadable != nil {
		fmt.Fprintf(w.w, "trueup: %s: range %s could not be read: %v\n", r.Pair, r.Range, r.Unreadable)
	}
}

// lines prints a line every few seconds.
type lines struct {
	w     io.Writer
	every time.Duration

	mu      sync.Mutex
	pair    string
	total   int64
	scanned int64
	begun   time.Time
	shown   time.Time
}

func (l *lines) pause() {}
func (l *lines) done()  {}

func (l *lines) Started(s validate.Start) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pair, l.total, l.scanned = s.Pair, s.Rows, s.Done
	l.begun = time.Now()
	l.shown = l.begun
}

func (l *lines) RangeDone(r validate.RangeReport) {
	(&warnings{w: l.w}).RangeDone(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.scanned += r.Scanned
	if now := time.Now(); now.Sub(l.shown) >= l.every {
		l.shown = now
		fmt.Fprintf(l.w, "trueup: %s: %s\n", l.pair, l.state(now))
	}
}

// state is "1200000 of about 2000000 rows, 60 %, 85000 rows/s, 10s left".
func (l *lines) state(now time.Time) string {
	took := now.Sub(l.begun).Seconds()
	text := fmt.Sprintf("%d of about %d rows", l.scanned, l.total)
	if l.total > 0 && l.scanned <= l.total {
		text += fmt.Sprintf(", %d %%", l.scanned*100/l.total)
	}
	if took <= 0 || l.scanned == 0 {
		return text
	}
	rate := float64(l.scanned) / took
	text += fmt.Sprintf(", %.0f rows/s", rate)
	if left := float64(l.total - l.scanned); left > 0 {
		text += fmt.Sprintf(", %v left", time.Duration(left/rate*float64(time.Second)).Round(time.Second))
	}
	return text
}

func (l *lines) Suspects(validate.SuspectReport) {}

// ReadFailed tells of what is tried again. A permanent fault ends the run, and
// stands in its error.
func (l *lines) ReadFailed(f validate.Failure) {
	if e, ok := errors.AsType[*database.Error](f.Err); ok && e.Permanent() {
		return
	}
	fmt.Fprintf(l.w, "trueup: %s: read %s, attempt %d: %v\n", f.Pair, f.Reading, f.Attempt, f.Err)
}

func (l *lines) Warn(pair, message string) {
	(&warnings{w: l.w}).Warn(pair, message)
}

// bar draws a progress bar with rate and time left on a terminal.
type bar struct {
	*lines
	mu  sync.Mutex
	bar *progressbar.ProgressBar
}

func (b *bar) Started(s validate.Start) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bar = progressbar.NewOptions64(max(s.Rows, 1),
		progressbar.OptionSetWriter(b.w),
		progressbar.OptionSetDescription(s.Pair),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("rows"),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionFullWidth(),
		progressbar.OptionClearOnFinish(),
	)
	_ = b.bar.Set64(s.Done) // a bar that cannot be drawn stops nothing
}

func (b *bar) RangeDone(r validate.RangeReport) {
	if r.Unreadable != nil {
		b.pause()
		(&warnings{w: b.w}).RangeDone(r)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar == nil {
		return
	}
	// The total is an estimate: a table that is larger must not end the bar early.
	if now := b.bar.State().CurrentNum + r.Scanned; now >= b.bar.GetMax64() {
		b.bar.ChangeMax64(now + now/50 + 1)
	}
	_ = b.bar.Add64(r.Scanned)
}

func (b *bar) pause() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		_ = b.bar.Clear()
	}
}

func (b *bar) done() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		_ = b.bar.Finish()
		b.bar = nil
	}
}

func (b *bar) ReadFailed(f validate.Failure) {
	b.pause()
	b.lines.ReadFailed(f)
}

func (b *bar) Warn(pair, message string) {
	b.pause()
	b.lines.Warn(pair, message)
}
