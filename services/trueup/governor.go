package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/services/assembly"
)

func (a *app) governorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "governor",
		Short: "Watch the load of both databases as the services see it, and find limits for it",
		Long: `The services ask a governor before every read and write. It measures signals of
each database's load against limits, works less when they come near, and pauses
when they are reached. See governor: in the configuration file.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unknown subcommand %q; say watch, calibrate, pause or resume", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.governorWatchCommand(), a.governorCalibrateCommand(), a.governorPauseCommand(), a.governorResumeCommand())
	return cmd
}

func (a *app) governorWatchCommand() *cobra.Command {
	var path string
	var every time.Duration
	var once, asJSON bool
	cmd := &cobra.Command{
		Use:   "watch --config FILE",
		Short: "Show the signals of both databases, and what a governor makes of them",
		Long: `Measures as a validator and a fixer would that start now, and puts no other load
on the databases. A running service shows its own governor as metrics, /metrics.`,
		Example: example("trueup governor watch --config trueup.yaml\ntrueup governor watch --config trueup.yaml --once --json"),
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if every < time.Second {
				return usage("--every %v: signals are measured once a second", every)
			}
			return a.withGovernors(cmd.Context(), path, observe, func(ctx context.Context, _ assembly.File, g *assembly.Governors) error {
				return a.watchGovernors(ctx, g, every, once, asJSON)
			})
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "`FILE` with source, target, pairs and governor, as for the services")
	cmd.Flags().DurationVar(&every, "every", 2*time.Second, "time between two looks")
	cmd.Flags().BoolVar(&once, "once", false, "look once and exit")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

// starter is observe, or govern.
type starter func(context.Context, assembly.File, *schema.Pair, io.Writer) (g *assembly.Governors, stop func(), err error)

// withGovernors starts governors of all uses. The canaries read the first pair's tables.
func (a *app) withGovernors(ctx context.Context, path string, start starter, do func(context.Context, assembly.File, *assembly.Governors) error) error {
	if path == "" {
		return usage("--config is missing; name the file the services read")
	}
	file, err := assembly.Load(path)
	if err != nil {
		return err
	}
	if file.Source.DSN == "" || file.Target.DSN == "" || len(file.Pairs) == 0 {
		return fmt.Errorf("%s names no source.dsn, no target.dsn or no pairs, and a governor needs all of them", path)
	}
	pair, err := firstPair(ctx, file)
	if err != nil {
		return err
	}
	g, stop, err := start(ctx, file, pair, a.stderr)
	if err != nil {
		return err
	}
	defer stop()
	return do(ctx, file, g)
}

func firstPair(ctx context.Context, file assembly.File) (*schema.Pair, error) {
	dbs, err := assembly.Open(ctx, file.Source, file.Target, assembly.Access{Conns: 1, Application: "trueup"})
	if err != nil {
		return nil, err
	}
	defer dbs.Close()
	return dbs.Resolve(ctx, file.Pairs[0].Mapping(), schema.Auto)
}

func (a *app) watchGovernors(ctx context.Context, g *assembly.Governors, every time.Duration, once, asJSON bool) error {
	g.LogPlace()
	pulse := time.NewTicker(every)
	defer pulse.Stop()
	for {
		for _, s := range g.Status() {
			if err := printGovernor(a.stdout, s, asJSON); err != nil {
				return err
			}
		}
		if once {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-pulse.C:
		}
	}
}

// governorLine is a governor for --json.
type governorLine struct {
	Governor string         `json:"governor"`
	State    string         `json:"state"`
	Reason   string         `json:"reason,omitempty"`
	Workers  int            `json:"workers"`
	Most     int            `json:"most"`
	Share    float64        `json:"share"`
	Paused   float64        `json:"paused_seconds"`
	Signals  []governorSign `json:"signals"`
}

type governorSign struct {
	Signal      string  `json:"signal"`
	Value       float64 `json:"value"`
	Limit       float64 `json:"limit"`
	Unit        string  `json:"unit,omitempty"`
	Utilisation float64 `json:"utilisation"`
	Stale       bool    `json:"stale,omitempty"`
	Error       string  `json:"error,omitempty"`
}

func printGovernor(w io.Writer, s governor.Status, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(governorLineOf(s))
	}
	state := fmt.Sprintf("%s, %d of %d statements", s.State, s.Workers, s.Most)
	if s.State == governor.Running && s.Share < 1 {
		state += fmt.Sprintf(" for %.0f %% of the time", s.Share*100)
	}
	if s.Reason != "" {
		state = s.State + ": " + s.Reason
	}
	var signals []string
	for _, r := range s.Signals {
		signals = append(signals, signalText(r))
	}
	_, err := fmt.Fprintf(w, "%-14s  %s; %s\n", s.Name, state, strings.Join(signals, ", "))
	return err
}

func signalText(r governor.Reading) string {
	if r.Stale {
		return r.Signal.Name + " unknown"
	}
	return fmt.Sprintf("%s %s of %s (%.0f %%)", r.Signal.Name, r.Signal.Show(r.Value), r.Signal.Show(r.Signal.Limit), r.Smoothed*100)
}

func governorLineOf(s governor.Status) governorLine {
	line := governorLine{
		Governor: s.Name, State: s.State, Reason: s.Reason, Workers: s.Workers, Most: s.Most, Share: s.Share,
		Paused: s.PausedFor.Seconds(), Signals: []governorSign{},
	}
	for _, r := range s.Signals {
		sign := governorSign{
			Signal: r.Signal.Name, Value: r.Value, Limit: r.Signal.Limit, Unit: r.Signal.Unit, Utilisation: r.Smoothed, Stale: r.Stale,
		}
		if r.Err != nil {
			sign.Error = r.Err.Error()
		}
		line.Signals = append(line.Signals, sign)
	}
	return line
}
