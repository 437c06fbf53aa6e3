package fix

import "errors"

// Fault says what an error of a Reader or a Sink means for the repair.
type Fault uint8

// The faults.
const (
	// Permanent: the operation cannot succeed as things are (a missing
	// privilege, a table that changed, anything unknown). Repair returns the
	// error; no finding is lost and no outcome is made up.
	Permanent Fault = iota
	// Transient may pass by itself: connection lost, server restarting,
	// failover, too many connections. Tried again for as long as the context lives.
	Transient
	// Contention is a deadlock or a lock time-out. The batch is split, so that
	// rows nobody holds are not kept waiting, and tried again shortly.
	Contention
	// RowRefused is one row's fault: a constraint, a value too long. The batch
	// is split until the row stands alone.
	RowRefused
	// Duplicate is RowRefused for a unique key that another row holds. The rows
	// in the way are repaired with it, where the sink can find them.
	Duplicate
	// Reference is RowRefused for a foreign key. The row that is referred to may
	// be on its way, those that still refer may be about to go.
	Reference
	// Limit is a server limit that a smaller batch may respect. A single row beyond
	// it is given up, or it would hold up all others, until the limit is raised.
	Limit
	// Locked is Contention about the table as a whole, as while it is altered: a
	// smaller batch meets it as well, so all rows are held by somebody else.
	Locked
)

// Error is an error whose meaning for the repair is known.
type Error struct {
	Fault Fault
	// Reason is what an outcome may say about a refused row: a sentence that
	// names columns and constraints, never a value.
	Reason string
	Err    error
}

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// FaultOf is the meaning of err, Permanent when nobody stated one.
func FaultOf(err error) Fault {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Fault
	}
	return Permanent
}

// ReasonOf is the sentence that an outcome gives for a refused row.
func ReasonOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Reason != "" {
		return e.Reason
	}
	return "the copy refuses the row"
}
