package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/services/assembly"
)

const (
	// inspectEvery is how often both tables of a pair that is repaired are looked
	// at: statements may go on to succeed on an altered table and mean something else.
	inspectEvery = 10 * time.Second
	// alterationTime is how long tables may not fit the pair before its findings
	// are given up: a table that is exchanged for another is away for a moment,
	// and a person who alters both sides takes a little longer.
	alterationTime = 20 * time.Second
)

// pairFixer repairs a pair as its tables are now; it is a Fixer of package fix.
type pairFixer struct {
	// inspect says in what the tables are not what a pair was resolved against.
	inspect func(ctx context.Context, pair *schema.Pair) (changes []string, err error)
	// open resolves the pair anew.
	open func(ctx context.Context) (*schema.Pair, fix.Fixer, error)
	// settled is told of the outcomes that come from no repairer.
	settled func(event.Outcome)
	log     zerolog.Logger

	mu     sync.Mutex
	pair   *schema.Pair
	fixer  fix.Fixer
	looked time.Time
	// misfit is why the pair cannot be resolved, since when; nil while it can.
	misfit error
	since  time.Time
}

// misfitError says that tables were altered so that the pair has no meaning.
type misfitError struct{ err error }

func (e *misfitError) Error() string {
	return fmt.Sprintf("a table was altered and the pair does not fit any more: %v; put the tables or the configuration right, then `trueup dead retry --class %s`", e.err, fix.ClassSchema)
}

func (e *misfitError) Unwrap() error { return e.err }

// errAltered has a batch come again, which then finds the pair as it is now.
var errAltered = errors.New("a table was altered meanwhile; what it may explain is tried again")

// Repair implements fix.Fixer. Whatever an altered table may explain, an error or
// a row that is refused, has both tables looked at before it is believed.
func (p *pairFixer) Repair(ctx context.Context, findings []event.Finding) ([]event.Outcome, error) {
	var outcomes []event.Outcome
	fixer, err := p.present(ctx, false)
	if err == nil {
		outcomes, err = fixer.Repair(ctx, findings)
		if !explicable(ctx, outcomes, err) {
			return outcomes, err
		}
		switch now, why := p.present(ctx, true); {
		case why != nil:
			outcomes, err = slices.DeleteFunc(outcomes, isDead), why
		case now != fixer:
			outcomes, err = slices.DeleteFunc(outcomes, isDead), errAltered
		}
	}
	if _, misfit := errors.AsType[*misfitError](err); !misfit || !p.lasts() {
		return outcomes, err
	}
	return append(outcomes, p.giveUp(findings, outcomes, err)...), nil
}

func isDead(o event.Outcome) bool { return o.Result == event.Dead }

// explicable says whether an altered table may be why a repair failed.
func explicable(ctx context.Context, outcomes []event.Outcome, err error) bool {
	_, later := errors.AsType[*fix.Later](err)
	_, superseded := errors.AsType[*event.SupersededError](err)
	failed := err != nil && !later && !superseded && fix.FaultOf(err) == fix.Permanent
	return ctx.Err() == nil && (failed || slices.ContainsFunc(outcomes, isDead))
}

// present is the repairer for the tables as they are now, or were a moment ago.
func (p *pairFixer) present(ctx context.Context, look bool) (fix.Fixer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !look && p.misfit == nil && time.Since(p.looked) < inspectEvery {
		return p.fixer, nil
	}
	changes, err := p.inspect(ctx, p.pair)
	switch {
	case err != nil && !altered(err) && p.misfit != nil: // which may have been put right since
		return nil, err
	case err != nil && !altered(err): // a server is away: whoever repairs finds out and waits
		return p.fixer, nil
	}
	if err == nil && len(changes) == 0 {
		p.looked, p.misfit = time.Now(), nil
		return p.fixer, nil
	}
	pair, fixer, err := p.open(ctx)
	switch {
	case err == nil:
		p.log.Warn().Strs("changes", changes).Msg("a table was altered; the pair is repaired as it is now")
		p.pair, p.fixer, p.looked, p.misfit = pair, fixer, time.Now(), nil
	case altered(err):
		if p.misfit == nil {
			p.since = time.Now()
		}
		p.misfit = &misfitError{err}
	case p.misfit == nil: // it is not known what the tables are
		return nil, fmt.Errorf("a table was altered (%s), and resolving the pair anew: %w", strings.Join(changes, "; "), err)
	}
	return p.fixer, p.misfit
}

// altered says whether err is about what tables are, not about reaching them.
func altered(err error) bool {
	e, ok := errors.AsType[*database.Error](err)
	return !ok || e.Class == dialect.ClassSchema
}

func (p *pairFixer) lasts() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.misfit != nil && time.Since(p.since) >= alterationTime
}

// giveUp returns the outcomes of the findings that have none yet.
func (p *pairFixer) giveUp(findings []event.Finding, outcomes []event.Outcome, why error) []event.Outcome {
	have := map[origin]bool{}
	for _, o := range outcomes {
		have[origin{pair: o.Pair, run: o.Run, id: o.FindingID, key: o.Key.Values().ID()}] = true
	}
	var dead []event.Outcome
	for _, f := range findings {
		if !have[originOf(f)] {
			o := fix.GiveUp(f, fix.ClassSchema, why.Error())
			p.settled(o)
			dead = append(dead, o)
		}
	}
	return dead
}

// tables returns the Fixer of a pair that was resolved a moment ago.
func (f *fixer) tables(d *databases, p *assembly.Pair, pair *schema.Pair, fixer fix.Fixer) *pairFixer {
	return &pairFixer{
		pair: pair, fixer: fixer, looked: time.Now(), settled: f.observer.Settled,
		log: f.service.Log.With().Str("pair", p.Name).Logger(),
		inspect: func(ctx context.Context, pair *schema.Pair) ([]string, error) {
			return d.changes(ctx, pair, f.breakers.pairs[p.Name].SetRows)
		},
		open: func(ctx context.Context) (*schema.Pair, fix.Fixer, error) {
			pair, err := d.readers.Resolve(ctx, p.Mapping(), schema.Auto)
			if err != nil {
				return nil, nil, err
			}
			fixer, err := f.repairer(d, p, pair)
			return pair, fixer, err
		},
	}
}

// changes says in what the tables are not what the pair was resolved against, and
// tells about how many rows there are by now.
func (d *databases) changes(ctx context.Context, pair *schema.Pair, about func(rows int64)) ([]string, error) {
	var all []string
	var tables []*schema.Table
	for _, side := range []struct {
		side event.Side
		view *schema.View
	}{{event.Source, &pair.Source}, {event.Target, &pair.Target}} {
		now, err := d.readers.Of(side.side).Table(ctx, side.view.Table.Name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", side.side, err)
		}
		for _, change := range side.view.Changed(now) {
			all = append(all, fmt.Sprintf("the %s's table %s: %s", side.side, side.view.Table.Name, change))
		}
		tables = append(tables, now)
	}
	about(assembly.AboutRows(tables[0], tables[1]))
	return all, nil
}
