package main

import (
	"bytes"
	"fmt"
	"text/tabwriter"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	controlv1 "github.com/trueup/trueup/proto/trueup/control/v1"
)

func (a *app) verdictsCommand() *cobra.Command {
	var s server
	cmd := &cobra.Command{
		Use:   "verdicts [PAIR…]",
		Short: "Show what the last runs of a validator's pairs came to",
		Long: `Shows the verdicts of each pair's last runs, the newest first, also of those before
the validator was started: 50 of a pair. --json tells besides what a verdict covers,
and a digest of the configuration it was made under.` + reaching,
		Example: example("trueup verdicts orders"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := s.open()
			if err != nil {
				return err
			}
			out, err := r.ListVerdicts(cmd.Context(), connect.NewRequest(&controlv1.ListVerdictsRequest{Pairs: args}))
			if err != nil {
				return r.explain("ask for the verdicts", err)
			}
			return a.printVerdicts(out.Msg.GetVerdicts(), s.json)
		},
		ValidArgsFunction: s.completePairs,
	}
	s.addTo(cmd)
	return cmd
}

// pastVerdict is a verdict for --json.
type pastVerdict struct {
	Pair string `json:"pair"`
	verdictLine
	Began     string `json:"began,omitempty"`
	Epoch     uint64 `json:"epoch"`
	Authority string `json:"authority"`
	Method    string `json:"method"`
	Covers    string `json:"covers"`
	Config    string `json:"config"`
}

func (a *app) printVerdicts(verdicts []*controlv1.Verdict, asJSON bool) error {
	var text bytes.Buffer
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	if !asJSON && len(verdicts) > 0 {
		fmt.Fprintln(table, "PAIR\tENDED\tMODE\tRUN\tVERDICT")
	}
	for _, v := range verdicts {
		if !asJSON {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", v.GetPair(), moment(v.GetEnded()), v.GetMode(), v.GetRun(), concluded(v))
			continue
		}
		line := pastVerdict{
			v.GetPair(), verdictLineOf(v), stamp(v.GetBegan()), v.GetEpoch(), v.GetAuthority(), v.GetMethod(), v.GetCovers(), v.GetConfig(),
		}
		if err := encodeLine(&text, line); err != nil {
			return err
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := a.stdout.Write(text.Bytes())
	return err
}
