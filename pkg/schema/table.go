// Package schema describes tables as their servers report them, and pairs as
// the comparison needs them: a mapping resolved against both tables gives two
// views with the same columns in the same order. It performs no I/O.
package schema

import (
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
)

// Name is a table's name; Schema may be empty, then the connection's default
// schema is meant.
type Name struct {
	Schema string
	Table  string
}

// ParseName reads "table" or "schema.table". Only the first dot separates, so
// a table whose name holds a dot is written with its schema.
func ParseName(text string) Name {
	if s, t, ok := strings.Cut(text, "."); ok {
		return Name{Schema: s, Table: t}
	}
	return Name{Table: text}
}

// String is the name as ParseName reads it.
func (n Name) String() string {
	if n.Schema == "" {
		return n.Table
	}
	return n.Schema + "." + n.Table
}

// Column is one column of a table.
type Column struct {
	Name string
	// Native is the full type in the engine's own words: "bigint(20) unsigned", "numeric(10,2)".
	Native string
	// Base is the type's bare name in lower case: "bigint", "numeric", "char".
	Base string
	// Type is how its values are compared when the other side is alike. Its
	// Kind is canonical.Unsupported when the project cannot compare it; Reason
	// then says why.
	Type   canonical.Type
	Reason string
	// Length is the declared length in characters or bytes, 0 when unlimited.
	Length int64
	// Precision counts fractional digits: of seconds for times, of the number
	// for decimals; -1 when the type leaves it open.
	Precision int
	Unsigned  bool
	Nullable  bool
	// Generated columns are computed by the server and cannot be written.
	Generated bool
	// Identity columns take their next value from the server (AUTO_INCREMENT,
	// GENERATED AS IDENTITY, serial).
	Identity bool
	// AlwaysIdentity columns refuse a written value unless told otherwise
	// (PostgreSQL GENERATED ALWAYS AS IDENTITY).
	AlwaysIdentity bool
	HasDefault     bool
	// Default is the default's expression in the server's own SQL, literals in
	// quotes; empty when there is none.
	Default string
	// Next is the next value of an Identity column, in decimal digits; empty
	// when this user may not see it.
	Next string
	// Words are the values an enum or a set is made of, in their order.
	Words []string
	// OnUpdate columns are set by the server whenever their row changes, unless
	// the statement writes them (MySQL ON UPDATE CURRENT_TIMESTAMP).
	OnUpdate bool
	// Charset and Collation belong to text columns; empty otherwise. Two
	// equal Collation texts on the same engine sort alike.
	Charset   string
	Collation string
}

// UniqueKey is a unique index over whole columns.
type UniqueKey struct {
	Name    string
	Columns []string
	Primary bool
}

// Table is a table as its server describes it.
type Table struct {
	Name   Name
	Engine string // "mysql", "mariadb" or "postgres"
	// Identity tells the table from a later one of the same name: PostgreSQL's
	// OID, MySQL's time of creation, which every rebuild renews. Empty: unknown.
	Identity string
	Columns  []Column
	// Keys are the unique keys, the primary key first. Partial indexes and
	// indexes on expressions or prefixes are not among them.
	Keys []UniqueKey
	// Indexes are the leading columns of every index, for warnings about
	// scans without one.
	Indexes [][]string
	// Triggers are the names of the table's row triggers.
	Triggers []string
	// Checks are the table's check constraints, but for those that make a type.
	Checks []Check
	// References are the table's own foreign keys, ReferencedBy those of tables
	// (itself among them) that refer to it. AllReferences says whether this user
	// could have seen every table of the database that does.
	References    []ForeignKey
	ReferencedBy  []ForeignKey
	AllReferences bool
	// Rows is the engine's estimate of the number of rows, for progress only.
	Rows int64
	// RowBytes is the engine's estimate of a row's average size, 0 when unknown.
	RowBytes int64
}

// Column finds a column by its name. Names compare without regard to case
// only when no column matches exactly.
func (t *Table) Column(name string) (Column, bool) {
	for _, c := range t.Columns {
		if c.Name == name {
			return c, true
		}
	}
	for _, c := range t.Columns {
		if strings.EqualFold(c.Name, name) {
			return c, true
		}
	}
	return Column{}, false
}
