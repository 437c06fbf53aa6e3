package main

import (
	"context"
	"database/sql"
	"fmt"
)

// audit is the demo's own comparison, which shares nothing with trueup's: it
// reads both databases row by row and returns in how many rows they differ.
func audit(ctx context.Context, source, target *sql.DB) (different int, err error) {
	for _, t := range shop {
		want, err := t.read(ctx, source)
		if err != nil {
			return 0, fmt.Errorf("read %s at the source: %w", t.name, err)
		}
		got, err := t.read(ctx, target)
		if err != nil {
			return 0, fmt.Errorf("read %s at the target: %w", t.name, err)
		}
		for id, row := range want {
			if copied, there := got[id]; !there || copied != row {
				different++
			}
			delete(got, id)
		}
		different += len(got) // rows that the source lacks
	}
	return different, nil
}

// read returns the table's rows by their key, each as a text that no other
// row has.
func (t table) read(ctx context.Context, db *sql.DB) (map[int64]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT * FROM "+t.name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var id int64
	values := make([]sql.NullString, len(columns)-1)
	into := []any{&id}
	for i := range values {
		into = append(into, &values[i])
	}
	all := map[int64]string{}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		all[id] = fmt.Sprintf("%#v", values)
	}
	return all, rows.Err()
}
