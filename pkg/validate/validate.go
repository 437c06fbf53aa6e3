// Package validate finds the rows on which two databases disagree while both
// are live.
//
// A run cuts the authority's key index into ranges, examines them several at a
// time, and gathers what differs. A difference is first a suspect: the two
// sides were not read at the same instant, and the copy may only be late. It
// is looked at again after a delay and becomes a finding when the authority's
// row stayed as it was and the copy still differs. Findings are published, and
// the run's position moves only over ranges of which everything is settled and
// published, so that a crash repeats work and loses none.
//
// A read that fails never becomes a finding and never a clean verdict.
//
//	seams.go      what a run reads through and tells
//	run.go        goroutines of a run: ranges out, results in, end
//	task.go       one range: pieces, retries, differences
//	read.go       pacing, time limits, retries
//	drill.go      checksum: when to digest smaller pieces, when to read
//	merge.go lookup.go count.go   the other methods
//	confirm.go suspects.go        from suspect to finding
//	publish.go ledger.go save.go  findings out, position forward
//	verdict.go    what a run concludes
package validate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schema"
)

// Mode is what a run looks at.
type Mode uint8

// The modes.
const (
	// Full compares every row of both sides.
	Full Mode = iota
	// Reverse scans the copy and looks its keys up at the authority. It finds
	// what the copy has too much and what differs, not what it lacks.
	Reverse
	// Count compares numbers of rows, range by range. It points at where to
	// look and proves nothing.
	Count
)

// String is the mode's name in configuration and output.
func (m Mode) String() string {
	switch m {
	case Full:
		return "full"
	case Reverse:
		return "reverse"
	case Count:
		return "count"
	default:
		return fmt.Sprintf("mode(%d)", uint8(m))
	}
}

// ParseMode reads a mode's name.
func ParseMode(name string) (Mode, error) {
	for _, m := range []Mode{Full, Reverse, Count} {
		if m.String() == name {
			return m, nil
		}
	}
	return Full, fmt.Errorf("the mode %q is unknown; use full, reverse or count", name)
}

// Run says what to compare.
type Run struct {
	// ID names the run in findings.
	ID   string
	Pair *schema.Pair
	// Authority is the side that is right.
	Authority event.Side
	// Epoch is the number of the decision that made it so.
	Epoch uint64
	Mode  Mode
	// Confirm is how long a difference must last before it is a finding. It
	// should be longer than changes usually take to reach the copy. 0 reports
	// differences as they are seen, for databases at rest.
	Confirm time.Duration
	// MaxFindings ends the run once that many findings were published; 0 means no limit.
	MaxFindings int64
	// Checkpoint is the name under which the position is kept; empty keeps none.
	Checkpoint string
}

// Validator runs comparisons between two databases. It is safe for concurrent use.
type Validator struct {
	config      Config
	source      Reader
	target      Reader
	publisher   Publisher
	pacer       Pacer
	checkpoints Checkpoints
	observer    Observer
}

// Ports are the outside of a Validator. Checkpoints and Observer may be nil.
type Ports struct {
	Source, Target Reader
	Publisher      Publisher
	Pacer          Pacer
	Checkpoints    Checkpoints
	Observer       Observer
}

// New returns a Validator, or an error that names the setting that is wrong.
func New(config Config, ports Ports) (*Validator, error) {
	config = config.WithDefaults()
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if ports.Source == nil || ports.Target == nil || ports.Publisher == nil || ports.Pacer == nil {
		return nil, errors.New("validate: source, target, publisher and pacer are all needed")
	}
	if ports.Observer == nil {
		ports.Observer = NopObserver{}
	}
	return &Validator{
		config:      config,
		source:      ports.Source,
		target:      ports.Target,
		publisher:   ports.Publisher,
		pacer:       ports.Pacer,
		checkpoints: ports.Checkpoints,
		observer:    ports.Observer,
	}, nil
}

// Run compares a pair and returns its verdict. The verdict is never empty: it
// tells what was found up to the end, whatever the end was.
//
// An error means that the run could not start, or met a permanent fault (a
// missing privilege, a table that changed) and stopped at once. A run that the
// context ends, or that could not read some range, is no error: its verdict is
// not complete, and Reason says why.
func (v *Validator) Run(ctx context.Context, spec Run) (Verdict, error) {
	r, err := v.prepare(ctx, spec)
	if err != nil {
		return Verdict{Pair: pairName(spec), Run: spec.ID, Mode: spec.Mode.String(), Reason: err.Error()}, err
	}
	return r.execute(ctx)
}

func pairName(spec Run) string {
	if spec.Pair == nil {
		return ""
	}
	return spec.Pair.Name
}

func (s Run) validate() error {
	switch {
	case s.Pair == nil:
		return errors.New("start a run: it names no pair")
	case s.Authority != event.Source && s.Authority != event.Target:
		return fmt.Errorf("start a run of %s: the authority must be the source or the target", s.Pair.Name)
	case s.Mode > Count:
		return fmt.Errorf("start a run of %s: %s is unknown", s.Pair.Name, s.Mode)
	case s.Confirm < 0:
		return fmt.Errorf("start a run of %s: confirm is %s; it cannot be negative", s.Pair.Name, s.Confirm)
	case s.MaxFindings < 0:
		return fmt.Errorf("start a run of %s: the limit of findings is %d; it cannot be negative", s.Pair.Name, s.MaxFindings)
	case s.Pair.Method == schema.Auto:
		return fmt.Errorf("start a run of %s: no method was chosen; resolve the pair first", s.Pair.Name)
	}
	return nil
}
