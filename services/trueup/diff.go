package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/checkpoint"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// runOptions are the flags of diff and fix about how to look.
type runOptions struct {
	options
	threads     int
	confirm     string
	confirmMax  time.Duration
	by, window  string
	mode        string
	authority   string
	schema      string
	cascades    bool
	breaker     breakerFlags
	checkpoint  string
	maxFindings int64
	quiet       bool
}

func (o *runOptions) addTo(cmd *cobra.Command) {
	o.options.addTo(cmd)
	f := cmd.Flags()
	f.IntVar(&o.threads, "threads", 0, "`number` of ranges in work at once, 1 to 64 (default 4)")
	f.StringVar(&o.confirm, "confirm", "", "look again after this `duration` before calling a row different; 0 for databases at rest (default "+assembly.DefaultConfirm.String()+")")
	f.DurationVar(&o.confirmMax, "confirm-max", 0, "wait this `duration` at most for a copy that is behind (default 1m)")
	f.StringVar(&o.mode, "mode", "full", "`full`; reverse: scan the copy and look its keys up; count: compare numbers of rows, a hint and no proof")
	f.StringVar(&o.by, "by", "", "with --mode count: count by windows of this date or timestamp `column` (default the pair's updated_at)")
	f.StringVar(&o.window, "window", "", "with --by: the `length` of a window, such as 1h or 7d, or auto: 300 windows at most (default auto)")
	f.StringVar(&o.authority, "authority", "", "the side that is right: `source` or target (default source)")
	f.StringVar(&o.schema, "schema", "", "where the copy's table may refuse or alter rows: strict refuses to run, `warn` says so, ignore says nothing (default warn)")
	f.StringVar(&o.checkpoint, "checkpoint", "", "keep the position in this `file`, and go on from there when interrupted")
	f.Int64Var(&o.maxFindings, "max-findings", 0, "stop after this `number` of findings (default no limit)")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress on stderr")
}

func (a *app) diffCommand() *cobra.Command {
	var o runOptions
	var page reportOptions
	cmd := &cobra.Command{
		Use:   "diff SOURCE TARGET [TABLE…]",
		Short: "Compare tables and print the keys of rows that differ",
		Long: `diff compares tables while both databases are live and prints the key of every
row that differs: target_missing (only the source has it), neq (unequal) or
base_missing (only the target has it). It needs no Kafka and no configuration,
reads only, and never prints a value but the key's.

A TABLE is name, schema.name or source_name=target_name; without one, all tables
that both sides have by name are compared. With --config FILE, databases, pairs
and rules come from the file and TABLE chooses pairs by name.

--report FILE also writes the result as one HTML page that needs no network: the
verdict, how faithful each column's comparison is, where differences lie, sample
keys, and the command to repair. It is written at the start, after every pair
and at the end, whatever the end is.

A row that differs is looked at again after --confirm: under live writes the
copy may only be late. Where its delay can be measured (it is a replica, a
standby or a subscriber, or the configuration names a heartbeat), the second look
waits until it has followed, for up to --confirm-max. Rows that keep changing, or
that the copy did not follow in time for, are counted as open.

` + ruleHelp + `

Exit status: 0 all clean, 1 something differs, 2 could not look at everything.`,
		Example: example(`
trueup diff 'mysql://app:${SRC_PW}@10.0.0.1/shop' 'postgres://app:${DST_PW}@10.0.0.2/shop' orders
trueup diff mysql://app@10.0.0.1/shop mysql://app@10.0.0.2/shop --password-file pw --json
trueup diff "$SRC" "$DST" orders=public.orders_v2 --map state=status --exclude note
trueup diff "$SRC" "$DST" parcels --rule weight=tolerance:1e-9 --where 'tenant_id = 7'
trueup diff "$SRC" "$DST" orders --mode count --by created_at --window 1d
trueup diff --config trueup.yaml orders --report orders.html`),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := page.validate(); err != nil {
				return err
			}
			r, err := o.runner(a, cmd, args)
			if err != nil {
				return err
			}
			defer r.close()
			if page.file != "" {
				if r.report, err = newReporter(r, page, r.commands); err != nil {
					return err
				}
				r.progress = r.report
			}
			return r.diff(cmd.Context())
		},
		ValidArgsFunction: pairArguments,
	}
	o.addTo(cmd)
	page.addTo(cmd)
	return cmd
}

// runner runs comparisons of the pairs of a workbench.
type runner struct {
	*workbench
	app      *app
	out      *output
	progress progress
	config   validate.Config
	limits
	checkpoints validate.Checkpoints
	mode        validate.Mode
	confirm     time.Duration
	maxFindings int64
	conns       int
	followers   *assembly.Followers
	window      time.Duration // of counting by time; 0 chooses
	commands    commandLine
	job         *job
	report      *reporter // nil when none is wanted
}

func (r *runner) close() {
	if r.limits.stop != nil {
		r.limits.stop()
	}
	r.workbench.Close()
}

// runner reads the flags and opens everything a run needs.
func (o *runOptions) runner(a *app, cmd *cobra.Command, args []string) (*runner, error) {
	mode, err := validate.ParseMode(o.mode)
	if err != nil {
		return nil, usage("--mode: %w", err)
	}
	j, err := o.job(cmd, args)
	if err != nil {
		return nil, err
	}
	if err := o.apply(cmd, j); err != nil {
		return nil, err
	}
	window, err := parseWindow(o.window)
	switch {
	case err != nil:
		return nil, err
	case mode != validate.Count && (o.by != "" || o.window != ""):
		return nil, usage("--by and --window are for --mode count")
	}
	settings := j.file.Validator
	r := &runner{
		app: a, job: j, mode: mode, window: window, config: settings.Config, confirm: *settings.Confirm, maxFindings: settings.MaxFindings,
		out: newOutput(a.stdout, o.json),
		// Besides the ranges in work, the next one is being cut and suspects
		// are looked at again.
		conns: settings.Threads + 2,
	}
	if o.config != "" {
		r.conns = max(r.conns, j.file.Governor.Source.Concurrency, j.file.Governor.Target.Concurrency)
	}
	if o.checkpoint != "" {
		if r.checkpoints, err = checkpoint.OpenFile(o.checkpoint); err != nil {
			return nil, err
		}
	}
	if r.workbench, err = a.open(cmd.Context(), j, r.conns+1); err != nil {
		return nil, err
	}
	r.commands = newCommandLine(cmd, &o.options, j, r.Databases)
	r.followers = r.Followers(j.file.Replication)
	r.progress = newProgress(a.stderr, o.quiet, o.json)
	if err := r.limit(cmd.Context()); err != nil {
		r.close()
		return nil, err
	}
	for _, p := range r.pairs {
		dangers, err := p.asked.CheckSchema(p.pair)
		if err != nil {
			r.close()
			return nil, err
		}
		for _, warning := range slices.Concat(dangers, p.pair.Warnings) {
			r.progress.Warn(p.pair.Name, warning)
		}
	}
	return r, nil
}

// apply lets the flags override the file.
func (o *runOptions) apply(cmd *cobra.Command, j *job) error {
	v := &j.file.Validator
	if cmd.Flags().Changed("threads") {
		if o.threads < 1 {
			return usage("--threads %d: choose 1 to 64", o.threads)
		}
		v.Threads = o.threads
	}
	if o.confirm != "" {
		confirm, err := parseConfirm(o.confirm)
		if err != nil {
			return err
		}
		v.Confirm = &confirm
	}
	if cmd.Flags().Changed("confirm-max") {
		v.ConfirmMax = o.confirmMax
	}
	if cmd.Flags().Changed("max-findings") {
		v.MaxFindings = o.maxFindings
	}
	if o.by != "" {
		j.template.UpdatedAt = o.by
		for i := range j.pairs {
			j.pairs[i].UpdatedAt = o.by
		}
	}
	if o.authority != "" {
		j.template.Authority = o.authority
		for i := range j.pairs {
			j.pairs[i].Authority = o.authority
		}
	}
	j.template.AllowCascades = o.cascades
	if err := o.breaker.set(&j.template.Breaker); err != nil {
		return err
	}
	for i := range j.pairs {
		j.pairs[i].AllowCascades = j.pairs[i].AllowCascades || o.cascades
		if err := o.breaker.set(&j.pairs[i].Breaker); err != nil {
			return err
		}
	}
	if o.schema != "" {
		j.template.Schema = o.schema
		for i := range j.pairs {
			j.pairs[i].Schema = o.schema
		}
	}
	checked := j.file
	checked.Pairs = append([]assembly.Pair{}, j.pairs...)
	if err := checked.Validate(); err != nil {
		return &usageError{err}
	}
	j.file.Validator = checked.Validator
	return nil
}

func parseConfirm(text string) (time.Duration, error) {
	if n, err := strconv.Atoi(text); err == nil && n == 0 {
		return 0, nil
	}
	confirm, err := time.ParseDuration(text)
	if err != nil || confirm < 0 {
		return 0, usage("--confirm %q: want a duration such as 5s or 1m30s, or 0", text)
	}
	return confirm, nil
}

func budgets(statements int) (validate.Pacer, error) {
	source, err := governor.NewBudget("source", statements)
	if err != nil {
		return nil, err
	}
	target, err := governor.NewBudget("target", statements)
	return validate.Paced(source, target), err
}

// diff compares every pair and prints what differs.
func (r *runner) diff(ctx context.Context) error {
	err := r.diffPairs(ctx)
	if err == nil {
		err = r.out.summary()
	}
	return errors.Join(err, r.report.close())
}

func (r *runner) diffPairs(ctx context.Context) error {
	for i, p := range r.pairs {
		r.report.begin(i)
		verdict, err := r.compare(ctx, p, r.report.publisher(printer{r}))
		if err != nil {
			printError(r.app.stderr, err)
		}
		r.app.worsen(r.status(verdict, err))
		if err := errors.Join(r.report.end(ctx, i, verdict, err), r.out.windows(verdict, r.lookCloser(p)), r.out.verdict(verdict)); err != nil {
			return err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil
}

// compare runs one pair. The verdict tells what was found even beside an error.
func (r *runner) compare(ctx context.Context, p resolved, publisher validate.Publisher) (validate.Verdict, error) {
	v, err := validate.New(r.config, validate.Ports{
		Source: r.Source, Target: r.Target, Publisher: publisher, Pacer: r.pacer,
		Checkpoints: r.checkpoints, Observer: r.observer(r.progress),
	})
	if err != nil {
		return validate.Verdict{Pair: p.pair.Name, Mode: r.mode.String()}, err
	}
	byTime, err := r.byTime(p)
	if err != nil {
		return validate.Verdict{Pair: p.pair.Name, Mode: r.mode.String(), Reason: err.Error()}, err
	}
	follower, err := r.follower(ctx, p)
	if err != nil {
		r.progress.Warn(p.pair.Name, err.Error())
	}
	defer r.progress.done()
	return v.Run(ctx, validate.Run{
		ID: uuid.NewString(), Pair: p.pair, Authority: p.asked.Side(), Epoch: p.asked.Epoch, Mode: r.mode,
		Confirm: r.confirm, Follower: follower, ByTime: byTime, MaxFindings: r.maxFindings, Checkpoint: r.checkpointName(p),
	})
}

// follower measures the copy's delay for runs that wait for it.
func (r *runner) follower(ctx context.Context, p resolved) (validate.Follower, error) {
	if r.confirm == 0 || r.mode == validate.Count {
		return nil, nil
	}
	return r.followers.Of(ctx, p.asked.Side())
}

// checkpointName tells runs apart that share a file: by mode, pair and databases.
// What else was asked for otherwise must not go unnoticed; package validate
// refuses to go on then.
func (r *runner) checkpointName(p resolved) string {
	if r.checkpoints == nil {
		return ""
	}
	return fmt.Sprintf("%s %s %s %s", r.mode, p.pair.Name, r.Source.Redacted(), r.Target.Redacted())
}

// status is the exit status of a verdict. A run that stopped since it found as
// many differences as were asked for has done what it was told.
func (r *runner) status(v validate.Verdict, err error) int {
	enough := r.maxFindings > 0 && v.Findings() >= r.maxFindings
	switch {
	case err != nil, !v.Complete && !enough:
		return statusTrouble
	case !v.Clean && r.mode == validate.Count && v.SourceRows == v.TargetRows && (v.Windows == nil || v.Windows.Unequal == 0):
		return statusClean
	case !v.Clean:
		return statusDifferences
	default:
		return statusClean
	}
}

// printer prints findings; it is the Publisher of a run.
type printer struct{ r *runner }

func (p printer) Publish(_ context.Context, findings []event.Finding) error {
	p.r.progress.pause()
	return p.r.out.findings(findings)
}
