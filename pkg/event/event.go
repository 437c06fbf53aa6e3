// Package event holds what the services tell each other: findings, outcomes,
// range tasks and the state of a pair. The types here are the project's own;
// wire.go alone knows their protobuf form.
package event

import (
	"strconv"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
)

// Kind is the kind of inconsistency a finding names.
type Kind uint8

// The kinds of findings. The authority is the side that is right at the
// moment, the copy the other one.
const (
	KindUnknown Kind = iota
	// TargetMissing: the authority has the row, the copy lacks it.
	TargetMissing
	// NotEqual: both have the row and it differs.
	NotEqual
	// BaseMissing: the copy has a row that the authority lacks.
	BaseMissing
)

// String is the kind's name on the wire and in output.
func (k Kind) String() string {
	switch k {
	case TargetMissing:
		return "target_missing"
	case NotEqual:
		return "neq"
	case BaseMissing:
		return "base_missing"
	default:
		return "unknown"
	}
}

// KeyColumn is one column of a key: the name of the column at the source, the
// type it is compared in and its canonical text.
type KeyColumn struct {
	Column string
	Type   canonical.Type
	Value  row.Value
}

// Key is a row's identity as it travels: named and typed, so that a receiver
// can tell that it means the same key as the sender.
type Key []KeyColumn

// Values returns the key's values in the order they stand in.
func (k Key) Values() row.Key {
	values := make(row.Key, len(k))
	for i, c := range k {
		values[i] = c.Value
	}
	return values
}

// Finding is one inconsistency. It carries the key and never row data: whoever
// acts on it reads the row again.
type Finding struct {
	// ID names this finding; outcomes refer to it.
	ID   string
	Kind Kind
	Pair string
	Key  Key
	// Run is the run that found it.
	Run string
	// Epoch is the number of the authority decision the run worked under.
	Epoch uint64
	// DetectedAt is when the difference was first seen.
	DetectedAt time.Time
	// Columns are the source names of the columns that differed; a hint for
	// people, empty unless Kind is NotEqual.
	Columns []string
	// CollidesWith is the key of a row on the side that lacks this one, which
	// that side's collation holds equal to Key; nil when there is none. A hint
	// for people that is not part of the published event.
	CollidesWith Key
	// TraceParent is the W3C trace context the finding travels with, empty
	// when none. It is carried beside the event, not in it.
	TraceParent string
}

// Result is what became of a finding.
type Result uint8

// The results.
const (
	ResultUnknown Result = iota
	// Repaired: the copy was written and now agrees.
	Repaired
	// AlreadyEqual: both sides agreed when the fixer looked.
	AlreadyEqual
	// Vanished: neither side has the row any more.
	Vanished
	// Held: nothing was written, on purpose; the reason says why and who may release it.
	Held
	// Dead: the row cannot be repaired without a person; it is in the dead topic.
	Dead
	// Undone: the copy was given back what it had before a repair.
	Undone
)

// String is the result's name on the wire and in output.
func (r Result) String() string {
	switch r {
	case Repaired:
		return "repaired"
	case AlreadyEqual:
		return "already_equal"
	case Vanished:
		return "vanished"
	case Held:
		return "held"
	case Dead:
		return "dead"
	case Undone:
		return "undone"
	default:
		return "unknown"
	}
}

// Action is the statement that repaired a row.
type Action uint8

// The actions. NoAction goes with every result but Repaired and Undone.
const (
	NoAction Action = iota
	Insert
	Update
	Delete
)

// String is the action's name on the wire and in output.
func (a Action) String() string {
	switch a {
	case Insert:
		return "insert"
	case Update:
		return "update"
	case Delete:
		return "delete"
	default:
		return "none"
	}
}

// Outcome is what the fixer did about a finding. The topic of outcomes is the
// audit log.
type Outcome struct {
	FindingID string
	Pair      string
	Key       Key
	Run       string
	Epoch     uint64
	// Kind is the finding's; unknown in outcomes of before it was told.
	Kind   Kind
	Result Result
	Action Action
	// Columns are the source names of the columns an update changed.
	Columns []string
	// Class and Reason say why a finding is held or dead; Class is a stable
	// word, Reason a sentence.
	Class  string
	Reason string
	// Attempts is how often the repair was tried, at least 1.
	Attempts int
	// DetectedAt is the finding's; At is when the outcome was reached.
	DetectedAt time.Time
	At         time.Time
	// Took is the time from taking the finding up to the outcome.
	Took time.Duration
	// DryRun marks an outcome that says what would have been done.
	DryRun bool
	// Writes is what was committed, in order: mostly one write, several where the
	// authority's row changed meanwhile.
	Writes []Write
	// UndoOf names the write that was taken back; see WriteID.
	UndoOf string
	// TraceParent is the finding's.
	TraceParent string
}

// ID names the outcome: a finding that is delivered twice has two.
func (o Outcome) ID() string { return o.FindingID + "/" + strconv.FormatInt(o.At.UnixNano(), 10) }

// WriteID names one of the outcome's writes, by its position.
func (o Outcome) WriteID(position int) string { return o.ID() + "/" + strconv.Itoa(position) }
