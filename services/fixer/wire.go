package main

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/telemetry"
	"github.com/trueup/trueup/services/assembly"
)

// defaultListen is where the fixer serves HTTP when nobody says where.
const defaultListen = "127.0.0.1:8081"

// wire puts the service together. Nothing is connected yet.
func wire(ctx context.Context, file assembly.File, listen string, stderr io.Writer) (*fixer, error) {
	service := assembly.NewService("fixer", stderr)
	service.Log.Info().Str("version", assembly.Version()).Object("kafka", file.Kafka.WithDefaults()).Msg("starting")
	f := &fixer{
		service: service, file: file,
		observer: observer{log: service.Log, readiness: service.Readiness, metrics: telemetry.NewFixer(service.Metrics)},
		group:    telemetry.NewGroup(service.Metrics),
	}
	f.observer.metrics.Expect(assembly.PairNames(file.Pairs)...)
	err := service.StartTracing()
	if err != nil {
		return nil, err
	}
	if f.admin, err = kafka.NewAdmin(file.Kafka); err != nil {
		return nil, err
	}
	if f.publisher, err = kafka.NewPublisher(file.Kafka, service.Log, telemetry.NewPublisher(service.Metrics)); err != nil {
		return nil, err
	}
	f.publisher.Tracer = service.Tracing.Messages()
	f.epochs = newEpochs(file.Pairs, f.observer.stopped)
	f.breakers = newBreakers(file, f.observer.breaker, service.Log)
	if f.state, err = kafka.FollowState(file.Kafka, service.Log, f.epochs.apply, f.breakers.learn); err != nil {
		return nil, err
	}
	f.breakers.states = f.state
	f.epochs.follower = f.state
	if f.reads, err = assembly.ReadBudgets(file.Governor); err != nil {
		return nil, err
	}
	if f.governors, err = assembly.NewGovernors(file, service.Log, service.Metrics, governor.Reads, governor.Writes); err != nil {
		return nil, err
	}
	service.Readiness.Watch("kafka", f.publisher.Healthy)
	service.Readiness.Watch("state", f.state.Healthy)
	if err := service.ServeHTTP(ctx, listen, file.HTTP, defaultListen); err != nil {
		return nil, err
	}
	service.Parts.Add("memory", limitMemory)
	service.Parts.Add("kafka", f.publish)
	service.Parts.Add("state", f.state.Run)
	if err := f.followOutcomes(); err != nil {
		return nil, err
	}
	// A fixer mostly waits: at its fastest it keeps one processor busy.
	f.governors.LeavesProcessors = true
	budget, err := f.governors.Share(file.Kafka)
	if err != nil {
		return nil, err
	}
	service.Parts.Add("budget", budget)
	service.Parts.Add("repairs", f.run)
	return f, nil
}

// followOutcomes has the breakers count what other fixers repair, where there is a
// limit to it: reading all outcomes costs about as much as writing them.
func (f *fixer) followOutcomes() error {
	limited := func(p assembly.Pair) bool { return p.Limits() != fix.Limits{} }
	if f.file.Fixer.DryRun || !slices.ContainsFunc(f.file.Pairs, limited) {
		return nil
	}
	outcomes, err := kafka.FollowOutcomes(f.file.Kafka, f.service.Log, time.Now().Add(-fix.BreakerSpan), f.publisher.Instance(), f.breakers.count)
	if err != nil {
		return err
	}
	f.breakers.outcomes = outcomes
	f.service.Readiness.Watch("outcomes", outcomes.Healthy)
	f.service.Parts.Add("outcomes", outcomes.Run)
	return nil
}
