package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/validate"
)

// parseWindow reads the length of a window: auto, or a number with d, h, m or s.
func parseWindow(text string) (time.Duration, error) {
	if text == "" || text == "auto" {
		return 0, nil
	}
	var width time.Duration
	var err error
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		if n, err = strconv.Atoi(days); n > 36500 {
			return 0, usage("--window %q: a window of more than a century shows nothing", text)
		}
		width = time.Duration(n) * 24 * time.Hour
	} else {
		width, err = time.ParseDuration(text)
	}
	if err != nil || width < time.Second || width%time.Second != 0 {
		return 0, usage("--window %q: want auto, or whole seconds such as 15m, 1h or 7d", text)
	}
	return width, nil
}

// byTime is how a pair is counted by time; nil when no column was named.
func (r *runner) byTime(p resolved) (*validate.ByTime, error) {
	if r.mode != validate.Count || p.asked.UpdatedAt == "" {
		return nil, nil
	}
	timeline, err := schema.TimelineOf(p.pair, p.asked.Mapping(), p.asked.UpdatedAt)
	if err != nil {
		return nil, err
	}
	return &validate.ByTime{Timeline: timeline, Width: r.window, Source: r.Source, Target: r.Target}, nil
}

// windowLine is a window that differs as --json prints it. An end that is open
// is left out.
type windowLine struct {
	Place       string `json:"place,omitempty"`
	From        string `json:"from,omitempty"`
	Until       string `json:"until,omitempty"`
	Source      int64  `json:"source"`
	Target      int64  `json:"target"`
	Difference  int64  `json:"difference"`
	SourceWhere string `json:"source_where"`
	TargetWhere string `json:"target_where"`
}

// maxStretches is how many places to look a person is given.
const maxStretches = 3

// windows prints the windows that differ and where to look next.
func (o *output) windows(v validate.Verdict, next func(validate.Window) string) error {
	if v.Windows == nil || len(v.Windows.Listed) == 0 {
		return nil
	}
	var text bytes.Buffer
	if o.json {
		for _, w := range v.Windows.Listed {
			line := windowLine{
				Place: w.Place, From: instant(w.From, time.RFC3339), Until: instant(w.Until, time.RFC3339), Source: w.Source, Target: w.Target,
				Difference: w.Target - w.Source, SourceWhere: w.SourceWhere, TargetWhere: w.TargetWhere,
			}
			if err := encodeLine(&text, struct {
				Pair   string     `json:"pair"`
				Window windowLine `json:"window"`
			}{v.Pair, line}); err != nil {
				return err
			}
		}
		return o.write(text.Bytes())
	}
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "%s BY %s, FROM (UTC)\tUNTIL\tSOURCE\tTARGET\tDIFFERENCE\t\n", v.Pair, v.Windows.Column)
	for _, w := range v.Windows.Listed {
		from := instant(w.From, time.DateTime)
		if w.Place == validate.PlaceNone {
			from = "NULL"
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%+d\t\n", from, instant(w.Until, time.DateTime), w.Source, w.Target, w.Target-w.Source)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if more := v.Windows.Unequal - len(v.Windows.Listed); more > 0 {
		fmt.Fprintf(&text, "and %d windows more; choose a longer --window to see all\n", more)
	}
	stretches := stretchesOf(v.Windows.Listed, v.Windows.During)
	fmt.Fprintln(&text, "To see which rows (what is on its way to the copy shows in the last windows too):")
	for _, w := range stretches[:min(len(stretches), maxStretches)] {
		fmt.Fprintf(&text, "  %s\n", next(w.Window))
	}
	return o.write(text.Bytes())
}

// instant is a time as text; empty for an open end.
func instant(t time.Time, layout string) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(layout)
}

// stretch is one window, or several that follow each other.
type stretch struct {
	validate.Window
	// weight is how many rows too few or too many its windows have, added up.
	weight int64
}

// stretchesOf joins windows that follow each other, and puts those first that
// differ most.
func stretchesOf(list []validate.Window, conditions func(from, until time.Time) (source, target string)) []stretch {
	var out []stretch
	for _, w := range list {
		weight := abs(w.Target - w.Source)
		if last := len(out) - 1; w.Place == "" && last >= 0 && out[last].Place == "" && out[last].Until.Equal(w.From) {
			out[last].Until = w.Until
			out[last].weight += weight
			out[last].SourceWhere, out[last].TargetWhere = conditions(out[last].From, out[last].Until)
			continue
		}
		out = append(out, stretch{w, weight})
	}
	slices.SortStableFunc(out, func(a, b stretch) int { return cmp.Compare(b.weight, a.weight) })
	return out
}

func abs(n int64) int64 { return max(n, -n) }

// lookCloser is the command that compares the rows of a window.
func (r *runner) lookCloser(p resolved) func(validate.Window) string {
	return func(w validate.Window) string {
		source := conjunction(p.pair.Source.Where, w.SourceWhere)
		target := conjunction(p.pair.Target.Where, w.TargetWhere)
		if r.commands.fromFile {
			return fmt.Sprintf("in a pair with source_where: %s and target_where: %s", strconv.Quote(source), strconv.Quote(target))
		}
		return r.commands.without("where", "source-where", "target-where").
			line("diff", []resolved{p}, "--source-where", quoteArg(source), "--target-where", quoteArg(target))
	}
}

func conjunction(where, condition string) string {
	if where == "" {
		return condition
	}
	return "(" + where + ") AND " + condition
}

// without leaves flags out, each with its value.
func (c commandLine) without(names ...string) commandLine {
	var flags []string
	for i := 0; i+1 < len(c.flags); i += 2 {
		if !slices.Contains(names, strings.TrimPrefix(c.flags[i], "--")) {
			flags = append(flags, c.flags[i], c.flags[i+1])
		}
	}
	c.flags = flags
	return c
}
