package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	controlv1 "github.com/trueup/trueup/proto/trueup/control/v1"
)

// groupLine is what a consumer group has left to do, for --json.
type groupLine struct {
	Group string `json:"group"`
	Topic string `json:"topic"`
	// Lag is the sum of Partitions; both are left out before they were measured once.
	Lag        *int64          `json:"lag,omitempty"`
	Partitions map[int32]int64 `json:"partitions,omitempty"`
	Measured   string          `json:"measured,omitempty"`
	Problem    string          `json:"problem,omitempty"`
}

// printGroups prints what the fixers have left to do.
func (a *app) printGroups(groups []*controlv1.Group, asJSON bool) error {
	for _, g := range groups {
		total := int64(0)
		for _, n := range g.GetLeft() {
			total += n
		}
		if asJSON {
			line := groupLine{Group: g.GetName(), Topic: g.GetTopic(), Partitions: g.GetLeft(), Measured: stamp(g.GetMeasured()), Problem: g.GetProblem()}
			if g.GetMeasured() != nil {
				line.Lag = &total
			}
			if err := json.NewEncoder(a.stdout).Encode(line); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintf(a.stdout, "%-14s  %s\n", g.GetName(), leftOf(g, total)); err != nil {
			return err
		}
	}
	return nil
}

// leftOf is a group's lag for a person.
func leftOf(g *controlv1.Group, total int64) string {
	text := "the lag was not measured yet"
	if g.GetMeasured() != nil {
		text = fmt.Sprintf("%d left in %s", total, g.GetTopic())
		if parts := partitionsLeft(g.GetLeft()); parts != "" {
			text += " (" + parts + ")"
		}
	}
	if g.GetProblem() == "" {
		return text
	}
	if g.GetMeasured() != nil {
		text += " at " + moment(g.GetMeasured())
	}
	return text + "; " + g.GetProblem()
}

// partitionsLeft names the partitions with a lag, those with most of it first.
func partitionsLeft(left map[int32]int64) string {
	const most = 8
	var with []int32
	for p, n := range left {
		if n > 0 {
			with = append(with, p)
		}
	}
	slices.SortFunc(with, func(a, b int32) int { return cmp.Or(cmp.Compare(left[b], left[a]), cmp.Compare(a, b)) })
	var parts []string
	for _, p := range with[:min(len(with), most)] {
		parts = append(parts, fmt.Sprintf("partition %d: %d", p, left[p]))
	}
	if len(with) > most {
		parts = append(parts, fmt.Sprintf("%d more", len(with)-most))
	}
	return strings.Join(parts, ", ")
}
