package sqlsink

import (
	"context"

	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
)

var _ fix.Rereader = (*batch)(nil)

// Reread implements fix.Rereader.
func (b *batch) Reread(ctx context.Context, keys []row.Key) ([]row.Row, error) {
	rows, err := b.tx.Lookup(ctx, b.view, keys)
	return rows, classified(b.view, unreadable, err)
}
