package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"

	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/schedule"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// continuous starts the endless runs of a pair: by the column that tells when a
// row changed, and by change events. They go on beside its other runs.
func (v *validator) continuous(ctx context.Context, ready *readied, runs *conductor, all *sync.WaitGroup) {
	p := runs.pair
	if p.Schedule.Incremental != "" {
		progress := ready.states.progressOf(p, validate.Incremental)
		all.Go(func() {
			v.endless(ctx, p, validate.Incremental, func(ctx context.Context) error { return v.incremental(ctx, ready, runs, progress) })
		})
	}
	if p.Changes.Source != "" || p.Changes.Target != "" {
		all.Go(func() {
			v.endless(ctx, p, validate.Triggered, func(ctx context.Context) error { return v.triggered(ctx, ready, runs) })
		})
	}
	if p.Canary != nil {
		all.Go(func() {
			v.endless(ctx, p, validate.Triggered, func(ctx context.Context) error { return v.asked(ctx, ready, runs) })
		})
	}
}

// authorisedEvery is the time between two looks for a newer decision about a
// pair's authority. Findings under an older one do no harm, see package fix.
const authorisedEvery = time.Minute

// endless starts a run anew whenever it ends, until ctx does or the pair is
// another validator's to compare.
func (v *validator) endless(ctx context.Context, p assembly.Pair, mode validate.Mode, run func(context.Context) error) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = time.Second, time.Minute
	for ctx.Err() == nil {
		if v.authorised(ctx, p) != nil {
			return // which has been told
		}
		began := time.Now()
		err := v.whileAuthorised(ctx, p, run)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > pause.MaxInterval {
			pause.Reset()
		}
		delay := pause.NextBackOff()
		v.metrics.Continuous.Restarted(p.Name, mode.String())
		v.service.Log.Error().Err(err).Str("pair", p.Name).Stringer("mode", mode).Dur("retry_in_ms", delay).Msg("run ended, starting it anew from where it was")
		select {
		case <-time.After(delay):
		case <-ctx.Done():
		}
	}
}

// errSuperseded ends a run whose pair has a newer decision.
var errSuperseded = errors.New("a newer decision about the pair's authority is known")

func (v *validator) whileAuthorised(ctx context.Context, p assembly.Pair, run func(context.Context) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		tick := time.NewTicker(authorisedEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if v.authorised(ctx, p) != nil {
					stop(errSuperseded)
				}
			}
		}
	}()
	return run(ctx)
}

// endlessRun is what both kinds of runs have in common.
func (v *validator) endlessRun(ctx context.Context, ready *readied, runs *conductor, id string) (validate.Run, error) {
	p := runs.pair
	pair, err := v.resolve(ctx, ready.databases, p)
	if err != nil {
		return validate.Run{}, err
	}
	follower, err := ready.followers.Of(ctx, p.Side())
	if err != nil {
		v.service.Log.Warn().Err(err).Str("pair", p.Name).Msg("replication is not measured")
	}
	return validate.Run{
		ID: id, Pair: pair, Authority: p.Side(), Epoch: p.Epoch, Confirm: *v.file.Validator.Confirm, Follower: follower,
		Admit: runs.admitEndless, SourceAt: place(v.file.Source.DSN), TargetAt: place(v.file.Target.DSN),
	}, nil
}

func (v *validator) incremental(ctx context.Context, ready *readied, runs *conductor, progress *progress) error {
	p := runs.pair
	run, err := v.endlessRun(ctx, ready, runs, progress.run())
	if err != nil {
		return err
	}
	when, err := schedule.Parse(p.Schedule.Incremental, p.Schedule.Zone)
	if err != nil {
		return err
	}
	changes, err := p.ChangesOf(run.Pair)
	if err != nil {
		return err
	}
	settings := v.file.Validator.Continuous
	return ready.runner.Incremental(ctx, run, validate.ByChange{
		Changes: changes, Reader: ready.databases.Of(p.Side()), Progress: progress, Next: when.Next,
		Settle: settings.Settle, Margin: settings.Margin,
		Verified: func(verified validate.Verified) {
			v.metrics.Continuous.VerifiedUntil(p.Name, validate.Incremental.String(), verified.Until, verified.Behind, verified.At)
			v.standing.verified(validate.Incremental, verified)
		},
	})
}

func (v *validator) triggered(ctx context.Context, ready *readied, runs *conductor) error {
	p := runs.pair
	run, err := v.endlessRun(ctx, ready, runs, uuid.NewString())
	if err != nil {
		return err
	}
	settings := v.file.Validator.Continuous
	topics := []string{}
	for _, topic := range []string{p.Changes.Source, p.Changes.Target} {
		if topic != "" {
			topics = append(topics, topic)
		}
	}
	events, err := kafka.NewChanges(v.file.Kafka, kafka.ChangesConfig{
		Group: pairGroup(v.file.Kafka, "validator", p.Name), Topics: topics, Newest: settings.Start == assembly.StartNewest,
	}, v.service.Log)
	if err != nil {
		return err
	}
	v.service.Readiness.Watch("change events of "+p.Name, events.Healthy)
	defer assembly.Background(ctx, func(ctx context.Context) { _ = events.Run(ctx) })()
	return ready.runner.Triggered(ctx, run, validate.ByTrigger{
		Feed: newFeed(events, v.publisher, v.metrics.Continuous, v.service.Log, p, run.Pair), Settle: settings.Settle, Pending: settings.Pending,
		Told: func(r validate.TriggerReport) { v.toldTriggered(p.Name, r) },
	})
}

func (v *validator) toldTriggered(pair string, r validate.TriggerReport) {
	v.metrics.Continuous.Keys(pair, r.Keys)
	v.metrics.Continuous.Spilled(pair, r.Spilled)
	if !r.Verified.IsZero() {
		now := time.Now()
		v.metrics.Continuous.VerifiedUntil(pair, validate.Triggered.String(), r.Verified, now.Sub(r.Verified), now)
		v.standing.verified(validate.Triggered, validate.Verified{Pair: pair, Until: r.Verified, Behind: now.Sub(r.Verified), At: now})
	}
}

// longestGroup bounds the part of a pair's name in that of its groups, in bytes: Kafka
// takes names of up to 249.
const longestGroup = 100

// pairGroup is the consumer group of a pair for one purpose. Names of pairs may hold
// anything, those of groups may not: what had to be changed is told apart by a digest.
func pairGroup(c kafka.Config, purpose, pair string) string {
	name := []byte(pair)
	for i, b := range name {
		if !(b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '.' || b == '_' || b == '-') {
			name[i] = '_'
		}
	}
	if name = name[:min(len(name), longestGroup)]; string(name) != pair {
		sum := sha256.Sum256([]byte(pair))
		name = hex.AppendEncode(append(name, '-'), sum[:4])
	}
	return c.WithDefaults().Prefix + "." + purpose + "." + string(name)
}
