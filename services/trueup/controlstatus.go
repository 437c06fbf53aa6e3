package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	controlv1 "github.com/trueup/trueup/proto/trueup/control/v1"
)

func (a *app) statusCommand() *cobra.Command {
	var s server
	cmd := &cobra.Command{
		Use:   "status [PAIR…]",
		Short: "Show how a validator's pairs, governors and the fixers' lag stand",
		Long: `Shows of each pair whether a run is under way, rests or waits, who asked for that
and why, how far it is, what the last run of each mode came to since the validator
was started, and when the next one is due; then the governors, and what the fixers
have left to do in Kafka, whether there are fixers or not.` + reaching,
		Example: example("trueup status\ntrueup status orders --json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := s.open()
			if err != nil {
				return err
			}
			out, err := r.Status(cmd.Context(), connect.NewRequest(&controlv1.StatusRequest{Pairs: args}))
			if err != nil {
				return r.explain("ask for the status", err)
			}
			if err := a.printPairs(out.Msg.GetPairs(), s.json); err != nil || len(args) > 0 {
				return err
			}
			if err := a.printGovernors(out.Msg.GetGovernors(), s.json); err != nil {
				return err
			}
			return a.printGroups(out.Msg.GetGroups(), s.json)
		},
		ValidArgsFunction: s.completePairs,
	}
	s.addTo(cmd)
	return cmd
}

// completePairs offers the names of the validator's pairs to the shell, or those of
// the configuration file where the validator is not reached.
func (s *server) completePairs(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	r, err := s.open()
	if err != nil {
		return configuredPairs(cmd, args), cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), 2*time.Second) // somebody waits for the key to act
	defer cancel()
	out, err := r.Status(ctx, connect.NewRequest(&controlv1.StatusRequest{}))
	if err != nil {
		return configuredPairs(cmd, args), cobra.ShellCompDirectiveNoFileComp
	}
	var names []cobra.Completion
	for _, p := range out.Msg.GetPairs() {
		if !slices.Contains(args, p.GetName()) {
			names = append(names, p.GetName())
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// pairLine is a pair for --json. Times are RFC 3339, left out where there is none.
type pairLine struct {
	Pair      string        `json:"pair"`
	Phase     string        `json:"phase"`
	Order     *orderLine    `json:"order,omitempty"`
	Run       *runLine      `json:"run,omitempty"`
	Pending   []string      `json:"pending,omitempty"`
	WaitsFor  string        `json:"waits_for,omitempty"`
	NextStart string        `json:"next_start,omitempty"`
	Verdicts  []verdictLine `json:"verdicts,omitempty"`
	Authority string        `json:"authority"`
	Epoch     uint64        `json:"epoch"`
	Standing  *standingLine `json:"standing,omitempty"`
}

type standingLine struct {
	Line          string           `json:"line"`
	Known         bool             `json:"known"`
	Open          int64            `json:"open"`
	AtLeast       bool             `json:"at_least,omitempty"`
	Oldest        string           `json:"oldest,omitempty"`
	Kinds         map[string]int64 `json:"kinds,omitempty"`
	HeldUp        map[string]int64 `json:"held_up,omitempty"`
	VerifiedUntil string           `json:"verified_until,omitempty"`
}

type orderLine struct {
	Who   string `json:"who"`
	Why   string `json:"why,omitempty"`
	At    string `json:"at,omitempty"`
	Until string `json:"until,omitempty"`
}

type runLine struct {
	ID        string  `json:"id"`
	Mode      string  `json:"mode"`
	Began     string  `json:"began,omitempty"`
	Rows      int64   `json:"rows_scanned"`
	Estimated int64   `json:"rows_estimated"`
	Remaining float64 `json:"remaining_seconds,omitempty"`
	Resumed   bool    `json:"resumed,omitempty"`
}

type verdictLine struct {
	Run           string `json:"run"`
	Mode          string `json:"mode"`
	Complete      bool   `json:"complete"`
	Clean         bool   `json:"clean"`
	TargetMissing int64  `json:"target_missing"`
	NotEqual      int64  `json:"neq"`
	BaseMissing   int64  `json:"base_missing"`
	Undecided     int64  `json:"undecided"`
	Unreadable    int64  `json:"unreadable"`
	Reason        string `json:"reason,omitempty"`
	Ended         string `json:"ended"`
}

func (a *app) printPairs(pairs []*controlv1.Pair, asJSON bool) error {
	var text bytes.Buffer
	if asJSON {
		for _, p := range pairs {
			if err := encodeLine(&text, pairLineOf(p)); err != nil {
				return err
			}
		}
	} else {
		table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
		for _, p := range pairs {
			fmt.Fprintf(table, "%s\t%s\t%s\n", p.GetName(), p.GetPhase(), strings.Join(details(p), "; "))
			if line := strings.TrimPrefix(p.GetStanding().GetLine(), p.GetName()+": "); line != "" {
				fmt.Fprintf(table, "\t\t%s\n", line)
			}
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	_, err := a.stdout.Write(text.Bytes())
	return err
}

// details are what a person wants to know of a pair besides its phase.
func details(p *controlv1.Pair) []string {
	var out []string
	if o := p.GetOrder(); o != nil {
		text := "by " + o.GetWho()
		if o.GetWhy() != "" {
			text += ": " + o.GetWhy()
		}
		if o.GetUntil() != nil {
			text += ", until " + moment(o.GetUntil())
		}
		out = append(out, text)
	}
	if p.GetPhase() == "running" || p.GetPhase() == "paused" {
		out = append(out, progressOf(p.GetRun())...)
	}
	if p.GetWaitsFor() != "" {
		out = append(out, p.GetWaitsFor())
	}
	if len(p.GetPending()) > 0 {
		out = append(out, "waiting: "+strings.Join(p.GetPending(), ", "))
	}
	for _, v := range p.GetVerdicts() {
		out = append(out, fmt.Sprintf("%s of %s: %s", v.GetMode(), moment(v.GetEnded()), concluded(v)))
	}
	if p.GetNextStart() != nil {
		out = append(out, "next "+moment(p.GetNextStart()))
	}
	return out
}

func progressOf(r *controlv1.Run) []string {
	if r.GetRowsEstimated() == 0 {
		return nil
	}
	text := fmt.Sprintf("%s, %d of about %d rows", r.GetMode(), r.GetRowsScanned(), r.GetRowsEstimated())
	if left := r.GetRemaining(); left != nil {
		text += ", " + left.AsDuration().String() + " left"
	}
	return []string{text}
}

// concluded is a verdict in a few words.
func concluded(v *controlv1.Verdict) string {
	text := "not clean"
	switch found := v.GetTargetMissing() + v.GetNotEqual() + v.GetBaseMissing(); {
	case v.GetClean():
		return "clean"
	case !v.GetComplete():
		text = "incomplete"
	case found > 0:
		text = fmt.Sprintf("%d rows differ", found)
	}
	if v.GetReason() != "" {
		text += " (" + v.GetReason() + ")"
	}
	return text
}

// moment is a time for a person, in UTC.
func moment(t *timestamppb.Timestamp) string { return t.AsTime().Format("2006-01-02 15:04:05Z") }

// stamp is a time for a program; empty for none.
func stamp(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().Format(time.RFC3339Nano)
}

func pairLineOf(p *controlv1.Pair) pairLine {
	line := pairLine{
		Pair: p.GetName(), Phase: p.GetPhase(), Pending: p.GetPending(), WaitsFor: p.GetWaitsFor(), NextStart: stamp(p.GetNextStart()),
		Authority: p.GetAuthority(), Epoch: p.GetEpoch(),
	}
	if o := p.GetOrder(); o != nil {
		line.Order = &orderLine{o.GetWho(), o.GetWhy(), stamp(o.GetAt()), stamp(o.GetUntil())}
	}
	if r := p.GetRun(); r != nil {
		line.Run = &runLine{
			r.GetId(), r.GetMode(), stamp(r.GetBegan()), r.GetRowsScanned(), r.GetRowsEstimated(), r.GetRemaining().AsDuration().Seconds(), r.GetResumed(),
		}
	}
	if s := p.GetStanding(); s != nil {
		line.Standing = &standingLine{
			Line: s.GetLine(), Known: s.GetKnown(), Open: s.GetOpen(), AtLeast: s.GetAtLeast(), Oldest: stamp(s.GetOldest()), Kinds: s.GetKinds(), HeldUp: s.GetHeldUp(),
		}
		var until *timestamppb.Timestamp
		for _, w := range s.GetVerified() {
			if w.GetUntil().AsTime().After(until.AsTime()) {
				until = w.GetUntil()
			}
		}
		line.Standing.VerifiedUntil = stamp(until)
	}
	for _, v := range p.GetVerdicts() {
		line.Verdicts = append(line.Verdicts, verdictLineOf(v))
	}
	return line
}

func verdictLineOf(v *controlv1.Verdict) verdictLine {
	return verdictLine{
		v.GetRun(), v.GetMode(), v.GetComplete(), v.GetClean(), v.GetTargetMissing(), v.GetNotEqual(), v.GetBaseMissing(),
		v.GetUndecided(), v.GetUnreadable(), v.GetReason(), stamp(v.GetEnded()),
	}
}
