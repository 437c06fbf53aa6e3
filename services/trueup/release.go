package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/services/assembly"
)

// releaseSince is as long as findings are kept: what was held before the next
// full run has found again.
const releaseSince = 7 * 24 * time.Hour

// releaseOptions are the flags of release.
type releaseOptions struct {
	config, run string
	since       time.Duration
	dryRun      bool
	json        bool
}

func (a *app) releaseCommand() *cobra.Command {
	var o releaseOptions
	cmd := &cobra.Command{
		Use:   "release PAIR --config FILE",
		Short: "Have the rows repaired that a breaker holds back",
		Long: `When more rows of a pair are repaired than its breaker allows (pairs: breaker:
in the configuration), all fixers hold its repairs back: the findings have the
outcome "held", class "breaker". release starts the count anew, so that as many
rows again may be repaired, and publishes the held findings once more. Every row
is read again before it is written.

Look at some of the rows first: a breaker that trips mostly means that a rule, a
filter or the direction is wrong. It is safe to run release twice, or after it
was killed half-way.

Exit status: 0 done, also when nothing was held, 2 trouble.`,
		Example: example(`
trueup release orders --config trueup.yaml --dry-run
trueup release orders --config trueup.yaml`),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("want the name of one pair")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.since <= 0 {
				return usage("--since %v: want a duration above 0, such as 24h", o.since)
			}
			return a.release(cmd.Context(), o, args[0])
		},
		ValidArgsFunction: pairArgument,
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "", "`FILE` with kafka and pairs, as for the services")
	f.StringVar(&o.run, "run", "", "publish only findings of the run with this `ID`")
	f.DurationVar(&o.since, "since", releaseSince, "how far back to look for held findings")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be released, and change nothing")
	f.BoolVar(&o.json, "json", false, "print one JSON object a line")
	return cmd
}

func (a *app) release(ctx context.Context, o releaseOptions, name string) (err error) {
	file, err := loadForKafka(o.config)
	if err != nil {
		return err
	}
	r := &releaser{app: a, options: o, pairs: map[string]*int{}, topics: file.Kafka.Topics()}
	var names []string
	for i := range file.Pairs {
		if p := &file.Pairs[i]; p.Is(name) {
			r.pairs[p.Name] = new(int)
		}
		names = append(names, file.Pairs[i].Name)
	}
	if len(r.pairs) == 0 {
		return fmt.Errorf("%s has no pair named %q; it has %s", o.config, name, strings.Join(names, ", "))
	}
	if r.scanner, err = kafka.NewScanner(ctx, file.Kafka); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.scanner.Close()) }()
	if r.publisher, err = kafka.NewPublisher(file.Kafka, zerolog.Nop(), kafka.Unobserved{}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.publisher.Close(context.WithoutCancel(ctx))) }()
	return r.release(ctx)
}

// loadForKafka reads a configuration that says how to reach Kafka.
func loadForKafka(path string) (assembly.File, error) {
	if path == "" {
		return assembly.File{}, usage("--config is missing; name the file the services read")
	}
	file, err := assembly.Load(path)
	if err == nil && len(file.Kafka.Brokers) == 0 {
		err = errors.New("kafka.brokers is missing; name at least one broker, host:port")
	}
	return file, err
}

// topicScanner is what release needs of kafka.Scanner.
type topicScanner interface {
	Partitions(topic string) ([]int32, error)
	Span(ctx context.Context, topic string, partition int32, since time.Time) (from, to int64, err error)
	Read(ctx context.Context, topic string, partition int32, from, to int64, apply func(event.Record) error) error
	Close() error
}

// releasePublisher is what release needs of kafka.Publisher.
type releasePublisher interface {
	PublishBreaker(ctx context.Context, s event.BreakerState) error
	PublishFindings(ctx context.Context, findings []event.Finding) error
	Close(ctx context.Context) error
}

// releaser releases pairs: first the breaker, then the findings. Killed between
// the two, or in the middle of the second, it finds the rest when it runs again.
type releaser struct {
	app       *app
	options   releaseOptions
	scanner   topicScanner
	publisher releasePublisher
	topics    kafka.Topics
	// pairs are the pairs to release, with the number of their held findings.
	pairs map[string]*int
}

func (r *releaser) release(ctx context.Context) error {
	states, err := r.states(ctx)
	if err != nil {
		return err
	}
	var last time.Time
	for _, name := range sortedKeys(r.pairs) {
		state, err := r.open(ctx, name, states[name])
		if err != nil {
			return err
		}
		if err := r.say(r.line(name, states[name])); err != nil {
			return err
		}
		if state.Released.After(last) {
			last = state.Released
		}
	}
	if !r.options.dryRun {
		if err := await(ctx, time.Until(last.Add(settleHeld))); err != nil {
			return err
		}
	}
	if err := r.findings(ctx); err != nil {
		return err
	}
	for _, name := range sortedKeys(r.pairs) {
		line := r.line(name, states[name])
		line.Findings = r.pairs[name]
		if err := r.say(line); err != nil {
			return err
		}
	}
	return nil
}

// settleHeld is more than the moment between a fixer's last look at the breaker
// and the outcome that is held by it being in its topic. A fixer that looks later
// knows of the release, and holds nothing.
const settleHeld = 3 * time.Second

func await(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// states are the breakers as the state topic tells of them.
func (r *releaser) states(ctx context.Context) (map[string]event.BreakerState, error) {
	states := map[string]event.BreakerState{}
	err := r.each(ctx, r.topics.State, time.Time{}, func(record event.Record) error {
		if kind, _ := event.StateKind(record.Key); kind != event.StateBreaker || record.Value == nil {
			return nil
		}
		s, err := event.DecodeBreakerState(record)
		if known, any := states[s.Pair]; err == nil && (!any || s.Newer(known)) {
			states[s.Pair] = s
		}
		return err
	})
	return states, err
}

// each calls apply with every record of a topic.
func (r *releaser) each(ctx context.Context, topic string, since time.Time, apply func(event.Record) error) error {
	partitions, err := r.scanner.Partitions(topic)
	if err != nil {
		return err
	}
	for _, p := range partitions {
		from, to, err := r.scanner.Span(ctx, topic, p, since)
		if err != nil {
			return err
		}
		if err := r.scanner.Read(ctx, topic, p, from, to, apply); err != nil {
			return err
		}
	}
	return nil
}

// open has the pair repaired again, and returns the breaker's state.
func (r *releaser) open(ctx context.Context, name string, s event.BreakerState) (event.BreakerState, error) {
	if !s.Tripped || r.options.dryRun {
		return s, nil
	}
	now := time.Now()
	released := event.BreakerState{Pair: name, Number: s.Number + 1, At: now, Released: now}
	return released, r.publisher.PublishBreaker(ctx, released)
}
