package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
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
	step, err := b.step(ctx, steady)
	if err != nil {
		return err
	}
	if err := b.idle(ctx); err != nil {
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
	_, err = b.steady(ctx)
	return err
}

// settle finds out what the server can do, twice: the first time fills its memory.
func (b *governorBench) settle(ctx context.Context, f *foreground) (err error) {
	b.foreground = f
	for range 2 {
		if b.most, err = f.capacity(ctx, b.o.rows); err != nil {
			return err
		}
		progress("the foreground at its most: %.0f statements a second", b.most)
	}
	b.explain()
	return nil
}

func (b *governorBench) explain() {
	fmt.Printf("## Validation beside a foreground, %s to %s on one server\n\n"+
		"The foreground reads %d rows on average by a range of keys (%.0f %% of its statements) or updates one row of another table, "+
		"at random moments that are the same in every run, over %d connections; the time of each counts from when it was due. "+
		"At its most, %d clients that ask again at once, the server answers %.0f statements a second, the generator beside it; half of that is half of capacity. "+
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

// steady holds the foreground at half of capacity, in rounds: beside nothing,
// beside each tool, and again, since a shared machine's speed changes by the minute.
func (b *governorBench) steady(ctx context.Context) (trials, error) {
	tools := []neighbour{{aloneName, nothing}, {governedName, b.validator(guarded)}, {ungovernedName, b.validator(unguarded)}}
	if b.o.ptChecksum != "" {
		tools = append(tools, neighbour{ptChecksumName, b.checksumming})
	}
	var all trials
	for range b.o.runs {
		for _, with := range tools {
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
	b.printSteady(all, tools)
	return all, nil
}

func (b *governorBench) printSteady(all trials, tools []neighbour) {
	base := all.of(aloneName).worst()
	ratio := func(t *trial) float64 { return float64(t.worst()) / float64(base) }
	var rows [][]string
	for _, with := range tools {
		named, t := all.all(with.name), all.of(with.name)
		rows = append(rows, []string{
			t.name, milliseconds(percentile(t.in(0, t.lasts), 50)),
			fmt.Sprintf("%s; %s–%s", milliseconds(t.worst()), milliseconds(named[0].worst()), milliseconds(named[len(named)-1].worst())),
			milliseconds(percentile(t.in(0, t.lasts), 100)), fmt.Sprintf("%.2f", ratio(t)),
			fmt.Sprintf("%.0f", t.rate()), fmt.Sprint(len(t.changes)),
			fmt.Sprintf("%.2f", t.cores(t.server)), fmt.Sprintf("%.2f", t.cores(t.generator)), fmt.Sprintf("%.2f", t.cores(t.cpu)),
		})
	}
	printTable(fmt.Sprintf("Steady at half of capacity, %s: %.0f statements a second for %s, %d times in turn", b.source.engine, b.most*half, b.o.steady, b.o.runs),
		[]string{"beside it", "median ms", "p99 ms (median; min–max)", "longest ms", "p99 over that beside nothing", "rows examined a second", "pauses and resumptions", "server's cores", "generator's", "tool's own"}, rows)
	fmt.Println("All figures of a line but the span of its p99 are those of the time whose p99 is in the middle.")
	fmt.Println()
	printGoals(goal{what: b.source.engine + ", governed: p99 over that of the foreground alone", figure: ratio(all.of(governedName)), want: 1.25})
}

// idle validates once with nobody else there, governed and not.
func (b *governorBench) idle(ctx context.Context) error {
	var contenders []contender
	for _, c := range []struct {
		name  string
		guard guard
	}{{governedName, guarded}, {ungovernedName, unguarded}} {
		load, err := b.configure(ctx, c.guard, "off", "")
		if err != nil {
			return err
		}
		defer load.remove()
		contenders = append(contenders, command{c.name, []string{filepath.Join(b.o.bin, "validator"), "--config", load.config, "--once"}, []int{0}}.contender())
	}
	results, err := race(ctx, b.o, b.env, contenders...)
	if err != nil {
		return err
	}
	printRace(fmt.Sprintf("Nobody else there: validator --once over %d rows", b.o.rows), b.env, match{target: b.target}, results, ungovernedName, contenders...)
	printGoals(goal{what: "idle: time governed over ungoverned", figure: ratio(results, governedName, ungovernedName), want: 1.1})
	return nil
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
