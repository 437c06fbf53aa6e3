package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
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

Of several tables, those that foreign keys refer to are repaired first, and their
extra rows deleted last. A copy whose foreign keys would have a repair delete or
change rows that nobody asked about (ON DELETE CASCADE, SET NULL) is refused
before any work, unless --allow-cascades says that this is meant.

When more rows differ than two tables have that are meant to be alike, a rule, a
filter or the direction is wrong more often than the rows are. Repairs then stop
at --max-share, --max-deletes or --max-per-minute, and the other rows are held.

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
		ValidArgsFunction: pairArguments,
	}
	o.addTo(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print the SQL that would repair, and write nothing")
	cmd.Flags().BoolVar(&o.cascades, "allow-cascades", false, "repair also where a row that is deleted takes rows of other tables along, or changes them, by their foreign keys")
	o.breaker.addTo(cmd)
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
	if err := r.repairAll(ctx, repairs, verify); err != nil {
		return err
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

// repairAll compares and repairs pair by pair, parents before the tables that
// refer to them. What has to wait for rows of other pairs is repaired after
// these, the other way round.
func (r *runner) repairAll(ctx context.Context, repairs []*repair, verify bool) error {
	var begun []*repair
	circle := func(names []string) {
		r.progress.Warn(names[0], "foreign keys go round in a circle: "+strings.Join(names, ", ")+"; missing rows that refer to each other stay refused")
	}
	for _, i := range inOrder(r.pairs, circle) {
		p := repairs[i]
		verdict, err := r.compare(ctx, r.pairs[i], p)
		if err != nil {
			printError(r.app.stderr, err)
		}
		p.found = r.status(verdict, err)
		begun = append(begun, p)
		if err := r.out.verdict(verdict); err != nil {
			return err
		}
		if ctx.Err() != nil {
			break
		}
	}
	if err := retryLate(ctx, begun); err != nil {
		printError(r.app.stderr, err)
		r.app.worsen(statusTrouble)
	}
	for _, p := range begun {
		if err := r.out.repaired(p); err != nil {
			return err
		}
		status := p.status(p.found)
		if verify && status != statusTrouble && ctx.Err() == nil {
			verdict, err := r.compare(ctx, p.pair, printer{r})
			if err != nil {
				printError(r.app.stderr, err)
			}
			status = r.status(verdict, err)
			if err := r.out.verdict(verdict); err != nil {
				return err
			}
		}
		r.app.worsen(status)
	}
	return nil
}

// repair repairs the findings of one pair as they come; it is the Publisher of
// the pair's run.
type repair struct {
	r    *runner
	pair resolved
	// repairer puts off what has to wait for other rows; last does not.
	repairer, last *fix.Repairer
	dryRun         bool
	close          func()
	found          int // the exit status of what was found

	mu    sync.Mutex
	count repairCount
	late  late

	breaker *fix.Breaker // nil in a dry run
}

// repair opens the copy for writing and builds the repairer.
func (r *runner) repair(ctx context.Context, p resolved, dryRun bool) (*repair, error) {
	authority := p.asked.Side()
	out := &repair{r: r, pair: p, dryRun: dryRun, close: func() {}, count: repairCount{Pair: p.pair.Name, DryRun: dryRun}}
	settings := r.job.target
	if authority == event.Target {
		settings = r.job.source
	}
	if err := p.asked.CheckRepair(p.pair); err != nil {
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
	reader, sink := r.bound(authority, dryRun, sqlsink.NewReader(r.Of(authority)), sqlsink.New(writer, p.asked.Copy(p.pair)))
	config := fix.Config{
		Pair: p.pair, Side: authority, Epoch: p.asked.Epoch, DryRun: dryRun, Strategy: p.asked.Repairs(),
		Authority: reader, Sink: sink,
	}
	if dryRun {
		config.Script = out.script
	} else {
		out.breaker = breaker(p)
		config.Gate = out.breaker
	}
	var err error
	if out.last, err = fix.New(config); err == nil {
		// A checkpoint says that all before it is settled, so nothing waits then.
		config.PutOff = !dryRun && r.checkpoints == nil
		out.repairer, err = fix.New(config)
	}
	if err != nil {
		out.close()
		return nil, err
	}
	return out, nil
}

// Publish implements validate.Publisher: findings are settled when it returns,
// or wait until the other pairs were repaired.
func (p *repair) Publish(ctx context.Context, findings []event.Finding) error {
	p.mu.Lock()
	full := len(p.late.findings) >= maxLate/len(p.r.pairs)
	p.mu.Unlock()
	with := p.repairer
	if full {
		with = p.last
	}
	_, err := p.attempt(ctx, with, findings)
	return err
}

// attempt repairs findings, prints their outcomes and keeps those that have to
// wait. With an error, findings without an outcome are as they were.
func (p *repair) attempt(ctx context.Context, with *fix.Repairer, findings []event.Finding) ([]event.Outcome, error) {
	outcomes, err := with.Repair(ctx, findings)
	if waits, ok := errors.AsType[*fix.Later](err); ok {
		err = nil
		p.mu.Lock()
		for _, w := range waits.Findings {
			p.late.add(w.Finding, w.Outcome)
		}
		p.mu.Unlock()
	}
	return outcomes, cmp.Or(p.settled(findings, outcomes), err)
}

// settled counts and prints what became of findings.
func (p *repair) settled(findings []event.Finding, outcomes []event.Outcome) error {
	byID := make(map[string]event.Finding, len(findings))
	for _, f := range findings {
		byID[f.ID] = f
	}
	p.mu.Lock()
	for _, o := range outcomes {
		p.count.add(o)
	}
	p.mu.Unlock()
	if p.dryRun {
		return nil
	}
	p.r.progress.pause()
	return p.r.out.outcomes(byID, outcomes)
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
	// Breaker says why repairs were held back when they were too many.
	Breaker string `json:"breaker,omitempty"`
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
	text := fmt.Sprintf("%s: %s\n", c.Pair, strings.Join(parts, ", "))
	if c.Breaker != "" {
		text += fmt.Sprintf("%s: %s\n", c.Pair, c.Breaker)
	}
	return text
}

// outcomes prints a line for each finding with what became of it.
func (o *output) outcomes(findings map[string]event.Finding, outcomes []event.Outcome) error {
	var text bytes.Buffer
	for _, outcome := range outcomes {
		f, found := findings[outcome.FindingID]
		if !found { // of a row that stood in the way of another
			f.Kind = answered[outcome.Action]
		}
		line := findingLine{
			Pair: outcome.Pair, Kind: f.Kind.String(), Key: jsonKey(outcome.Key), Columns: f.Columns, CollidesWith: jsonKey(f.CollidesWith),
			Result: outcome.Result.String(), Class: outcome.Class, Reason: outcome.Reason,
		}
		if outcome.Class == fix.ClassBreaker {
			line.Reason = "" // the same for many rows, and long: the count at the end has it
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

// answered is the finding that an action answers.
var answered = map[event.Action]event.Kind{
	event.Insert: event.TargetMissing, event.Update: event.NotEqual, event.Delete: event.BaseMissing,
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

// repaired prints the count of what became of a pair's findings.
func (o *output) repaired(p *repair) error {
	if p.breaker != nil && p.breaker.Tripped() {
		state, _ := p.breaker.Pending()
		p.count.Breaker = state.Reason
	}
	o.repairs = append(o.repairs, p.count)
	if !o.json {
		return nil
	}
	var text bytes.Buffer
	if err := encodeLine(&text, struct {
		Repair repairCount `json:"repair"`
	}{p.count}); err != nil {
		return err
	}
	return o.write(text.Bytes())
}
