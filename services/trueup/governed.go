package main

import (
	"context"
	"io"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/fix/sqlsink"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// govern starts the governors of both databases as a file has them, whose canaries
// read the pair's tables; stop ends them. What pauses them is told to w.
func govern(ctx context.Context, file assembly.File, pair *schema.Pair, w io.Writer) (_ *assembly.Governors, stop func(), err error) {
	log := zerolog.New(zerolog.ConsoleWriter{Out: w, NoColor: true, PartsExclude: []string{zerolog.TimestampFieldName}})
	g, err := assembly.NewGovernors(file, log, nil, governor.Reads, governor.Writes)
	if err != nil {
		return nil, nil, err
	}
	if err := g.Start(ctx, pair); err != nil {
		return nil, nil, err
	}
	return g, assembly.Background(ctx, g.Run), nil
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
	file.Source, file.Target = r.job.source, r.job.target
	var err error
	if r.reads, err = assembly.ReadBudgets(file.Governor); err != nil {
		return err
	}
	if r.governors, r.limits.stop, err = govern(ctx, file, r.pairs[0].pair, interjection{r.progress, r.app.stderr}); err != nil {
		return err
	}
	r.pacer = validate.Paced(r.governors.Of(event.Source, governor.Reads), r.governors.Of(event.Target, governor.Reads))
	return nil
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
