// Command bench measures trueup beside the tools it is compared with, on the
// same servers, the same data and in the same run, and prints a report in
// Markdown: medians, their spread, ratios, and the goals they meet or miss. It
// is started by `make bench`, which installs the other tools.
//
// It needs a MariaDB, a PostgreSQL and a Kafka of its own: databases named
// trueup_bench_* are dropped and created.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// options are what a run measures and with how much data.
type options struct {
	rows     int
	runs     int
	bin      string
	prefix   string
	reladiff string
	ptSync   string
	// ptChecksum, steady and plot are the governor's: a tool beside it, the length
	// of the steady load, and the file of the picture.
	ptChecksum string
	steady     time.Duration
	plot       string
	// connect, changes, follow and idle are those of following changes: the jars of
	// Kafka Connect, changes a second, for how long, and how long without any.
	connect string
	changes int
	follow  time.Duration
	idle    time.Duration
	only    string
	keep    bool
	load    bool
	filled  map[string]bool // the tables this run has filled
}

// benchmark is one part of the report. load makes the tables that -keep keeps.
type benchmark struct {
	name    string
	load    func(context.Context, options, services) error
	measure func(context.Context, options, services) error
}

var benchmarks = []benchmark{
	{"diff", loadOrders, measureDiff},
	{"damage", loadDamage, measureDamage},
	{"memory", loadMemory, measureMemory},
	{"shapes", loadShapes, measureShapes},
	{"fixer", loadOrders, measureFixer},
	{"governor", loadGovernor, measureGovernor},
	{"governor-postgres", loadGovernorPostgres, measureGovernorPostgres},
	{"continuous", loadFollowed, measureContinuous},
}

func main() {
	var names []string
	for _, b := range benchmarks {
		names = append(names, b.name)
	}
	o := options{filled: map[string]bool{}}
	flag.IntVar(&o.rows, "rows", 2_000_000, "rows in each table; other tables' sizes follow it")
	flag.IntVar(&o.runs, "runs", 3, "counted runs of each command, after one warm-up")
	flag.StringVar(&o.bin, "bin", "bin", "directory that holds trueup, validator and fixer")
	flag.StringVar(&o.prefix, "prefix", "trueup_bench", "what the names of the databases begin with")
	flag.StringVar(&o.reladiff, "reladiff", "", "reladiff executable; empty leaves it out")
	flag.StringVar(&o.ptSync, "pt-table-sync", "", "pt-table-sync executable; empty leaves it out")
	flag.StringVar(&o.ptChecksum, "pt-table-checksum", "", "pt-table-checksum executable; empty leaves it out")
	flag.DurationVar(&o.steady, "steady", 30*time.Second, "how long governor keeps each steady load, and its overload")
	flag.StringVar(&o.plot, "plot", "", "SVG file that governor draws; empty draws nothing")
	flag.StringVar(&o.connect, "connect", "", "directory that holds the jars of Kafka Connect and Debezium; empty leaves following change events out")
	flag.IntVar(&o.changes, "changes", 1000, "changes a second that continuous has followed")
	flag.DurationVar(&o.follow, "follow", 90*time.Second, "how long continuous follows changes, each way")
	flag.DurationVar(&o.idle, "idle", 2*time.Minute, "how long continuous looks for changes that do not come")
	flag.StringVar(&o.only, "only", strings.Join(names, ","), "which measurements to run")
	flag.BoolVar(&o.keep, "keep", false, "use the tables of the last run instead of loading them again")
	flag.BoolVar(&o.load, "load", false, "load the tables that -keep uses, and measure nothing")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.runs < 1 || o.rows < 1000 {
		return fmt.Errorf("-runs %d -rows %d: at least one run and a thousand rows", o.runs, o.rows)
	}
	if o.steady < 4*time.Second {
		return fmt.Errorf("-steady %s: at least 4s", o.steady)
	}
	only := strings.Split(o.only, ",")
	for _, name := range only {
		if !slices.ContainsFunc(benchmarks, func(b benchmark) bool { return b.name == name }) {
			return fmt.Errorf("-only %s: there is no measurement %q", o.only, name)
		}
	}
	env, err := loadServices(ctx)
	if err != nil {
		return err
	}
	if !o.load {
		if err := printMachine(ctx, o, env); err != nil {
			return err
		}
	}
	for _, b := range benchmarks {
		if !slices.Contains(only, b.name) {
			continue
		}
		if err := b.load(ctx, o, env); err != nil {
			return fmt.Errorf("load the tables of %s: %w", b.name, err)
		}
		if o.load {
			continue
		}
		progress("measuring %s", b.name)
		if err := b.measure(ctx, o, env); err != nil {
			return fmt.Errorf("measure %s: %w", b.name, err)
		}
	}
	return nil
}
