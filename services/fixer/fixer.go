package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
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
	state     *kafka.Follower
	epochs    *epochs
	breakers  *breakers
	governors *assembly.Governors
	reads     map[event.Side]*governor.Budget
}

// publish keeps an eye on Kafka, and closes the connection after everything
// that publishes has stopped.
func (f *fixer) publish(ctx context.Context) error {
	err := f.publisher.Run(ctx)
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, f.publisher.Close(patience))
}

// dryRun is what a fixer says of itself that writes nothing.
const dryRun = "dry run: outcomes say what would be done, nothing is written to the copy, and findings count as dealt with; compare again before you repair"

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
	if f.file.Fixer.DryRun {
		f.service.Readiness.Set("dry run", true, dryRun)
		f.service.Log.Warn().Msg(dryRun)
	} else if err := f.service.Attempt(ctx, "epochs", func(ctx context.Context) error {
		return f.epochs.announce(ctx, f.publisher, f.file.Pairs)
	}); err != nil {
		return err
	}
	if err := f.service.Attempt(ctx, "breakers", f.breakers.ready); err != nil {
		return err
	}
	if err := f.service.Attempt(ctx, "governor", func(ctx context.Context) error {
		return f.governors.Start(ctx, dbs.pairs[f.file.Pairs[0].Name])
	}); err != nil {
		return err
	}
	f.governors.LogPlace()
	defer assembly.Background(ctx, f.governors.Run)()
	f.service.Readiness.Set(repairs, true, "")
	handler := &handler{
		pairs: dbs.repairers, publisher: f.publisher, breakers: f.breakers, observer: f.observer,
		delay: f.file.Fixer.RetryDelay, patience: f.file.Fixer.RetryFor,
	}
	findings := f.groupConfig()
	topics, retries := f.file.Kafka.Topics(), findings
	retries.Group, retries.Topic = assembly.RetryGroup(f.file), topics.Retry
	members := make([]*kafka.Group, 2)
	handler.stripes = func() int { return f.stripes(len(members[0].Lag())) }
	if members[0], err = kafka.NewGroup(f.file.Kafka, findings, handler, f.service.Log, f.group); err != nil {
		return err
	}
	if members[1], err = kafka.NewGroup(f.file.Kafka, retries, due{handler, handler.delay}, f.service.Log, quiet{f.group}); err != nil {
		return err
	}
	telemetry.WatchClaims(f.service.Metrics, func() []telemetry.Lag {
		return []telemetry.Lag{{Topic: topics.Findings, Left: members[0].Lag()}, {Topic: topics.Retry, Left: members[1].Lag()}}
	})
	f.service.Readiness.Watch("group", members[0].Healthy)
	f.service.Readiness.Watch("retry group", members[1].Healthy)
	errs := make([]error, len(members))
	var running sync.WaitGroup
	for i, member := range members {
		running.Go(func() { errs[i] = member.Run(ctx) })
	}
	running.Wait()
	return errors.Join(errs...)
}

// stripes uses what the copy's budget allows when this member has fewer
// partitions than that: else partitions are enough at once.
func (f *fixer) stripes(partitions int) int {
	side := f.file.Governor.Target
	if len(f.file.Pairs) > 0 && f.file.Pairs[0].Side() == event.Target {
		side = f.file.Governor.Source
	}
	return max(side.Concurrency/max(partitions, 1), 1)
}

func (f *fixer) groupConfig() kafka.GroupConfig {
	return kafka.GroupConfig{
		Group: assembly.FixerGroup(f.file), DrainTimeout: f.file.Fixer.DrainTimeout,
		MaxBatch: batchOf(f.file),
	}
}

// batchOf is how many messages a partition has in hand: what one transaction takes,
// since more would wait in memory, times the partitions.
func batchOf(file assembly.File) int { return max(file.Fixer.BatchKeys, fix.DefaultBatchKeys) }

// databases are the two sides as the fixer uses them. A side that is the
// authority of one pair and the copy of another is open twice: what only reads
// cannot write.
type databases struct {
	readers   *assembly.Databases
	writers   *assembly.Databases
	repairers map[string]fix.Fixer
	pairs     map[string]*schema.Pair
}

// Close closes everything that is open.
func (d *databases) Close() {
	d.readers.Close()
	d.writers.Close()
}

// open opens the databases and builds a repairer for each pair. An error names
// what is wrong and leaves nothing open.
func (f *fixer) open(ctx context.Context) (_ *databases, err error) {
	d := &databases{readers: &assembly.Databases{}, writers: &assembly.Databases{}, repairers: map[string]fix.Fixer{}, pairs: map[string]*schema.Pair{}}
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
		repairer, err := f.repairer(d, p, pair)
		if err != nil {
			return nil, err
		}
		d.repairers[p.Name] = f.service.Tracing.Fixer(f.tables(d, p, pair, repairer))
		d.pairs[p.Name] = pair
		f.breakers.pairs[p.Name].SetRows(assembly.AboutRows(pair.Source.Table, pair.Target.Table))
		f.service.Log.Info().Str("pair", p.Name).Str("authority", p.Authority).Uint64("epoch", p.Epoch).Stringer("images", f.file.Keep(p).Images).Msg("pair ready for repair")
	}
	return d, nil
}

// openCopy opens a side for writing, unless it already is open. In a dry run the
// server itself refuses writes.
func (f *fixer) openCopy(ctx context.Context, d *databases, side event.Side, access assembly.Access) error {
	at, settings := &d.writers.Target, f.file.Target
	if side == event.Source {
		at, settings = &d.writers.Source, f.file.Source
	}
	if *at != nil {
		return nil
	}
	if !f.file.Fixer.DryRun {
		access.Writable = side
	}
	db, err := assembly.OpenSide(ctx, side, settings, access)
	*at = db
	return err
}

func (f *fixer) repairer(d *databases, p *assembly.Pair, pair *schema.Pair) (fix.Fixer, error) {
	authority, view := p.Side(), p.Copy(pair)
	dangers, err := p.CheckSchema(pair)
	if err == nil {
		err = p.CheckRepair(pair)
	}
	if err != nil {
		return nil, err
	}
	for _, danger := range dangers {
		f.service.Log.Warn().Str("pair", p.Name).Msg(danger)
	}
	sink := sqlsink.New(d.writers.Of(authority.Other()), view)
	sink.Acquire = f.governors.Admission(authority)
	reader := sqlsink.NewReader(d.readers.Of(authority))
	reader.Acquire = f.reads[authority].Acquire
	settings := fix.Config{
		Pair: pair, Side: authority, Epoch: p.Epoch, Authority: reader, Sink: sink,
		BatchKeys: f.file.Fixer.BatchKeys, MaxChain: f.file.Fixer.MaxChain, LockBudget: f.file.Fixer.LockBudget,
		Strategy: p.Repairs(), Keep: f.file.Keep(p), PutOff: true, DryRun: f.file.Fixer.DryRun, Observer: f.observer, Tracer: f.service.Tracing.Steps(),
	}
	if !f.file.Fixer.DryRun { // which announces nothing, and writes nothing
		settings.Epochs, settings.Gate = f.epochs, f.breakers.pairs[p.Name]
	}
	repairer, err := fix.New(settings)
	if err != nil {
		return nil, fmt.Errorf("pair %s: %w", p.Name, err)
	}
	return repairer, nil
}
