package event

import (
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
	Phase     string
	At        time.Time
}
