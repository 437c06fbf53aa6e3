package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/trueup/trueup/pkg/schema"
)

// driftPlan is a difference between the two tables as --json prints it.
type driftPlan struct {
	Severity string   `json:"severity"`
	Columns  []string `json:"columns,omitempty"`
	Source   string   `json:"source,omitempty"`
	Target   string   `json:"target,omitempty"`
	Says     string   `json:"says"`
}

func planDrift(p resolved) []driftPlan {
	out := []driftPlan{}
	for _, d := range p.pair.Drift(p.asked.Copy(p.pair)) {
		out = append(out, driftPlan{Severity: d.Severity.String(), Columns: d.Columns, Source: d.Source, Target: d.Target, Says: d.Says})
	}
	return out
}

// dangers are those that a run warns of, as sentences.
func (p pairPlan) dangers() []string {
	var out []string
	for _, d := range p.Schema {
		if d.Severity == schema.Danger.String() {
			out = append(out, schema.Drift{Columns: d.Columns, Source: d.Source, Target: d.Target, Says: d.Says}.String())
		}
	}
	return out
}

// printCautions prints how the tables differ and what else to know, the gravest
// first.
func printCautions(w io.Writer, p pairPlan) {
	list := slices.Clone(p.Schema)
	firstMild := slices.IndexFunc(list, func(d driftPlan) bool { return d.Severity != schema.Danger.String() })
	if firstMild < 0 {
		firstMild = len(list)
	}
	for i := len(p.Warnings) - 1; i >= 0; i-- {
		list = slices.Insert(list, firstMild, driftPlan{Severity: schema.Warning.String(), Says: p.Warnings[i]})
	}
	if len(list) > 0 {
		fmt.Fprintln(w)
	}
	for _, d := range list {
		label := d.Severity
		for _, line := range d.lines() {
			fmt.Fprintf(w, "  %-8s %s\n", label, line)
			label = ""
		}
	}
}

// lines are what it is about and what each side says, and what follows.
func (d driftPlan) lines() []string {
	about := strings.Join(d.Columns, ", ")
	switch {
	case d.Source == "" && d.Target == "" && about == "":
		return []string{d.Says}
	case d.Source == "" && d.Target == "":
		return []string{about + ": " + d.Says}
	case about != "":
		about += ": "
	}
	return []string{about + d.Source + " at the source, " + d.Target + " at the target", d.Says}
}
