package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/trueup/trueup/pkg/kafka"
)

func (a *app) topicsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "topics",
		Short: "Create or check the Kafka topics of the services",
		Long: `The services carry findings, outcomes and their own state over Kafka topics
named <kafka.prefix>.findings, .outcomes and so on. They never create a topic
by themselves.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unknown subcommand %q; say create or check", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		a.topicsSubcommand("create", "Create the topics that do not exist; existing ones are left as they are",
			func(ctx context.Context, admin *kafka.Admin, out *output) error {
				topics, err := admin.Create(ctx)
				if err := errors.Join(err, out.topics(topics)); err != nil {
					return err
				}
				return settled(ctx, admin)
			}),
		a.topicsSubcommand("check", "Say whether every topic exists and is as the configuration says",
			func(ctx context.Context, admin *kafka.Admin, out *output) error {
				if err := admin.CheckSettings(ctx); err != nil {
					return err
				}
				return out.topicsChecked()
			}),
	)
	return cmd
}

// topics prints what was done about each topic.
func (o *output) topics(topics []kafka.Created) error {
	var text bytes.Buffer
	for _, t := range topics {
		if !o.json {
			fmt.Fprintln(&text, t)
		} else if err := encodeLine(&text, struct {
			Topic      string `json:"topic"`
			Created    bool   `json:"created"`
			Partitions int    `json:"partitions,omitempty"`
		}{t.Topic, t.Partitions > 0, t.Partitions}); err != nil {
			return err
		}
	}
	return o.write(text.Bytes())
}

func (o *output) topicsChecked() error {
	if o.json {
		return o.write([]byte(`{"topics":"ok"}` + "\n"))
	}
	return o.write([]byte("all topics are as they should be\n"))
}

func (a *app) topicsSubcommand(name, short string, do func(context.Context, *kafka.Admin, *output) error) *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     name + " --config FILE",
		Short:   short,
		Example: example("trueup topics " + name + " --config trueup.yaml"),
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := loadForKafka(path)
			if err != nil {
				return err
			}
			admin, err := kafka.NewAdmin(file.Kafka)
			if err != nil {
				return err
			}
			return do(cmd.Context(), admin, newOutput(a.stdout, asJSON))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	cmd.Flags().StringVar(&path, "config", "", "`FILE` with the settings of kafka, as for the services")
	return cmd
}

// settleTime is how long brokers may take to tell each other of a new topic.
const settleTime = 5 * time.Second

// settled waits until every broker that is asked knows the topics, so that what
// is started next finds them. What is wrong for longer is wrong: a topic that
// was there before and is not as the configuration says.
func settled(ctx context.Context, admin *kafka.Admin) error {
	deadline := time.Now().Add(settleTime)
	for {
		err := admin.Check(ctx)
		if err == nil || ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}
