package sqlsink

import (
	"context"

	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
)

var _ fix.Finder = (*batch)(nil)

// Holders implements fix.Finder.
func (b *batch) Holders(ctx context.Context, unique []int, rows []row.Row) ([]fix.Holder, error) {
	found, err := b.tx.Holders(ctx, b.view, unique, rows)
	if err != nil {
		return nil, classified(b.view, refused, err)
	}
	out := make([]fix.Holder, len(found))
	for i, h := range found {
		out[i] = fix.Holder{Of: h.Of, Key: h.Key, Outside: h.Outside}
	}
	return out, nil
}
