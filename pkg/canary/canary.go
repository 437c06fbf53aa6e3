// Package canary proves that a difference between the two sides is found and
// repaired, by making one: a change of a reserved row of the copy, planted by
// compare-and-set, which the validator has to find and a fixer to repair. What
// they have not put right in time is given back as it was.
//
// Nothing of it is a shortcut. The canary publishes no finding; at most it asks a
// validator to look at the row, and the finding is the validator's own. It
// believes the topics, and then its own eyes: the row has to be read equal.
//
//	choose.go   what to plant, and why not
//	values.go   another value for a column of any type
//	plant.go    writing it, and giving it back
//	watch.go    what the topics say of it
//	report.go   what became of it
package canary

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trueup/trueup/pkg/compare"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Reader reads one side: every call sees what was committed before it.
type Reader interface {
	Lookup(ctx context.Context, view *schema.View, keys []row.Key) ([]row.Row, error)
}

// Planter changes the copy and takes it back; *fix.Undoer is one.
type Planter interface {
	Plant(ctx context.Context, change fix.Change, was row.Row, accept func(row.Row) error) (*fix.Step, error)
	Undo(ctx context.Context, steps []fix.Step) ([]fix.Undoing, error)
}

// Topics are findings and outcomes about one row.
type Topics interface {
	// Watch has Read begin with what is published from now on about the row.
	Watch(ctx context.Context, key event.Key) error
	// Read returns what was published since the last call. A finding that an
	// outcome is about is returned with it, or was before. After an error the
	// same is read again.
	Read(ctx context.Context) ([]event.Finding, []event.Outcome, error)
}

// Canary is one canary.
type Canary struct {
	Pair      *schema.Pair
	Authority event.Side
	Epoch     uint64
	// Kind is the difference to plant. Key is the reserved row's, and Extra, for
	// base_missing, that of a row which neither side has.
	Kind       event.Kind
	Key, Extra row.Key
	// Column is the one to change, by its source name; chosen when empty, and
	// then none of Avoid.
	Column string
	Avoid  []string
	// Run is the run that is asked to look; findings of others count as well
	// when they were made after the planting, by clocks at most Skew apart.
	Run  string
	Skew time.Duration
	// Timeout is how long all of it may take before the row is given back.
	Timeout time.Duration

	Source, Target Reader
	Planter        Planter
	Topics         Topics
	// Ask has a validator look at the row; nil to wait until one does by itself.
	Ask func(ctx context.Context, key event.Key) error
	// Told is told of each stage as it is reached; nil for nobody.
	Told func(Report, Stage)
}

var errTimeout = errors.New("time is up")

// restorePatience is how long the row is tried to be given back, whatever else
// has ended: a server that restarts is back by then.
const restorePatience = 2 * time.Minute

// Prove plants the difference, waits for its repair, and sees to it that nothing
// of it stays. An error means that it could not look, or that it was
// interrupted; the report then tells how far it came. A *RefusedError: nothing
// was planted.
func (c *Canary) Prove(ctx context.Context) (Report, error) {
	r := Report{Pair: c.Pair.Name, Kind: c.Kind, Reached: map[Stage]time.Duration{}}
	attempts, was, err := c.prepare(ctx)
	if err != nil {
		return r, err
	}
	r.Key = c.eventKey(attempts[0].Key)
	if err := c.Topics.Watch(ctx, r.Key); err != nil {
		return r, err
	}
	// The decisions were read before; what was decided since fails the fixer's
	// own check, and the row is given back.
	step, planted, err := c.plant(ctx, attempts, was)
	if step == nil {
		return r, err
	}
	r.At, r.Column = time.Now(), planted.column
	if err == nil {
		c.reach(&r, Planted)
		err = c.await(ctx, &r)
	}
	if r.Proven() {
		r.Row = ByFixer
		return r, nil
	}
	if err == nil {
		err = c.checkAuthority(ctx, planted, &r)
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), restorePatience)
	defer cancel()
	return r, errors.Join(err, c.restore(patience, *step, &r))
}

func (c *Canary) reach(r *Report, s Stage) {
	r.Reached[s] = time.Since(r.At)
	if c.Told != nil {
		c.Told(*r, s)
	}
}

// prepare looks at both sides and says what could be planted, and on what row.
func (c *Canary) prepare(ctx context.Context) (attempts []attempt, was row.Row, err error) {
	authority, is, err := c.look(ctx, c.Key)
	if err != nil {
		return nil, nil, err
	}
	if authority == nil {
		return nil, nil, refused("the reserved row %s of pair %s is not at the %s, which is the authority; create it there for this purpose, let it arrive at the %s, and write canary.key as trueup prints keys",
			c.Key, c.Pair.Name, c.Authority, c.Authority.Other())
	}
	if kind, _ := c.comparer().Rows(authority, is); kind != event.KindUnknown {
		return nil, nil, refused("the reserved row %s of pair %s differs already (%s): wait until it has arrived at the %s, or for the next run and the fixer; a canary that was killed leaves such a row",
			c.Key, c.Pair.Name, kind, c.Authority.Other())
	}
	switch c.Kind {
	case event.NotEqual:
		attempts, err = c.updates(authority, is)
		return attempts, is, err
	case event.TargetMissing:
		attempts, err = c.removal(is)
		return attempts, is, err
	case event.BaseMissing:
		if err := c.checkExtra(ctx); err != nil {
			return nil, nil, err
		}
		attempts, err = c.addition(is)
		return attempts, nil, err
	default:
		return nil, nil, refused("%s is no kind of difference", c.Kind)
	}
}

func (c *Canary) checkExtra(ctx context.Context) error {
	if len(c.Extra) == 0 {
		return refused("pair %s reserves no extra key; name one that no row has with canary.extra", c.Pair.Name)
	}
	authority, is, err := c.look(ctx, c.Extra)
	switch {
	case err != nil:
		return err
	case authority != nil:
		return refused("the extra key %s of pair %s is that of a row at the %s, which is the authority; reserve a key that is never used there with canary.extra", c.Extra, c.Pair.Name, c.Authority)
	case is != nil:
		return refused("the extra key %s of pair %s is that of a row at the %s already; wait for the next run and the fixer, a canary that was killed leaves such a row", c.Extra, c.Pair.Name, c.Authority.Other())
	}
	return nil
}

// look reads a row on both sides; nil for one that is not there.
func (c *Canary) look(ctx context.Context, key row.Key) (authority, replica row.Row, err error) {
	sides := map[event.Side]row.Row{}
	for _, side := range []event.Side{c.Authority.Other(), c.Authority} { // the copy first, as runs do
		reader, view := c.Source, c.view(side)
		if side == event.Target {
			reader = c.Target
		}
		rows, err := reader.Lookup(ctx, view, []row.Key{key})
		if err != nil {
			return nil, nil, fmt.Errorf("look at the reserved row: %s: %w", side, err)
		}
		for _, found := range rows {
			if found.Key(view.Key).ID() == key.ID() {
				sides[side] = found
			}
		}
	}
	return sides[c.Authority], sides[c.Authority.Other()], nil
}

func (c *Canary) view(side event.Side) *schema.View {
	if side == event.Target {
		return &c.Pair.Target
	}
	return &c.Pair.Source
}

func (c *Canary) comparer() *compare.Comparer { return compare.New(&c.Pair.Source, c.Pair.Rules) }

func (c *Canary) eventKey(key row.Key) event.Key {
	names, columns := c.Pair.KeyNames(), c.Pair.Source.KeyColumns()
	out := make(event.Key, len(key))
	for i, v := range key {
		out[i] = event.KeyColumn{Column: names[i], Type: columns[i].As, Value: v}
	}
	return out
}
