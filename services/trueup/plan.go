package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/services/assembly"
)

func (a *app) planCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "plan {-f FILE | SOURCE TARGET [TABLE…]}",
		Short: "Show how each column is compared, and what that could hide",
		Long: `plan inspects the tables of each pair and shows how they would be compared:
the key, the method and why, each column's types on both sides, the form they
are compared in, its rule and what the rule lets pass; warnings, and how the tables
differ:

  danger   the copy may refuse rows of the authority, or alter them: a narrower
           type, NOT NULL, a unique key that only the copy has
  warning  they behave differently for those who use them: defaults, collations,
           numbering, indexes, foreign keys, cascades
  note     worth knowing

It reads no rows and writes nothing. What would make a comparison unsound is an
error. Runs warn of dangers, or refuse them (--schema).

` + ruleHelp,
		Example: example(`
trueup plan -f trueup.yaml
trueup plan -f trueup.yaml orders
trueup plan 'mysql://app:${SRC_PW}@10.0.0.1/shop' 'postgres://app:${DST_PW}@10.0.0.2/shop' orders`),
		RunE: func(cmd *cobra.Command, args []string) error {
			j, err := o.job(cmd, args)
			if err != nil {
				return err
			}
			return a.plan(cmd, &o, j)
		},
		ValidArgsFunction: pairArguments,
	}
	o.addTo(cmd)
	cmd.Flags().StringVarP(&o.config, "file", "f", "", "the same as --config")
	return cmd
}

func (a *app) plan(cmd *cobra.Command, o *options, j *job) error {
	bench, err := a.open(cmd.Context(), j, 1)
	if err != nil {
		return err
	}
	defer bench.Close()
	for i, p := range bench.pairs {
		plan := planOf(p)
		if o.json {
			if err := json.NewEncoder(a.stdout).Encode(plan); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		if err := printPlan(a.stdout, plan); err != nil {
			return err
		}
	}
	return nil
}

// pairPlan is a plan as --json prints it.
type pairPlan struct {
	Pair     string       `json:"pair"`
	Source   tablePlan    `json:"source"`
	Target   tablePlan    `json:"target"`
	Key      []string     `json:"key"`
	Method   string       `json:"method"`
	Why      string       `json:"why"`
	Columns  []columnPlan `json:"columns"`
	Warnings []string     `json:"warnings"`
	// Schema is how the tables differ, the gravest first.
	Schema []driftPlan `json:"schema"`
}

type tablePlan struct {
	Table  string `json:"table"`
	Engine string `json:"engine"`
	Rows   int64  `json:"rows_estimated"`
	Where  string `json:"where,omitempty"`
}

type columnPlan struct {
	Column     string `json:"column"`
	Target     string `json:"target"`
	SourceType string `json:"source_type"`
	TargetType string `json:"target_type"`
	As         string `json:"compared_as"`
	Rule       string `json:"rule,omitempty"`
	// Hides is what a difference must be to pass unseen; empty for none.
	Hides string `json:"hides,omitempty"`
	Key   bool   `json:"key,omitempty"`
}

func planOf(r resolved) pairPlan {
	p := r.pair
	out := pairPlan{
		Pair: p.Name, Source: planTable(&p.Source), Target: planTable(&p.Target),
		Key: p.KeyNames(), Method: p.Method.String(), Why: p.Why, Warnings: slices.Concat([]string{}, p.Warnings, undoWarnings(r), changeWarnings(r)),
		Schema: planDrift(r),
	}
	for i, name := range p.Names {
		source, target := p.Source.Columns[i], p.Target.Columns[i]
		out.Columns = append(out.Columns, columnPlan{
			Column: name, Target: target.Name,
			SourceType: source.Native, TargetType: target.Native, As: source.As.String(),
			Rule: assembly.DescribeRule(p.Rules[i]), Hides: hides(source, target, p.Rules[i]), Key: p.Source.IsKey(i),
		})
	}
	return out
}

func planTable(v *schema.View) tablePlan {
	return tablePlan{Table: v.Table.Name.String(), Engine: v.Table.Engine, Rows: v.Table.Rows, Where: v.Filter()}
}

func printPlan(w io.Writer, p pairPlan) error {
	fmt.Fprintf(w, "%s: %s (%s, about %d rows) against %s (%s, about %d rows)\n",
		p.Pair, p.Source.Table, p.Source.Engine, p.Source.Rows, p.Target.Table, p.Target.Engine, p.Target.Rows)
	fmt.Fprintf(w, "  key     %s\n", strings.Join(p.Key, ", "))
	fmt.Fprintf(w, "  method  %s: %s\n", p.Method, strings.TrimPrefix(p.Why, p.Method+": "))
	for _, side := range []struct{ name, where string }{{"source", p.Source.Where}, {"target", p.Target.Where}} {
		if side.where != "" {
			fmt.Fprintf(w, "  rows    at the %s only those with %s\n", side.name, side.where)
		}
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  COLUMN\tSOURCE TYPE\tTARGET TYPE\tCOMPARED AS\tRULE\tCOULD HIDE")
	for _, c := range p.Columns {
		name := c.Column
		if c.Target != c.Column {
			name += " → " + c.Target
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\t%s\n", name, c.SourceType, c.TargetType, c.As, or(c.Rule, "–"), or(c.Hides, "nothing"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	printCautions(w, p)
	return nil
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
