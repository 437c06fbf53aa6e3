// Command validator finds rows that differ between two databases and publishes
// their keys to Kafka: by schedule, or once.
package main

import (
	"context"
	"flag"
	"io"
	"os"

	"github.com/trueup/trueup/services/assembly"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit status: 0 after an orderly stop or when --once found
// nothing, 1 when --once found differences, 2 for trouble.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var flags struct {
		assembly.Flags
		choice
	}
	flags.About = about
	set := flag.NewFlagSet("validator", flag.ContinueOnError)
	flags.Register(set)
	set.BoolVar(&flags.once, "once", false, "run every pair once, then exit: 0 clean, 1 differences, 2 could not look")
	set.StringVar(&flags.pair, "pair", "", "only the pair with this `name`")
	if status, done := assembly.ParseFlags(set, &flags.Flags, args, stdout, stderr); done {
		return status
	}
	file, err := flags.Load()
	if err != nil {
		return assembly.Fail(stderr, "validator", err)
	}
	v, err := wire(ctx, file, flags.choice, flags.Listen, stderr)
	if err != nil {
		return assembly.Fail(stderr, "validator", err)
	}
	if err := v.service.Parts.Run(ctx); err != nil {
		v.service.Log.Error().Err(err).Msg("stopped")
		return assembly.StatusTrouble
	}
	v.service.Log.Info().Msg("stopped")
	return v.status
}
