package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	controlv1 "github.com/trueup/trueup/proto/trueup/control/v1"
)

// defaultGovernorPause is long enough for most of what people pause for.
const defaultGovernorPause = 30 * time.Minute

func (a *app) governorPauseCommand() *cobra.Command {
	var o orderOptions
	cmd := a.governorVerb("pause", "Have a validator put no load on either database for a while",
		`Has the validator begin no statement at either database until the pause is over or
resumed. It is this validator's alone, and forgotten when it ends; for all services,
and over restarts, use governor.pause_file, and for single pairs trueup pause.`,
		"trueup governor pause --for 30m --why \"failover of the replica\"", &o,
		func(ctx context.Context, r *remote) ([]*controlv1.Governor, error) {
			out, err := r.PauseGovernors(ctx, connect.NewRequest(&controlv1.PauseGovernorsRequest{Who: o.who, Why: o.why, Lasts: o.length()}))
			if err != nil {
				return nil, err
			}
			return out.Msg.GetGovernors(), nil
		})
	cmd.Flags().DurationVar(&o.lasts, "for", defaultGovernorPause, "`DURATION` of the pause, a week at most")
	return cmd
}

func (a *app) governorResumeCommand() *cobra.Command {
	var o orderOptions
	return a.governorVerb("resume", "End a pause by trueup governor pause",
		`Ends a pause by trueup governor pause. Work goes on when the databases' signals let
it.`, "trueup governor resume", &o,
		func(ctx context.Context, r *remote) ([]*controlv1.Governor, error) {
			out, err := r.ResumeGovernors(ctx, connect.NewRequest(&controlv1.ResumeGovernorsRequest{Who: o.who, Why: o.why}))
			if err != nil {
				return nil, err
			}
			return out.Msg.GetGovernors(), nil
		})
}

func (a *app) governorVerb(use, short, long, examples string, o *orderOptions,
	do func(ctx context.Context, r *remote) ([]*controlv1.Governor, error),
) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example(examples), Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := o.open()
			if err != nil {
				return err
			}
			governors, err := do(cmd.Context(), r)
			if err != nil {
				return r.explain(use+" the governors", err)
			}
			return a.printGovernors(governors, o.json)
		},
	}
	o.addTo(cmd)
	return cmd
}

// governedLine is a governor for --json.
type governedLine struct {
	Governor string `json:"governor"`
	State    string `json:"state"`
	Reason   string `json:"reason,omitempty"`
	Workers  int32  `json:"workers"`
	Most     int32  `json:"most"`
}

func (a *app) printGovernors(governors []*controlv1.Governor, asJSON bool) error {
	for _, g := range governors {
		if asJSON {
			line := governedLine{g.GetName(), g.GetState(), g.GetReason(), g.GetWorkers(), g.GetMost()}
			if err := json.NewEncoder(a.stdout).Encode(line); err != nil {
				return err
			}
			continue
		}
		text := fmt.Sprintf("%d of %d statements", g.GetWorkers(), g.GetMost())
		if g.GetReason() != "" {
			text = g.GetReason()
		}
		fmt.Fprintf(a.stdout, "%-14s  %s: %s\n", g.GetName(), g.GetState(), text)
	}
	return nil
}
