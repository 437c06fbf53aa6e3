// Testreport runs `go test` in several modules and reports them as one.
//
//	testreport [-allow-skips] MODULE... [-- GO TEST FLAGS]
//
// It prints one line a package and, in full, what failed; its last line is
// "N passed, N failed" (and ", N skipped" if any), where subtests count too. A
// package that does not build, panics or runs out of time counts as one failure
// even if no test of it failed. The exit status is 0 only if nothing failed and,
// without -allow-skips, nothing was skipped: a test that did not run proves
// nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout))
}

func run(ctx context.Context, args []string, out io.Writer) int {
	modules, flags := args, []string(nil)
	if at := slices.Index(args, "--"); at >= 0 {
		modules, flags = args[:at], args[at+1:]
	}
	allowSkips := len(modules) > 0 && modules[0] == "-allow-skips"
	if allowSkips {
		modules = modules[1:]
	}
	if len(modules) == 0 || strings.HasPrefix(modules[0], "-") {
		fmt.Fprintln(out, "usage: testreport [-allow-skips] MODULE... [-- GO TEST FLAGS]")
		return 2
	}
	report := newReport(out, !allowSkips)
	for _, module := range modules {
		if err := test(ctx, module, flags, report); err != nil {
			report.broken(module, err)
		}
	}
	return report.close()
}

// test runs `go test` in one module and feeds what it says to the report.
func test(ctx context.Context, module string, flags []string, report *report) error {
	command := exec.CommandContext(ctx, "go", slices.Concat([]string{"test", "-json"}, flags, []string{"./..."})...)
	command.Dir = module
	command.Stderr = os.Stderr
	// An interrupted run lets the tests clean up after themselves.
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	stream, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	failedBefore := report.failed
	readErr := report.read(stream)
	if readErr != nil {
		// Unblock a child that still writes.
		_, _ = io.Copy(io.Discard, stream)
	}
	err = command.Wait()
	if _, exited := errors.AsType[*exec.ExitError](err); exited && report.failed > failedBefore {
		// The failed tests have said it already.
		err = nil
	}
	return errors.Join(readErr, err)
}
