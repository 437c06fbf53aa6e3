// Package dialect is the one plug-in seam for database engines. A dialect
// spells SQL and translates values; it executes nothing. Package database runs
// the queries, and dialecttest holds every engine to the same contract.
package dialect

import (
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Query is SQL text and its arguments, ready for the engine's driver.
type Query struct {
	SQL  string
	Args []any
}

// RawKind says which field of a Raw holds the value.
type RawKind uint8

// The forms in which drivers hand over values.
const (
	RawNull RawKind = iota
	RawInt
	RawUint
	RawFloat32
	RawFloat64
	RawBytes
)

// Raw is one value as the driver handed it over, without the allocation an
// interface would cost per value. Bytes are valid until the next row.
type Raw struct {
	Kind  RawKind
	Int   int64
	Uint  uint64
	Float float64
	Bytes []byte
}

// Class says what an error means for the caller, whatever the engine.
type Class uint8

// The classes of errors.
const (
	// ClassUnknown is anything else; treated as permanent for the operation.
	ClassUnknown Class = iota
	// ClassTransient may pass by itself: connection loss, server shutting
	// down, failover, too many connections, read-only server.
	ClassTransient
	// ClassContention is a deadlock, a lock time-out or a serialization
	// failure: try again a moment later.
	ClassContention
	// ClassRow is one row's fault: constraint, too long, out of range, bad
	// encoding. Others in the batch may well succeed.
	ClassRow
	// ClassDuplicate is ClassRow's special case of a unique key met.
	ClassDuplicate
	// ClassDenied is a missing privilege.
	ClassDenied
	// ClassSchema is a table or column that is not (or no longer) as expected.
	ClassSchema
	// ClassLimit is a server limit the user can raise (packet size).
	ClassLimit
)

// Dialect is what an engine must know to spell.
//
// Conventions: every identifier is quoted; every value is an argument; a
// view's Where is the user's text and stands in parentheses. Row queries
// return the view's columns in the view's order, in the form AppendValue
// reads. Key arguments are canonical texts that the dialect turns into
// typed arguments, so that an index on the key is used and no digit is lost.
type Dialect interface {
	// Engine is "mysql", "mariadb" or "postgres".
	Engine() string
	// Quote quotes an identifier.
	Quote(ident string) string
	// TableName is the quoted, qualified name.
	TableName(name schema.Name) string

	// Setup are the statements that give a fresh connection the settings on
	// which texts and meanings depend: time zone UTC, UTF-8, strict mode,
	// READ COMMITTED, float and interval styles.
	Setup(readOnly bool) []string

	// Inspect returns the queries that describe a table, in the order and
	// with the result columns Describe expects (texts, NULL allowed).
	Inspect(name schema.Name) []Query
	// Describe builds the table from the results of Inspect: results[i][r][c]
	// is query i, row r, column c; a nil pointer is NULL. A table that does
	// not exist gives an error that names it and says what to do.
	Describe(name schema.Name, results [][][]*string) (*schema.Table, error)

	// Boundary asks for the n-th key after the given one in key order (nil:
	// from the start) among the rows of the view; no row when fewer are left.
	// It must be answered by a range of the key's index.
	Boundary(v *schema.View, after row.Key, n int) Query
	// Digest asks for exactly one row: the number of rows in the range, the
	// 32 hexadecimal digits of the MD5 of their frames in key order (NULL
	// without rows), and the number of bytes digested. See canonical's
	// frame.go for the frame. A concatenation that the server would truncate
	// must be impossible: Limits says what the server allows, and the
	// statement itself must fail or return a NULL digest rather than digest
	// less than all.
	Digest(v *schema.View, r row.Range) Query
	// DigestText is the server-side text of one column as Digest frames it,
	// and whether it is exact: exact means equal to the Go text on every
	// value, so that it can be held against another engine's; inexact texts
	// are deterministic and never coarser than the type's equality, so that
	// they serve between two servers of the same engine only. An empty
	// expression means there is none.
	DigestText(c schema.ViewColumn) (expr string, exact bool)
	// Rows asks for the rows of a range in key order.
	Rows(v *schema.View, r row.Range) Query
	// Lookup asks for the rows with the given keys, in any order. Keys match
	// exactly, byte by byte, whatever the column's collation.
	Lookup(v *schema.View, keys []row.Key) Query
	// Lock is Lookup inside a transaction that means to write: it locks the
	// rows in key order, and silently leaves out those another transaction holds.
	Lock(v *schema.View, keys []row.Key) Query
	// Count asks for the number of rows of the view.
	Count(v *schema.View) Query

	// Insert writes whole rows of the view; a key that exists is an error of
	// ClassDuplicate, never an overwrite.
	Insert(v *schema.View, rows []row.Row) Query
	// Update writes the columns at the given positions of the rows with the
	// given rows' keys, to each its own values. The rows have different keys,
	// and of several rows no position is one of the key's.
	Update(v *schema.View, rows []row.Row, positions []int) Query
	// UpdateRows is the largest number of rows Update is to be given; at least 1.
	UpdateRows() int
	// Delete removes the rows with the given keys.
	Delete(v *schema.View, keys []row.Key) Query

	// AppendValue appends the canonical text of a raw value to dst. Column and
	// value come by reference, being large and met once per value; neither is
	// kept or changed. It is not called for NULL. A value the type cannot hold is an error that names
	// the column, never a guess.
	AppendValue(dst []byte, c *schema.ViewColumn, raw *Raw) ([]byte, error)
	// Literal spells a value for a script a person reads or runs (dry run).
	Literal(c schema.ViewColumn, v row.Value) string
	// Classify says what an error of the engine's driver means.
	Classify(err error) Class
}
