package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/trueup/trueup/services/assembly"
)

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version, and what it was built from",
		Long: `Prints the version, the commit and its date, and the toolchain and platform it was
built with. Two builds of a commit with one toolchain are the same byte for byte.`,
		Example: example("trueup version\ntrueup version --json"),
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			var text bytes.Buffer
			if build := assembly.ReadBuild(); !asJSON {
				fmt.Fprintf(&text, "trueup %s\n", build)
			} else if err := encodeLine(&text, build); err != nil {
				return err
			}
			_, err := a.stdout.Write(text.Bytes())
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage("unexpected argument %q", args[0])
	}
	return nil
}
