package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/services/assembly"
)

func (a *app) governorCalibrateCommand() *cobra.Command {
	var path, keep string
	var during time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "calibrate --config FILE",
		Short: "Measure both databases for a while and propose limits for their governors",
		Long: `Measures what the databases are like without trueup and prints limits to put into
the configuration. The limits stay as they are until you calibrate anew: they do
not follow a database that slowly gets worse.

What a row takes is measured by comparing ranges of the first pair, one at a time
and for a tenth of the time at most, while the governor lets it. Nothing is
reported of what differs.

Run it once in a quiet hour and once in a normal one, with the same --keep FILE:
the proposal then goes by the busier of the two. Interrupted, it goes by what it
has seen.`,
		Example: example("trueup governor calibrate --config trueup.yaml --for 1h --keep load.jsonl"),
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if during < minCalibration {
				return usage("--for %v: measure for at least %v", during, minCalibration)
			}
			summaries, err := readSummaries(keep)
			if err != nil {
				return err
			}
			err = a.withGovernors(cmd.Context(), path, measuring, func(ctx context.Context, file assembly.File, g *assembly.Governors) error {
				defer assembly.Background(ctx, func(ctx context.Context) {
					if err := readRanges(ctx, file, g); err != nil {
						printError(a.stderr, fmt.Errorf("measure what a row takes: %w", err))
					}
				})()
				now, err := gather(ctx, g, file, during)
				if err == nil {
					err = keepSummaries(keep, now)
				}
				summaries = append(summaries, now...)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return printSummaries(a.stdout, summaries)
			}
			return printProposal(a.stdout, summaries)
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "`FILE` with source, target, pairs and governor, as for the services")
	cmd.Flags().DurationVar(&during, "for", time.Hour, "how long to measure")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line: what was seen of each signal, and the limit proposed for it")
	cmd.Flags().StringVar(&keep, "keep", "", "`FILE` that what was measured is added to, and read from the next time")
	return cmd
}

// minCalibration gives a 99th percentile something to go by.
const minCalibration = 5 * time.Second

// measuring is govern with every signal that there is.
func measuring(ctx context.Context, file assembly.File, pair *schema.Pair, w io.Writer) (*assembly.Governors, func(), error) {
	measureAll(&file)
	return govern(ctx, file, pair, w)
}

// measureAll turns on the signals that are off because nobody knows their limits,
// and has the canary's time be measured with the way there and back, as one whose
// limit is given.
func measureAll(f *assembly.File) {
	for _, b := range []*assembly.Budget{&f.Governor.Source, &f.Governor.Target} {
		adapt := true
		b.Adapt = &adapt
		nominal := time.Hour
		for _, limit := range []**time.Duration{&b.Limits.Canary, &b.Limits.Latency, &b.Limits.PerRow} {
			if *limit == nil {
				*limit = &nominal
			}
		}
	}
}

// summary is what one signal of one side was like during one calibration.
type summary struct {
	At      time.Time `json:"at"`
	Seconds float64   `json:"seconds"`
	Side    string    `json:"side"`
	Signal  string    `json:"signal"`
	Unit    string    `json:"unit,omitempty"`
	Limit   float64   `json:"limit"` // what it was held to
	P50     float64   `json:"p50"`
	P99     float64   `json:"p99"`
	Max     float64   `json:"max"`
	// Crowd is how many workers there may be for each core.
	Crowd float64 `json:"crowd,omitempty"`
}

// gather takes a sample of every signal each second.
func gather(ctx context.Context, g *assembly.Governors, file assembly.File, during time.Duration) ([]summary, error) {
	type name struct{ side, signal string }
	values, about := map[name][]float64{}, map[name]summary{}
	last, cores := map[name]time.Time{}, map[string]float64{}
	// Of all processes: this one may have a part of them only.
	workers := map[string]int{event.Source.String(): file.Governor.Source.Concurrency, event.Target.String(): file.Governor.Target.Concurrency}
	began := time.Now()
	pulse := time.NewTicker(time.Second)
	defer pulse.Stop()
	end := time.NewTimer(during)
	defer end.Stop()
	for running := true; running; {
		select {
		case <-ctx.Done():
			running = false
		case <-end.C:
			running = false
		case <-pulse.C:
		}
		for _, s := range g.Status() {
			for _, r := range s.Signals {
				n := name{r.On, r.Signal.Name}
				if r.Signal.Cores > 0 {
					cores[n.side] = r.Signal.Cores
				}
				if r.Stale || !r.At.After(last[n]) { // both uses show it
					continue
				}
				last[n] = r.At
				values[n] = append(values[n], r.Value)
				about[n] = summary{Side: n.side, Signal: n.signal, Unit: r.Signal.Unit, Limit: r.Signal.Limit}
			}
		}
	}
	var out []summary
	for n, v := range values {
		slices.Sort(v)
		s := about[n]
		s.Crowd = max(float64(workers[n.side])/max(cores[n.side], 1), 1)
		s.At, s.Seconds = began.UTC().Truncate(time.Second), time.Since(began).Round(time.Second).Seconds()
		s.P50, s.P99, s.Max = v[len(v)/2], v[len(v)*99/100], v[len(v)-1]
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, errors.New("nothing could be measured")
	}
	slices.SortFunc(out, func(a, b summary) int { return strings.Compare(a.Side+a.Signal, b.Side+b.Signal) })
	return out, nil
}

func readSummaries(path string) ([]summary, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read earlier calibrations: %w", err)
	}
	defer file.Close()
	var out []summary
	decoder := json.NewDecoder(bufio.NewReader(file))
	for {
		var s summary
		switch err := decoder.Decode(&s); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("read earlier calibrations from %s: %w; remove the file to begin anew", path, err)
		}
		out = append(out, s)
	}
}

func keepSummaries(path string, list []summary) error {
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("keep the calibration: %w", err)
	}
	encoder := json.NewEncoder(file)
	for _, s := range list {
		if err := encoder.Encode(s); err != nil {
			_ = file.Close()
			return fmt.Errorf("keep the calibration in %s: %w", path, err)
		}
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("keep the calibration in %s: %w", path, err)
	}
	return nil
}

// printProposal prints what was seen as comments, and limits as configuration.
func printProposal(w io.Writer, all []summary) error {
	var b strings.Builder
	b.WriteString("governor:\n")
	for _, side := range []string{"source", "target"} {
		worst := map[string]summary{}
		var order []string
		var seen strings.Builder
		for _, s := range all {
			if s.Side != side {
				continue
			}
			fmt.Fprintf(&seen, "    # %s, %.0f s from %s: half below %s, 99 %% below %s, at most %s\n",
				s.Signal, s.Seconds, s.At.Format(time.RFC3339), number(s.P50, s.Unit), number(s.P99, s.Unit), number(s.Max, s.Unit))
			if w, known := worst[s.Signal]; !known {
				order = append(order, s.Signal)
				worst[s.Signal] = s
			} else if s.P99 > w.P99 {
				worst[s.Signal] = s
			}
		}
		if len(order) == 0 {
			continue
		}
		fmt.Fprintf(&b, "  %s:\n%s    limits:\n", side, seen.String())
		for _, signal := range order {
			if line := proposal(worst[signal]); line != "" {
				fmt.Fprintf(&b, "      %s\n", line)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printSummaries prints a line for every signal that was seen.
func printSummaries(w io.Writer, all []summary) error {
	var b bytes.Buffer
	for _, s := range all {
		_, limit, _ := strings.Cut(proposal(s), ": ")
		if err := encodeLine(&b, struct {
			summary
			Proposed string `json:"proposed,omitempty"`
		}{s, limit}); err != nil {
			return err
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

func number(v float64, unit string) string {
	return strings.TrimSpace(fmt.Sprintf("%.4g %s", v, unit))
}

// proposal is the limit that a database in its normal state stays well below:
// the zone in which the load is kept ends at 0.7 of it. Signals that are not
// among the limits, or whose limit does not depend on the server, have none.
func proposal(s summary) string {
	switch s.Signal {
	case "canary":
		// Three times the worst percentile, and no less than a scheduler's hiccup.
		return fmt.Sprintf("canary: %dms", int(math.Ceil(max(3*s.P99, 5))))
	case "latency":
		return fmt.Sprintf("latency: %dms", int(math.Ceil(max(2*s.P99, 1))))
	case "per_row":
		// One worker measured it, and as many as there may be share the cores.
		micros := 3 * s.P99 * max(s.Crowd, 1)
		return "per_row: " + time.Duration(math.Ceil(max(micros, 1))*float64(time.Microsecond)).String()
	case "threads", "lock_waits", "history":
		return fmt.Sprintf("%s: %.0f", s.Signal, math.Ceil(max(s.Limit, 1.5*s.P99)))
	default:
		return ""
	}
}
