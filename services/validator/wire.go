package main

import (
	"context"
	"fmt"
	"io"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/telemetry"
	"github.com/trueup/trueup/pkg/validate"
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
	if v.admin, err = kafka.NewAdmin(file.Kafka); err != nil {
		return nil, err
	}
	if v.publisher, err = kafka.NewPublisher(file.Kafka, service.Log, telemetry.NewPublisher(service.Metrics)); err != nil {
		return nil, err
	}
	if v.governors, err = assembly.NewGovernors(file, service.Log, service.Metrics, governor.Reads); err != nil {
		return nil, err
	}
	if v.standing, err = newStandings(file, pairs, v.publisher, telemetry.NewStanding(service.Metrics), service.Log); err != nil {
		return nil, err
	}
	if v.state, err = kafka.FollowState(file.Kafka, service.Log, v.standing.learn); err != nil {
		return nil, err
	}
	v.standing.state = v.state
	v.pacer = validate.Paced(v.governors.Of(event.Source, governor.Reads), v.governors.Of(event.Target, governor.Reads))
	service.Readiness.Watch("kafka", v.publisher.Healthy)
	control := v.control()
	page := v.page(control)
	if err := service.ServeHTTP(ctx, listen, file.HTTP, defaultListen, append(control.mounted(), page.mounted()...)...); err != nil {
		return nil, err
	}
	service.Parts.Add("kafka", v.publish)
	if err := v.governors.Share(file.Kafka, &service.Parts); err != nil {
		return nil, err
	}
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
