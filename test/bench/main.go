// Command bench measures trueup beside the tools it is compared with, on the
// same servers, the same data and in the same run, and prints ratios of
// medians. It is started by `make bench`, which installs the other tools.
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
	"strings"
)

// options are what a run measures and with how much data.
type options struct {
	rows     int
	runs     int
	bin      string
	reladiff string
	ptSync   string
	only     string
	keep     bool
}

func main() {
	var o options
	flag.IntVar(&o.rows, "rows", 2_000_000, "rows in each table")
	flag.IntVar(&o.runs, "runs", 3, "counted runs of each command, after one warm-up")
	flag.StringVar(&o.bin, "bin", "bin", "directory that holds trueup, validator and fixer")
	flag.StringVar(&o.reladiff, "reladiff", "", "reladiff executable; empty leaves it out")
	flag.StringVar(&o.ptSync, "pt-table-sync", "", "pt-table-sync executable; empty leaves it out")
	flag.StringVar(&o.only, "only", "diff,memory,fixer", "which measurements to run")
	flag.BoolVar(&o.keep, "keep", false, "use the tables of the last run instead of loading them again")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	env, err := loadServices()
	if err != nil {
		return err
	}
	fmt.Printf("# %s\n\n", machine())
	for _, m := range []struct {
		name    string
		measure func(context.Context, options, services) error
	}{
		{"diff", measureDiff},
		{"memory", measureMemory},
		{"fixer", measureFixer},
	} {
		if !strings.Contains(","+o.only+",", ","+m.name+",") {
			continue
		}
		if err := m.measure(ctx, o, env); err != nil {
			return fmt.Errorf("measure %s: %w", m.name, err)
		}
	}
	return nil
}
