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
//	wait.go       a server that is away
//	watch.go      tables that change under a run
//	drill.go      checksum: when to digest smaller pieces, when to read
//	merge.go lookup.go count.go windows.go   the other methods
//	stream.go incremental.go triggered.go pending.go   runs that never end
//	check.go      rows that somebody asks for
//	trace.go      what is followed beyond this process
//	confirm.go suspects.go follow.go   from suspect to finding
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
	// Incremental looks at rows as a column says that they changed; it never ends.
	Incremental
	// Triggered looks at rows as change events name them; it never ends.
	Triggered
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
	case Incremental:
		return "incremental"
	case Triggered:
		return "triggered"
	default:
		return fmt.Sprintf("mode(%d)", uint8(m))
	}
}

// ParseMode reads the name of a mode that ends.
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
	// Follower measures how far the copy has followed, and makes differences
	// wait for it beyond Confirm; nil where that cannot be measured.
	Follower Follower
	// ByTime makes a run that counts do so by windows of time; nil counts by
	// ranges of keys.
	ByTime *ByTime
	// Admit, where there is one, is asked before every read, without a place of
	// the Pacer in hand, and waits while this run is to rest.
	Admit func(ctx context.Context) error
	// MaxFindings ends the run once that many findings were published; 0 means no limit.
	MaxFindings int64
	// MaxShare ends the run, incomplete, once findings were published of more than
	// this share of the rows compared so far; see share.go. 0 means no limit.
	MaxShare float64
	// Checkpoint is the name under which the position is kept; empty keeps none.
	Checkpoint string
	// SourceAt and TargetAt say where the databases are, if Checkpoint does not: what
	// a position says of one server it does not say of another, although that may
	// have the same table, as a copy of its files has.
	SourceAt, TargetAt string
	// StartOver begins anew, and says so, when the position kept under that
	// name belongs to another comparison, or to another release that wrote it in
	// another form. Without it that is an error: somebody may want to go back to what
	// was asked for then.
	StartOver bool
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
	tracer      Tracer
}

// Ports are the outside of a Validator. Checkpoints, Observer and Tracer may be nil.
type Ports struct {
	Source, Target Reader
	Publisher      Publisher
	Pacer          Pacer
	Checkpoints    Checkpoints
	Observer       Observer
	Tracer         Tracer
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
		tracer:      ports.Tracer,
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
	r, err := v.prepareToEnd(ctx, spec)
	if err != nil {
		return Verdict{Pair: pairName(spec), Run: spec.ID, Mode: spec.Mode.String(), Reason: err.Error()}, err
	}
	end := r.traceRun()
	work := r.execute
	if spec.ByTime != nil {
		work = r.countByTime
	}
	verdict, err := work(ctx)
	end(verdict, err)
	return verdict, err
}

// prepareToEnd refuses the modes that never end.
func (v *Validator) prepareToEnd(ctx context.Context, spec Run) (*run, error) {
	if spec.Mode > Count {
		return nil, fmt.Errorf("start a run of %s: %s is no mode of a run that ends", pairName(spec), spec.Mode)
	}
	return v.prepare(ctx, spec)
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
	case s.Mode > Triggered:
		return fmt.Errorf("start a run of %s: %s is unknown", s.Pair.Name, s.Mode)
	case s.ByTime != nil && s.Mode != Count:
		return fmt.Errorf("start a run of %s: windows of time are for the mode count", s.Pair.Name)
	case s.Confirm < 0:
		return fmt.Errorf("start a run of %s: confirm is %s; it cannot be negative", s.Pair.Name, s.Confirm)
	case s.MaxFindings < 0:
		return fmt.Errorf("start a run of %s: the limit of findings is %d; it cannot be negative", s.Pair.Name, s.MaxFindings)
	case !(s.MaxShare >= 0 && s.MaxShare <= 1): // which NaN is not, either
		return fmt.Errorf("start a run of %s: the greatest share of rows that may differ is %v; it must be between 0 and 1", s.Pair.Name, s.MaxShare)
	case s.Pair.Method == schema.Auto:
		return fmt.Errorf("start a run of %s: no method was chosen; resolve the pair first", s.Pair.Name)
	}
	return nil
}
