package database

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Akin finds keys that the server's collation holds equal to the given ones
// though their texts differ. The answer stands beside keys, nil where there is
// none.
func (db *DB) Akin(ctx context.Context, v *schema.View, keys []row.Key) ([]row.Key, error) {
	what := subject{op: "look for keys equal by collation in", table: v.Table.Name.String(), detail: fmt.Sprintf("(%d keys)", len(keys))}
	number := schema.ViewColumn{
		Column: schema.Column{Name: "number", Native: "bigint", Base: "bigint", Type: canonical.Type{Kind: canonical.Int}},
		As:     canonical.Type{Kind: canonical.Int},
	}
	columns := append([]schema.ViewColumn{number, number}, v.KeyColumns()...)
	out := make([]row.Key, len(keys))
	first := 0
	for part := range slices.Chunk(keys, maxWants) {
		rows, err := keyRows(v, part)
		if err != nil {
			return nil, db.fail(ctx, what, &valueError{err})
		}
		found, err := db.read(ctx, columns, db.dialect.Holders(v, v.Key, rows))
		if err != nil {
			return nil, db.fail(ctx, what, err)
		}
		for _, line := range found {
			n, err := strconv.Atoi(string(line[0]))
			if err != nil || n < 0 || n >= len(part) {
				return nil, db.fail(ctx, what, fmt.Errorf("the answer is about row %q of %d", line[0], len(part)))
			}
			if key := row.Key(line[2:]); key.ID() != part[n].ID() {
				out[first+n] = key
			}
		}
		first += len(part)
	}
	return out, nil
}

// keyRows are rows of the view with nothing but their keys, as the table holds
// the values.
func keyRows(v *schema.View, keys []row.Key) ([]row.Row, error) {
	rows := make([]row.Row, len(keys))
	for i, key := range keys {
		r := make(row.Row, len(v.Columns))
		for j, p := range v.Key {
			r[p] = key[j]
		}
		var err error
		if rows[i], err = dialect.Own(v, r, v.Key...); err != nil {
			return nil, err
		}
	}
	return rows, nil
}
