package event

import (
	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
)

// Write is one committed change of a row of the copy.
type Write struct {
	// Side is the side that was the copy.
	Side   Side
	Action Action
	// Before and After are digests of the row under the pair's mapping, empty
	// where there was no row. Package fix makes them.
	Before, After string
	// Columns are the values, where the pair asks for them.
	Columns []WrittenColumn
	// Incomplete says why the write cannot be undone; empty when it can.
	Incomplete string
}

// WrittenColumn is a column of the table that was written, in that table's own
// terms. Before or After is nil where there was no row, or nobody asked for it.
type WrittenColumn struct {
	Column        string
	Before, After *Content
}

// Content is what a column held, or a keyed digest of it: then Masked is set,
// and Type and Value are not.
type Content struct {
	Type   canonical.Type
	Value  row.Value
	Masked string
}
