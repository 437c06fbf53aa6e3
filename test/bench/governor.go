package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// loadGovernor fills the tables that are validated beside a foreground.
func loadGovernor(ctx context.Context, o options, env services) error {
	for _, side := range []string{"_a", "_b"} {
		if err := loadMySQL(ctx, o, env, o.prefix+side); err != nil {
			return err
		}
	}
	return nil
}

func loadGovernorPostgres(ctx context.Context, o options, env services) error {
	return loadPostgres(ctx, o, env, o.prefix+"_b")
}

// measureGovernor says what an application on MariaDB notices of validation.
func measureGovernor(ctx context.Context, o options, env services) error {
	b := &governorBench{
		o: o, env: env, source: env.mysqlSide(o.prefix+"_a", "orders"), target: env.mysqlSide(o.prefix+"_b", "orders"),
		serverCPU: func(c serverCPU) time.Duration { return c.mysql },
	}
	foreground, err := openForegroundMySQL(ctx, o, env, o.prefix+"_a")
	if err != nil {
		return err
	}
	defer foreground.close(context.WithoutCancel(ctx))
	for _, side := range []string{"_a", "_b"} {
		// What is read from the disk for the first time belongs to nobody's load.
		if err := env.execMySQL(ctx, o.prefix+side, "CHECKSUM TABLE orders"); err != nil {
			return err
		}
	}
	if err := b.settle(ctx, foreground); err != nil {
		return err
	}
	steady, err := b.steady(ctx)
	if err != nil {
		return err
	}
	perRow, err := b.idle(ctx)
	if err != nil {
		return err
	}
	if err := b.gauge(ctx); err != nil {
		return err
	}
	step, err := b.step(ctx, steady, perRow)
	if err != nil {
		return err
	}
	if err := b.printMachine(ctx); err != nil {
		return err
	}
	return b.plot(steady, step)
}

// measureGovernorPostgres does it on PostgreSQL, under the steady load.
func measureGovernorPostgres(ctx context.Context, o options, env services) error {
	source, target := o.prefix+"_b", o.prefix+"_governed"
	if err := copyPostgres(ctx, env, source, target); err != nil {
		return err
	}
	defer func() {
		if err := dropCopies(context.WithoutCancel(ctx), env, nil, []string{target}); err != nil {
			progress("%v", err)
		}
	}()
	b := &governorBench{
		o: o, env: env, source: env.postgresSide(source), target: env.postgresSide(target),
		serverCPU: func(c serverCPU) time.Duration { return c.postgres },
	}
	b.o.ptChecksum = "" // it knows no PostgreSQL
	foreground, err := openForegroundPostgres(ctx, o, env, source)
	if err != nil {
		return err
	}
	defer foreground.close(context.WithoutCancel(ctx))
	if err := b.settle(ctx, foreground); err != nil {
		return err
	}
	if _, err = b.steady(ctx); err != nil {
		return err
	}
	return b.printMachine(ctx)
}

// settle fills the server's memory and finds out what it can do.
func (b *governorBench) settle(ctx context.Context, f *foreground) error {
	b.foreground = f
	if _, err := f.capacity(ctx, b.o.rows); err != nil {
		return err
	}
	if err := b.gauge(ctx); err != nil {
		return err
	}
	b.explain()
	return nil
}

// gauge finds out what the server can do now: a shared machine's speed changes by the
// minute, and what is half of capacity with it.
func (b *governorBench) gauge(ctx context.Context) (err error) {
	if b.most, err = b.foreground.capacity(ctx, b.o.rows); err != nil {
		return err
	}
	b.gauged = append(b.gauged, b.most)
	progress("the foreground at its most: %.0f statements a second", b.most)
	return nil
}

// ownMachine is how much faster than at its slowest the machine may have been at its
// fastest for the figures to tell of what ran on it. A virtual machine whose host has
// others to serve differs by half, and its foreground waits ten times as long alone.
const ownMachine = 1.15

// printMachine says how steady the machine was.
func (b *governorBench) printMachine(ctx context.Context) error {
	if err := b.gauge(ctx); err != nil {
		return err
	}
	printGoals(goal{
		what:   fmt.Sprintf("the machine itself: its fastest over its slowest, by what %s answered at its most; beyond this the other figures tell of its host", b.source.engine),
		figure: slices.Max(b.gauged) / slices.Min(b.gauged), want: ownMachine,
	})
	return nil
}

func (b *governorBench) explain() {
	fmt.Printf("## Validation beside a foreground, %s to %s on one server\n\n"+
		"The foreground reads %d rows on average by a range of keys (%.0f %% of its statements) or updates one row of another table, "+
		"at random moments that are the same in every run, over %d connections; the time of each counts from when it was due. "+
		"At its most, %d clients that ask again at once, the server answers %.0f statements a second to begin with, the generator beside it; half of that is half of capacity, found out anew before each round. "+
		"The validator compares %d rows again and again by checksum, so that its own work takes little of the processors that it shares with the server here.\n\n",
		b.source.engine, b.target.engine, readRows, 100*(1-writeShare), sessions, saturating, b.most, b.o.rows)
}

// The names of what runs beside the foreground.
const (
	aloneName      = "nothing"
	governedName   = "trueup, governed"
	ungovernedName = "trueup, adapt: false"
	ptChecksumName = "pt-table-checksum --max-load " + maxThreads
)

// half is the steady load over what the server can do at its most.
const half = 0.5

// trials are those of one scenario.
type trials []trial

// all of one name, by their 99th percentile.
func (all trials) all(name string) []*trial {
	var out []*trial
	for i := range all {
		if all[i].name == name {
			out = append(out, &all[i])
		}
	}
	slices.SortStableFunc(out, func(a, b *trial) int { return cmp.Compare(a.worst(), b.worst()) })
	return out
}

// of is the one of the name in the middle.
func (all trials) of(name string) *trial {
	if named := all.all(name); len(named) > 0 {
		return named[len(named)/2]
	}
	return &trial{}
}

// worst is the wait that one in a hundred exceeds.
func (t *trial) worst() time.Duration { return percentile(t.in(0, t.lasts), 99) }

// moment is the time whose waits are looked at by themselves. A virtual machine that
// stands still for a sixth of a second now and then has a hundredth of half a minute's
// arrivals wait for it, so that those seconds are all that the 99th percentile of half
// a minute tells of. Of most moments they are no part.
const moment = 2 * time.Second

// moments are the 99th percentiles of the waits of each moment of some trials, in order.
func moments(of []*trial) []time.Duration {
	var out []time.Duration
	for _, t := range of {
		for at := time.Duration(0); at+moment <= t.lasts; at += moment {
			out = append(out, percentile(t.in(at, at+moment), 99))
		}
	}
	slices.Sort(out)
	return out
}

// overAll is the wait that one in a hundred exceeds, of all trials together. The median of
// each trial's tells less: one in a hundred of half a minute are some three hundred waits, and
// the middle of a few such figures is any of them.
func overAll(of []*trial) time.Duration {
	var waits []time.Duration
	for _, t := range of {
		waits = append(waits, t.in(0, t.lasts)...)
	}
	slices.Sort(waits)
	return percentile(waits, 99)
}

// steady holds the foreground at half of capacity, in rounds: beside nothing, beside each
// tool, and again, since a shared machine's speed changes by the minute. Each round begins
// with another of them: what ran before the first one filled the server to its most.
func (b *governorBench) steady(ctx context.Context) (trials, error) {
	tools := []neighbour{{aloneName, nothing}, {governedName, b.validator(guarded, atTheEnd)}, {ungovernedName, b.validator(unguarded, atTheEnd)}}
	if b.o.ptChecksum != "" {
		tools = append(tools, neighbour{ptChecksumName, b.checksumming})
	}
	var all trials
	var rates []float64
	for round := range b.o.runs {
		if err := b.gauge(ctx); err != nil {
			return nil, err
		}
		rates = append(rates, b.most*half)
		for i := range tools {
			with := tools[(round+i)%len(tools)]
			t, err := b.try(ctx, with, phase{b.o.steady, b.most * half})
			if err != nil {
				return nil, err
			}
			if with.name == ungovernedName && t.rows == 0 {
				return nil, fmt.Errorf("%s examined no row in %s; give it longer with -steady", with.name, b.o.steady)
			}
			progress("half of capacity, beside %s: p99 %s ms", t.name, milliseconds(t.worst()))
			all = append(all, t)
		}
	}
	b.printSteady(all, tools, rates)
	return all, nil
}

func (b *governorBench) printSteady(all trials, tools []neighbour, rates []float64) {
	usual := func(name string) time.Duration { return percentile(moments(all.all(name)), 50) }
	worst := func(name string) time.Duration { return overAll(all.all(name)) }
	over := func(took, base time.Duration) string { return fmt.Sprintf("%.2f", float64(took)/float64(base)) }
	var each []string
	for _, rate := range rates {
		each = append(each, fmt.Sprintf("%.0f", rate))
	}
	var rows [][]string
	for _, with := range tools {
		named, t := all.all(with.name), all.of(with.name)
		rows = append(rows, []string{
			t.name, milliseconds(percentile(t.in(0, t.lasts), 50)),
			milliseconds(usual(t.name)), over(usual(t.name), usual(aloneName)),
			fmt.Sprintf("%s; %s–%s", milliseconds(worst(t.name)), milliseconds(named[0].worst()), milliseconds(named[len(named)-1].worst())),
			over(worst(t.name), worst(aloneName)), milliseconds(percentile(t.in(0, t.lasts), 100)),
			fmt.Sprintf("%.0f", t.rate()), fmt.Sprint(len(t.changes)),
			fmt.Sprintf("%.2f", t.cores(t.server)), fmt.Sprintf("%.2f", t.cores(t.generator)), fmt.Sprintf("%.2f", t.cores(t.cpu)),
		})
	}
	printTable(fmt.Sprintf("Steady at half of capacity, %s: %s statements a second for %s, %d times in turn", b.source.engine, strings.Join(each, ", "), b.o.steady, b.o.runs),
		[]string{
			"beside it", "median ms", fmt.Sprintf("p99 ms of %s, median of all", moment), "over nothing",
			fmt.Sprintf("p99 ms of all times together (of each %s: min–max)", b.o.steady), "over nothing", "longest ms",
			"rows examined a second", "pauses and resumptions", "server's cores", "generator's", "tool's own",
		}, rows)
	fmt.Println("Figures of a line that are not of all times are those of the time whose p99 is in the middle.")
	fmt.Println()
	printGoals(
		goal{what: fmt.Sprintf("%s, governed: p99 over that of the foreground alone, in most times of %s", b.source.engine, moment), figure: float64(usual(governedName)) / float64(usual(aloneName)), want: 1.25},
		goal{what: fmt.Sprintf("%s, governed: p99 over that of the foreground alone, over all times of %s together", b.source.engine, b.o.steady), figure: float64(worst(governedName)) / float64(worst(aloneName)), want: 1.25})
}

// idle validates once with nobody else there, governed and not. It returns what a row
// cost the server, in seconds of a core, on both sides together; 0 if that is not known.
func (b *governorBench) idle(ctx context.Context) (perRow float64, err error) {
	var contenders []contender
	for _, c := range []struct {
		name  string
		guard guard
	}{{governedName, guarded}, {ungovernedName, unguarded}} {
		load, err := b.configure(ctx, c.guard, "off", "")
		if err != nil {
			return 0, err
		}
		defer load.remove()
		contenders = append(contenders, command{c.name, []string{filepath.Join(b.o.bin, "validator"), "--config", load.config, "--once"}, []int{0}}.contender())
	}
	results, err := race(ctx, b.o, b.env, contenders...)
	if err != nil {
		return 0, err
	}
	printRace(fmt.Sprintf("Nobody else there: validator --once over %d rows", b.o.rows), b.env, match{target: b.target}, results, ungovernedName, contenders...)
	printGoals(goal{what: "idle: time governed over ungoverned", figure: ratio(results, governedName, ungovernedName), want: 1.1})
	return b.serverCPU(median(results[ungovernedName]).server).Seconds() / float64(b.o.rows), nil
}

// plot writes the picture, where one is wanted.
func (b *governorBench) plot(steady trials, step *stepped) error {
	if b.o.plot == "" {
		return nil
	}
	if err := os.WriteFile(b.o.plot, []byte(drawPanels(governorPanels(steady, step))), 0o644); err != nil { //nolint:gosec // a picture for everybody
		return fmt.Errorf("write the plot: %w", err)
	}
	fmt.Printf("![The foreground's latency over time, and what the governor did](%s)\n\n", filepath.Base(b.o.plot))
	return nil
}

// never is the figure of what did not happen.
var never = math.Inf(1)
