package validate

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trueup/trueup/pkg/schema"
)

// calendar is a side's rows by time; the zero time is NULL.
type calendar struct {
	times []time.Time
	// fail is met by statements that count the window of this time.
	fail  time.Time
	err   error
	mu    sync.Mutex
	asked int
}

func (c *calendar) Span(context.Context, *schema.View, schema.Column) (first, last time.Time, err error) {
	for _, t := range c.times {
		if t.IsZero() || t.Before(schema.FirstTime) {
			continue
		}
		if first.IsZero() || t.Before(first) {
			first = t
		}
		if t.After(last) {
			last = t
		}
	}
	return first, last, nil
}

func (c *calendar) CountWindows(_ context.Context, _ *schema.View, w schema.Windows) ([]schema.WindowRows, error) {
	c.mu.Lock()
	c.asked++
	c.mu.Unlock()
	if c.err != nil && w.Inside && !c.fail.Before(w.From) && c.fail.Before(w.Until()) {
		return nil, c.err
	}
	var out []schema.WindowRows
	for _, t := range c.times {
		at := int((t.Unix() - w.From.Unix()) / int64(w.Width/time.Second))
		switch {
		case t.IsZero():
			at = schema.NoTime
		case t.Before(w.From):
			at = schema.BeforeWindows
		case !t.Before(w.Until()):
			at = schema.AfterWindows
		}
		if at >= 0 && w.Inside || at < 0 && w.Outside {
			out = append(out, schema.WindowRows{Window: at, Rows: 1})
		}
	}
	return out, nil
}

func (c *calendar) During(_ schema.Column, from, until time.Time) string {
	return from.Format(time.DateTime) + "/" + until.Format(time.DateTime)
}

func days(from, to int) []time.Time {
	var out []time.Time
	for day := from; day <= to; day++ {
		out = append(out, time.Date(2024, 1, day, 15, 0, 0, 0, time.UTC))
	}
	return out
}

func countByTime(t *testing.T, source, target *calendar, indexed bool, width time.Duration) (Verdict, error) {
	b := newBench(t, newTable(), newTable(), schema.Merge)
	b.run.Mode = Count
	b.run.ByTime = &ByTime{Timeline: schema.Timeline{Name: "at", Indexed: indexed}, Width: width, Source: source, Target: target}
	b.config.Attempts = 2
	return b.validator().Run(t.Context(), b.run)
}

func TestCountingByTimeShowsWhereRowsAreMissing(t *testing.T) {
	for _, indexed := range []bool{true, false} {
		source, target := &calendar{times: days(1, 400)}, &calendar{times: append(days(1, 99), days(102, 400)...)}
		source.times = append(source.times, time.Time{}, time.Time{})                   // NULL
		target.times = append(target.times, time.Date(44, 3, 15, 0, 0, 0, 0, time.UTC)) // before
		v, err := countByTime(t, source, target, indexed, 24*time.Hour)
		if err != nil || !v.Complete || v.Clean {
			t.Fatalf("verdict %+v, %v", v, err)
		}
		if v.SourceRows != 402 || v.TargetRows != 399 || v.Windows.Counted != 400 || v.Windows.Unequal != 4 {
			t.Errorf("verdict %+v, windows %+v", v, v.Windows)
		}
		var got []string
		for _, w := range v.Windows.Listed {
			got = append(got, w.Place+" "+w.SourceWhere)
		}
		want := []string{
			"before 0001-01-01 00:00:00/2024-01-01 00:00:00",
			" 2024-04-09 00:00:00/2024-04-10 00:00:00", " 2024-04-10 00:00:00/2024-04-11 00:00:00",
			"no time 0001-01-01 00:00:00/0001-01-01 00:00:00",
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("indexed %t: listed\n%s\nwant\n%s", indexed, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if !indexed && source.asked != 1 {
			t.Errorf("without an index the table is read %d times", source.asked)
		}
	}
}

func TestEqualCountsAreNeverClean(t *testing.T) {
	for _, times := range [][]time.Time{days(1, 30), nil, {{}}} {
		v, err := countByTime(t, &calendar{times: times}, &calendar{times: times}, true, 0)
		if err != nil || !v.Complete || v.Clean || v.Windows.Unequal != 0 || !strings.Contains(v.Reason, "no proof") {
			t.Errorf("verdict %+v, %v", v, err)
		}
	}
}

func TestAStretchThatCannotBeCountedMakesTheVerdictIncomplete(t *testing.T) {
	source, target := &calendar{times: days(1, 400)}, &calendar{times: days(1, 399)}
	target.fail, target.err = days(70, 70)[0], errors.New("the statement took too long")
	v, err := countByTime(t, source, target, true, 24*time.Hour)
	if err != nil || v.Complete || v.Unreadable != 1 || v.Windows.Unequal != 1 {
		t.Errorf("verdict %+v, %v", v, err)
	}
	if !strings.Contains(v.Reason, "2024-03-05 00:00:00") || !strings.Contains(v.Reason, "too long") {
		t.Errorf("the reason tells not where and why: %s", v.Reason)
	}
}

func TestWindowsAreChosenAndAligned(t *testing.T) {
	for _, test := range []struct {
		seconds int64
		least   time.Duration
		want    time.Duration
	}{
		{0, time.Second, time.Minute},
		{3600, time.Second, time.Minute},
		{86400, time.Second, 5 * time.Minute},
		{86400, 24 * time.Hour, 24 * time.Hour},
		{365 * 86400, time.Second, 7 * 24 * time.Hour / 7 * 7},
		{9000 * 365 * 86400, time.Second, 28 * 24 * time.Hour * 393},
	} {
		got := chooseWidth(test.seconds, test.least)
		if got != test.want {
			t.Errorf("%d seconds: %s, want %s", test.seconds, got, test.want)
		}
		if n := test.seconds/int64(got/time.Second) + 2; n > autoWindows+1 {
			t.Errorf("%d seconds: %d windows", test.seconds, n)
		}
	}
	at := time.Date(2024, 2, 29, 13, 14, 15, 16, time.FixedZone("", 5*3600+45*60))
	for width, want := range map[time.Duration]string{
		time.Hour: "2024-02-29 07:00:00", 24 * time.Hour: "2024-02-29 00:00:00", 7 * 24 * time.Hour: "2024-02-26 00:00:00",
	} {
		if got := align(at, width).Format(time.DateTime); got != want {
			t.Errorf("windows of %s begin at %s, want %s", width, got, want)
		}
	}
}
