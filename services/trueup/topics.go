package main

import (
	"context"
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
			func(ctx context.Context, admin *kafka.Admin) error {
				lines, err := admin.Create(ctx)
				for _, line := range lines {
					fmt.Fprintln(a.stdout, line)
				}
				if err != nil {
					return err
				}
				return settled(ctx, admin)
			}),
		a.topicsSubcommand("check", "Say whether every topic exists and is as the configuration says",
			func(ctx context.Context, admin *kafka.Admin) error {
				if err := admin.CheckSettings(ctx); err != nil {
					return err
				}
				_, err := fmt.Fprintln(a.stdout, "all topics are as they should be")
				return err
			}),
	)
	return cmd
}

func (a *app) topicsSubcommand(name, short string, do func(context.Context, *kafka.Admin) error) *cobra.Command {
	var path string
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
			return do(cmd.Context(), admin)
		},
	}
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
