package main

import (
	"context"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	controlv1 "github.com/trueup/trueup/proto/trueup/control/v1"
)

// orderOptions are the flags of a command that orders something.
type orderOptions struct {
	server
	who, why string
	lasts    time.Duration
}

func (o *orderOptions) addTo(cmd *cobra.Command) {
	o.server.addTo(cmd)
	cmd.Flags().StringVar(&o.who, "who", callerName(), "`NAME` that shows in the status and in the log (default yours, with this machine's)")
	cmd.Flags().Lookup("who").DefValue = "" // manual pages are the same wherever they are made
	cmd.Flags().StringVar(&o.why, "why", "", "`REASON`, for those who find it")
}

// length is how long a pause lasts; nil for one without an end.
func (o *orderOptions) length() *durationpb.Duration {
	if o.lasts == 0 {
		return nil
	}
	return durationpb.New(o.lasts)
}

// reaching says in every help how the validator is found.
const reaching = `

The validator is reached by its HTTP address, and asks for its token where
http.token or http.token_file is configured. The name of an entry with shards
means all of them.

Exit status: 0 done, 2 trouble.`

// verb is a command that is done to pairs.
func (a *app) verb(use, short, long, examples string, o *orderOptions,
	do func(ctx context.Context, r *remote, name string) ([]*controlv1.Pair, error),
) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long + reaching, Example: example(examples),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("want the name of a pair, or several; trueup status lists them")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := o.open()
			if err != nil {
				return err
			}
			return a.each(cmd.Context(), cmd.Name(), args, r, func(ctx context.Context, name string) error {
				pairs, err := do(ctx, r, name)
				if err != nil {
					return err
				}
				return a.printPairs(pairs, o.json)
			})
		},
		ValidArgsFunction: o.completePairs,
	}
	o.addTo(cmd)
	return cmd
}

func (a *app) runCommand() *cobra.Command {
	var o orderOptions
	var mode string
	cmd := a.verb("run PAIR…", "Have a validator begin a run now",
		`Has the validator compare a pair now, or once its present run is over. A
validator that dies before begins the run when it is started again. Its findings
go to Kafka as those of a scheduled run do.`, `
trueup run orders
trueup run orders items --mode reverse --why "after the import"`, &o,
		func(ctx context.Context, r *remote, name string) ([]*controlv1.Pair, error) {
			out, err := r.StartRun(ctx, connect.NewRequest(&controlv1.StartRunRequest{Pair: name, Mode: mode, Who: o.who, Why: o.why}))
			if err != nil {
				return nil, err
			}
			return out.Msg.GetPairs(), nil
		})
	cmd.Flags().StringVar(&mode, "mode", "full", "full, reverse or count")
	return cmd
}

func (a *app) pauseCommand() *cobra.Command {
	var o orderOptions
	cmd := a.verb("pause PAIR…", "Have a pair's runs rest, also over a restart",
		`Has the validator read nothing more of a pair: not for the run under way, nor for
those that are due, nor for incremental and triggered runs. What is being read is
finished. The pause outlives the validator. Runs that fall due meanwhile are made
up for once.

To pause everything because of a database's load: trueup governor pause.`, `
trueup pause orders --why "index is being built" --for 2h
trueup status orders`, &o,
		func(ctx context.Context, r *remote, name string) ([]*controlv1.Pair, error) {
			out, err := r.PauseRun(ctx, connect.NewRequest(&controlv1.PauseRunRequest{Pair: name, Who: o.who, Why: o.why, Lasts: o.length()}))
			if err != nil {
				return nil, err
			}
			return out.Msg.GetPairs(), nil
		})
	cmd.Flags().DurationVar(&o.lasts, "for", 0, "`DURATION` after which it ends by itself, such as 2h (default: until resumed)")
	return cmd
}

func (a *app) resumeCommand() *cobra.Command {
	var o orderOptions
	return a.verb("resume PAIR…", "End a pause, or go on with a run that was interrupted",
		`Has the runs of a pair go on from where they were. A run that ended because
something could not be read goes on from its last position.`, `
trueup resume orders`, &o,
		func(ctx context.Context, r *remote, name string) ([]*controlv1.Pair, error) {
			out, err := r.ResumeRun(ctx, connect.NewRequest(&controlv1.ResumeRunRequest{Pair: name, Who: o.who, Why: o.why}))
			if err != nil {
				return nil, err
			}
			return out.Msg.GetPairs(), nil
		})
}

func (a *app) stopCommand() *cobra.Command {
	var o orderOptions
	return a.verb("stop PAIR…", "End a pair's run for good",
		`Ends the run under way at once, and forgets those that wait for it. It does not go
on by itself, nor by resume; the next one that is due or asked for begins anew.
Incremental and triggered runs are not touched: pause the pair for that.`, `
trueup stop orders --why "wrong filter"`, &o,
		func(ctx context.Context, r *remote, name string) ([]*controlv1.Pair, error) {
			out, err := r.StopRun(ctx, connect.NewRequest(&controlv1.StopRunRequest{Pair: name, Who: o.who, Why: o.why}))
			if err != nil {
				return nil, err
			}
			return out.Msg.GetPairs(), nil
		})
}
