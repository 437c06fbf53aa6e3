package database

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Table inspects a table. One that does not exist is an error that names it.
func (db *DB) Table(ctx context.Context, name schema.Name) (*schema.Table, error) {
	what := subject{op: "inspect", table: name.String()}
	var results [][][]*string
	err := db.session(ctx, func(s session) error {
		results = nil
		for _, q := range db.dialect.Inspect(name) {
			lines, err := readTexts(ctx, s, q)
			if err != nil {
				return err
			}
			results = append(results, lines)
		}
		return nil
	})
	if err != nil {
		return nil, db.fail(ctx, what, err)
	}
	table, err := db.dialect.Describe(name, results)
	if err != nil {
		return nil, &Error{Op: what.op, Table: what.table, Class: dialect.ClassSchema, Err: err}
	}
	return table, nil
}

// Boundary returns the n-th key after the given one (nil: from the start), or
// nil when fewer than n rows are left.
func (db *DB) Boundary(ctx context.Context, v *schema.View, after row.Key, n int) (row.Key, error) {
	what := subject{op: "find the end of a range of", table: v.Table.Name.String(), detail: row.Range{After: after}.String()}
	rows, err := db.read(ctx, v.KeyColumns(), db.dialect.Boundary(v, after, n))
	if err == nil && len(rows) > 1 {
		err = fmt.Errorf("%d rows came back where one was asked for", len(rows))
	}
	if err != nil {
		return nil, db.fail(ctx, what, err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return row.Key(rows[0]), nil
}

// Digest counts and digests a range on the server. A range too large for the
// server to digest is an error of ClassLimit; a smaller one may succeed.
func (db *DB) Digest(ctx context.Context, v *schema.View, r row.Range) (row.Digest, error) {
	what := subject{op: "digest rows of", table: v.Table.Name.String(), detail: r.String()}
	line, err := db.readLine(ctx, db.dialect.Digest(v, r), 3)
	if err != nil {
		return row.Digest{}, db.fail(ctx, what, err)
	}
	d, err := digest(line)
	if large, ok := errors.AsType[*tooLargeError](err); ok {
		large.packet = db.packet
	}
	if err != nil {
		return row.Digest{}, db.fail(ctx, what, err)
	}
	return d, nil
}

// digestLength is the hexadecimal length of an MD5 sum.
const digestLength = 32

// digest reads the answer to a digest: rows, sum, bytes.
func digest(line []*string) (row.Digest, error) {
	var d row.Digest
	var err error
	if d.Rows, err = count(line[0]); err != nil {
		return d, err
	}
	if d.Rows == 0 {
		return d, nil
	}
	if d.Bytes, err = count(line[2]); err != nil {
		return d, err
	}
	if line[1] == nil {
		return d, &tooLargeError{rows: d.Rows}
	}
	if d.Sum = strings.ToLower(*line[1]); len(d.Sum) != digestLength {
		return d, fmt.Errorf("the server digests to %q, which is no MD5 sum", d.Sum)
	}
	return d, nil
}

// Rows streams the rows of a range in key order. The cursor holds a connection
// until it ends or is closed, and lives no longer than ctx.
func (db *DB) Rows(ctx context.Context, v *schema.View, r row.Range) (row.Cursor, error) {
	c := &cursor{
		db: db, ctx: ctx, decoder: newDecoder(db.dialect, v.Columns),
		what: subject{op: "read rows of", table: v.Table.Name.String(), detail: r.String()},
	}
	err := again(func() error {
		s, err := db.pool.acquire(ctx)
		if err != nil {
			return err
		}
		if c.stream, err = s.start(ctx, db.dialect.Rows(v, r)); err != nil {
			s.release()
			return err
		}
		c.session = s
		return nil
	})
	if err != nil {
		return nil, db.fail(ctx, c.what, err)
	}
	return c, nil
}

// Lookup returns the rows with the given keys, in any order; those that do not
// exist are left out. Many keys take several statements, each of which sees its
// own fresh snapshot.
func (db *DB) Lookup(ctx context.Context, v *schema.View, keys []row.Key) ([]row.Row, error) {
	out := make([]row.Row, 0, len(keys))
	err := split(db.limits, keys,
		func(part []row.Key) dialect.Query { return db.dialect.Lookup(v, part) },
		func(q dialect.Query) error {
			rows, err := db.read(ctx, v.Columns, q)
			out = append(out, rows...)
			return err
		})
	if err != nil {
		return nil, db.fail(ctx, lookupOf(v, keys), err)
	}
	return out, nil
}

func lookupOf(v *schema.View, keys []row.Key) subject {
	return subject{op: "look up rows of", table: v.Table.Name.String(), detail: fmt.Sprintf("(%d keys)", len(keys))}
}

// Count counts the rows of the view.
func (db *DB) Count(ctx context.Context, v *schema.View) (int64, error) {
	what := subject{op: "count rows of", table: v.Table.Name.String()}
	line, err := db.readLine(ctx, db.dialect.Count(v), 1)
	if err != nil {
		return 0, db.fail(ctx, what, err)
	}
	n, err := count(line[0])
	if err != nil {
		return 0, db.fail(ctx, what, err)
	}
	return n, nil
}

// Now is the server's clock, in UTC to the microsecond.
func (db *DB) Now(ctx context.Context) (time.Time, error) {
	what := subject{op: "read the clock of " + db.redacted}
	line, err := db.readLine(ctx, dialect.Query{SQL: db.now}, 1)
	if err != nil {
		return time.Time{}, db.fail(ctx, what, err)
	}
	now, err := time.Parse("2006-01-02 15:04:05.999999", *line[0])
	if err != nil {
		return time.Time{}, db.fail(ctx, what, err)
	}
	return now, nil
}

// read runs a query in a session of its own and clones its rows.
func (db *DB) read(ctx context.Context, columns []schema.ViewColumn, q dialect.Query) ([]row.Row, error) {
	var out []row.Row
	err := db.session(ctx, func(s session) error {
		rows, err := s.start(ctx, q)
		if err != nil {
			return err
		}
		out, err = collect(newDecoder(db.dialect, columns), rows, nil)
		return err
	})
	return out, err
}

// readLine runs a query that returns exactly one row of width texts.
func (db *DB) readLine(ctx context.Context, q dialect.Query, width int) ([]*string, error) {
	var line []*string
	err := db.session(ctx, func(s session) (err error) {
		line, err = lineOf(ctx, s, q, width)
		return err
	})
	return line, err
}

func lineOf(ctx context.Context, s session, q dialect.Query, width int) ([]*string, error) {
	lines, err := readTexts(ctx, s, q)
	if err != nil {
		return nil, err
	}
	if len(lines) != 1 || len(lines[0]) != width {
		return nil, fmt.Errorf("%d rows came back where one row of %d columns was asked for", len(lines), width)
	}
	return lines[0], nil
}

func readTexts(ctx context.Context, s session, q dialect.Query) ([][]*string, error) {
	rows, err := s.start(ctx, q)
	if err != nil {
		return nil, err
	}
	return texts(rows)
}
