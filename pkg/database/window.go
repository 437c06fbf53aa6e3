package database

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trueup/trueup/pkg/schema"
)

// Span is the first and the last time in a column, to the second, in UTC; zero
// times when no row has one. Times that only one of the engines has are left out.
func (db *DB) Span(ctx context.Context, v *schema.View, c schema.Column) (first, last time.Time, err error) {
	what := subject{op: "find the first and the last " + c.Name + " of", table: v.Table.Name.String()}
	line, err := db.readLine(ctx, db.dialect.Span(v, c), 2)
	if err != nil {
		return first, last, db.fail(ctx, what, err)
	}
	if line[0] == nil || line[1] == nil {
		return first, last, nil
	}
	first, err = time.Parse(time.DateTime, *line[0])
	if err == nil {
		last, err = time.Parse(time.DateTime, *line[1])
	}
	if err != nil {
		return time.Time{}, time.Time{}, db.fail(ctx, what, err)
	}
	return first, last, nil
}

// CountWindows counts rows window by window, without those that have none.
func (db *DB) CountWindows(ctx context.Context, v *schema.View, w schema.Windows) ([]schema.WindowRows, error) {
	what := subject{op: "count rows of", table: v.Table.Name.String(), detail: fmt.Sprintf("by %s from %s to %s",
		w.Column.Name, w.From.Format(time.DateTime), w.Until().Format(time.DateTime))}
	var out []schema.WindowRows
	err := db.session(ctx, func(s session) error {
		out = nil
		lines, err := readTexts(ctx, s, db.dialect.Windows(v, w))
		if err != nil {
			return err
		}
		for _, line := range lines {
			rows, err := windowRows(line, w.N)
			if err != nil {
				return err
			}
			out = append(out, rows)
		}
		return nil
	})
	if err != nil {
		return nil, db.fail(ctx, what, err)
	}
	return out, nil
}

func windowRows(line []*string, n int) (schema.WindowRows, error) {
	if len(line) != 2 {
		return schema.WindowRows{}, fmt.Errorf("%d columns came back where 2 were asked for", len(line))
	}
	window, err := count(line[0])
	if err != nil {
		return schema.WindowRows{}, err
	}
	if window < schema.NoTime || window >= int64(n) {
		return schema.WindowRows{}, errors.New("a row lies in a window that was not asked for")
	}
	rows, err := count(line[1])
	return schema.WindowRows{Window: int(window), Rows: rows}, err
}

// During is the condition that a column lies in a stretch of time, in the
// engine's SQL: a zero time leaves that end open, two ask for NULL.
func (db *DB) During(c schema.Column, from, until time.Time) string {
	return db.dialect.During(c, from, until)
}
