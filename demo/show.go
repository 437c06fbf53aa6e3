package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// show is what the visitor sees: numbered stages, lines, and progress that
// moves on a terminal and is a plain line elsewhere.
type show struct {
	out      io.Writer
	terminal bool
	begun    time.Time
	number   int
}

func newShow(out io.Writer) *show {
	file, isFile := out.(*os.File)
	return &show{out: out, terminal: isFile && term.IsTerminal(int(file.Fd())), begun: time.Now()}
}

func (s *show) stage(title string) {
	s.number++
	fmt.Fprintf(s.out, "\n%d. %s  [%.1f s]\n", s.number, title, time.Since(s.begun).Seconds())
}

func (s *show) say(format string, args ...any) {
	fmt.Fprintf(s.out, "   "+format+"\n", args...)
}

// barWidth keeps a line of progress, with its counts and rate, within the 80
// columns of a small terminal; a longer line would wrap and leave its traces.
const barWidth = 20

// progress shows how far something is. Close it before saying anything else.
type progress struct {
	show  *show
	what  string
	total int64
	bar   *progressbar.ProgressBar
	quart int64
}

func (s *show) progress(what string, total int64) *progress {
	p := &progress{show: s, what: what, total: total}
	if s.terminal {
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(s.out), progressbar.OptionSetDescription("   "+what),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("rows"),
			progressbar.OptionSetWidth(barWidth), progressbar.OptionSetPredictTime(false),
			progressbar.OptionThrottle(50*time.Millisecond))
	}
	return p
}

// at shows that n of the total are done.
func (p *progress) at(n int64) {
	n = min(n, p.total)
	if p.bar != nil {
		_ = p.bar.Set64(n) // a bar that cannot be drawn stops nothing
		return
	}
	if quarter := 4 * n / max(p.total, 1); quarter > p.quart {
		p.quart = quarter
		p.show.say("%s: %d of %d", p.what, n, p.total)
	}
}

func (p *progress) close() {
	if p.bar != nil {
		fmt.Fprintln(p.show.out)
	}
}
