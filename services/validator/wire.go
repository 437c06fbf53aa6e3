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
	if v.pacer, err = budgets(service.Metrics, file.Governor); err != nil {
		return nil, err
	}
	service.Readiness.Watch("kafka", v.publisher.Healthy)
	if err := service.ServeHTTP(ctx, listen, file.HTTP.Listen, defaultListen); err != nil {
		return nil, err
	}
	service.Parts.Add("kafka", v.publish)
	service.Parts.Add("runs", v.run)
	return v, nil
}

func chosen(pairs []assembly.Pair, name string) ([]assembly.Pair, error) {
	if name == "" {
		return pairs, nil
	}
	for _, p := range pairs {
		if p.Name == name {
			return []assembly.Pair{p}, nil
		}
	}
	return nil, fmt.Errorf("--pair %q: the configuration has no pair of that name", name)
}

// budgets bounds the statements at once on each side.
func budgets(metrics *telemetry.Metrics, g assembly.Governor) (validate.Pacer, error) {
	var gates [2]*governor.Budget
	for i, side := range []struct {
		side   event.Side
		budget assembly.Budget
	}{{event.Source, g.Source}, {event.Target, g.Target}} {
		budget, err := governor.NewBudget(side.side.String(), side.budget.Concurrency)
		if err != nil {
			return nil, err
		}
		telemetry.WatchBudget(metrics, side.side.String(), func() telemetry.Budget {
			s := budget.Stats()
			return telemetry.Budget{Limit: s.Limit, Running: s.InUse, Waiting: s.Waiting}
		})
		gates[i] = budget
	}
	return validate.Paced(gates[0], gates[1]), nil
}
