package main

import (
	"context"
	"io"

	"github.com/trueup/trueup/pkg/event"
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
	var err error
	if f.admin, err = kafka.NewAdmin(file.Kafka); err != nil {
		return nil, err
	}
	if f.publisher, err = kafka.NewPublisher(file.Kafka, service.Log, telemetry.NewPublisher(service.Metrics)); err != nil {
		return nil, err
	}
	if err := f.budgets(file.Governor); err != nil {
		return nil, err
	}
	service.Readiness.Watch("kafka", f.publisher.Healthy)
	if err := service.ServeHTTP(ctx, listen, file.HTTP.Listen, defaultListen); err != nil {
		return nil, err
	}
	service.Parts.Add("kafka", f.publish)
	service.Parts.Add("repairs", f.run)
	return f, nil
}

// budgets bounds the statements at once on each side. Reads of the authority
// and writes to the copy have budgets of their own, since a write holds its
// place while it waits for a read.
func (f *fixer) budgets(g assembly.Governor) error {
	f.reads, f.writes = map[event.Side]*governor.Budget{}, map[event.Side]*governor.Budget{}
	for side, budget := range map[event.Side]assembly.Budget{event.Source: g.Source, event.Target: g.Target} {
		for use, budgets := range map[string]map[event.Side]*governor.Budget{"reads": f.reads, "writes": f.writes} {
			b, err := governor.NewBudget(side.String()+" "+use, budget.Concurrency)
			if err != nil {
				return err
			}
			budgets[side] = b
			telemetry.WatchBudget(f.service.Metrics, side.String()+"_"+use, func() telemetry.Budget {
				s := b.Stats()
				return telemetry.Budget{Limit: s.Limit, Running: s.InUse, Waiting: s.Waiting}
			})
		}
	}
	return nil
}
