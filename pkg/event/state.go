package event

import (
	"strings"
	"time"
)

// Side names one of a pair's two databases.
type Side uint8

// The sides.
const (
	SideUnknown Side = iota
	Source
	Target
)

// String is the side's name on the wire and in output.
func (s Side) String() string {
	switch s {
	case Source:
		return "source"
	case Target:
		return "target"
	default:
		return "unknown"
	}
}

// Other is the opposite side.
func (s Side) Other() Side {
	switch s {
	case Source:
		return Target
	case Target:
		return Source
	default:
		return SideUnknown
	}
}

// RangeTask is one range of a run, for any validator to check. A nil bound is
// open.
type RangeTask struct {
	Pair    string
	Run     string
	Epoch   uint64
	Number  uint64
	After   Key
	Through Key
	// Keys are exactly the rows to check, instead of a range; nil for a range.
	Keys []Key
}

// PairState is where a pair stands: its authority, and the position of its
// run. A record of an older generation than one already seen is ignored, so
// that a writer that was replaced cannot overwrite its successor.
type PairState struct {
	Pair       string
	Generation uint64
	Epoch      uint64
	Authority  Side
	Run        string
	Mode       string
	// Position is the owner's opaque resume position; empty before the first range.
	Position []byte
	// Watermark is the time up to which changes are verified; zero when unknown.
	Watermark time.Time
	// Phase is where the run of Mode stands, one of the Phase constants; empty
	// when there was none.
	Phase string
	At    time.Time
	// Pause keeps the pair's runs from going on; zero when nobody ordered that.
	Pause Order
	// Stopped says who ended the run, with PhaseStopped.
	Stopped Order
	// Pending are the modes of runs that were asked for and have not begun.
	Pending []string
	// Began says when a run of each mode was begun last.
	Began map[string]time.Time
}

// Phases of a run in the state topic.
const (
	PhaseRunning  = "running"
	PhaseStopped  = "stopped"
	PhaseComplete = "complete"
)

// Order is what a person, or a program of his, asked for; the zero Order is none.
type Order struct {
	Who, Why string
	At       time.Time
	// Until is when it ends by itself; zero for never.
	Until time.Time
}

// Stands says whether it was given and has not ended by itself.
func (o Order) Stands(now time.Time) bool {
	return !o.At.IsZero() && (o.Until.IsZero() || now.Before(o.Until))
}

// String is the order's giver and reason: "by ann: backup".
func (o Order) String() string {
	if o.Why == "" {
		return "by " + o.Who
	}
	return "by " + o.Who + ": " + o.Why
}

// The kinds of records in the state topic. The topic keeps the last record of a
// key, so that what different writers have to say stands under different keys:
// the kind, a slash and the rest.
const (
	// StatePosition: a PairState, whose key is the pair alone.
	StatePosition = ""
	// StateEpoch: a Decision.
	StateEpoch = "epoch"
	// StateBreaker: a pair whose repairs are held back, or no longer.
	StateBreaker = "breaker"
	// StateVerdicts: what runs of a pair concluded.
	StateVerdicts = "verdicts"
	// StateCanary: a CanaryReport.
	StateCanary = "canary"
)

// StateKey is the key of a record in the state topic.
func StateKey(kind, rest string) []byte {
	if kind == StatePosition {
		return []byte(rest)
	}
	return []byte(kind + "/" + rest)
}

// StateKind takes a key of the state topic apart.
func StateKind(key []byte) (kind, rest string) {
	for _, kind := range []string{StateEpoch, StateBreaker, StateVerdicts, StateCanary} {
		if rest, ok := strings.CutPrefix(string(key), kind+"/"); ok {
			return kind, rest
		}
	}
	return StatePosition, string(key)
}
