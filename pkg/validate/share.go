package validate

import (
	"errors"
	"fmt"
)

// A run that finds a large share of the rows different has mostly been told to
// compare what does not belong together: the wrong table, key, filter or
// direction. Each of its findings is work for the fixers, and for whoever holds
// or reads them, so that the run stops and says so.

// Rows that must have been compared before a share says anything: so many, and
// this part of the table as its server estimates it. Rows that were lost together
// stand together in the key's order, and a run may meet them first.
const (
	shareRows = 10_000
	sharePart = 0.05
)

// shareError ends a run of which too many rows differ. It wraps errEnough: what was
// found is as true as in a run with a limit of findings.
type shareError struct {
	found, compared int64
	limit           float64
}

// Error says what was met and what to do.
func (e *shareError) Error() string {
	return fmt.Sprintf("stopped: %d of the first %d rows differ, which is more than the share of %v that is allowed; "+
		"see whether the tables, the key, the filter and the rules are those that were meant, or allow more (max_mismatch_share; 1 for no limit)",
		e.found, e.compared, e.limit)
}

// Unwrap has the run end as one that has found enough.
func (e *shareError) Unwrap() error { return errEnough }

// tooDifferent says whether that is why a run ended. It is over then: a run that went
// on from there would stop at once, whatever was put right meanwhile.
func tooDifferent(cause error) bool {
	_, is := errors.AsType[*shareError](cause)
	return is
}

// tooDifferent says whether the run has met too many rows that differ. What an
// earlier process has found of a run that goes on counts.
func (r *run) tooDifferent() error {
	if r.spec.MaxShare == 0 || r.stream != nil {
		return nil
	}
	t := r.ledger.total()
	found, compared := t.TargetMissing+t.NotEqual+t.BaseMissing, max(t.AuthorityRows, t.CopyRows)
	few := max(shareRows, int64(sharePart*float64(r.start().Rows)))
	if compared < few || float64(found) <= r.spec.MaxShare*float64(compared) {
		return nil
	}
	return &shareError{found: found, compared: compared, limit: r.spec.MaxShare}
}
