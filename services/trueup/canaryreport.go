package main

import (
	"bytes"
	"fmt"
	"time"

	"github.com/trueup/trueup/pkg/canary"
	"github.com/trueup/trueup/services/assembly"
)

// canaryLine is a canary as --json prints it.
type canaryLine struct {
	Pair   string  `json:"pair"`
	Kind   string  `json:"kind"`
	Key    jsonKey `json:"key"`
	Column string  `json:"column,omitempty"`
	Proven bool    `json:"proven"`
	Asked  bool    `json:"asked"`
	// Seconds are those from the planting up to each stage that was reached.
	Seconds map[canary.Stage]float64 `json:"seconds"`
	Planted time.Time                `json:"planted_at"`
	Run     string                   `json:"run,omitempty"`
	Finding string                   `json:"finding,omitempty"`
	Missed  canary.Stage             `json:"missed,omitempty"`
	Reason  string                   `json:"reason,omitempty"`
	// Row is what the row ended as, and RowReason why it is left.
	Row       canary.Fate `json:"row,omitempty"`
	RowReason string      `json:"row_reason,omitempty"`
}

// canaryReached prints a stage for a person.
func (a *app) canaryReached(r canary.Report, s canary.Stage) {
	text := fmt.Sprintf("%-9s %6.1f s", s, r.Reached[s].Seconds())
	switch s {
	case canary.Planted:
		text = fmt.Sprintf("%-9s %s in %s, row %s", s, r.Kind, r.Pair, assembly.DescribeKey(r.Key))
		if r.Column != "" {
			text += ", column " + r.Column
		}
	case canary.Found:
		text += "   by run " + r.Finding.Run
	case canary.Repaired:
		text += "   " + r.Outcome.Action.String()
	case canary.Equal:
	}
	fmt.Fprintln(a.stdout, text)
}

// tellCanary prints what became of a canary.
func (a *app) tellCanary(r canary.Report, asJSON bool) error {
	if !r.Proven() {
		a.worsen(statusDifferences)
	}
	var text bytes.Buffer
	if asJSON {
		if err := encodeLine(&text, struct {
			Canary canaryLine `json:"canary"`
		}{lineOf(r)}); err != nil {
			return err
		}
	} else {
		text.WriteString(canarySentence(r))
	}
	_, err := a.stdout.Write(text.Bytes())
	return err
}

func lineOf(r canary.Report) canaryLine {
	line := canaryLine{
		Pair: r.Pair, Kind: r.Kind.String(), Key: jsonKey(r.Key), Column: r.Column, Proven: r.Proven(), Asked: r.Asked,
		Seconds: map[canary.Stage]float64{}, Planted: r.At.UTC(), Missed: r.Missed, Reason: r.Reason, Row: r.Row, RowReason: r.Why,
	}
	for _, stage := range []canary.Stage{canary.Found, canary.Repaired, canary.Equal} {
		if after, ok := r.Reached[stage]; ok {
			line.Seconds[stage] = float64(after.Milliseconds()) / 1000
		}
	}
	if r.Finding != nil {
		line.Run, line.Finding = r.Finding.Run, r.Finding.ID
	}
	return line
}

// missedWords say which stage did not come to pass.
var missedWords = map[canary.Stage]string{
	canary.Found: "not found", canary.Repaired: "found, but not repaired", canary.Equal: "found and repaired, but not equal",
}

// fateWords say what the row ended as.
var fateWords = map[canary.Fate]string{
	"":               "What became of the row is not known; the next full run tells.",
	canary.GivenBack: "The row was given back as it was.", canary.AsBefore: "The row is as it was, though not by the canary.",
}

// canarySentence is the end of a canary for a person.
func canarySentence(r canary.Report) string {
	how := ""
	if r.Asked {
		how = " A validator was asked to look, so the seconds do not say when it would have looked by itself."
	}
	switch {
	case r.Proven():
		return fmt.Sprintf("%s: proven, a difference of kind %s was found, repaired and read equal.%s\n", r.Pair, r.Kind, how)
	case r.Row == canary.Left:
		return fmt.Sprintf("%s: %s\nThe row is left as it is: %s\n", r.Pair, verdictOf(r), r.Why)
	default:
		return fmt.Sprintf("%s: %s\n%s\n", r.Pair, verdictOf(r), fateWords[r.Row])
	}
}

func verdictOf(r canary.Report) string {
	if r.Missed == "" {
		return "the canary did not come to its end."
	}
	return fmt.Sprintf("%s: %s.", missedWords[r.Missed], r.Reason)
}
