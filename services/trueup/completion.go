package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/trueup/trueup/services/assembly"
)

// words are what a flag takes, where that is one of a few words.
var words = map[string][]cobra.Completion{
	"authority": {"source", "target"},
	"kind":      {"neq", "target_missing", "base_missing"},
	"method":    {"auto", "checksum", "merge", "lookup"},
	"mode":      {"full", "reverse", "count"},
	"role":      {"validator", "fixer", "all"},
	"schema":    {"strict", "warn", "ignore"},
	"side":      {"source", "target", "both"},
	"to":        {"source", "target"},
}

// configFlags name the configuration file; a command has one of them or both.
var configFlags = []string{"config", "file"}

// offerCompletions has the shell complete what the flags of all commands take, and
// names of pairs from the configuration file, which is read only for that.
func offerCompletions(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		offerCompletions(cmd)
		flags := cmd.Flags()
		for name, list := range words {
			if flags.Lookup(name) != nil {
				_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
			}
		}
		for _, name := range configFlags {
			if flags.Lookup(name) != nil {
				_ = cmd.MarkFlagFilename(name, "yaml", "yml") // the flag is there
			}
		}
		if flags.Lookup("pair") != nil {
			_ = cmd.RegisterFlagCompletionFunc("pair", func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
				return configuredPairs(cmd, nil), cobra.ShellCompDirectiveNoFileComp
			}) // the flag is there
		}
	}
}

// pairArgument completes the name of one pair, and nothing after it.
func pairArgument(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return configuredPairs(cmd, nil), cobra.ShellCompDirectiveNoFileComp
}

// pairArguments completes names of pairs that are not there yet.
func pairArguments(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return configuredPairs(cmd, args), cobra.ShellCompDirectiveNoFileComp
}

// configuredPairs are the names of the file's pairs, and of its entries with
// shards, without those that are there already. A file that cannot be read offers
// nothing: nobody can be told why while he types.
func configuredPairs(cmd *cobra.Command, there []string) []cobra.Completion {
	var names []cobra.Completion
	for _, flag := range configFlags {
		f := cmd.Flags().Lookup(flag)
		if f == nil || f.Value.String() == "" {
			continue
		}
		file, err := assembly.Load(f.Value.String())
		if err != nil {
			return nil
		}
		for _, p := range file.Pairs {
			for _, name := range []string{p.Entry, p.Name} {
				if name != "" && !slices.Contains(names, name) && !slices.Contains(there, name) {
					names = append(names, name)
				}
			}
		}
		return names
	}
	return nil
}
