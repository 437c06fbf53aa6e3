package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/services/assembly"
)

// deadOptions are the flags of the subcommands of dead.
type deadOptions struct {
	config           string
	pair, class, key string
	limit            int
	json             bool
}

func (a *app) deadCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dead",
		Short: "List, retry or drop the findings that the fixer gave up on",
		Long: `A finding that cannot be repaired without a person, and a message that cannot
be understood, waits in the topic <kafka.prefix>.findings.dead with the reason.
It is open until it is retried or dropped; of several about one row the last one
counts. Retrying publishes the finding again, and the fixer looks at the row
afresh.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unknown subcommand %q; say list, retry or drop", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		a.deadSubcommand("list", "List the open ones, the oldest first", defaultListed, a.listDead),
		a.deadSubcommand("retry", "Publish the findings again, and close their letters", 0, a.retryDead),
		a.deadSubcommand("drop", "Close letters without doing anything about them", 0, a.dropDead),
	)
	return cmd
}

// defaultListed is as many letters as a person may want to see at once.
const defaultListed = 100

func (a *app) deadSubcommand(name, short string, limit int, do func(context.Context, *office) error) *cobra.Command {
	var o deadOptions
	cmd := &cobra.Command{
		Use:     name + " --config FILE",
		Short:   short,
		Example: example("trueup dead " + name + " --config trueup.yaml --pair orders --class refused"),
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.limit < 0 {
				return usage("--limit %d is less than 0; 0 means no limit", o.limit)
			}
			if name == "drop" && o.pair == "" && o.class == "" && o.key == "" {
				return usage("say what to drop with --pair, --class or --key")
			}
			office, err := openOffice(cmd.Context(), o)
			if err != nil {
				return err
			}
			return errors.Join(do(cmd.Context(), office), office.scanner.Close())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.config, "config", "", "`FILE` with the settings of kafka, as for the services")
	flags.StringVar(&o.pair, "pair", "", "only those of the pair with this `NAME`")
	flags.StringVar(&o.class, "class", "", "only those of this error `CLASS`, e.g. refused or undecodable")
	flags.StringVar(&o.key, "key", "", `only the row with this `+"`KEY`"+`, as "id=7, line=2" or "7,2"; or a message by its origin, topic/partition/offset`)
	flags.IntVar(&o.limit, "limit", limit, "no more than `N`, the oldest; 0 for no limit")
	flags.BoolVar(&o.json, "json", false, "print one JSON object a line")
	return cmd
}

// office is where dead letters are looked through.
type office struct {
	deadOptions
	settings kafka.Config
	scanner  *kafka.Scanner
}

func openOffice(ctx context.Context, o deadOptions) (*office, error) {
	settings, err := kafkaSettings(o.config)
	if err != nil {
		return nil, err
	}
	admin, err := kafka.NewAdmin(settings)
	if err != nil {
		return nil, err
	}
	if err := admin.CheckDead(ctx); err != nil {
		return nil, err
	}
	scanner, err := kafka.NewScanner(ctx, settings)
	return &office{o, settings, scanner}, err
}

// kafkaSettings reads the settings of kafka from the file the services read.
func kafkaSettings(path string) (kafka.Config, error) {
	if path == "" {
		return kafka.Config{}, usage("--config is missing; name the file the services read")
	}
	file, err := assembly.Load(path)
	if err == nil && len(file.Kafka.Brokers) == 0 {
		err = fmt.Errorf("%s: kafka.brokers is missing; name at least one broker, host:port", path)
	}
	return file.Kafka, err
}

// selected calls each with the open letters that the flags select: with a limit
// the oldest in their order, else as they come. It returns how many the limit
// left out.
func (o *office) selected(ctx context.Context, each func(kafka.Letter) error) (left int, err error) {
	var oldest []kafka.Letter
	shorten := func(to int) {
		slices.SortStableFunc(oldest, func(a, b kafka.Letter) int { return a.Timestamp.Compare(b.Timestamp) })
		if len(oldest) > to {
			left += len(oldest) - to
			oldest = slices.Delete(oldest, to, len(oldest))
		}
	}
	err = o.scanner.OpenLetters(ctx, o.settings.Topics(), func(l kafka.Letter) error {
		switch {
		case !o.wants(l):
			return nil
		case o.limit == 0:
			return each(l)
		}
		if oldest = append(oldest, l); len(oldest) >= 2*o.limit+deadBatch {
			shorten(o.limit)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	shorten(o.limit)
	for _, l := range oldest {
		if err := each(l); err != nil {
			return 0, err
		}
	}
	return left, nil
}

func (o *office) wants(l kafka.Letter) bool {
	decoded := l.DecodeErr == nil
	return (o.class == "" || l.Class == o.class) &&
		(o.pair == "" || decoded && l.Finding.Pair == o.pair) &&
		(o.key == "" || l.Origin == o.key || decoded && namesKey(o.key, l.Finding.Key))
}

// deadBatch is how many letters are settled at once.
const deadBatch = 500

// settleDead settles the selected letters, batch by batch, and returns how many.
// What cannot be settled is told to refuse, and stays open.
func (o *office) settleDead(ctx context.Context, refuse func(kafka.Letter) bool, settle func([]kafka.Letter) error) (done int, err error) {
	var batch []kafka.Letter
	flush := func() error {
		if err := settle(batch); err != nil {
			return err
		}
		done += len(batch)
		batch = batch[:0]
		return nil
	}
	_, err = o.selected(ctx, func(l kafka.Letter) error {
		if refuse(l) {
			return nil
		}
		if batch = append(batch, l); len(batch) < deadBatch {
			return nil
		}
		return flush()
	})
	if err == nil && len(batch) > 0 {
		err = flush()
	}
	return done, err
}

func (a *app) retryDead(ctx context.Context, o *office) error {
	omitted := 0
	refuse := func(l kafka.Letter) bool {
		if l.Omitted == 0 {
			return false
		}
		omitted++
		fmt.Fprintf(a.stderr, "trueup: letter of %s: %v\n", l.Origin, kafka.ErrOmitted)
		a.worsen(statusTrouble)
		return true
	}
	return a.settleWith(ctx, o, kafka.Retried, refuse, func(p *kafka.Publisher, batch []kafka.Letter) error {
		return p.PublishAgain(ctx, batch)
	})
}

func (a *app) dropDead(ctx context.Context, o *office) error {
	return a.settleWith(ctx, o, kafka.Dropped, func(kafka.Letter) bool { return false },
		func(*kafka.Publisher, []kafka.Letter) error { return nil })
}

// settleWith acts on letters and marks them after that: whoever is interrupted
// leaves letters open, and acts on them again the next time.
func (a *app) settleWith(ctx context.Context, o *office, mark kafka.Mark, refuse func(kafka.Letter) bool, act func(*kafka.Publisher, []kafka.Letter) error) error {
	publisher, err := kafka.NewPublisher(o.settings, zerolog.Nop(), kafka.Unobserved{})
	if err != nil {
		return err
	}
	done, err := o.settleDead(ctx, refuse, func(batch []kafka.Letter) error {
		if err := act(publisher, batch); err != nil {
			return err
		}
		return publisher.PublishMarks(ctx, mark, batch)
	})
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err = errors.Join(err, publisher.Close(closing))
	if o.json {
		return errors.Join(err, newOutput(a.stdout, true).line(map[kafka.Mark]int{mark: done}))
	}
	_, printErr := fmt.Fprintf(a.stdout, "%s %d\n", mark, done)
	return errors.Join(err, printErr)
}
