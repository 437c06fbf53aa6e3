package validate

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/compare"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
)

// batchBytes is about how many bytes of rows are looked up at a time; a few of
// those are in memory for each thread.
const batchBytes = 4 << 20

// lookup scans the rows of a range on one side and looks their keys up on the
// other. It needs no order of keys that both sides share.
type lookup struct {
	run        *run
	scan, look side
	comparer   *compare.Comparer
	// countBoth counts the rows found on the looking side too; without it only
	// those scanned are counted, because another pass scans the other side.
	countBoth bool
}

// examine works through the range batch by batch. When the differences reach
// the limit of memory, it returns them and leaves the rest of the range as a
// part of its own.
func (l *lookup) examine(ctx context.Context, p piece) (examined, error) {
	r := l.run
	release, err := r.admit(ctx, event.Source, event.Target)
	if err != nil {
		return examined{}, err
	}
	defer release()
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, r.config.ReadTimeout)
	defer cancel()
	cursor, err := open(ctx, l.scan, p.bounds)
	if err != nil {
		return examined{}, err
	}
	// Every row that counts has been read by the time it closes.
	defer cursor.Close()

	var result examined
	for {
		batch, ended, err := l.batch(cursor)
		if err != nil {
			return examined{}, fmt.Errorf("read the %s's rows: %w", l.scan.which, err)
		}
		if err := l.compare(ctx, batch, &result); err != nil {
			return examined{}, err
		}
		if ended {
			result.cost.Took = time.Since(began)
			return result, nil
		}
		if len(result.differences) >= r.config.MemoryRows {
			rest := row.Range{After: l.comparer.Key(batch[len(batch)-1]), Through: p.bounds.Through}
			result.cost = chunk.Sample{}
			result.parts = []piece{{bounds: rest, siblings: &siblings{dense: true}}}
			return result, nil
		}
	}
}

// batch reads the next rows, as many as are looked up at a time.
func (l *lookup) batch(cursor row.Cursor) (rows []row.Row, ended bool, err error) {
	bytes := 0
	for len(rows) < l.run.config.BatchRows && bytes < batchBytes {
		next, err := cursor.Next()
		// Compared as it is: a lost connection may be reported as an error that
		// wraps io.EOF.
		if err == io.EOF { //nolint:errorlint // see above
			return rows, true, nil
		}
		if err != nil {
			return nil, false, err
		}
		next = next.Clone()
		for _, v := range next {
			bytes += len(v)
		}
		rows = append(rows, next)
	}
	return rows, false, nil
}

func (l *lookup) compare(ctx context.Context, batch []row.Row, result *examined) error {
	if len(batch) == 0 {
		return nil
	}
	keys := make([]row.Key, len(batch))
	for i, scanned := range batch {
		keys[i] = l.comparer.Key(scanned)
	}
	rows, err := l.look.reader.Lookup(ctx, l.look.view, keys)
	if err != nil {
		return fmt.Errorf("look up %d keys at the %s: %w", len(keys), l.look.which, err)
	}
	found := byID(l.look.view, rows)
	if len(found) != len(rows) {
		return fmt.Errorf("look up %d keys at the %s: %w", len(keys), l.look.which, compare.ErrDuplicateKey)
	}
	for i, scanned := range batch {
		authority, replica := scanned, found[keys[i].ID()]
		if l.scan.which == l.run.replica.which {
			authority, replica = replica, scanned
		}
		if kind, columns := l.comparer.Rows(authority, replica); kind != event.KindUnknown {
			result.differences = append(result.differences, compare.Difference{
				Kind: kind, Key: keys[i].Clone(), Columns: columns, Witness: compare.WitnessOf(authority),
			})
		}
		for _, v := range scanned {
			result.cost.Bytes += int64(len(v))
		}
	}
	result.cost.Rows += int64(len(batch))
	l.tally(result, int64(len(batch)), int64(len(found)))
	return nil
}

func (l *lookup) tally(result *examined, scanned, found int64) {
	if !l.countBoth {
		found = 0
	}
	if l.scan.which == l.run.replica.which {
		scanned, found = found, scanned
	}
	result.authorityRows += scanned
	result.copyRows += found
}

// keysOf is a side of which only the keys are read.
func keysOf(s side) side {
	s.view = s.view.OfKey()
	return s
}
