package validate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schema"
)

// WindowReader counts rows of one database by time. What Reader says of
// completed reads and errors holds here as well.
type WindowReader interface {
	// Span is the first and the last time in a column; zero times without rows.
	Span(ctx context.Context, v *schema.View, c schema.Column) (first, last time.Time, err error)
	// CountWindows counts rows window by window, without those that have none.
	CountWindows(ctx context.Context, v *schema.View, w schema.Windows) ([]schema.WindowRows, error)
	// During is the condition that a column lies in a stretch of time, in the
	// engine's SQL: a zero time leaves that end open, two ask for NULL.
	During(c schema.Column, from, until time.Time) string
}

// ByTime asks a run that counts to do so by windows of time.
type ByTime struct {
	schema.Timeline
	// Width is the length of a window, in whole seconds; 0 chooses one.
	Width          time.Duration
	Source, Target WindowReader
}

// Place in time that is no window.
const (
	PlaceBefore = "before"
	PlaceAfter  = "after"
	PlaceNone   = "no time"
)

// Window is a stretch of time in which the sides have different numbers of rows.
type Window struct {
	// From and Until bound it, in UTC: From belongs to it and Until does not. A
	// zero time leaves an end open.
	From, Until time.Time
	// Place is empty, or says which rows without a window these are.
	Place          string
	Source, Target int64
	// SourceWhere and TargetWhere choose these rows, each in its engine's SQL;
	// empty where no condition does.
	SourceWhere, TargetWhere string
}

// Windows is what counting by time gave.
type Windows struct {
	Column string
	Width  time.Duration
	// Counted is the number of windows, and Unequal how many of them, and of
	// the places outside, differ. Listed holds the first of these.
	Counted, Unequal int
	Listed           []Window
	// During is the condition that a row lies in a stretch of time, for each
	// side; see WindowReader.
	During func(from, until time.Time) (source, target string)
}

const (
	// autoWindows is how many windows there are at most when their length is
	// chosen: as many as a person looks through, or a page draws.
	autoWindows = 300
	// sliceWindows are counted by one statement where there is an index.
	sliceWindows = 64
	// slicesAtOnce are laid out at a time.
	slicesAtOnce = 1024
	// maxGroups bounds the groups of the one statement that counts all windows
	// where there is none, in this process and in the server.
	maxGroups = 50_000
	// maxWindows bounds the windows of a run: at sliceWindows a statement, as
	// many as take an hour or so.
	maxWindows = 1_000_000
	// maxListed bounds the windows a verdict names.
	maxListed = 1000
)

// widths are the lengths to choose from; beyond the last, multiples of it.
var widths = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour,
}

// chooseWidth is the shortest length that takes at most autoWindows for a span
// of so many seconds.
func chooseWidth(seconds int64, least time.Duration) time.Duration {
	for _, w := range widths {
		if w >= least && seconds/int64(w/time.Second) < autoWindows-1 {
			return w
		}
	}
	longest := widths[len(widths)-1]
	return longest * time.Duration(seconds/int64(longest/time.Second)/(autoWindows-1)+1)
}

// align moves a time back to where a window begins: windows of every length are
// counted from the first moment of the year 1, as time.Truncate does, so that
// both sides, and another run, have the same.
func align(t time.Time, width time.Duration) time.Time { return t.UTC().Truncate(width) }

// byTime is a run that counts by windows.
type byTime struct {
	*run
	ask     ByTime
	windows schema.Windows // without a column

	mu             sync.Mutex
	result         Windows
	source, target int64
	failed         []string
	failures       int64
}

// countByTime counts both sides window by window, each at the same time on
// both, and draws the verdict.
func (r *run) countByTime(ctx context.Context) (Verdict, error) {
	began := time.Now()
	r.publish = ctx
	r.scan, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	r.observer.Started(r.start())
	c := &byTime{run: r, ask: *r.spec.ByTime}
	c.result.During = c.during
	for _, warning := range c.ask.Warnings {
		r.observer.Warn(r.spec.Pair.Name, warning)
	}
	complete, err := c.count()
	v := Verdict{
		Pair: r.spec.Pair.Name, Run: r.spec.ID, Mode: r.spec.Mode.String(), Method: r.spec.Pair.Method.String(),
		SourceRows: c.source, TargetRows: c.target, Complete: complete && c.failures == 0, Unreadable: c.failures,
		Seconds: time.Since(began).Seconds(),
	}
	slices.SortFunc(c.result.Listed, func(a, b Window) int {
		return cmp.Or(cmp.Compare(placeOrder(a), placeOrder(b)), a.From.Compare(b.From))
	})
	v.Windows = &c.result
	v.Reason = c.reason(v, err)
	if err != nil && !r.interrupted(context.Cause(r.scan)) {
		return v, err
	}
	return v, nil
}

func placeOrder(w Window) int {
	return slices.Index([]string{PlaceBefore, "", PlaceAfter, PlaceNone}, w.Place)
}

func (c *byTime) reason(v Verdict, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case c.failures > 0:
		return fmt.Sprintf("%d stretches of time could not be counted, the first of them: %s", c.failures, c.failed[0])
	case c.result.Unequal > 0:
		return fmt.Sprintf("the numbers of rows differ in %d of %d windows of %s", c.result.Unequal, c.result.Counted, span(c.result.Width))
	case v.SourceRows != v.TargetRows:
		return "the numbers of rows differ"
	default:
		return fmt.Sprintf("the numbers of rows agree in all %d windows of %s, which is a hint and no proof", c.result.Counted, span(c.result.Width))
	}
}

// span is a window's length as it is written: 7d, 12h, 5m.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= day && d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	default:
		return d.String()
	}
}

// count lays the windows out and counts them, slice by slice. It says whether
// all were counted.
func (c *byTime) count() (bool, error) {
	if err := c.layOut(); err != nil {
		return false, err
	}
	whole := c.windows
	if whole.N > maxWindows {
		return false, fmt.Errorf("count %s by %s: %d windows of %s are too many; choose longer ones", c.spec.Pair.Name, c.ask.Name, whole.N, span(whole.Width))
	}
	c.result.Counted, c.result.Column, c.result.Width = whole.N, c.ask.Name, whole.Width
	if !c.ask.Indexed {
		if whole.N > maxGroups {
			return false, fmt.Errorf("count %s by %s: %d windows of %s are too many to count without an index; choose longer ones, or create an index over %s on both sides",
				c.spec.Pair.Name, c.ask.Name, whole.N, span(whole.Width), c.ask.Name)
		}
		whole.Inside, whole.Outside = true, true
		return c.slices([]schema.Windows{whole})
	}
	outside := whole
	outside.Outside = true
	parts := []schema.Windows{outside}
	if done, err := c.slices(parts); !done {
		return false, err
	}
	for at := 0; at < whole.N; {
		// A bounded number at a time: of seconds there may be very many.
		parts = parts[:0]
		for len(parts) < slicesAtOnce && at < whole.N {
			part := schema.Windows{From: whole.Start(at), Width: whole.Width, N: min(sliceWindows, whole.N-at), Inside: true}
			parts = append(parts, part)
			at += part.N
		}
		if done, err := c.slices(parts); !done {
			return false, err
		}
	}
	return true, nil
}

// layOut asks both sides for their first and last row and chooses the windows.
func (c *byTime) layOut() error {
	type spans struct{ first, last [2]time.Time }
	found, err := retry(c.scan, c.run, "the first and last "+c.ask.Name, func(ctx context.Context) (out spans, err error) {
		err = c.atBoth(ctx, func(ctx context.Context, i int, reader WindowReader, view *schema.View, column schema.Column) (err error) {
			out.first[i], out.last[i], err = reader.Span(ctx, view, column)
			return err
		})
		return out, err
	})
	if err != nil {
		return err
	}
	var first, last time.Time
	for i := range found.first {
		if !found.first[i].IsZero() && (first.IsZero() || found.first[i].Before(first)) {
			first = found.first[i]
		}
		if found.last[i].After(last) {
			last = found.last[i]
		}
	}
	if first.IsZero() { // no rows, or none with a time: one window, that stays empty
		first = time.Now().UTC()
		last = first
	}
	width, least := c.ask.Width, c.ask.Shortest()
	if width == 0 {
		width = chooseWidth(last.Unix()-first.Unix(), least)
	}
	if width < least || width%least != 0 {
		return fmt.Errorf("count %s by %s: a window of %s is no multiple of %s, which the column's type asks for; choose another --window",
			c.spec.Pair.Name, c.ask.Name, width, span(least))
	}
	from := align(first, width)
	if from.Before(schema.FirstTime) {
		from = schema.FirstTime
	}
	c.windows = schema.Windows{From: from, Width: width, N: int((last.Unix()-from.Unix())/int64(width/time.Second)) + 1}
	return nil
}

// slices counts some slices, several at a time. It is done unless the run ended
// or an error says that no read can succeed.
func (c *byTime) slices(list []schema.Windows) (done bool, err error) {
	var group errgroup.Group
	group.SetLimit(c.config.Threads)
	var fatal atomic.Pointer[error]
	for _, w := range list {
		if c.scan.Err() != nil || fatal.Load() != nil {
			break
		}
		group.Go(func() error {
			if err := c.slice(w); err != nil {
				fatal.CompareAndSwap(nil, &err)
			}
			return nil
		})
	}
	_ = group.Wait() // errors are in fatal
	if e := fatal.Load(); e != nil {
		return false, *e
	}
	if c.scan.Err() != nil {
		return false, fmt.Errorf("interrupted: %w", context.Cause(c.scan))
	}
	return true, nil
}

// slice counts some windows on both sides. What cannot be read is noted; an
// error is permanent.
func (c *byTime) slice(w schema.Windows) error {
	began := time.Now()
	reading := fmt.Sprintf("rows by %s from %s to %s", c.ask.Name, w.From.Format(time.DateTime), w.Until().Format(time.DateTime))
	counts, err := retry(c.scan, c.run, reading, func(ctx context.Context) (out [2][]schema.WindowRows, err error) {
		err = c.atBoth(ctx, func(ctx context.Context, i int, reader WindowReader, view *schema.View, column schema.Column) (err error) {
			w := w
			w.Column = column
			out[i], err = reader.CountWindows(ctx, view, w)
			return err
		})
		return out, err
	})
	if c.scan.Err() != nil {
		return nil
	}
	if err != nil && permanent(err) {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.failures++
		c.failed = append(c.failed[:min(len(c.failed), maxFailures-1)], reading+": "+err.Error())
		return nil
	}
	source, target := c.settle(w, counts)
	c.observer.RangeDone(RangeReport{
		Pair: c.spec.Pair.Name, Scanned: source, SourceRows: source, TargetRows: target, Took: time.Since(began),
	})
	return nil
}

// settle holds the two sides' counts against each other.
func (c *byTime) settle(w schema.Windows, counts [2][]schema.WindowRows) (source, target int64) {
	both := map[int]*[2]int64{}
	for i, side := range counts {
		for _, rows := range side {
			if both[rows.Window] == nil {
				both[rows.Window] = &[2]int64{}
			}
			both[rows.Window][i] += rows.Rows
		}
	}
	for window, rows := range both {
		source += rows[0]
		target += rows[1]
		if rows[0] != rows[1] {
			c.note(c.window(w, window, *rows))
		}
	}
	c.source += source
	c.target += target
	return source, target
}

// note keeps a window that differs, the earliest of them when there are too many.
func (c *byTime) note(w Window) {
	c.result.Unequal++
	if len(c.result.Listed) < maxListed {
		c.result.Listed = append(c.result.Listed, w)
	}
}

// window describes a window, or a place outside all of them.
func (c *byTime) window(w schema.Windows, number int, rows [2]int64) Window {
	out := Window{Source: rows[0], Target: rows[1]}
	switch number {
	case schema.BeforeWindows:
		out.Place, out.Until = PlaceBefore, c.windows.From
	case schema.AfterWindows:
		out.Place, out.From = PlaceAfter, c.windows.Until()
	case schema.NoTime:
		out.Place = PlaceNone
	default:
		out.From, out.Until = w.Start(number), w.Start(number+1)
	}
	out.SourceWhere, out.TargetWhere = c.during(out.From, out.Until)
	return out
}

func (c *byTime) during(from, until time.Time) (source, target string) {
	return c.ask.Source.During(c.ask.Timeline.Source, from, until), c.ask.Target.During(c.ask.Timeline.Target, from, until)
}

// atBoth asks the source (0) and the target (1) at the same time.
func (c *byTime) atBoth(ctx context.Context, ask func(ctx context.Context, i int, reader WindowReader, view *schema.View, column schema.Column) error) error {
	release, err := c.admit(ctx, event.Source, event.Target)
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, c.config.ReadTimeout)
	defer cancel()
	pair := c.spec.Pair
	return both(cancel, func() error {
		return ask(ctx, 0, c.ask.Source, &pair.Source, c.ask.Timeline.Source)
	}, func() error {
		return ask(ctx, 1, c.ask.Target, &pair.Target, c.ask.Timeline.Target)
	})
}
