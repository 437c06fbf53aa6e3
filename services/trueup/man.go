package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/trueup/trueup/internal/manual"
	"github.com/trueup/trueup/services/assembly"
)

func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIRECTORY",
		Short: "Write the manual pages of trueup and its commands",
		Long: `Writes a page for man(1) of every command into a directory: trueup.1,
trueup-diff.1 and so on. The services print theirs by --man.`,
		Example: example(`
trueup man ~/.local/share/man/man1
man trueup-diff`),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("want the name of one directory")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // manual pages are for everybody
				return err
			}
			return writePages(cmd.Root(), args[0])
		},
	}
}

// writePages writes the pages of a command and of those below it.
func writePages(cmd *cobra.Command, dir string) error {
	page := pageOf(cmd)
	path := filepath.Join(dir, page.Name+".1")
	if err := os.WriteFile(path, []byte(page.Roff()), 0o644); err != nil { //nolint:gosec // manual pages are for everybody
		return err
	}
	for _, below := range documented(cmd) {
		if err := writePages(below, dir); err != nil {
			return err
		}
	}
	return nil
}

// documented are the commands below one that people are told of.
func documented(cmd *cobra.Command) (list []*cobra.Command) {
	for _, below := range cmd.Commands() {
		if below.IsAvailableCommand() {
			list = append(list, below)
		}
	}
	return list
}

func pageOf(cmd *cobra.Command) manual.Page {
	build := assembly.ReadBuild()
	page := manual.Page{
		Name: pageName(cmd), Short: cmd.Short, Synopsis: cmd.UseLine(), Long: cmd.Long, Examples: cmd.Example, Version: build.Version,
	}
	if page.Long == "" {
		page.Long = cmd.Short + "."
	}
	page.Date, _, _ = strings.Cut(build.Date, "T")
	for _, below := range documented(cmd) {
		page.Commands = append(page.Commands, manual.Entry{Name: below.Name(), Text: below.Short})
		page.See = append(page.See, pageName(below))
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" {
			page.Flags = append(page.Flags, flagEntry(f))
		}
	})
	if cmd.HasParent() {
		page.See = append(page.See, pageName(cmd.Parent()))
	} else {
		page.See = append(page.See, "validator", "fixer")
	}
	return page
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

func flagEntry(f *pflag.Flag) manual.Entry {
	placeholder, text := pflag.UnquoteUsage(f)
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	if placeholder != "" {
		name += " " + placeholder
	}
	if !strings.Contains(text, "(default") && f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "0s" && f.DefValue != "[]" {
		text += fmt.Sprintf(" (default %s)", f.DefValue)
	}
	return manual.Entry{Name: name, Text: text}
}
