package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/services/assembly"
)

// Exit statuses, as for diff(1).
const (
	statusClean       = 0 // nothing differs
	statusDifferences = 1 // something differs
	statusTrouble     = 2 // could not look at everything, or bad usage
)

// app is what the subcommands share.
type app struct {
	stdout, stderr io.Writer
	// status is the exit status of a command that ended without error.
	status int
}

// worsen keeps the graver of the statuses.
func (a *app) worsen(status int) { a.status = max(a.status, status) }

// run runs the command line and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{stdout: stdout, stderr: stderr}
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return a.status
	}
	printError(stderr, err)
	if usage, ok := errors.AsType[*usageError](err); ok && usage != nil {
		fmt.Fprintf(stderr, "Run `%s --help` for how to use it.\n", command.CommandPath())
	}
	return statusTrouble
}

// printError prints an error, and the way out it offers on a line of its own.
func printError(stderr io.Writer, err error) {
	text, hint := err.Error(), ""
	if e, ok := errors.AsType[*database.Error](err); ok && e.Hint != "" {
		hint = e.Hint
		text = strings.Replace(text, "; "+hint, "", 1)
	}
	fmt.Fprintf(stderr, "trueup: %s\n", text)
	if hint != "" {
		fmt.Fprintf(stderr, "hint: %s\n", hint)
	}
}

// usageError is a command line that makes no sense.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "trueup",
		Short: "Prove that two databases hold the same rows, and repair what differs",
		Long: `trueup compares tables of MySQL, MariaDB and PostgreSQL while both sides are
live, and repairs the copy where it differs.

Databases are URLs: mysql://user:password@host:port/database, mariadb://… or
postgres://user:password@host:port/database. ${NAME} in a URL stands for the
environment variable NAME, so that no password needs to stand on the command
line; --password-file reads it from a file.

Exit status: 0 nothing differs, 1 something differs, 2 trouble: could not look
at everything, or bad usage.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unknown command %q", args[0])
			}
			return cmd.Help()
		},
	}
	root.Version = assembly.ReadBuild().String()
	root.SetVersionTemplate("trueup {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.AddCommand(a.diffCommand(), a.fixCommand(), a.planCommand(), a.runCommand(), a.pauseCommand(), a.resumeCommand(), a.stopCommand(), a.promoteCommand(), a.statusCommand(), a.verdictsCommand(), a.topicsCommand(), a.governorCommand(), a.canaryCommand(), a.historyCommand(), a.undoCommand(), a.releaseCommand(), a.deadCommand(), a.grantsCommand(), a.manCommand(), a.versionCommand())
	offerCompletions(root)
	return root
}

// example indents the lines of an example for the help text.
func example(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ")
}
