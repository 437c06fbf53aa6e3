// Package dialect is the one plug-in seam for database engines. A dialect
// spells SQL and translates values; it executes nothing. Package database runs
// the queries, and dialecttest holds every engine to the same contract.
package dialect

import (
	"time"

	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Query is SQL text and its arguments, ready for the engine's driver.
type Query struct {
	SQL  string
	Args []any
	// Binary says which columns of the result are to be sent in the engine's
	// binary form and handed over as RawBinary, where the driver leaves the
	// choice; nil asks for none.
	Binary []bool
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
	// RawBytes is a text, or the bytes of a byte string.
	RawBytes
	// RawBinary is the binary form of the column's own type.
	RawBinary
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
	// ClassReference is ClassRow's special case of a foreign key: the row that
	// is referred to is not there (yet), or rows that refer to this one (still) are.
	ClassReference
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
	// Holders asks which rows of the table, the view's filter aside, have the
	// values of one of the given rows in the columns of a unique key, at the
	// given positions; equal as the server's index has it. Each line is the
	// position of the given row, 1 if the view's filter hides the row found and
	// else 0, and that row's key.
	Holders(v *schema.View, unique []int, rows []row.Row) Query
	// Count asks for the number of rows of the view.
	Count(v *schema.View) Query
	// Span asks for the first and the last time in a column between
	// schema.FirstTime and schema.LastTime, in one row, as "2006-01-02
	// 15:04:05" in UTC; both are NULL without rows.
	Span(v *schema.View, c schema.Column) Query
	// Windows asks for the number of rows in each window that has some, and in
	// the places outside: two whole numbers a row, as schema.WindowRows has them.
	Windows(v *schema.View, w schema.Windows) Query
	// During is the condition that a column lies in a stretch of time, in the
	// engine's SQL; a zero time leaves the end open, two ask for NULL.
	During(c schema.Column, from, until time.Time) string

	// Changes asks for at most n rows of the view, in key order, behind the key
	// after (nil: from the start). The key begins with a time, which lies from
	// from on and before until. It is answered from an index that begins with
	// the column where there is one.
	Changes(v *schema.View, after row.Key, from, until time.Time, n int) Query
	// OpenTransactions asks what schema.OpenTransactions tells, in one row of
	// texts: the clock, the oldest start (NULL: none) and its connection, each
	// time as "2006-01-02 15:04:05.000000" in UTC; the number of prepared
	// transactions; 1 if the user may see all; the server's time zone; a time
	// before which the list was not made (NULL: not known). The question is part of
	// the statement and like no other. Where the list has to show who asks, the
	// statement is run in a transaction of its own.
	OpenTransactions(question string) Query

	// Insert writes whole rows of the view; a key that exists is an error of
	// ClassDuplicate, never an overwrite.
	Insert(v *schema.View, rows []row.Row) Query
	// Advance moves the positions of the view's Identity columns past the rows'
	// values, never backwards; false where Insert does that by itself, or there
	// is none.
	Advance(v *schema.View, rows []row.Row) (Query, bool)
	// Update writes the columns at the given positions of the rows with the
	// given rows' keys, to each its own values. The rows have different keys,
	// and of several rows no position is one of the key's.
	Update(v *schema.View, rows []row.Row, positions []int) Query
	// UpdateRows is the largest number of rows Update is to be given; at least 1.
	UpdateRows() int
	// Delete removes the rows with the given keys.
	Delete(v *schema.View, keys []row.Key) Query

	// Probes are what the engine can be asked about its load. Of several for one
	// figure the first that works is to be used.
	Probes() []Probe
	// Cores asks for the number of the server's cores, one number in one row;
	// false where the engine does not tell.
	Cores() (Query, bool)

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
