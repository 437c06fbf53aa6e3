package main

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

// change is a row as a transaction left it.
type change struct {
	table *table
	// row has a value for each column; of a row that is gone only the key and the
	// version count.
	row  []any
	gone bool
}

func (c change) key() []any     { return c.row[:c.table.keys] }
func (c change) version() int64 { return c.row[c.table.keys].(int64) }

// transaction is what a writer committed at once: the last state of each row
// that it touched.
type transaction struct {
	changes []change
	at      time.Time
}

// apply makes the changes in a transaction of a database. Rows that take each
// other's unique values are parked first. With forced, rows in the way, having a
// unique value that another now has, are removed, as a replicator does that goes
// on over duplicate keys; their number is returned.
func apply(ctx context.Context, tx *sql.Tx, e engine, changes []change, forced bool) (removed int64, err error) {
	a := applier{ctx: ctx, tx: tx, engine: e}
	present := slices.DeleteFunc(slices.Clone(changes), func(c change) bool { return c.gone })
	for _, c := range slices.Backward(changes) {
		if c.gone {
			a.exec("DELETE FROM "+c.table.name+" WHERE "+c.table.isKey(), c.key()...)
		}
	}
	for _, c := range present {
		if len(present) > 1 && len(c.table.uniques) > 0 {
			a.exec("UPDATE items SET code = NULL, place = -id WHERE id = ?", c.row[0])
		}
	}
	for _, c := range present {
		if forced {
			removed += a.clear(c)
		}
		a.put(c)
	}
	return removed, a.err
}

// applier executes statements until one fails.
type applier struct {
	ctx    context.Context
	tx     *sql.Tx
	engine engine
	err    error
}

func (a *applier) exec(query string, args ...any) int64 {
	if a.err != nil {
		return 0
	}
	result, err := a.tx.ExecContext(a.ctx, ours+a.engine.spell(query), args...)
	if err != nil {
		a.err = fmt.Errorf("%s %v: %w", query, args, err)
		return 0
	}
	n, err := result.RowsAffected()
	a.err = err
	return n
}

// clear removes the rows that have a unique value which the changed row has now.
func (a *applier) clear(c change) (removed int64) {
	for _, u := range c.table.uniques {
		var args []any
		for _, name := range u {
			args = append(args, c.row[c.table.column(name)])
		}
		if !slices.Contains(args, nil) {
			removed += a.exec("DELETE FROM "+c.table.name+" WHERE "+strings.Join(u, " = ? AND ")+" = ? AND id <> ?", append(args, c.row[0])...)
		}
	}
	return removed
}

// put updates the row, or inserts it.
func (a *applier) put(c change) {
	t := c.table
	rest := t.names(t.columns[t.keys:])
	if a.exec("UPDATE "+t.name+" SET "+strings.Join(rest, " = ?, ")+" = ? WHERE "+t.isKey(), slices.Concat(c.row[t.keys:], c.key())...) == 0 {
		a.exec("INSERT INTO "+t.name+" ("+strings.Join(t.names(t.columns), ", ")+") VALUES ("+marks(len(c.row))+")", c.row...)
	}
}

// note writes into the ledger which versions are on the copy now.
func (a *applier) note(changes []change) {
	for _, c := range changes {
		t := c.table
		args := slices.Concat([]any{c.version(), c.gone}, c.key())
		if a.exec("UPDATE "+t.ledger()+" SET version = ?, gone = ? WHERE "+t.isKey(), args...) == 0 {
			a.exec("INSERT INTO "+t.ledger()+" (version, gone, "+strings.Join(t.names(t.columns[:t.keys]), ", ")+") VALUES ("+marks(len(args))+")", args...)
		}
	}
}

func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

// inTransaction runs do in a transaction and commits it.
func inTransaction(ctx context.Context, db *database, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback() // the error that matters is that of the statement
		return err
	}
	return tx.Commit()
}

// load writes rows to both sides as they are before the soak: equal, and noted.
func load(ctx context.Context, authority, target *database, changes []change) error {
	const batch = 500
	for part := range slices.Chunk(changes, batch) {
		err := inTransaction(ctx, authority, func(tx *sql.Tx) error { return insert(ctx, tx, authority.engine, part, false) })
		if err == nil {
			err = inTransaction(ctx, target, func(tx *sql.Tx) error { return insert(ctx, tx, target.engine, part, true) })
		}
		if err != nil {
			return fmt.Errorf("load the tables: %w", err)
		}
	}
	return nil
}

func insert(ctx context.Context, tx *sql.Tx, e engine, changes []change, noted bool) error {
	a := applier{ctx: ctx, tx: tx, engine: e}
	for _, c := range changes {
		a.put(c)
	}
	if noted {
		a.note(changes)
	}
	return a.err
}
