package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/fix/sqlsink"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/telemetry"
	"github.com/trueup/trueup/services/assembly"
)

// fixer is the service.
type fixer struct {
	service   *assembly.Service
	file      assembly.File
	observer  observer
	group     *telemetry.Group
	admin     *kafka.Admin
	publisher *kafka.Publisher
	reads     map[event.Side]*governor.Budget
	writes    map[event.Side]*governor.Budget
}

// publish keeps an eye on Kafka, and closes the connection after everything
// that publishes has stopped.
func (f *fixer) publish(ctx context.Context) error {
	err := f.publisher.Run(ctx)
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, f.publisher.Close(patience))
}

// run makes ready, then repairs until ctx ends and the batches in hand are
// settled.
func (f *fixer) run(ctx context.Context) error {
	var dbs *databases
	err := f.service.Attempt(ctx, "databases", func(ctx context.Context) error {
		var err error
		dbs, err = f.open(ctx)
		return err
	})
	if err != nil {
		return err
	}
	defer dbs.Close()
	if err := f.service.Attempt(ctx, "topics", f.admin.Check); err != nil {
		return err
	}
	f.service.Readiness.Set(repairs, true, "")
	handler := &handler{pairs: dbs.repairers, publisher: f.publisher, observer: f.observer}
	member, err := kafka.NewGroup(f.file.Kafka, f.groupConfig(), handler, f.service.Log, f.group)
	if err != nil {
		return err
	}
	f.service.Readiness.Watch("group", member.Healthy)
	return member.Run(ctx)
}

func (f *fixer) groupConfig() kafka.GroupConfig {
	name := f.file.Fixer.Group
	if name == "" {
		name = f.file.Kafka.WithDefaults().Prefix + ".fixer"
	}
	return kafka.GroupConfig{
		Group: name, DrainTimeout: f.file.Fixer.DrainTimeout,
		// What one transaction takes: more would wait in memory, times the partitions.
		MaxBatch: max(f.file.Fixer.BatchKeys, fix.DefaultBatchKeys),
	}
}

// databases are the two sides as the fixer uses them. A side that is the
// authority of one pair and the copy of another is open twice: what only reads
// cannot write.
type databases struct {
	readers   *assembly.Databases
	writers   *assembly.Databases
	repairers map[string]fix.Fixer
}

// Close closes everything that is open.
func (d *databases) Close() {
	d.readers.Close()
	d.writers.Close()
}

// open opens the databases and builds a repairer for each pair. An error names
// what is wrong and leaves nothing open.
func (f *fixer) open(ctx context.Context) (_ *databases, err error) {
	d := &databases{readers: &assembly.Databases{}, writers: &assembly.Databases{}, repairers: map[string]fix.Fixer{}}
	defer func() {
		if err != nil {
			d.Close()
		}
	}()
	conns := max(f.file.Governor.Source.Concurrency, f.file.Governor.Target.Concurrency) + 1
	access := assembly.Access{Conns: conns, Application: "trueup-fixer"}
	if d.readers, err = assembly.Open(ctx, f.file.Source, f.file.Target, access); err != nil {
		return nil, err
	}
	for i := range f.file.Pairs {
		p := &f.file.Pairs[i]
		if err := f.openCopy(ctx, d, p.Side().Other(), access); err != nil {
			return nil, err
		}
		pair, err := d.readers.Resolve(ctx, p.Mapping(), schema.Auto)
		if err != nil {
			return nil, err
		}
		if d.repairers[p.Name], err = f.repairer(d, p, pair); err != nil {
			return nil, err
		}
		f.service.Log.Info().Str("pair", p.Name).Str("authority", p.Authority).Uint64("epoch", p.Epoch).Msg("pair ready for repair")
	}
	return d, nil
}

// openCopy opens a side for writing unless it already is.
func (f *fixer) openCopy(ctx context.Context, d *databases, side event.Side, access assembly.Access) error {
	at, settings := &d.writers.Target, f.file.Target
	if side == event.Source {
		at, settings = &d.writers.Source, f.file.Source
	}
	if *at != nil {
		return nil
	}
	access.Writable = side
	db, err := assembly.OpenSide(ctx, side, settings, access)
	*at = db
	return err
}

func (f *fixer) repairer(d *databases, p *assembly.Pair, pair *schema.Pair) (fix.Fixer, error) {
	authority := p.Side()
	view := &pair.Target
	if authority == event.Target {
		view = &pair.Source
	}
	if err := pair.CheckRepair(view); err != nil {
		return nil, err
	}
	sink := sqlsink.New(d.writers.Of(authority.Other()), view)
	sink.Acquire = f.writes[authority.Other()].Acquire
	reader := sqlsink.NewReader(d.readers.Of(authority))
	reader.Acquire = f.reads[authority].Acquire
	repairer, err := fix.New(fix.Config{
		Pair: pair, Side: authority, Epoch: p.Epoch, Authority: reader, Sink: sink,
		BatchKeys: f.file.Fixer.BatchKeys, Observer: f.observer,
	})
	if err != nil {
		return nil, fmt.Errorf("pair %s: %w", p.Name, err)
	}
	return repairer, nil
}
