package main

import (
	"context"
	"fmt"
	"io"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/fix/sqlsink"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// observe starts the governors of both databases as a file has them, for who asks them
// for nothing; their canaries read the pair's tables. stop ends them. What pauses them
// is told to w.
func observe(ctx context.Context, file assembly.File, pair *schema.Pair, w io.Writer) (_ *assembly.Governors, stop func(), err error) {
	g, err := governors(file, w)
	if err == nil {
		err = g.Start(ctx, pair)
	}
	if err != nil {
		return nil, nil, err
	}
	return g, assembly.Background(ctx, g.Run), nil
}

// govern starts them for who asks for places, which count in what all processes of the
// file may ask of each database together.
func govern(ctx context.Context, file assembly.File, pair *schema.Pair, w io.Writer) (_ *assembly.Governors, stop func(), err error) {
	g, err := governors(file, w)
	if err != nil {
		return nil, nil, err
	}
	if len(file.Kafka.Brokers) == 0 && min(file.Governor.Source.Processes, file.Governor.Target.Processes) == 0 {
		fmt.Fprintln(w, "trueup: what other processes ask of these databases is not counted, which takes the Kafka of their configuration; governor.*.processes states a share")
	}
	share, err := g.Share(file.Kafka)
	if err != nil {
		return nil, nil, err
	}
	if err := g.Start(ctx, pair); err != nil {
		return nil, nil, err
	}
	decided := assembly.Background(ctx, g.Run)
	// What is at work when somebody interrupts counts until it has ended.
	left := assembly.Background(context.WithoutCancel(ctx), func(ctx context.Context) { _ = share(ctx) }) // it returns nil
	return g, func() {
		left()
		decided()
	}, nil
}

func governors(file assembly.File, w io.Writer) (*assembly.Governors, error) {
	log := zerolog.New(zerolog.ConsoleWriter{Out: w, NoColor: true, PartsExclude: []string{zerolog.TimestampFieldName}})
	return assembly.NewGovernors(file, log, nil, governor.Reads, governor.Writes)
}

// limits are what the reads and writes of a diff or a fix ask first.
type limits struct {
	pacer validate.Pacer
	// governors is nil without a configuration file: then the number of ranges
	// in work bounds everything.
	governors *assembly.Governors
	reads     map[event.Side]*governor.Budget
	stop      func()
}

// limit makes the limits of a runner whose pairs are known.
func (r *runner) limit(ctx context.Context) error {
	if !r.commands.fromFile {
		pacer, err := budgets(r.conns)
		r.pacer = pacer
		return err
	}
	file := r.job.file
	if r.job.source.DSN != file.Source.DSN || r.job.target.DSN != file.Target.DSN {
		file.Kafka = kafka.Config{} // it is of the processes that work on other databases
	}
	file.Source, file.Target = r.job.source, r.job.target
	var err error
	if r.reads, err = assembly.ReadBudgets(file.Governor); err != nil {
		return err
	}
	if r.governors, r.limits.stop, err = govern(ctx, file, r.pairs[0].pair, interjection{r.progress, r.app.stderr}); err != nil {
		return err
	}
	r.pacer = r.governors.Pacer()
	return nil
}

// observer has the governors learn what reading costs, where there are any.
func (l *limits) observer(o validate.Observer) validate.Observer {
	if l.governors == nil {
		return o
	}
	return costs{o, l.governors}
}

// bound has the repairs of a pair ask the governors, where there are any. A dry run
// writes nothing, and goes by what may be read.
func (l *limits) bound(authority event.Side, dryRun bool, reader *sqlsink.Reader, sink *sqlsink.Sink) (fix.Reader, fix.Sink) {
	switch {
	case l.governors == nil:
	case dryRun:
		reader.Acquire = l.governors.Of(authority, governor.Reads).Acquire
		sink.Acquire = l.governors.Of(authority.Other(), governor.Reads).Acquire
	default:
		reader.Acquire, sink.Acquire = l.reads[authority].Acquire, l.governors.Admission(authority)
	}
	return reader, sink
}

// interjection writes lines beside the progress.
type interjection struct {
	progress progress
	io.Writer
}

func (i interjection) Write(text []byte) (int, error) {
	i.progress.pause()
	return i.Writer.Write(text)
}
