package main

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/report"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// The bounds of --report-keys. The page is for people: who wants every key has
// the findings themselves.
const (
	defaultReportKeys = 25
	maxReportKeys     = 1000
	// plotted bounds the findings whose values are drawn; 1000 show where
	// damage lies, and take two small statements to look up.
	plotted = 1000
	// maxReportWarnings bounds the warnings of one pair.
	maxReportWarnings = 50
)

// reportOptions are the flags about the report.
type reportOptions struct {
	file string
	keys int
}

func (o *reportOptions) addTo(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.file, "report", "", "also write the result as one HTML page to this `file`; it holds sample keys, so only you may read it")
	f.IntVar(&o.keys, "report-keys", defaultReportKeys, "`number` of sample keys in the report for each pair and kind, 0 to 1000")
}

func (o *reportOptions) validate() error {
	if o.keys < 0 || o.keys > maxReportKeys {
		return usage("--report-keys %d: choose 0 to %d", o.keys, maxReportKeys)
	}
	return nil
}

// reporter gathers what runs tell and writes it as a page. It stands in front
// of the progress as the runs' Observer. Its memory is bounded whatever the
// tables hold. A nil reporter writes nothing.
type reporter struct {
	progress
	options  reportOptions
	commands commandLine
	r        *runner

	mu     sync.Mutex
	page   report.Page
	record *record // of the pair in work
}

// newReporter writes a first page, which says that the comparison is at work:
// so an earlier page is not taken for this run's, and a file that cannot be
// written is known before hours have passed.
func newReporter(r *runner, options reportOptions, commands commandLine) (*reporter, error) {
	p := &reporter{progress: r.progress, options: options, commands: commands, r: r}
	p.page = report.Page{
		Version: assembly.Version(), Begun: time.Now(), Running: true,
		Source:  report.Server{Engine: r.Source.Engine(), Version: r.Source.Version(), Address: r.Source.Redacted()},
		Target:  report.Server{Engine: r.Target.Engine(), Version: r.Target.Version(), Address: r.Target.Redacted()},
		LeftOut: r.leftOut, Notes: r.oneSided, Authority: authorityOf(r.pairs),
	}
	for _, pair := range r.pairs {
		p.page.Pairs = append(p.page.Pairs, p.describe(pair))
	}
	return p, p.save()
}

// authorityOf is the side that is right, in a word.
func authorityOf(pairs []resolved) string {
	sides := map[string]bool{}
	for _, p := range pairs {
		sides[p.asked.Side().String()] = true
	}
	if len(sides) != 1 {
		return "side named with each pair"
	}
	return slices.Collect(maps.Keys(sides))[0]
}

// begin says which pair is in work.
func (p *reporter) begin(i int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.page.Pairs[i].Begun = time.Now()
	p.record = newRecord(p.r.pairs[i], p.r.mode, p.options.keys)
}

// publisher keeps some of the findings that were passed on.
func (p *reporter) publisher(next validate.Publisher) validate.Publisher {
	if p == nil {
		return next
	}
	return reportedFindings{next: next, reporter: p}
}

type reportedFindings struct {
	next     validate.Publisher
	reporter *reporter
}

// Publish implements validate.Publisher.
func (f reportedFindings) Publish(ctx context.Context, findings []event.Finding) error {
	if err := f.next.Publish(ctx, findings); err != nil {
		return err
	}
	f.reporter.mu.Lock()
	defer f.reporter.mu.Unlock()
	for _, finding := range findings {
		f.reporter.record.find(finding)
	}
	return nil
}

// Started implements validate.Observer.
func (p *reporter) Started(s validate.Start) {
	p.mu.Lock()
	p.record.start = s
	p.mu.Unlock()
	p.progress.Started(s)
}

// RangeDone implements validate.Observer.
func (p *reporter) RangeDone(r validate.RangeReport) {
	p.mu.Lock()
	p.record.rangeDone(r)
	p.mu.Unlock()
	p.progress.RangeDone(r)
}

// Suspects implements validate.Observer.
func (p *reporter) Suspects(r validate.SuspectReport) {
	p.mu.Lock()
	for _, f := range r.Placed {
		p.record.place(f)
	}
	p.mu.Unlock()
	p.progress.Suspects(r)
}

// Warn implements validate.Observer.
func (p *reporter) Warn(pair, message string) {
	p.mu.Lock()
	p.record.warn(message)
	p.mu.Unlock()
	p.progress.Warn(pair, message)
}

// end takes the verdict of the pair in work and writes the page.
func (p *reporter) end(ctx context.Context, i int, v validate.Verdict, err error) error {
	if p == nil {
		return nil
	}
	record := p.record
	times, noTime := record.times(ctx, p.r.Databases, p.r.pacer)
	p.mu.Lock()
	defer p.mu.Unlock()
	pair := &p.page.Pairs[i]
	record.fill(pair, v, err)
	pair.ByTime, pair.NoTime = times, noTime
	p.advise(pair, p.r.pairs[i])
	return p.save()
}

// close writes the last page.
func (p *reporter) close() error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.page.Running = false
	p.adviseAll()
	return p.save()
}

func (p *reporter) save() error {
	p.page.Written = time.Now()
	return report.Save(p.options.file, p.page)
}

// describe says of a pair what is known before it is compared.
func (p *reporter) describe(pair resolved) report.Pair {
	plan := planOf(pair)
	authority := pair.asked.Side()
	out := report.Pair{
		Name: plan.Pair, State: report.Pending, Mode: p.r.mode.String(), Method: plan.Method, Why: why(pair.pair),
		Source:    report.Table{Name: plan.Source.Table, Estimated: plan.Source.Rows, Where: plan.Source.Where},
		Target:    report.Table{Name: plan.Target.Table, Estimated: plan.Target.Rows, Where: plan.Target.Where},
		Authority: authority.String(), Copy: authority.Other().String(),
		Key: plan.Key, Confirm: p.r.confirm, Warnings: slices.Concat(plan.dangers(), plan.Warnings),
	}
	for _, c := range plan.Columns {
		out.Columns = append(out.Columns, report.Column{
			Source: c.Column, Target: c.Target, SourceType: c.SourceType, TargetType: c.TargetType,
			As: c.As, Rule: c.Rule, Hides: c.Hides, Key: c.Key,
		})
	}
	return out
}
