package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/kafka"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// asked looks at rows that the topic of tasks asks for, one task after the other.
// A task counts as done when what it found is durable; one that cannot be
// understood goes to the dead topic.
func (v *validator) asked(ctx context.Context, ready *readied, runs *conductor) error {
	p := runs.pair
	run, err := v.endlessRun(ctx, ready, runs, "")
	if err != nil {
		return err
	}
	tasks, err := kafka.NewChanges(v.file.Kafka, kafka.ChangesConfig{
		Group: pairGroup(v.file.Kafka, "tasks", p.Name), Topics: []string{v.file.Kafka.Topics().Tasks},
	}, v.service.Log)
	if err != nil {
		return err
	}
	v.service.Readiness.Watch("tasks of "+p.Name, tasks.Healthy)
	defer assembly.Background(ctx, func(ctx context.Context) { _ = tasks.Run(ctx) })()
	a := &answers{run: run, check: ready.runner.Check, dead: v.publisher, log: v.service.Log.With().Str("pair", p.Name).Logger()}
	for {
		select {
		case m := <-tasks.Messages():
			if err := a.answer(ctx, m); err != nil {
				return err
			}
			tasks.Done(map[kafka.Place]int64{{Topic: m.Topic, Partition: m.Partition}: m.Offset + 1})
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// answers does what the topic of tasks asks for of one pair.
type answers struct {
	run   validate.Run
	check func(ctx context.Context, run validate.Run, keys []row.Key) error
	dead  deadLetters
	log   zerolog.Logger
}

// forgotten is the age of a task that nobody waits for any more. What cannot be
// read would otherwise hold up those that come after it for ever.
const forgotten = time.Hour

// answer does what a message asks for. Those of other pairs are theirs. An error
// says that the message is to come again.
func (a *answers) answer(ctx context.Context, m kafka.Message) error {
	task, err := event.DecodeRangeTask(m.Record)
	if err == nil && task.Pair != a.run.Pair.Name {
		return nil
	}
	var keys []row.Key
	if err == nil {
		keys, err = keysAsked(a.run.Pair, task)
	}
	log := a.log.With().Str("topic", m.Topic).Int32("partition", m.Partition).Int64("offset", m.Offset).Str("run", task.Run).Logger()
	switch {
	case err != nil:
		log.Error().Err(err).Msg("a task makes no sense; it stands in the dead topic")
		m.DecodeErr = err
		if err := a.dead.PublishDead(ctx, []kafka.Dead{{Message: m, Class: "task", Reason: err.Error(), Attempts: 1}}); err != nil {
			return fmt.Errorf("put a task in the dead topic: %w", err)
		}
		return nil
	case task.Epoch != a.run.Epoch:
		log.Warn().Uint64("of_epoch", task.Epoch).Uint64("epoch", a.run.Epoch).Msg("a task of another epoch is passed over")
		return nil
	case time.Since(m.Timestamp) > forgotten:
		log.Warn().Time("asked", m.Timestamp).Msg("a task is passed over: it is so old that nobody waits for it")
		return nil
	}
	run := a.run
	run.ID = task.Run
	if err := a.check(ctx, run, keys); err != nil {
		return err
	}
	log.Info().Int("rows", len(keys)).Msg("rows that were asked for are looked at")
	return nil
}

// keysAsked are the keys of a task, which must be those of the pair.
func keysAsked(pair *schema.Pair, task event.RangeTask) ([]row.Key, error) {
	if len(task.Keys) == 0 {
		return nil, fmt.Errorf("the task of run %s names no keys, and this validator checks single rows only", task.Run)
	}
	names, columns := pair.KeyNames(), pair.Source.KeyColumns()
	keys := make([]row.Key, len(task.Keys))
	for i, key := range task.Keys {
		if len(key) != len(names) {
			return nil, fmt.Errorf("the task of run %s has a key of %d columns, and that of pair %s has %d", task.Run, len(key), pair.Name, len(names))
		}
		for j, c := range key {
			if c.Column != names[j] || c.Type != columns[j].As {
				return nil, fmt.Errorf("the task of run %s has %s (%s) in its key, where pair %s has %s (%s)", task.Run, c.Column, c.Type, pair.Name, names[j], columns[j].As)
			}
		}
		keys[i] = key.Values()
	}
	return keys, nil
}
