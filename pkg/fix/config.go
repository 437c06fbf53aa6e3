package fix

import (
	"errors"
	"fmt"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schema"
)

// The defaults and bounds of Config.
const (
	// DefaultBatchKeys rows a transaction: enough to make its fixed costs (two
	// reads of the authority, a lock, a commit) small per row, few enough that
	// a replicator that meets a held row waits for milliseconds.
	DefaultBatchKeys = 200
	maxBatchKeys     = 10_000
	// DefaultBatchBytes of rows a transaction; rows are in memory up to three
	// times (the copy's, the authority's, the authority's second read).
	DefaultBatchBytes = 8 << 20
	// DefaultMaxRounds bounds how often a repair starts over because the
	// authority's row changed meanwhile.
	DefaultMaxRounds = 5
	// DefaultMaxRefusals is how often the copy may refuse a row that is tried
	// alone. What blocks it (the row that holds its unique value, the parent
	// it refers to) may be further back in the same backlog.
	DefaultMaxRefusals = 5
	// DefaultMaxChain is how many rows that nobody reported are repaired with a
	// batch because they stand in its way. They are held together, and one more
	// round of reads is needed for each that stands behind another.
	DefaultMaxChain = 100
	// DefaultLockBudget is how long a batch may hold rows that an application
	// or a replicator may want: what a person does not notice.
	DefaultLockBudget = 50 * time.Millisecond
)

// Config is what a Repairer works with. Pair, Side, Authority and Sink are
// required.
type Config struct {
	Pair *schema.Pair
	// Side says which side of the pair is the authority.
	Side event.Side
	// Epoch is the number of the authority decision that made it so. Findings
	// of an older epoch are only looked at, those of a newer one not touched:
	// a switch is met by a new Repairer.
	Epoch     uint64
	Authority Reader
	// Sink writes the other side.
	Sink Sink

	// BatchKeys bounds the rows of a transaction; 0 means DefaultBatchKeys.
	BatchKeys int
	// BatchBytes is the size of a batch's rows, in bytes, that batches are
	// kept near by lowering the number of keys; 0 means DefaultBatchBytes.
	BatchBytes int64
	// MaxRounds is at least 1; 0 means DefaultMaxRounds.
	MaxRounds int
	// MaxRefusals is at least 1; 0 means DefaultMaxRefusals.
	MaxRefusals int
	// MaxChain is at least 1; 0 means DefaultMaxChain.
	MaxChain int
	// LockBudget is how long a batch aims to hold the copy's rows; 0 means
	// DefaultLockBudget. Batches become smaller to keep it, down to one row. Where
	// the connections alone take longer, they take twice that at most.
	LockBudget time.Duration
	// Strategy says what a finding allows to be done; Unified when left out.
	Strategy Strategy
	// Keep says what outcomes tell of the rows that are replaced: nothing but
	// digests when left out.
	Keep Keep
	// PutOff makes Repair return findings that have to wait for others (a row
	// that somebody holds for long, one that a foreign key refers to) as a
	// *Later, rather than wait with them or give them up.
	PutOff bool

	// DryRun looks and reports, and neither locks nor writes.
	DryRun bool
	// Script, in a dry run, receives the statement of each repair; the sink
	// must be a Scripter. It may be called from several goroutines.
	Script func(statement string)

	// Epochs is asked before and at the end of every transaction whether Side
	// is still the authority under Epoch; nil where nobody else decides that.
	Epochs Epochs
	// Gate, Observer and Tracer may be nil. A dry run asks no gate.
	Gate     Gate
	Observer Observer
	Tracer   Tracer
}

// New returns a Repairer. An error names the field at fault.
func New(c Config) (*Repairer, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("set up repair: %w", err)
	}
	c.setDefaults()
	r := &Repairer{cfg: c, from: &c.Pair.Source, to: &c.Pair.Target}
	if c.Side == event.Target {
		r.from, r.to = r.to, r.from
	}
	if err := c.Pair.CheckRepair(r.to); err != nil {
		return nil, fmt.Errorf("set up repair: %w", err)
	}
	var err error
	if r.portrait, err = newPortrait(c.Pair, c.Side.Other(), c.Keep); err != nil {
		return nil, fmt.Errorf("set up repair: %w", err)
	}
	r.keeps = c.Pair.Keeps(r.to)
	r.uniques = uniques(r.to)
	r.size = newSizer(c.BatchKeys, c.BatchBytes, c.LockBudget)
	return r, nil
}

func (c *Config) check() error {
	switch {
	case c.Pair == nil:
		return errors.New("the field Pair is missing")
	case c.Side != event.Source && c.Side != event.Target:
		return fmt.Errorf("pair %s: Side is %s; say whether source or target is the authority", c.Pair.Name, c.Side)
	case c.Authority == nil || c.Sink == nil:
		return fmt.Errorf("pair %s: Authority and Sink are both needed", c.Pair.Name)
	case c.BatchKeys < 0 || c.BatchKeys > maxBatchKeys:
		return fmt.Errorf("pair %s: BatchKeys is %d; choose 1 to %d", c.Pair.Name, c.BatchKeys, maxBatchKeys)
	case c.BatchBytes < 0:
		return fmt.Errorf("pair %s: BatchBytes is %d; choose a positive number", c.Pair.Name, c.BatchBytes)
	case c.MaxRounds < 0 || c.MaxRefusals < 0 || c.MaxChain < 0 || c.LockBudget < 0:
		return fmt.Errorf("pair %s: MaxRounds is %d, MaxRefusals %d, MaxChain %d and LockBudget %v; choose positive numbers",
			c.Pair.Name, c.MaxRounds, c.MaxRefusals, c.MaxChain, c.LockBudget)
	}
	if _, ok := c.Sink.(Scripter); c.Script != nil && !ok {
		return fmt.Errorf("pair %s: its sink cannot spell statements; leave Script out", c.Pair.Name)
	}
	return nil
}

func (c *Config) setDefaults() {
	if c.BatchKeys == 0 {
		c.BatchKeys = DefaultBatchKeys
	}
	if c.BatchBytes == 0 {
		c.BatchBytes = DefaultBatchBytes
	}
	if c.MaxRounds == 0 {
		c.MaxRounds = DefaultMaxRounds
	}
	if c.MaxRefusals == 0 {
		c.MaxRefusals = DefaultMaxRefusals
	}
	if c.MaxChain == 0 {
		c.MaxChain = DefaultMaxChain
	}
	if c.LockBudget == 0 {
		c.LockBudget = DefaultLockBudget
	}
	if c.Observer == nil {
		c.Observer = silent{}
	}
}
