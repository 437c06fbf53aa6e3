// Package dialecttest holds every dialect to one contract, on a real server and
// through package database: what it says about tables, what its texts and
// digests are, where its ranges cut, what its writes touch.
package dialecttest

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/trueup/trueup/internal/testenv"
	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Case is one column type and values that are hard on it.
type Case struct {
	// Type is the column's type in DDL.
	Type string
	// Kind is what inspection must make of it.
	Kind canonical.Kind
	// As is the type to compare in where that is not the column's own.
	As canonical.Kind
	// Inexact cases have a server-side text that only the same engine shares.
	Inexact bool
	// Key says that the type can be a key and all values differ in its index.
	Key bool
	// Values are at least two, all different. NULL is added to them.
	Values []Value
}

// Value is one value: as the server's own SQL spells it, and its canonical text.
type Value [2]string

// Engine is what the suite has to know about a server.
type Engine struct {
	// DSN is the URL of an empty database.
	DSN string
	// Before are statements to run first: types the cases use.
	Before []string
	Cases  []Case
	// Refused are types that must be Unsupported, for a Reason that names them.
	Refused []string
}

// Exercise runs the contract.
func Exercise(t *testing.T, e Engine) {
	s := open(t, e.DSN)
	s.exec(t, e.Before...)
	t.Run("every type reads, digests and writes exactly", func(t *testing.T) {
		for _, c := range e.Cases {
			t.Run(c.name(), func(t *testing.T) {
				s.exerciseType(t, c)
				if c.Key {
					s.exerciseKey(t, c)
				}
			})
		}
	})
	t.Run("types without a sound comparison are refused by name", func(t *testing.T) { s.exerciseRefused(t, e.Refused) })
	t.Run("a table is described", s.exerciseDescription)
	t.Run("foreign keys are described on both sides", s.exerciseReferences)
	t.Run("defaults, checks and positions are described", s.exerciseDefaults)
	t.Run("a missing table is named", s.exerciseMissingTable)
	t.Run("ranges cover all rows exactly once", s.exerciseWalks)
	t.Run("composite ranges cut between any two keys", s.exerciseCuts)
	t.Run("the row filter holds everywhere", s.exerciseFilter)
	t.Run("rows are counted by windows of time", s.exerciseWindows)
	t.Run("fixed columns hold in every statement", s.exerciseFixed)
	t.Run("constants stand for columns", s.exerciseConstants)
	t.Run("frames keep texts apart", s.exerciseFrames)
	t.Run("long values are digested by themselves", s.exerciseLong)
	t.Run("look-ups are exact", s.exerciseLookups)
	t.Run("keys that cannot be are not there", s.exerciseForeignKeys)
	t.Run("locks skip what others hold", s.exerciseLocks)
	t.Run("an update touches the given columns only", s.exerciseUpdates)
	t.Run("an update of many rows gives each its own values", s.exerciseUpdatesTogether)
	t.Run("a key that exists is never overwritten", s.exerciseDuplicates)
	t.Run("the holders of unique values are found", s.exerciseHolders)
	t.Run("a table goes on after values it was given", s.exercisePositions)
	t.Run("a sequence goes on in its own steps and bounds", s.exerciseSequences)
	t.Run("errors have their class", s.exerciseClasses)
	t.Run("names are only names", s.exerciseNames)
	t.Run("a read-only session refuses to write", s.exerciseReadOnly)
}

func (c Case) name() string {
	if c.As != canonical.Unsupported {
		return c.Type + " as " + c.As.String()
	}
	return c.Type
}

// suite is a database under test.
type suite struct {
	dsn string
	db  *database.DB
	d   dialect.Dialect
}

func open(t *testing.T, dsn string) *suite {
	t.Helper()
	db, err := database.Open(t.Context(), database.Config{DSN: dsn})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return &suite{dsn: dsn, db: db, d: db.Dialect()}
}

// exec runs statements on one connection with the session settings of a writer.
func (s *suite) exec(t *testing.T, statements ...string) {
	t.Helper()
	setup := s.d.Setup(false)
	if s.d.Engine() != "postgres" { // tables are made and dropped here, which others' transactions may keep waiting
		setup = append(setup, "SET SESSION lock_wait_timeout = DEFAULT")
	}
	testenv.Exec(t, s.dsn, append(setup, statements...)...)
}

// view inspects a table and returns a view of all its columns in their own
// types, with the given key.
func (s *suite) view(t *testing.T, table string, key ...string) *schema.View {
	t.Helper()
	described, err := s.db.Table(t.Context(), schema.Name{Table: table})
	must(t, err)
	v := &schema.View{Table: described}
	for _, c := range described.Columns {
		v.Columns = append(v.Columns, schema.ViewColumn{Column: c, As: c.Type})
	}
	for _, name := range key {
		p := slices.IndexFunc(described.Columns, func(c schema.Column) bool { return c.Name == name })
		if p < 0 {
			t.Fatalf("table %s has no column %s", table, name)
		}
		v.Key = append(v.Key, p)
	}
	return v
}

func (s *suite) rows(t *testing.T, v *schema.View, r row.Range) []row.Row {
	t.Helper()
	cursor, err := s.db.Rows(t.Context(), v, r)
	must(t, err)
	defer cursor.Close()
	var out []row.Row
	for {
		next, err := cursor.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		must(t, err)
		out = append(out, next.Clone())
	}
}

func (s *suite) digest(t *testing.T, v *schema.View, r row.Range) row.Digest {
	t.Helper()
	d, err := s.db.Digest(t.Context(), v, r)
	must(t, err)
	return d
}

// write runs f in a transaction and commits.
func (s *suite) write(t *testing.T, f func(ctx context.Context, tx *database.Tx) error) error {
	t.Helper()
	tx, err := s.db.Begin(t.Context())
	must(t, err)
	defer tx.Rollback()
	if err := f(t.Context(), tx); err != nil {
		return err
	}
	return tx.Commit(t.Context())
}

// key makes a key of texts.
func key(values ...string) row.Key {
	out := make(row.Key, len(values))
	for i, v := range values {
		out[i] = row.Value(v)
	}
	return out
}

// show is a row for a message: NULL is a name, texts are quoted.
func show(r row.Row) string {
	texts := make([]string, len(r))
	for i, v := range r {
		if texts[i] = "NULL"; !v.IsNull() {
			texts[i] = "'" + string(v) + "'"
		}
	}
	return "(" + strings.Join(texts, ", ") + ")"
}

func sameRow(a, b row.Row) bool {
	return slices.EqualFunc(a, b, func(x, y row.Value) bool { return x.IsNull() == y.IsNull() && string(x) == string(y) })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
