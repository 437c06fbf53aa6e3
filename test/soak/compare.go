package main

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// asText is the text of a column as each engine is asked for it: the same for
// equal values, and none the same for different ones. Nothing here is the
// product's: it is what its verdict is held against.
var asText = map[engine]map[kind]string{
	mariadb: {
		integer: "CAST(%s AS CHAR)", number: "CAST(%s AS CHAR)", double: "CAST(CAST(%s AS DECIMAL(40,10)) AS CHAR)", truth: "CAST(%s AS CHAR)",
		moment: "DATE_FORMAT(%s, '%%Y-%%m-%%d %%H:%%i:%%s.%%f')", binary: "LOWER(HEX(%s))", word: "LOWER(HEX(%s))", text: "LOWER(HEX(%s))",
	},
	postgres: {
		integer: "%s::text", number: "%s::text", double: "%s::numeric(40,10)::text", truth: "%s::int::text",
		moment: "to_char(%s, 'YYYY-MM-DD HH24:MI:SS.US')", binary: "encode(%s, 'hex')", word: "encode(convert_to(%s, 'UTF8'), 'hex')", text: "encode(convert_to(%s, 'UTF8'), 'hex')",
	},
}

// rowsOf reads a whole table: key to row, both as text.
func rowsOf(ctx context.Context, db *database, t *table) (map[string]string, error) {
	columns := make([]string, len(t.columns))
	for i, c := range t.columns {
		columns[i] = fmt.Sprintf(asText[db.engine][c.kind], c.name)
	}
	rows, err := db.QueryContext(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM "+t.name)
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", t.name, db.engine, err)
	}
	defer rows.Close()
	out := map[string]string{}
	values := make([]sql.NullString, len(columns))
	targets := make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, fmt.Errorf("read %s of %s: %w", t.name, db.engine, err)
		}
		out[textOf(values[:t.keys])] = textOf(values)
	}
	return out, rows.Err()
}

func textOf(values []sql.NullString) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = "NULL" // no text above has capitals
		if v.Valid {
			texts[i] = v.String
		}
	}
	return strings.Join(texts, "|")
}

// differences holds all rows of both sides against each other, and says what
// differs in a line each.
func differences(ctx context.Context, authority, target *database) (rows int, out []string, err error) {
	for _, t := range tables {
		n, different, err := differencesIn(ctx, authority, target, t)
		if err != nil {
			return rows, nil, err
		}
		rows, out = rows+n, append(out, different...)
	}
	return rows, out, nil
}

func differencesIn(ctx context.Context, authority, target *database, t *table) (rows int, out []string, err error) {
	want, err := rowsOf(ctx, authority, t)
	if err != nil {
		return 0, nil, err
	}
	got, err := rowsOf(ctx, target, t)
	if err != nil {
		return 0, nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		row, there := got[key]
		switch {
		case !there:
			out = append(out, fmt.Sprintf("%s %s: the copy lacks it: %s", t.name, key, want[key]))
		case row != want[key]:
			out = append(out, fmt.Sprintf("%s %s: the authority has %s, the copy %s", t.name, key, want[key], row))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, there := want[key]; !there {
			out = append(out, fmt.Sprintf("%s %s: only the copy has it: %s", t.name, key, got[key]))
		}
	}
	return len(want), out, nil
}

// untouched holds the authority against what its writers know they wrote: a line
// for each row that somebody else changed.
func untouched(ctx context.Context, authority *database, writers []*writer) ([]string, error) {
	var out []string
	for _, t := range tables {
		var slots []*slot
		for _, w := range writers {
			slots = append(slots, w.slots[t]...)
		}
		strange, err := untouchedIn(ctx, authority, t, slots)
		if err != nil {
			return nil, err
		}
		out = append(out, strange...)
	}
	slices.Sort(out)
	return out, nil
}

// untouchedIn does so for a table, of whose keys there is a slot each.
func untouchedIn(ctx context.Context, authority *database, t *table, slots []*slot) ([]string, error) {
	var out []string
	want := map[string]int64{}
	for _, s := range slots {
		if s.live() && s.table == t {
			want[fmt.Sprint(s.key())] = s.version()
		}
	}
	got, err := versionsOf(ctx, authority, t)
	if err != nil {
		return nil, err
	}
	for key, version := range want {
		if got[key] != version {
			out = append(out, fmt.Sprintf("%s %s: its writer left version %d, the authority has %d (0: no row)", t.name, key, version, got[key]))
		}
	}
	for key := range got {
		if _, there := want[key]; !there {
			out = append(out, fmt.Sprintf("%s %s: its writer deleted it, the authority has it", t.name, key))
		}
	}
	return out, nil
}

// versionsOf reads the version of every row.
func versionsOf(ctx context.Context, db *database, t *table) (map[string]int64, error) {
	rows, err := db.QueryContext(ctx, "SELECT "+join(t.names(t.columns[:t.keys+1]))+" FROM "+t.name)
	if err != nil {
		return nil, fmt.Errorf("read the versions of %s: %w", t.name, err)
	}
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		key, version, err := scanKey(rows, t)
		if err != nil {
			return nil, err
		}
		out[key] = version
	}
	return out, rows.Err()
}

// scanKey reads a key, as text, and the number behind it.
func scanKey(rows *sql.Rows, t *table) (key string, version int64, err error) {
	values := make([]any, t.keys)
	targets := []any{}
	for i := range values {
		targets = append(targets, &values[i])
	}
	if err := rows.Scan(append(targets, &version)...); err != nil {
		return "", 0, fmt.Errorf("read a key of %s: %w", t.name, err)
	}
	for i, v := range values {
		if raw, ok := v.([]byte); ok {
			values[i] = string(raw)
		}
	}
	return fmt.Sprint(values), version, nil
}

func join(names []string) string { return strings.Join(names, ", ") }
