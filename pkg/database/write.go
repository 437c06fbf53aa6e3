package database

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Tx is a writable transaction at READ COMMITTED. It is not safe for concurrent
// use, and ends with Commit or Rollback.
//
// After an error only Rollback is possible: a deadlock has undone the
// transaction on MySQL, where further statements would each commit on their
// own, and PostgreSQL would answer COMMIT with a rollback that looks like
// success.
type Tx struct {
	db      *DB
	session session
	broken  error
}

// Begin starts a transaction.
func (db *DB) Begin(ctx context.Context) (*Tx, error) {
	what := subject{op: "begin a transaction on " + db.redacted}
	if db.readOnly {
		return nil, db.fail(ctx, what, errReadOnly)
	}
	// Whether writing is allowed is for the server to say, which may have become a
	// copy's, or been fenced by an operator (default_transaction_read_only).
	begin := "BEGIN ISOLATION LEVEL READ COMMITTED"
	if db.dialect.Engine() != "postgres" {
		begin = "START TRANSACTION" // READ COMMITTED is a setting of the session
	}
	tx := &Tx{db: db}
	err := again(func() error {
		s, err := db.pool.acquire(ctx)
		if err != nil {
			return err
		}
		if err := s.command(ctx, begin); err != nil {
			s.discard()
			return err
		}
		tx.session = s
		return nil
	})
	if err != nil {
		return nil, db.fail(ctx, what, err)
	}
	return tx, nil
}

var (
	errReadOnly = errors.New("the database was opened for reading only")
	errEnded    = errors.New("the transaction has ended")
)

// Lock is Lookup that locks what it returns until the transaction ends, in key
// order within a statement. Rows that another transaction holds are left out,
// like those that do not exist. Give many keys in key order: they take several
// statements.
func (tx *Tx) Lock(ctx context.Context, v *schema.View, keys []row.Key) ([]row.Row, error) {
	return tx.rows(ctx, v, keys, "lock rows of", tx.db.dialect.Lock)
}

// Lookup returns the rows with the given keys, as DB.Lookup does, and sees what
// the transaction has written.
func (tx *Tx) Lookup(ctx context.Context, v *schema.View, keys []row.Key) ([]row.Row, error) {
	return tx.rows(ctx, v, keys, "look up rows of", tx.db.dialect.Lookup)
}

func (tx *Tx) rows(
	ctx context.Context, v *schema.View, keys []row.Key, op string, spell func(*schema.View, []row.Key) dialect.Query,
) ([]row.Row, error) {
	var out []row.Row
	decoder := newDecoder(tx.db.dialect, v.Columns)
	err := tx.do(ctx, subject{op, v.Table.Name.String(), fmt.Sprintf("(%d keys)", len(keys))}, func() error {
		return split(tx.db.limits, keys,
			func(part []row.Key) dialect.Query { return spell(v, part) },
			func(q dialect.Query) error {
				rows, err := tx.session.start(ctx, q)
				if err != nil {
					return err
				}
				out, err = collect(decoder, rows, out)
				return err
			})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Insert writes whole rows, and has the numbers that the table gives out by
// itself go on after theirs: a sequence does not know of values it did not give.
// A key that exists is an error of ClassDuplicate.
func (tx *Tx) Insert(ctx context.Context, v *schema.View, rows []row.Row) error {
	const op = "insert rows into"
	rows, err := tx.own(ctx, v, op, rows)
	if err != nil {
		return err
	}
	_, err = write(ctx, tx, v, op, rows,
		func(part []row.Row) dialect.Query { return tx.db.dialect.Insert(v, part) })
	if q, needed := tx.db.dialect.Advance(v, rows); needed && err == nil {
		return tx.do(ctx, subject{op: "advance the sequence of", table: v.Table.Name.String()}, func() error {
			_, err := tx.session.exec(ctx, q)
			return err
		})
	}
	return err
}

// Update writes the columns at the given positions of the row with r's key, and
// returns the number of rows with that key: 0 or 1. A row that already was as
// written counts.
func (tx *Tx) Update(ctx context.Context, v *schema.View, r row.Row, positions []int) (int64, error) {
	return tx.UpdateAll(ctx, v, []row.Row{r}, positions)
}

// UpdateAll is Update for rows of different keys, each with its own values for
// the same columns. It returns how many of the keys have a row.
func (tx *Tx) UpdateAll(ctx context.Context, v *schema.View, rows []row.Row, positions []int) (int64, error) {
	most := tx.db.dialect.UpdateRows()
	if slices.ContainsFunc(positions, v.IsKey) {
		most = 1 // a key that changes must not be taken for another row's
	}
	const op = "update rows of"
	rows, err := tx.own(ctx, v, op, rows, positions...)
	if err != nil {
		return 0, err
	}
	var total int64
	for part := range slices.Chunk(rows, most) {
		n, err := write(ctx, tx, v, op, part,
			func(part []row.Row) dialect.Query { return tx.db.dialect.Update(v, part, positions) })
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}

// own are the rows as the table holds them, see dialect.Own.
func (tx *Tx) own(ctx context.Context, v *schema.View, op string, rows []row.Row, positions ...int) ([]row.Row, error) {
	out := make([]row.Row, len(rows))
	err := tx.do(ctx, subject{op: op, table: v.Table.Name.String()}, func() error {
		for i, r := range rows {
			var err error
			if out[i], err = dialect.Own(v, r, positions...); err != nil {
				return &valueError{err}
			}
		}
		return nil
	})
	return out, err
}

// Delete removes the rows with the given keys and returns their number.
func (tx *Tx) Delete(ctx context.Context, v *schema.View, keys []row.Key) (int64, error) {
	return write(ctx, tx, v, "delete rows from", keys,
		func(part []row.Key) dialect.Query { return tx.db.dialect.Delete(v, part) })
}

// write runs what build spells in statements of bounded size.
func write[T any](
	ctx context.Context, tx *Tx, v *schema.View, op string, items []T, build func([]T) dialect.Query,
) (int64, error) {
	var total int64
	err := tx.do(ctx, subject{op: op, table: v.Table.Name.String()}, func() error {
		return split(tx.db.limits, items, build, func(q dialect.Query) error {
			n, err := tx.session.exec(ctx, q)
			total += n
			return err
		})
	})
	return total, err
}

// do runs one step and remembers its error.
func (tx *Tx) do(ctx context.Context, what subject, step func() error) error {
	err := tx.usable()
	if err == nil {
		if err = step(); err != nil {
			tx.broken = err
		}
	}
	if err != nil {
		return tx.db.fail(ctx, what, err)
	}
	return nil
}

func (tx *Tx) usable() error {
	switch {
	case tx.session == nil:
		return errEnded
	case tx.broken != nil:
		return fmt.Errorf("the transaction can only be rolled back after: %w", tx.broken)
	default:
		return nil
	}
}

// Commit makes the writes durable. After an error they may or may not be: the
// connection can be lost between the server's commit and its answer.
func (tx *Tx) Commit(ctx context.Context) error {
	err := tx.do(ctx, subject{op: "commit on " + tx.db.redacted}, func() error {
		return tx.session.command(ctx, "COMMIT")
	})
	if err == nil {
		tx.session.release()
		tx.session = nil
	}
	return err
}

// Rollback undoes the writes. It may be called at any time, also after Commit,
// when it does nothing. A server that cannot be told undoes them by itself, as
// the connection is closed. So it is where the server takes no writes: after a
// failover the same name leads to another one, and what sessions may do is
// settled as they begin.
func (tx *Tx) Rollback() {
	if tx.session == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	if err := tx.session.command(ctx, "ROLLBACK"); err != nil || isReadOnly(tx.broken) {
		tx.session.discard()
	} else {
		tx.session.release()
	}
	tx.session = nil
}
