package canary

import (
	"time"

	"github.com/trueup/trueup/pkg/event"
)

// Stage is a step on the way from a difference to none.
type Stage string

// The stages, in their order.
const (
	Planted  Stage = "planted"
	Found    Stage = "found"
	Repaired Stage = "repaired"
	Equal    Stage = "equal"
)

// Fate is what the reserved row ends as.
type Fate string

// The fates.
const (
	// ByFixer: a fixer put the row right.
	ByFixer Fate = "repaired"
	// GivenBack: the canary took its change back.
	GivenBack Fate = "restored"
	// AsBefore: the row was as before when the canary came to take its change back.
	AsBefore Fate = "as before"
	// Left: somebody else wrote to the row, and it is left as that.
	Left Fate = "left"
)

// Report is what became of a canary.
type Report struct {
	Pair   string
	Kind   event.Kind
	Key    event.Key
	Column string
	// Asked says whether a validator was asked to look.
	Asked bool
	At    time.Time
	// Reached is when each stage was seen, since the change was committed.
	Reached map[Stage]time.Duration
	// Finding and Outcome are those that were awaited; nil before.
	Finding *event.Finding
	Outcome *event.Outcome
	// Missed is the stage that did not come to pass, and Reason why, as far as
	// that is known; empty when all did.
	Missed Stage
	Reason string
	// Row is what the row ended as, and Why says why it is left.
	Row Fate
	Why string
}

// Proven says whether everything came to pass.
func (r Report) Proven() bool { _, ok := r.Reached[Equal]; return ok }
