// Command fixer takes findings from Kafka and repairs the rows they name. Run
// as many as there are partitions: they share the work.
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

// run returns the exit status: 0 after an orderly stop, 2 for trouble.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := assembly.Flags{About: about}
	set := flag.NewFlagSet("fixer", flag.ContinueOnError)
	flags.Register(set)
	if status, done := assembly.ParseFlags(set, &flags, args, stdout, stderr); done {
		return status
	}
	file, err := flags.Load()
	if err != nil {
		return assembly.Fail(stderr, "fixer", err)
	}
	f, err := wire(ctx, file, flags.Listen, stderr)
	if err != nil {
		return assembly.Fail(stderr, "fixer", err)
	}
	if err := f.service.Parts.Run(ctx); err != nil {
		f.service.Log.Error().Err(err).Msg("stopped")
		return assembly.StatusTrouble
	}
	f.service.Log.Info().Msg("stopped")
	return assembly.StatusClean
}
