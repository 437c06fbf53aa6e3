package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/canary"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/fix/sqlsink"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/services/assembly"
)

// canaryOptions are the flags of canary.
type canaryOptions struct {
	config, kind string
	timeout      time.Duration
	noAsk, json  bool
}

// defaultCanaryTimeout leaves room for a confirmation that waits for a copy that
// is late (validator.confirm_max), and for a fixer with a backlog.
const defaultCanaryTimeout = 3 * time.Minute

var plantable = []event.Kind{event.NotEqual, event.TargetMissing, event.BaseMissing}

func (a *app) canaryCommand() *cobra.Command {
	var o canaryOptions
	cmd := &cobra.Command{
		Use:   "canary PAIR --config FILE",
		Short: "Prove that a difference is found and repaired, by planting one in a reserved row",
		Long: `canary changes one value of a row that was reserved for this (canary: of the
pair in the configuration), on the copy, and waits until the validator has found
the difference, a fixer has repaired it, and the row is read equal again. It
prints how many seconds after the planting it saw each.

The change is made in one transaction, only if the row is equal on both sides
and nobody holds it. What was not repaired in time, or when the command is
interrupted, is given back by compare-and-set: a row that somebody else has
written to meanwhile is left. If the process is killed outright the difference
stays, and the next full run finds it.

Where the copy's change events are followed (changes: of the pair) the canary
waits for the validator to find the row by itself. Else it asks a validator to
look at that row; the finding is the validator's in any case.

--kind target_missing deletes the row on the copy: columns that the pair leaves
out hold their defaults after the repair. --kind base_missing inserts a row under
the key canary.extra.

What became of it is kept in Kafka: validators show it as trueup_canary_… metrics.

Exit status: 0 found, repaired and equal, 1 one of them did not come to pass,
2 could not look, was refused, or was interrupted.`,
		Example: example(`
trueup canary orders --config trueup.yaml
trueup canary orders --config trueup.yaml --kind target_missing --timeout 1m --json`),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("want the name of one pair")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.canary(cmd.Context(), o, args[0]) },

		ValidArgsFunction: pairArgument,
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "", "`FILE` of the services")
	f.StringVarP(&o.config, "file", "f", "", "the same as --config")
	f.StringVar(&o.kind, "kind", event.NotEqual.String(), "what to plant: neq, target_missing or base_missing")
	f.DurationVar(&o.timeout, "timeout", defaultCanaryTimeout, "give the row back after this `time`")
	f.BoolVar(&o.noAsk, "no-ask", false, "ask no validator to look: wait for a run of its own")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	return cmd
}

func (a *app) canary(ctx context.Context, o canaryOptions, name string) error {
	kind := event.KindUnknown
	for _, k := range plantable {
		if k.String() == o.kind {
			kind = k
		}
	}
	switch {
	case kind == event.KindUnknown:
		return usage("--kind %q: say neq, target_missing or base_missing", o.kind)
	case o.timeout <= 0:
		return usage("--timeout %v: want a duration above 0, such as 2m", o.timeout)
	}
	file, err := loadForKafka(o.config)
	if err != nil {
		return err
	}
	asked, err := file.CanaryPair(name)
	if err != nil {
		return fmt.Errorf("%s: %w", o.config, err)
	}
	cage := &cage{app: a, options: o, file: file, asked: asked}
	defer cage.close()
	if err := cage.connect(ctx); err != nil {
		return err
	}
	c, err := cage.canary(kind)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() {
		fmt.Fprintln(a.stderr, "trueup: interrupted; whatever is planted is given back, which takes seconds. A second interrupt leaves it.")
	})()
	report, err := c.Prove(ctx)
	if len(report.Reached) == 0 && report.Row == "" {
		return err // nothing was planted
	}
	cage.keep(ctx, report)
	return errors.Join(err, a.tellCanary(report, o.json))
}

// cage is what a canary works with.
type cage struct {
	app       *app
	options   canaryOptions
	file      assembly.File
	asked     *assembly.Pair
	databases *assembly.Databases
	pair      *schema.Pair
	governors *assembly.Governors
	stop      func() // ends the governors
	scanner   *kafka.Scanner
	publisher *kafka.Publisher
}

func (c *cage) connect(ctx context.Context) error {
	if err := c.checkDecision(ctx); err != nil {
		return err
	}
	var err error
	access := assembly.Access{Writable: c.asked.Side().Other(), Conns: 2, Application: "trueup-canary"}
	if c.databases, err = assembly.Open(ctx, c.file.Source, c.file.Target, access); err != nil {
		return err
	}
	if c.pair, err = c.databases.Resolve(ctx, c.asked.Mapping(), schema.Auto); err != nil {
		return err
	}
	if c.governors, c.stop, err = govern(ctx, c.file, c.pair, c.app.stderr); err != nil {
		return err
	}
	if c.scanner, err = kafka.NewScanner(ctx, c.file.Kafka); err != nil {
		return err
	}
	c.publisher, err = kafka.NewPublisher(c.file.Kafka, zerolog.New(c.app.stderr).Level(zerolog.WarnLevel), kafka.Unobserved{})
	return err
}

// checkDecision makes sure that the file has the present authority: else what is
// planted would be planted in the side that is right.
func (c *cage) checkDecision(ctx context.Context) error {
	admin, err := kafka.NewAdmin(c.file.Kafka)
	if err != nil {
		return err
	}
	_, decisions, err := admin.ReadState(ctx)
	if err != nil {
		return err
	}
	announced, err := decisions.Check(c.asked.Decision())
	if err == nil && !announced {
		err = fmt.Errorf("no service has announced epoch %d of pair %s yet; start the validator and the fixer with this file first", c.asked.Epoch, c.asked.Name)
	}
	return err
}

func (c *cage) close() {
	if c.stop != nil {
		c.stop()
	}
	c.databases.Close()
	if c.scanner != nil {
		_ = c.scanner.Close() // nothing was left to be written
	}
	if c.publisher != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = c.publisher.Close(ctx) // what was published is acknowledged
	}
}

// canary is the canary of the pair, for one kind of difference.
func (c *cage) canary(kind event.Kind) (*canary.Canary, error) {
	key, extra, err := c.asked.Canary.Row(c.pair)
	if err != nil {
		return nil, err
	}
	if column := c.asked.Canary.Column; column != "" && !slices.Contains(c.pair.Names, column) {
		return nil, fmt.Errorf("pair %s: canary.column is %s, which is not compared; name one of %s", c.pair.Name, column, strings.Join(c.pair.Names, ", "))
	}
	run := "canary-" + uuid.NewString()
	planter, err := c.planter(run)
	if err != nil {
		return nil, err
	}
	topics := c.file.Kafka.Topics()
	out := &canary.Canary{
		Pair: c.pair, Authority: c.asked.Side(), Epoch: c.asked.Epoch, Kind: kind, Key: key, Extra: extra,
		Column: c.asked.Canary.Column, Avoid: []string{c.asked.UpdatedAt},
		Run: run, Skew: c.file.Validator.MaxClockSkew, Timeout: c.options.timeout,
		Source: c.databases.Source, Target: c.databases.Target, Planter: planter,
		Topics: &rowTopics{scanner: c.scanner, findings: topics.Findings, outcomes: topics.Outcomes, pair: c.pair.Name},
	}
	if !c.options.json {
		out.Told = c.app.canaryReached
	}
	if !c.options.noAsk && !c.followed() {
		out.Ask = func(ctx context.Context, key event.Key) error {
			return c.publisher.PublishTask(ctx, event.RangeTask{Pair: c.pair.Name, Run: run, Epoch: c.asked.Epoch, Keys: []event.Key{key}})
		}
	}
	return out, nil
}

// followed says whether a validator learns of changes of the copy by itself.
func (c *cage) followed() bool {
	if c.asked.Side() == event.Target {
		return c.asked.Changes.Source != ""
	}
	return c.asked.Changes.Target != ""
}

// keepPatience is how long a report waits for Kafka: whoever started the canary waits
// as well.
const keepPatience = 15 * time.Second

// keep writes what became of a canary where validators see it, and show it as a
// metric. Of one that could not look to its end there is nothing to say.
func (c *cage) keep(ctx context.Context, r canary.Report) {
	if !r.Proven() && r.Missed == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepPatience)
	defer cancel()
	kept := event.CanaryReport{
		Pair: r.Pair, Authority: c.asked.Side(), Kind: r.Kind, Asked: r.Asked, At: r.At, Missed: string(r.Missed), Reason: r.Reason,
		Found: r.Reached[canary.Found], Repaired: r.Reached[canary.Repaired], Equal: r.Reached[canary.Equal],
	}
	if r.Finding != nil {
		kept.Run = r.Finding.Run
	}
	if err := c.publisher.PublishCanary(ctx, kept); err != nil {
		fmt.Fprintf(c.app.stderr, "trueup: no metric will tell of this canary: %v. It needs to write to %s\n", err, c.file.Kafka.Topics().State)
	}
}

// planter changes the copy once the governors let a repair be made. What is given
// back does not wait for them: it is one row, and must not stay.
func (c *cage) planter(run string) (canary.Planter, error) {
	side := c.asked.Side().Other()
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // crypto/rand does not fail
	undoer, err := fix.NewUndoer(fix.UndoConfig{
		Pair: c.pair, Side: side, Sink: sqlsink.New(c.databases.Of(side), c.asked.Copy(c.pair)),
		Keep: fix.Keep{Images: fix.ChangedImages, DigestKey: secret[:]}, Run: run, Epoch: c.asked.Epoch,
	})
	return governed{undoer, c.governors.Admission(c.asked.Side())}, err
}
