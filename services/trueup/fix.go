package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/fix/sqlsink"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

func (a *app) fixCommand() *cobra.Command {
	var o runOptions
	var dryRun, verify bool
	cmd := &cobra.Command{
		Use:   "fix SOURCE TARGET [TABLE…]",
		Short: "Compare tables and repair the copy where it differs",
		Long: `fix compares like diff and repairs every row that differs, as it is found. The
side that is right (--authority, the source by default) is only read; the other
one is the copy, and is written: a row the authority lacks is deleted, one the
copy lacks is inserted, one that differs is updated in the mapped columns alone.

Each repair locks the copy's row, reads the authority again, writes and looks
once more, so that it is safe while a replicator or an application writes.

--dry-run prints the SQL and writes nothing.

A repair is not a verification: run diff afterwards, or use --verify, which
compares everything a second time and lets that verdict decide.

` + ruleHelp + `

Exit status: 0 everything that differed is repaired, 1 something is left (or
would be repaired, with --dry-run), 2 could not look at everything.`,
		Example: example(`
trueup fix "$SRC" "$DST" orders --dry-run
trueup fix "$SRC" "$DST" orders --verify
trueup fix --config trueup.yaml orders --json`),
		RunE: func(cmd *cobra.Command, args []string) error {
			if mode, err := validate.ParseMode(o.mode); err == nil && mode == validate.Count {
				return usage("--mode count finds no rows and so repairs none; use full or reverse")
			}
			if dryRun && verify {
				return usage("--verify and --dry-run: nothing is written, so there is nothing to verify")
			}
			r, err := o.runner(a, cmd, args)
			if err != nil {
				return err
			}
			defer r.close()
			return r.fix(cmd.Context(), dryRun, verify)
		},
	}
	o.addTo(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print the SQL that would repair, and write nothing")
	cmd.Flags().BoolVar(&verify, "verify", false, "compare everything again after the repair; that verdict decides")
	return cmd
}

// fix compares and repairs every pair.
func (r *runner) fix(ctx context.Context, dryRun, verify bool) error {
	// What cannot be repaired is refused before anything is written.
	repairs := make([]*repair, len(r.pairs))
	for i, p := range r.pairs {
		var err error
		if repairs[i], err = r.repair(ctx, p, dryRun); err != nil {
			return err
		}
		defer repairs[i].close()
	}
	for i, p := range r.pairs {
		verdict, err := r.compare(ctx, p, repairs[i])
		if err != nil {
			printError(r.app.stderr, err)
		}
		status := repairs[i].status(r.status(verdict, err))
		if err := r.out.repaired(repairs[i], verdict); err != nil {
			return err
		}
		if verify && status != statusTrouble {
			if verdict, err = r.compare(ctx, p, printer{r}); err != nil {
				printError(r.app.stderr, err)
			}
			status = r.status(verdict, err)
			if err := r.out.verdict(verdict); err != nil {
				return err
			}
		}
		r.app.worsen(status)
		if ctx.Err() != nil {
			break
		}
	}
	if dryRun && !r.out.json {
		r.out.w = r.app.stderr // what stands on stdout is a script
	}
	if err := r.out.summary(); err != nil {
		return err
	}
	if !verify && r.out.repairedAny() && !r.out.json {
		fmt.Fprintln(r.app.stderr, "A repair is not a verification: run `trueup diff` to see that nothing differs any more.")
	}
	return nil
}

// repair repairs the findings of one pair as they come; it is the Publisher of
// the pair's run.
type repair struct {
	r        *runner
	repairer *fix.Repairer
	dryRun   bool
	close    func()

	mu    sync.Mutex
	count repairCount
}

// repair opens the copy for writing and builds the repairer.
func (r *runner) repair(ctx context.Context, p resolved, dryRun bool) (*repair, error) {
	authority := p.asked.Side()
	out := &repair{r: r, dryRun: dryRun, close: func() {}, count: repairCount{Pair: p.pair.Name, DryRun: dryRun}}
	view, settings := &p.pair.Target, r.job.target
	if authority == event.Target {
		view, settings = &p.pair.Source, r.job.source
	}
	if err := p.pair.CheckRepair(view); err != nil {
		return nil, err
	}
	writer := r.Of(authority.Other())
	if !dryRun {
		var err error
		access := assembly.Access{Writable: authority.Other(), Conns: r.conns, Application: "trueup"}
		if writer, err = assembly.OpenSide(ctx, authority.Other(), settings, access); err != nil {
			return nil, err
		}
		out.close = func() { _ = writer.Close() }
	}
	config := fix.Config{
		Pair: p.pair, Side: authority, Epoch: p.asked.Epoch, DryRun: dryRun,
		Authority: sqlsink.NewReader(r.Of(authority)), Sink: sqlsink.New(writer, view),
	}
	if dryRun {
		config.Script = out.script
	}
	var err error
	if out.repairer, err = fix.New(config); err != nil {
		out.close()
		return nil, err
	}
	return out, nil
}

// Publish implements validate.Publisher: findings are settled when it returns.
func (p *repair) Publish(ctx context.Context, findings []event.Finding) error {
	outcomes, err := p.repairer.Repair(ctx, findings)
	byID := make(map[string]event.Finding, len(findings))
	for _, f := range findings {
		byID[f.ID] = f
	}
	p.mu.Lock()
	for _, o := range outcomes {
		p.count.add(o)
	}
	p.mu.Unlock()
	if !p.dryRun {
		p.r.progress.pause()
		if printed := p.r.out.outcomes(byID, outcomes); printed != nil {
			return printed
		}
	}
	return err
}

// script prints a statement of a dry run.
func (p *repair) script(statement string) {
	p.r.progress.pause()
	// A statement that cannot be printed shows in the summary's count, and in
	// the error of the next line.
	_ = p.r.out.statement(p.count.Pair, statement)
}

// status is the exit status after the repair: what was found no longer counts
// as different when it was put right.
func (p *repair) status(found int) int {
	if found == statusTrouble {
		return found
	}
	if p.count.Held+p.count.Dead > 0 || p.dryRun && p.count.Repaired > 0 {
		return statusDifferences
	}
	return statusClean
}

// repairCount is what became of a pair's findings.
type repairCount struct {
	Pair         string `json:"pair"`
	DryRun       bool   `json:"dry_run,omitempty"`
	Repaired     int64  `json:"repaired"`
	AlreadyEqual int64  `json:"already_equal"`
	Vanished     int64  `json:"vanished"`
	Held         int64  `json:"held"`
	Dead         int64  `json:"dead"`
}

func (c *repairCount) add(o event.Outcome) {
	switch o.Result {
	case event.Repaired:
		c.Repaired++
	case event.AlreadyEqual:
		c.AlreadyEqual++
	case event.Vanished:
		c.Vanished++
	case event.Held:
		c.Held++
	default:
		c.Dead++
	}
}

func (c repairCount) sentence() string {
	verb := "repaired"
	if c.DryRun {
		verb = "would be repaired"
	}
	parts := []string{fmt.Sprintf("%d %s", c.Repaired, verb)}
	for _, part := range []struct {
		n    int64
		text string
	}{
		{c.AlreadyEqual, "equal when looked at again"},
		{c.Vanished, "gone on both sides"},
		{c.Held, "held back"},
		{c.Dead, "not repairable"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.text))
		}
	}
	return fmt.Sprintf("%s: %s\n", c.Pair, strings.Join(parts, ", "))
}

// outcomes prints a line for each finding with what became of it.
func (o *output) outcomes(findings map[string]event.Finding, outcomes []event.Outcome) error {
	var text bytes.Buffer
	for _, outcome := range outcomes {
		f := findings[outcome.FindingID]
		line := findingLine{
			Pair: outcome.Pair, Kind: f.Kind.String(), Key: jsonKey(outcome.Key), Columns: f.Columns,
			Result: outcome.Result.String(), Class: outcome.Class, Reason: outcome.Reason,
		}
		if outcome.Action != event.NoAction {
			line.Action = outcome.Action.String()
		}
		if err := o.appendFinding(&text, line); err != nil {
			return err
		}
	}
	return o.write(text.Bytes())
}

// statement prints a statement of a dry run.
func (o *output) statement(pair, sql string) error {
	var text bytes.Buffer
	if !o.json {
		text.WriteString(sql + "\n")
		return o.write(text.Bytes())
	}
	if err := encodeLine(&text, struct {
		Pair string `json:"pair"`
		SQL  string `json:"sql"`
	}{pair, sql}); err != nil {
		return err
	}
	return o.write(text.Bytes())
}

// repairedAny says whether anything was written.
func (o *output) repairedAny() bool {
	return slices.ContainsFunc(o.repairs, func(c repairCount) bool { return !c.DryRun && c.Repaired > 0 })
}

// repaired prints the verdict of the look before the repair, and the repair's
// own count.
func (o *output) repaired(p *repair, v validate.Verdict) error {
	o.repairs = append(o.repairs, p.count)
	if err := o.verdict(v); err != nil || !o.json {
		return err
	}
	var text bytes.Buffer
	if err := encodeLine(&text, struct {
		Repair repairCount `json:"repair"`
	}{p.count}); err != nil {
		return err
	}
	return o.write(text.Bytes())
}
