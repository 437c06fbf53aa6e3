package database

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Holder is a row of a table that has a unique value somebody wants.
type Holder struct {
	// Of is the position, among the rows asked for, of the one that wants it.
	Of  int
	Key row.Key
	// Outside: the view's filter hides the row.
	Outside bool
}

// maxWants bounds the rows of one question: each is a look-up of its own.
const maxWants = 100

// Holders finds the rows of the table, also those the view does not show, that
// have the values of one of the given rows in the columns of a unique key, at
// the given positions. The server decides what is equal, by its collations. A
// row with NULL there meets nobody.
func (tx *Tx) Holders(ctx context.Context, v *schema.View, unique []int, rows []row.Row) ([]Holder, error) {
	number := schema.ViewColumn{
		Column: schema.Column{Name: "number", Native: "bigint", Base: "bigint", Type: canonical.Type{Kind: canonical.Int}},
		As:     canonical.Type{Kind: canonical.Int},
	}
	decoder := newDecoder(tx.db.dialect, append([]schema.ViewColumn{number, number}, v.KeyColumns()...))
	var out []Holder
	const op = "find rows with the unique values of others in"
	rows, err := tx.own(ctx, v, op, rows, unique...)
	if err != nil {
		return nil, err
	}
	what := subject{op, v.Table.Name.String(), fmt.Sprintf("(%d rows)", len(rows))}
	err = tx.do(ctx, what, func() error {
		first := 0
		for part := range slices.Chunk(rows, maxWants) {
			stream, err := tx.session.start(ctx, tx.db.dialect.Holders(v, unique, part))
			if err != nil {
				return err
			}
			found, err := collect(decoder, stream, nil)
			if err != nil {
				return err
			}
			for _, line := range found {
				n, err := strconv.Atoi(string(line[0]))
				if err != nil || n < 0 || n >= len(part) {
					return fmt.Errorf("the answer is about row %q of %d", line[0], len(part))
				}
				out = append(out, Holder{Of: first + n, Key: row.Key(line[2:]), Outside: string(line[1]) == "1"})
			}
			first += len(part)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
