package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// verdictPatience is how long a verdict waits for Kafka. After that it is written
// with the next one.
const verdictPatience = 30 * time.Second

// conclude keeps a verdict, and makes it durable beside those of before.
func (s *standings) conclude(ctx context.Context, v event.Verdict) {
	s.board.Concluded(event.Verdicts{Pair: v.Pair, List: []event.Verdict{v}})
	ctx, stop := context.WithTimeout(ctx, verdictPatience)
	defer stop()
	// What is written takes the place of the record before it, so that must be known.
	err := s.state.Await(ctx, time.Now())
	if err == nil {
		err = s.publisher.PublishVerdicts(ctx, event.Verdicts{Pair: v.Pair, List: s.board.Verdicts(v.Pair)})
	}
	if err != nil {
		s.log.Warn().Err(err).Str("pair", v.Pair).Msg("the verdict is not kept yet; it is written with the next one of the pair, if this process lasts")
	}
}

// keep keeps a run's verdict, and says what one covers that is clean. A run that the
// end of the process interrupts goes on later, and has no verdict yet.
func (v *validator) keep(ctx context.Context, ready *readied, i int, verdict validate.Verdict) {
	p := &v.pairs[i]
	if _, stopped := errors.AsType[*stoppedError](context.Cause(ctx)); ctx.Err() != nil && !stopped {
		return
	}
	began := ready.states.of(p.Name).Began[verdict.Mode]
	kept := keptVerdict(verdict, p, ready.pairs[i], v.standing.configs[p.Name], began, time.Now())
	if kept.Clean {
		v.service.Log.Info().Str("pair", p.Name).Str("run", kept.Run).Msgf("%s: what is clean is %s", p.Name, kept.Covers)
	}
	v.standing.conclude(context.WithoutCancel(ctx), kept)
}

// keptVerdict is a run's verdict as it is kept. began is when the run began; zero
// when an earlier process had begun it and nobody knows when.
func keptVerdict(v validate.Verdict, p *assembly.Pair, pair *schema.Pair, config string, began, ended time.Time) event.Verdict {
	return event.Verdict{
		Pair: v.Pair, Run: v.Run, Mode: v.Mode, Method: v.Method, Epoch: p.Epoch, Authority: p.Side().String(),
		Began: began, Ended: ended, Complete: v.Complete, Clean: v.Clean, SourceRows: v.SourceRows, TargetRows: v.TargetRows,
		TargetMissing: v.TargetMissing, NotEqual: v.NotEqual, BaseMissing: v.BaseMissing,
		Unreadable: v.Unreadable, Undecided: v.Open, Reason: v.Reason, Covers: coversOf(pair), Config: config,
	}
}

// coversOf says what a run of the pair looks at.
func coversOf(pair *schema.Pair) event.Covers {
	c := event.Covers{
		Source: pair.Source.Table.Name.String(), SourceWhere: pair.Source.Where,
		Target: pair.Target.Table.Name.String(), TargetWhere: pair.Target.Where,
		Columns: pair.Names,
	}
	for i, rule := range pair.Rules {
		if text := assembly.DescribeRule(rule); text != "" {
			c.Loosened = append(c.Loosened, pair.Names[i]+" ("+text+")")
		}
	}
	return c
}

// configOf is a digest of what bears on the verdicts of a pair: the databases,
// the mapping with its rules and filters, and how a difference is confirmed. How
// fast and when it is compared, and how repaired, is no part of it; nor are users and
// passwords. Who is right stands in the verdict.
func configOf(f *assembly.File, p *assembly.Pair) (string, error) {
	text, err := json.Marshal(map[string]any{
		"source": place(f.Source.DSN), "target": place(f.Target.DSN),
		"mapping": p.Mapping(), "method": p.Method, "confirm": f.Validator.Confirm,
		"updated_at": p.UpdatedAt, "updated_at_zone": p.UpdatedAtZone, "changes": p.Changes,
	})
	if err != nil {
		return "", fmt.Errorf("pair %s: digest the configuration: %w", p.Name, err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8]), nil
}

// place is a database's URL without user, password and options.
func place(dsn string) string {
	scheme, rest, _ := strings.Cut(dsn, "://")
	rest = rest[strings.LastIndex(rest, "@")+1:]
	rest, _, _ = strings.Cut(rest, "?")
	return scheme + "://" + rest
}
