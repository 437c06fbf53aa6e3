package main

import (
	"context"
	"fmt"
	"io"

	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/telemetry"
	"github.com/trueup/trueup/services/assembly"
)

// defaultListen is where the validator serves HTTP when nobody says where.
const defaultListen = "127.0.0.1:8080"

// choice is what the command line says about what to run.
type choice struct {
	once bool
	pair string
}

// wire puts the service together. Nothing is connected yet.
func wire(ctx context.Context, file assembly.File, choice choice, listen string, stderr io.Writer) (*validator, error) {
	pairs, err := chosen(file.Pairs, choice.pair)
	if err != nil {
		return nil, err
	}
	service := assembly.NewService("validator", stderr)
	service.Log.Info().Str("version", assembly.Version()).Object("kafka", file.Kafka.WithDefaults()).Msg("starting")
	v := &validator{
		service: service, file: file, choice: choice, pairs: pairs,
		metrics: telemetry.NewValidator(service.Metrics),
	}
	v.metrics.Expect(assembly.PairNames(pairs)...)
	if err = service.StartTracing(); err != nil {
		return nil, err
	}
	if v.admin, err = kafka.NewAdmin(file.Kafka); err != nil {
		return nil, err
	}
	if v.publisher, err = kafka.NewPublisher(file.Kafka, service.Log, telemetry.NewPublisher(service.Metrics)); err != nil {
		return nil, err
	}
	v.publisher.Tracer = service.Tracing.Messages()
	if v.governors, err = assembly.NewGovernors(file, service.Log, service.Metrics, governor.Reads); err != nil {
		return nil, err
	}
	if v.standing, err = newStandings(file, pairs, v.publisher, telemetry.NewStanding(service.Metrics), service.Log); err != nil {
		return nil, err
	}
	v.fence = newFence(pairs, service.Log)
	canaries := newCanaries(pairs, telemetry.NewCanaries(service.Metrics), service.Log)
	if v.state, err = kafka.FollowState(file.Kafka, service.Log, v.standing.learn, v.fence.learn, canaries.learn); err != nil {
		return nil, err
	}
	v.standing.state, v.fence.state = v.state, v.state
	if !choice.once {
		if v.election, err = newElection(file); err != nil {
			return nil, err
		}
		service.Readiness.Watch("leader", v.leads)
		telemetry.WatchLeader(service.Metrics, func() bool { return v.election.Leads() == nil })
	}
	v.pacer = v.governors.Pacer()
	service.Readiness.Watch("kafka", v.publisher.Healthy)
	control := v.control()
	page := v.page(control)
	if err := service.ServeHTTP(ctx, listen, file.HTTP, defaultListen, append(control.mounted(), page.mounted()...)...); err != nil {
		return nil, err
	}
	service.Parts.Add("kafka", v.publish)
	budget, err := v.governors.Share(file.Kafka)
	if err != nil {
		return nil, err
	}
	service.Parts.Add("budget", budget)
	service.Parts.Add("page", page.run)
	service.Parts.Add("state", v.state.Run)
	if !choice.once { // which ends before anybody asks how pairs stand
		service.Parts.Add("standing", v.standing.run)
	}
	service.Parts.Add("runs", v.run)
	return v, nil
}

func chosen(pairs []assembly.Pair, name string) ([]assembly.Pair, error) {
	if name == "" {
		return pairs, nil
	}
	var named []assembly.Pair
	for _, p := range pairs {
		if p.Is(name) || p.IsShadowOf(name) {
			named = append(named, p)
		}
	}
	if len(named) > 0 {
		return named, nil
	}
	return nil, fmt.Errorf("--pair %q: the configuration has no pair of that name", name)
}
