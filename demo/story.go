package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

const fixers = 3

// story is the demo from the shop's first row to the proof.
type story struct {
	*show
	*workshop
	rows int // per table

	copied, original *sql.DB // the target and the source
	done, found      harm
	crew             []*service
}

// newStory tells the story of a shop with that many rows in each table.
func newStory(show *show, w *workshop, rows int) (*story, error) {
	s := &story{show: show, workshop: w, rows: rows}
	var err error
	s.original, s.copied, err = w.databases()
	return s, err
}

// chapters are the story's parts in their order.
func (s *story) chapters() []func(context.Context) error {
	return []func(context.Context) error{s.fill, s.damage, s.recruit, s.find, s.repair, s.prove}
}

func (s *story) tell(ctx context.Context) error {
	for _, chapter := range s.chapters() {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) total() int64 { return int64(len(shop) * s.rows) }

func (s *story) fill(ctx context.Context) error {
	s.stage(fmt.Sprintf("Fill a shop of %d tables with %d rows, and its copy", len(shop), s.total()))
	bar := s.progress("rows", 2*s.total())
	defer bar.close()
	return fill(ctx, s.rows, bar.at, s.original, s.copied)
}

func (s *story) damage(ctx context.Context) (err error) {
	s.stage("Damage the copy")
	s.done, err = damage(ctx, s.copied)
	if err == nil {
		s.say("%s", s.done)
	}
	return err
}

// recruit starts the fixers and waits until each has its share of the partitions.
func (s *story) recruit(ctx context.Context) error {
	s.stage(fmt.Sprintf("%d fixers join a consumer group and wait for findings", fixers))
	if err := s.createTopics(ctx); err != nil {
		return err
	}
	for range fixers {
		fixer, err := s.start("fixer")
		if err != nil {
			return err
		}
		s.crew = append(s.crew, fixer)
	}
	err := poll(ctx, func() (bool, error) {
		claims, err := s.ask(ctx, "trueup_kafka_claims", `topic="trueup.findings"`)
		for _, n := range claims {
			if n != partitions/fixers {
				return false, err
			}
		}
		return err == nil, err
	})
	if err == nil {
		s.say("each of them has %d of the %d partitions", partitions/fixers, partitions)
	}
	return err
}

func (s *story) find(ctx context.Context) (err error) {
	s.stage("The validator compares, confirms after a second, and publishes keys to Kafka")
	if s.found, err = s.validate(ctx); err != nil {
		return err
	}
	if s.found != s.done {
		return fmt.Errorf("the damage was %s; the validator found %s", s.done, s.found)
	}
	seen, err := s.peek(ctx)
	if err != nil {
		return err
	}
	s.say("Kafka carries keys, never row data; the first message says: %s", seen)
	return nil
}

// repair waits until the fixers have settled every finding and the group's lag
// is zero, and stops them.
func (s *story) repair(ctx context.Context) error {
	s.stage("The fixers share the findings and repair each row from a fresh read of the source")
	if err := s.awaitOutcomes(ctx); err != nil {
		return err
	}
	if err := poll(ctx, func() (bool, error) { lag, err := s.lag(ctx); return lag == 0, err }); err != nil {
		return err
	}
	repaired, err := s.ask(ctx, "trueup_fixer_outcomes_total", `result="repaired"`)
	if err != nil {
		return err
	}
	for _, fixer := range s.crew {
		if err := fixer.stop(); err != nil {
			return err
		}
	}
	s.say("%d rows repaired, consumer lag 0; the fixers' shares were %s", sum(repaired), strings.Trim(fmt.Sprint(repaired), "[]"))
	return nil
}

func (s *story) awaitOutcomes(ctx context.Context) error {
	bar := s.progress("findings settled", s.found.total())
	defer bar.close()
	return poll(ctx, func() (bool, error) {
		settled, err := s.ask(ctx, "trueup_fixer_outcomes_total")
		bar.at(sum(settled))
		return sum(settled) >= s.found.total(), err
	})
}

// prove fails when any row is left different.
func (s *story) prove(ctx context.Context) error {
	s.stage("A repair is no proof: the validator compares everything once more")
	left, err := s.validate(ctx)
	if err != nil {
		return err
	}
	if left.total() > 0 {
		return fmt.Errorf("the copy still differs: %s", left)
	}
	different, err := audit(ctx, s.original, s.copied)
	if err != nil {
		return err
	}
	if different > 0 {
		return fmt.Errorf("the validator calls the copy clean, and %d of its rows differ", different)
	}
	s.say("CLEAN: %d rows on each side, no difference.", s.total())
	s.say("The demo's own row-by-row reading of both sides agrees.")
	return nil
}

// ask asks every fixer for a metric.
func (s *story) ask(ctx context.Context, metric string, labels ...string) ([]int64, error) {
	values := make([]int64, len(s.crew))
	for i, fixer := range s.crew {
		var err error
		if values[i], err = fixer.metric(ctx, metric, labels...); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func sum(values []int64) int64 {
	total := int64(0)
	for _, n := range values {
		total += n
	}
	return total
}

// pollEvery is how often a program is asked how far it is.
const pollEvery = 100 * time.Millisecond

// poll waits until done says so.
func poll(ctx context.Context, done func() (bool, error)) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
