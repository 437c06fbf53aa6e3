package main

import (
	"context"
	"encoding/json"
	"fmt"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	controlv1 "github.com/trueup/trueup/proto/trueup/control/v1"
)

func (a *app) promoteCommand() *cobra.Command {
	var o orderOptions
	var to string
	var force bool
	cmd := &cobra.Command{
		Use:   "promote PAIR… --to target",
		Short: "Decide that the other side of a pair is right from now on",
		Long: `Announces the next epoch of a pair, in which the other side is the authority.
From then on all fixers and validators that were configured for the epoch before do
nothing for the pair, and say so on /readyz.

It is refused unless the last full run of this epoch was clean, no row is open, and
changes since then are verified, as far as the validator follows them. --force does
it all the same.

Stop the application's writes to the old side first, and let the copy catch up.` + reaching,
		Example: example(`trueup promote orders --to target`),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("want the name of a pair, or several; trueup status lists them")
			}
			if to == "" {
				return usage("--to is missing; say which side is right from now on, source or target")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := o.open()
			if err != nil {
				return err
			}
			return a.each(cmd.Context(), cmd.Name(), args, r, func(ctx context.Context, name string) error {
				out, err := r.Promote(ctx, connect.NewRequest(&controlv1.PromoteRequest{Pair: name, To: to, Who: o.who, Why: o.why, Force: force}))
				if err != nil {
					return err
				}
				return a.printDecisions(out.Msg.GetDecisions(), o.json)
			})
		},
		ValidArgsFunction: o.completePairs,
	}
	o.addTo(cmd)
	cmd.Flags().StringVar(&to, "to", "", "the `SIDE` that is right from now on: source or target")
	cmd.Flags().BoolVar(&force, "force", false, "although the sides are not known to be equal")
	return cmd
}

// decisionLine is a decision for --json.
type decisionLine struct {
	Pair      string `json:"pair"`
	Epoch     uint64 `json:"epoch"`
	Authority string `json:"authority"`
}

func (a *app) printDecisions(decisions []*controlv1.Decision, asJSON bool) error {
	for _, d := range decisions {
		if asJSON {
			if err := json.NewEncoder(a.stdout).Encode(decisionLine{d.GetPair(), d.GetEpoch(), d.GetAuthority()}); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(a.stdout, `%[1]s: the %[2]s is right from epoch %[3]d on.
Give every service {name: %[1]s, authority: %[2]s, epoch: %[3]d} and start them again;
until then none of them does anything for the pair. Wait a minute before applications
rely on the %[2]s.
`, d.GetPair(), d.GetAuthority(), d.GetEpoch())
	}
	return nil
}
