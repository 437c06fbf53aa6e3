package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/schema"
)

func (a *app) planCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "plan {-f FILE | SOURCE TARGET [TABLE…]}",
		Short: "Show how each column is compared, and what that could hide",
		Long: `plan inspects the tables of each pair and shows how they would be compared:
the key, the method and why, each column's types on both sides, the form they
are compared in, its rule and what the rule lets pass; and warnings. It reads no
rows and writes nothing.

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
		if o.json {
			if err := json.NewEncoder(a.stdout).Encode(planOf(p.pair)); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		if err := printPlan(a.stdout, planOf(p.pair)); err != nil {
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

func planOf(p *schema.Pair) pairPlan {
	out := pairPlan{
		Pair: p.Name, Source: planTable(&p.Source), Target: planTable(&p.Target),
		Key: p.KeyNames(), Method: p.Method.String(), Why: p.Why, Warnings: p.Warnings,
	}
	if out.Warnings == nil {
		out.Warnings = []string{}
	}
	for i, name := range p.Names {
		source, target := p.Source.Columns[i], p.Target.Columns[i]
		out.Columns = append(out.Columns, columnPlan{
			Column: name, Target: target.Name,
			SourceType: source.Native, TargetType: target.Native, As: source.As.String(),
			Rule: describeRule(p.Rules[i]), Hides: hides(source.As, p.Rules[i]), Key: p.Source.IsKey(i),
		})
	}
	return out
}

func planTable(v *schema.View) tablePlan {
	return tablePlan{Table: v.Table.Name.String(), Engine: v.Table.Engine, Rows: v.Table.Rows, Where: v.Where}
}

// describeRule is the rule as --rule reads it.
func describeRule(r canonical.Rule) string {
	var parts []string
	if r.Tolerance > 0 {
		parts = append(parts, fmt.Sprintf("tolerance:%g", r.Tolerance))
	}
	if r.Trim != "" {
		parts = append(parts, "trim:"+r.Trim)
	}
	if r.Case != "" {
		parts = append(parts, "case:"+r.Case)
	}
	if r.JSON {
		parts = append(parts, "json")
	}
	if r.Zone != "" {
		parts = append(parts, "zone:"+r.Zone)
	}
	return strings.Join(parts, ",")
}

// hides says which differences of a column count as none.
func hides(t canonical.Type, r canonical.Rule) string {
	var parts []string
	if r.Tolerance > 0 {
		parts = append(parts, fmt.Sprintf("differences up to %g", r.Tolerance))
	}
	switch r.Trim {
	case canonical.TrimLeft:
		parts = append(parts, "blanks at the start")
	case canonical.TrimRight:
		parts = append(parts, "blanks at the end")
	case canonical.TrimBoth:
		parts = append(parts, "blanks at both ends")
	}
	if r.Case != "" {
		parts = append(parts, "letter case")
	}
	if r.JSON || t.Kind == canonical.JSON {
		parts = append(parts, "JSON spelling: order of keys, blanks, 1.0 for 1")
	}
	if t.Kind == canonical.Float32 || t.Kind == canonical.Float64 {
		parts = append(parts, "-0 for 0")
	}
	return strings.Join(parts, "; ")
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
	for _, warning := range p.Warnings {
		fmt.Fprintf(w, "  warning: %s\n", warning)
	}
	return nil
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
