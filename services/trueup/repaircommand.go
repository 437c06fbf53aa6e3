package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/report"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// commandLine spells the commands of a report: what the run was asked for, with
// placeholders where passwords were.
type commandLine struct {
	// databases are --config or the two URLs.
	databases []string
	flags     []string
	fromFile  bool
	// variables are those that must hold a password.
	variables []string
}

// kept are the flags of diff that mean the same to whoever compares or repairs
// again, in the order they are spelled in.
var kept = []string{
	"source-password-file", "target-password-file", "password-file", "key", "columns", "exclude", "map", "constant", "rule",
	"where", "source-where", "target-where", "method", "authority", "confirm", "threads",
}

func newCommandLine(cmd *cobra.Command, o *options, j *job, dbs *assembly.Databases) commandLine {
	c := commandLine{fromFile: o.config != ""}
	if c.fromFile {
		c.databases = []string{"--config", quoteArg(o.config)}
	}
	if !c.fromFile || j.source.DSN != j.file.Source.DSN || j.target.DSN != j.file.Target.DSN {
		c.databases = append(c.databases, c.url(dbs.Source, j.source, "SOURCE_PASSWORD"), c.url(dbs.Target, j.target, "TARGET_PASSWORD"))
	}
	for _, name := range kept {
		if f := cmd.Flags().Lookup(name); f != nil && f.Changed {
			c.flags = append(c.flags, spell(name, f.Value)...)
		}
	}
	return c
}

// flagValue is what a flag was set to.
type flagValue interface {
	String() string
	Type() string
}

// spell writes a flag as it may be given again.
func spell(name string, value flagValue) []string {
	values := []string{value.String()}
	if value.Type() == "stringSlice" { // read as comma-separated values
		values = []string{strings.TrimSuffix(strings.TrimPrefix(values[0], "["), "]")}
	} else if list, ok := value.(interface{ GetSlice() []string }); ok {
		values = list.GetSlice()
	}
	var out []string
	for _, v := range values {
		out = append(out, "--"+name, quoteArg(v))
	}
	return out
}

var (
	wholeVariable    = regexp.MustCompile(`^\$\{[A-Za-z_][A-Za-z0-9_]*\}$`)
	passwordVariable = regexp.MustCompile(`^[a-z]+://[^:/?@]*:\$\{([A-Za-z_][A-Za-z0-9_]*)\}@`)
)

// url is a database's URL in quotes. A password is never in it: where there was
// one, an environment variable is named instead, the user's own if there was one.
func (c *commandLine) url(db *database.DB, d assembly.Database, variable string) string {
	if wholeVariable.MatchString(d.DSN) {
		return "'" + d.DSN + "'"
	}
	if m := passwordVariable.FindStringSubmatch(d.DSN); m != nil {
		variable = m[1]
	}
	if d.PasswordFile != "" || !holdsPassword(d.DSN) && !strings.Contains(d.DSN, "password=") {
		return quoteArg(db.Template(""))
	}
	if !slices.Contains(c.variables, variable) {
		c.variables = append(c.variables, variable)
	}
	return quoteArg(db.Template("${" + variable + "}"))
}

var plainArg = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// quoteArg quotes an argument for a POSIX shell where it needs it.
func quoteArg(arg string) string {
	if plainArg.MatchString(arg) {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

// line spells a command for some pairs.
func (c commandLine) line(command string, pairs []resolved, more ...string) string {
	words := append([]string{"trueup", command}, c.databases...)
	for _, p := range pairs {
		switch {
		case c.fromFile:
			words = append(words, quoteArg(p.asked.Name))
		case p.asked.Target == p.asked.Source:
			words = append(words, quoteArg(p.asked.Source))
		default:
			words = append(words, quoteArg(p.asked.Source+"="+p.asked.Target))
		}
	}
	return strings.Join(slices.Concat(words, c.flags, more), " ")
}

// passwords says what to do before a command with placeholders can run.
func (c commandLine) passwords() string {
	if len(c.variables) == 0 {
		return ""
	}
	return " (export " + strings.Join(c.variables, " and ") + " first: trueup puts the password in, the quotes keep the shell from it)"
}

// repairs are the commands that repair some pairs.
func (c commandLine) repairs(pairs []resolved, mode validate.Mode) []report.Command {
	var more []string
	if mode == validate.Reverse {
		more = []string{"--mode", "reverse"}
	}
	return []report.Command{
		{For: "See the SQL that would repair, and write nothing" + c.passwords(), Line: c.line("fix", pairs, append(more, "--dry-run")...)},
		{For: "Repair from fresh reads, then compare everything once more", Line: c.line("fix", pairs, append(more, "--verify")...)},
	}
}

// advise adds to a pair what can be done about it.
func (p *reporter) advise(out *report.Pair, pair resolved) {
	pairs := []resolved{pair}
	again := func(purpose string, more ...string) {
		out.Next = append(out.Next, report.Command{For: purpose + p.commands.passwords(), Line: p.commands.line("diff", pairs, more...)})
	}
	mode := []string{"--mode", p.r.mode.String()}
	if p.r.mode == validate.Full {
		mode = nil
	}
	switch {
	case out.State == report.Clean:
	case out.State == report.Incomplete:
		again("Compare again once the reason is gone", mode...)
	case p.r.mode == validate.Count:
		again("Compare the rows themselves")
	case out.State == report.Unsettled:
		again("Compare again when the table is quieter", mode...)
	}
	if out.Found.Total() == 0 {
		return
	}
	if err := pair.asked.CheckRepair(pair.pair); err != nil {
		out.Warnings = append(out.Warnings, "trueup cannot repair this pair: "+err.Error())
		return
	}
	out.Next = append(out.Next, p.commands.repairs(pairs, p.r.mode)...)
}

// adviseAll offers one command for all pairs when several differ.
func (p *reporter) adviseAll() {
	var differ []resolved
	for i, pair := range p.r.pairs {
		if p.page.Pairs[i].Found.Total() > 0 && pair.asked.CheckRepair(pair.pair) == nil {
			differ = append(differ, pair)
		}
	}
	if len(differ) > 1 {
		p.page.Repair = p.commands.repairs(differ, p.r.mode)
	}
}

// why is the reason for a pair's method without the method's name in front.
func why(p *schema.Pair) string {
	return strings.TrimPrefix(p.Why, p.Method.String()+": ")
}
