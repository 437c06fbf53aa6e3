package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/audit"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/fix/sqlsink"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/services/assembly"
)

// undoOptions are the flags of undo, as given.
type undoOptions struct {
	config, pair    string
	run, key, since string
	dryRun, force   bool
	json            bool
}

func (a *app) undoCommand() *cobra.Command {
	var o undoOptions
	cmd := &cobra.Command{
		Use:   "undo --config FILE [--pair PAIR] (--run RUN | --key KEY | --since TIME)",
		Short: "Give rows back what they had before repairs wrote to them",
		Long: `undo takes repairs back that the fixers made, as the topic of outcomes tells of
them, from the newest to the oldest. A row is written only if it is still as the
repair left it, which is made sure of while it is locked; rows that changed since
are left and listed. Pair, run, key and time may be combined; all of them must
hold. Without --pair it is the repairs of all pairs in the file.

Inserts can always be undone. Updates and deletes need the pair's images, which
are changed or full, at the time of the repair.

To begin again after it was interrupted is safe: what is undone stays so. An
undo is told in the topic of outcomes as a run of its own; --run with its name
undoes the undo. The next run of the validator will find the rows that were
undone again: stop the fixers before, and correct the pair.

` + keyHelp + `

Exit status: 0 everything that was selected is undone (or was), 1 rows are left
(or would be, with --dry-run), 2 trouble.`,
		Example: example(`
trueup undo --config trueup.yaml --run 9b0c4f6e-… --dry-run
trueup undo --config trueup.yaml --pair orders --since 30m
trueup undo --config trueup.yaml --pair orders --key 4711`),
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.undo(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "", "`FILE` of the services")
	f.StringVar(&o.pair, "pair", "", "only the repairs of this `pair`")
	f.StringVar(&o.run, "run", "", "the repairs of what this `run` found")
	f.StringVar(&o.key, "key", "", "the repairs of the row with this `key`")
	f.StringVar(&o.since, "since", "", "the repairs since a `time`: 2026-11-22T09:00:00Z, a date, or 30m for half an hour ago")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be undone, and write nothing")
	f.BoolVar(&o.force, "force", false, "also undo repairs that were made before the pair's authority was switched; this writes to the side that is right now")
	f.BoolVar(&o.json, "json", false, "print one JSON object a line")
	return cmd
}

// selection reads the flags.
func (o undoOptions) selection(pair string) (audit.Selection, error) {
	sel := audit.Selection{Pair: pair, Run: o.run}
	var err error
	if sel.Since, err = parseSince(o.since, time.Now()); err != nil || o.key == "" {
		return sel, err
	}
	key, err := parseKey(o.key)
	sel.Key = event.RowKey(pair, key)
	return sel, err
}

func (a *app) undo(ctx context.Context, o undoOptions) error {
	if o.run == "" && o.key == "" && o.since == "" {
		return usage("say which repairs: --run RUN, --key KEY or --since TIME")
	}
	if _, err := o.selection(o.pair); err != nil {
		return err
	}
	p, err := openPast(ctx, o.config)
	if err != nil {
		return err
	}
	defer p.close()
	pairs, err := o.among(p.file.Pairs)
	if err != nil {
		return err
	}
	u := &undoing{app: a, options: o, past: p, run: "undo-" + uuid.NewString()}
	defer u.close()
	if err := u.connect(ctx); err != nil {
		return err
	}
	if err := u.govern(ctx, &pairs[0]); err != nil {
		return err
	}
	for i := range pairs {
		if err := u.undoPair(ctx, &pairs[i]); err != nil {
			return err
		}
	}
	return u.summary()
}

// among are the pairs whose repairs are meant.
func (o undoOptions) among(pairs []assembly.Pair) ([]assembly.Pair, error) {
	switch {
	case o.pair != "":
		return choose(pairs, []string{o.pair}, o.config)
	case o.key != "" && len(pairs) > 1:
		return nil, usage("--key is that of a row of one pair, and %s has %d pairs; add --pair", o.config, len(pairs))
	default:
		return pairs, nil
	}
}

// undoing is one call of undo.
type undoing struct {
	app     *app
	options undoOptions
	*past
	run       string
	readers   *assembly.Databases
	writers   assembly.Databases
	governors *assembly.Governors
	stop      func() // ends the governors
	publisher *kafka.Publisher
	decisions event.Decisions
	count     undoCount
}

// connect opens what all pairs need, and learns what was decided about them.
func (u *undoing) connect(ctx context.Context) error {
	var err error
	access := assembly.Access{Conns: 2, Application: "trueup"}
	if u.readers, err = assembly.Open(ctx, u.file.Source, u.file.Target, access); err != nil {
		return err
	}
	if u.publisher, err = kafka.NewPublisher(u.file.Kafka, zerolog.New(u.app.stderr).Level(zerolog.WarnLevel), kafka.Unobserved{}); err != nil {
		return err
	}
	return u.readDecisions(ctx)
}

// govern has all that follows ask the governors of the file.
func (u *undoing) govern(ctx context.Context, p *assembly.Pair) error {
	pair, err := u.readers.Resolve(ctx, p.Mapping(), schema.Auto)
	if err != nil {
		return err
	}
	u.governors, u.stop, err = govern(ctx, u.file, pair, u.app.stderr)
	return err
}

func (u *undoing) close() {
	if u.stop != nil {
		u.stop()
	}
	u.readers.Close()
	u.writers.Close()
	if u.publisher != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = u.publisher.Close(ctx) // what was published is acknowledged
	}
}

// readDecisions reads the whole topic of states.
func (u *undoing) readDecisions(ctx context.Context) error {
	topic := u.file.Kafka.Topics().State
	partitions, err := u.log.Source.Partitions(topic)
	if err != nil {
		return err
	}
	for _, p := range partitions {
		from, to, err := u.log.Source.Span(ctx, topic, p, time.Time{})
		if err != nil {
			return err
		}
		if err := u.log.Source.Read(ctx, topic, p, from, to, func(r event.Record) error {
			_, err := u.decisions.Apply(r)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// undoBatch is how many rows are locked together: a fixer's number.
const undoBatch = fix.DefaultBatchKeys

func (u *undoing) undoPair(ctx context.Context, p *assembly.Pair) error {
	if _, err := u.decisions.Check(p.Decision()); err != nil && !u.options.force {
		return fmt.Errorf("pair %s: %w; correct the file, or use --force to undo all the same", p.Name, err)
	}
	pair, err := u.readers.Resolve(ctx, p.Mapping(), schema.Auto)
	if err != nil {
		return err
	}
	sel, err := u.options.selection(p.Name)
	if err != nil {
		return err
	}
	undoers := &undoers{undoing: u, asked: p, pair: pair, supposed: map[string]string{}}
	return u.log.Repairs(ctx, sel, undoBatch, func(steps []fix.Step) error { return undoers.undo(ctx, steps) })
}

// undoers undo the repairs of a pair, on the side where they were made.
type undoers struct {
	*undoing
	asked    *assembly.Pair
	pair     *schema.Pair
	supposed map[string]string
	of       map[event.Side]*fix.Undoer
}

func (u *undoers) undo(ctx context.Context, steps []fix.Step) error {
	bySide := map[event.Side][]fix.Step{}
	var left []fix.Undoing
	for _, s := range steps {
		if why := u.otherEpoch(s); why != "" && !u.options.force {
			left = append(left, fix.Undoing{Step: s, Left: why})
			continue
		}
		bySide[s.Write().Side] = append(bySide[s.Write().Side], s)
	}
	if err := u.report(left); err != nil {
		return err
	}
	for side, steps := range bySide {
		undoer, err := u.undoer(ctx, side)
		if err != nil {
			return err
		}
		done, err := u.take(ctx, undoer, steps)
		if len(done) > 0 {
			if err := u.report(done); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// otherEpoch says why a repair of another authority's time is left.
func (u *undoers) otherEpoch(s fix.Step) string {
	if s.Outcome.Epoch == u.asked.Epoch && s.Write().Side == u.asked.Side().Other() {
		return ""
	}
	return fmt.Sprintf("the repair was made under epoch %d, and the pair is in epoch %d, where the %s is right; --force writes to the %s all the same",
		s.Outcome.Epoch, u.asked.Epoch, u.asked.Side(), s.Write().Side)
}

// take undoes a batch and makes known what was undone.
func (u *undoers) take(ctx context.Context, undoer *fix.Undoer, steps []fix.Step) ([]fix.Undoing, error) {
	if u.options.dryRun {
		return undoer.Look(ctx, steps, u.supposed)
	}
	done, err := undoer.Undo(ctx, steps)
	var outcomes []event.Outcome
	for _, d := range done {
		if d.Outcome.Result == event.Undone {
			outcomes = append(outcomes, d.Outcome)
		}
	}
	if len(outcomes) == 0 {
		return done, err
	}
	// What is undone is told although somebody interrupts.
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if told := u.publisher.PublishOutcomes(patience, outcomes); told != nil && err == nil {
		err = fmt.Errorf("%d rows are undone, and the topic of outcomes does not say so: %w", len(outcomes), told)
	}
	return done, err
}

func (u *undoers) undoer(ctx context.Context, side event.Side) (*fix.Undoer, error) {
	if undoer := u.of[side]; undoer != nil {
		return undoer, nil
	}
	db, view := u.readers.Of(side), &u.pair.Target
	if side == event.Source {
		view = &u.pair.Source
	}
	if !u.asked.AllowCascades {
		if err := u.pair.CheckCascades(view); err != nil {
			return nil, err
		}
	}
	if !u.options.dryRun {
		var err error
		if db, err = u.writer(ctx, side); err != nil {
			return nil, err
		}
	}
	use := governor.Writes
	if u.options.dryRun {
		use = governor.Reads
	}
	sink := sqlsink.New(db, view)
	sink.Acquire = u.governors.Of(side, use).Acquire
	undoer, err := fix.NewUndoer(fix.UndoConfig{
		Pair: u.pair, Side: side, Sink: sink, Keep: u.file.Keep(u.asked), Run: u.run, Epoch: u.asked.Epoch,
	})
	if u.of == nil {
		u.of = map[event.Side]*fix.Undoer{}
	}
	u.of[side] = undoer
	return undoer, err
}
