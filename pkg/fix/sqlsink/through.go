package sqlsink

import (
	"context"

	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

var _ fix.Restorer = (*batch)(nil)

// Through implements fix.Imager.
func (b *batch) Through(ctx context.Context, view *schema.View, keys []row.Key) ([]row.Row, error) {
	rows, err := b.tx.Lookup(ctx, view, keys)
	return rows, classified(view, unreadable, err)
}

// Restore implements fix.Restorer.
func (b *batch) Restore(ctx context.Context, view *schema.View, changes []fix.Change) error {
	other := *b
	other.view = view
	return other.Apply(ctx, changes)
}
