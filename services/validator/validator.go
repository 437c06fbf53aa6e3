package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/leader"
	"github.com/trueup/trueup/pkg/schedule"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/telemetry"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// validator is the service.
type validator struct {
	service   *assembly.Service
	file      assembly.File
	choice    choice
	pairs     []assembly.Pair
	metrics   *telemetry.Validator
	admin     *kafka.Admin
	publisher *kafka.Publisher
	governors *assembly.Governors
	pacer     validate.Pacer
	// election is that among validators; nil with --once, which waits for nobody.
	election *leader.Election
	fence    *fence

	// state follows the topic of states, for whoever wants to know of its records.
	state    *kafka.Follower
	standing *standings
	// status is the exit status of an orderly end; it is read after Run.
	status int
	// runs are what can be controlled, once there is something.
	runs atomic.Pointer[[]*conductor]
}

// readied is what runs need once databases and Kafka were reached.
type readied struct {
	databases *assembly.Databases
	pairs     []*schema.Pair // beside validator.pairs
	followers *assembly.Followers

	// The rest begins anew whenever this process comes to lead.
	states *states
	runner *validate.Validator
	runs   []*conductor // beside validator.pairs
}

// publish keeps an eye on Kafka, and closes the connection after everything
// that publishes has stopped.
func (v *validator) publish(ctx context.Context) error {
	err := v.publisher.Run(ctx)
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, v.publisher.Close(patience))
}

// run makes ready and then runs pairs, once or by schedule.
func (v *validator) run(ctx context.Context) error {
	ready, err := v.makeReady(ctx)
	if err != nil {
		return err
	}
	defer ready.databases.Close()
	defer assembly.Background(ctx, v.governors.Run)()
	if !v.choice.once {
		return v.election.Run(ctx, func(ctx context.Context) error { return v.lead(ctx, ready) })
	}
	if err := v.takeOver(ctx, ready); err != nil {
		return err
	}
	return v.runOnce(ctx, ready)
}

// attempt does what the service needs. As a service it tries until it succeeds;
// with --once whoever started it is told at once.
func (v *validator) attempt(ctx context.Context, condition string, do func(context.Context) error) error {
	if v.choice.once {
		return do(ctx)
	}
	return v.service.Attempt(ctx, condition, do)
}

// makeReady opens the databases, resolves the pairs and checks the topics.
func (v *validator) makeReady(ctx context.Context) (*readied, error) {
	ready := &readied{}
	if err := v.attempt(ctx, "databases", func(ctx context.Context) error { return v.openDatabases(ctx, ready) }); err != nil {
		return nil, err
	}
	err := v.attempt(ctx, "topics", v.admin.Check)
	if err == nil {
		err = v.attempt(ctx, "governor", func(ctx context.Context) error { return v.governors.Start(ctx, ready.pairs[0]) })
	}
	if err != nil {
		ready.databases.Close()
		return nil, err
	}
	v.governors.LogPlace()
	return ready, nil
}

// equip makes what performs runs. From then on they take orders.
func (v *validator) equip(ready *readied) (err error) {
	ready.runner, err = validate.New(v.file.Validator.Config, validate.Ports{
		Source: ready.databases.Source, Target: ready.databases.Target,
		Publisher: v.led(), Pacer: v.pacer, Checkpoints: ready.states,
		Observer: observer{log: v.service.Log, metrics: v.metrics, governors: v.governors, runs: ready.runs},
		Tracer:   v.service.Tracing.Runs(),
	})
	if err == nil {
		runs := ready.runs
		v.runs.Store(&runs)
	}
	return err
}

// announce makes the decisions of the configuration known before the first
// finding refers to one, and shows which pairs are not run under them any more.
func (v *validator) announce(ctx context.Context, known *event.Decisions) error {
	superseded, err := assembly.Announce(ctx, v.publisher, v.pairs, known.Check)
	for pair, why := range superseded {
		v.stopped(pair, why)
	}
	return err
}

// stopped notes that a pair is not run, since this validator was configured for
// a decision about its authority that is not the present one.
func (v *validator) stopped(pair string, why error) {
	v.service.Readiness.Set("epoch of "+pair, false, why.Error())
	v.service.Log.Error().Err(why).Str("pair", pair).Msg("the pair is not compared")
}

// authorised returns an error when a newer decision about the pair's authority
// is known. Without Kafka the run waits for it anyway, and findings carry their
// epoch.
func (v *validator) authorised(ctx context.Context, p assembly.Pair) error {
	_, decisions, err := v.admin.ReadState(ctx)
	if err != nil {
		v.service.Log.Warn().Err(err).Str("pair", p.Name).Msg("the pair's epoch cannot be made sure of")
		return nil
	}
	if _, err = decisions.Check(p.Decision()); err != nil {
		v.stopped(p.Name, err)
	}
	return err
}

func (v *validator) openDatabases(ctx context.Context, ready *readied) error {
	conns := max(v.file.Governor.Source.Concurrency, v.file.Governor.Target.Concurrency) + 1
	dbs, err := assembly.Open(ctx, v.file.Source, v.file.Target, assembly.Access{Conns: conns, Application: "trueup-validator"})
	if err != nil {
		return err
	}
	pairs := make([]*schema.Pair, len(v.pairs))
	for i, p := range v.pairs {
		if pairs[i], err = v.resolve(ctx, dbs, p); err != nil {
			dbs.Close()
			return err
		}
		v.service.Log.Info().Str("pair", p.Name).Stringer("method", pairs[i].Method).Str("why", pairs[i].Why).
			Strs("warnings", pairs[i].Warnings).Msg("pair resolved")
	}
	ready.databases, ready.pairs, ready.followers = dbs, pairs, dbs.Followers(v.file.Replication)
	v.checkClocks(ctx, dbs)
	return nil
}

// resolve holds a pair against both tables as they are now.
func (v *validator) resolve(ctx context.Context, dbs *assembly.Databases, p assembly.Pair) (*schema.Pair, error) {
	method, err := assembly.ParseMethod(p.Method)
	if err != nil {
		return nil, err
	}
	pair, err := dbs.Resolve(ctx, p.Mapping(), method)
	if err != nil {
		return nil, err
	}
	dangers, err := p.CheckSchema(pair)
	for _, danger := range dangers {
		v.service.Log.Warn().Str("pair", p.Name).Msg(danger)
	}
	return pair, err
}

// refresh resolves a pair anew: tables change between two runs. While a server
// is away the pair stays as it is known; the run waits for the server and makes
// sure of the tables itself.
func (v *validator) refresh(ctx context.Context, ready *readied, i int) error {
	pair, err := v.resolve(ctx, ready.databases, v.pairs[i])
	if e, ok := errors.AsType[*database.Error](err); ok && !e.Permanent() {
		return nil
	}
	if err == nil {
		ready.pairs[i] = pair
	}
	return err
}

// checkClocks warns of clocks that are apart. No decision rests on them, but
// the times in outcomes and logs would mislead.
func (v *validator) checkClocks(ctx context.Context, dbs *assembly.Databases) {
	source, target, err := dbs.Skew(ctx)
	detail := clocks(source, target, v.file.Validator.MaxClockSkew)
	if err != nil {
		detail = "the databases' clocks could not be read: " + err.Error()
	}
	v.service.Readiness.Set("clocks", true, detail)
	if detail != "" {
		v.service.Log.Warn().Dur("source_skew_ms", source).Dur("target_skew_ms", target).Msg(detail)
	}
}

// clocks says which clocks differ from this machine's by more than the limit;
// empty when none does.
func clocks(source, target, limit time.Duration) string {
	var apart []string
	for _, clock := range []struct {
		side event.Side
		skew time.Duration
	}{{event.Source, source}, {event.Target, target}} {
		if clock.skew.Abs() > limit {
			apart = append(apart, fmt.Sprintf("the %s's clock is off by %v", clock.side, clock.skew.Round(time.Millisecond)))
		}
	}
	if len(apart) == 0 {
		return ""
	}
	return fmt.Sprintf("%s against this machine's, and %v is the limit (validator.max_clock_skew); synchronise the clocks, or times in logs and outcomes mislead",
		strings.Join(apart, " and "), limit)
}

// conduct makes the runs of each pair something that can be controlled.
func (v *validator) conduct(ready *readied) {
	ready.runs = make([]*conductor, len(v.pairs))
	for i, p := range v.pairs {
		ready.runs[i] = newConductor(p, ready.states, v.service.Log, func(ctx context.Context, run performance) {
			status := v.compare(ctx, ready, i, run)
			if v.choice.once {
				v.status = max(v.status, status)
			}
		})
		if v.choice.once { // which is now, whatever the time of day
			ready.runs[i].window = schedule.Window{}
		}
	}
}

// runOnce runs every pair, one after the other. Once is once in spite of a
// crash: a run that was interrupted goes on. A pair that is paused is not waited
// for, since nobody may be there to resume it.
func (v *validator) runOnce(ctx context.Context, ready *readied) error {
	for i, p := range v.pairs {
		if pause := ready.states.of(p.Name).Pause; pause.Stands(time.Now()) {
			why := fmt.Errorf("the pair is paused %s; resume it (trueup resume %s), or wait", pause, p.Name)
			v.report(validate.Verdict{Pair: p.Name, Mode: validate.Full.String(), Reason: why.Error()}, why)
			v.status = assembly.StatusTrouble
			continue
		}
		if err := ready.runs[i].start(ctx, validate.Full, true); err != nil {
			return err
		}
	}
	return nil
}

// serve runs pairs by their schedules, and as somebody asks, until ctx ends. A
// run that a stop of the process or a crash interrupted goes on first. Two runs
// of one pair never overlap; pairs share the budget of each database.
func (v *validator) serve(ctx context.Context, ready *readied) {
	var all sync.WaitGroup
	for i, p := range v.pairs {
		runs := ready.runs[i]
		jobs := runs.jobs()
		line := v.service.Log.Info().Str("pair", p.Name).Int("schedules", len(jobs))
		if pause := ready.states.of(p.Name).Pause; pause.Stands(time.Now()) {
			line = line.Str("paused", pause.String())
		}
		line.Msg("waiting for schedules")
		all.Go(func() { runs.serve(ctx) })
		all.Go(func() { schedule.Serve(ctx, jobs...) })
		v.continuous(ctx, ready, runs, &all)
	}
	all.Wait()
}

// compare runs one pair and returns the exit status its verdict stands for.
func (v *validator) compare(ctx context.Context, ready *readied, i int, of performance) int {
	p := v.pairs[i]
	err := v.authorised(ctx, p)
	if err == nil {
		err = v.refresh(ctx, ready, i)
	}
	if err != nil {
		verdict := validate.Verdict{Pair: p.Name, Run: of.id, Mode: of.mode.String(), Reason: err.Error()}
		v.report(verdict, err)
		v.keep(ctx, ready, i, verdict)
		v.conclude(ctx, ready.runs[i], verdict)
		return assembly.StatusTrouble
	}
	follower, err := ready.followers.Of(ctx, p.Side())
	if err != nil {
		v.service.Log.Warn().Err(err).Str("pair", p.Name).Msg("replication is not measured")
	}
	run := validate.Run{
		ID: of.id, Pair: ready.pairs[i], Authority: p.Side(), Epoch: p.Epoch, Mode: of.mode,
		Confirm: *v.file.Validator.Confirm, Follower: follower, MaxFindings: v.file.Validator.MaxFindings,
		MaxShare: v.file.Validator.MaxMismatchShare,
		SourceAt: place(v.file.Source.DSN), TargetAt: place(v.file.Target.DSN),
		Checkpoint: checkpointName(p.Name, of.mode), StartOver: true, Admit: ready.runs[i].admit,
		ByTime: v.byTime(ready, i, of.mode),
	}
	verdict, err := ready.runner.Run(ctx, run)
	v.report(verdict, err)
	v.keep(ctx, ready, i, verdict)
	v.conclude(ctx, ready.runs[i], verdict)
	switch {
	case err != nil || !verdict.Complete:
		return assembly.StatusTrouble
	case !verdict.Clean:
		return assembly.StatusDifferences
	default:
		return assembly.StatusClean
	}
}

func (v *validator) report(verdict validate.Verdict, err error) {
	v.metrics.RunEnded(telemetry.Run{
		Pair: verdict.Pair, Mode: verdict.Mode, Complete: verdict.Complete, Clean: verdict.Clean,
		Took: time.Duration(verdict.Seconds * float64(time.Second)),
		Findings: map[string]int64{
			event.TargetMissing.String(): verdict.TargetMissing,
			event.NotEqual.String():      verdict.NotEqual,
			event.BaseMissing.String():   verdict.BaseMissing,
		},
	})
	line := v.service.Log.Info()
	if err != nil {
		line = v.service.Log.Error().Err(err)
	} else if !verdict.Clean {
		line = v.service.Log.Warn()
	}
	line.Interface("verdict", verdict).Msg(verdict.Summary())
}
