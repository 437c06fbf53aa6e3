package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/validate"
)

// watcher is told of every range of a run.
type watcher struct {
	validate.NopObserver
	mu      sync.Mutex
	ranges  []row.Range
	longest time.Duration
	largest int64 // bytes of the source's side, as they are read or digested
	// slow and heavy are the ranges beyond twice the target and beyond the ceiling.
	slow, heavy int
	limits      chunk.SizerConfig
}

// RangeDone implements validate.Observer.
func (w *watcher) RangeDone(r validate.RangeReport) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ranges = append(w.ranges, r.Range)
	w.longest = max(w.longest, r.Took)
	if r.Took > slowest*w.limits.Target {
		w.slow++
	}
}

// slowest is how many times the target a range may take.
const slowest = 2

// watchRanges runs the comparison once more in this process, where every range
// can be seen, and then reads each range to see how much it holds.
func watchRanges(ctx context.Context, m match, table, method string) (*watcher, error) {
	by := schema.Merge
	for _, known := range []schema.Method{schema.Checksum, schema.Lookup} {
		if known.String() == method {
			by = known
		}
	}
	pair, err := resolve(ctx, m, table, by)
	if err != nil {
		return nil, err
	}
	defer pair.close()
	var config validate.Config
	places := config.WithDefaults().Threads + 2
	source, err := governor.NewBudget("source", places)
	if err != nil {
		return nil, err
	}
	target, err := governor.NewBudget("target", places)
	if err != nil {
		return nil, err
	}
	w := &watcher{limits: chunk.SizerConfig{}.WithDefaults()}
	v, err := validate.New(config, validate.Ports{
		Source: pair.source, Target: pair.target, Publisher: nobody{}, Pacer: validate.Paced(source, target), Observer: w,
	})
	if err != nil {
		return nil, err
	}
	found, err := v.Run(ctx, validate.Run{ID: "bench", Pair: pair.Pair, Authority: event.Source, Epoch: 1, Mode: validate.Full})
	if err != nil {
		return nil, err
	}
	if !found.Clean {
		return nil, fmt.Errorf("watch the ranges: %s", found.Summary())
	}
	for _, bounds := range w.ranges {
		n, err := bytesOf(ctx, pair, bounds, by == schema.Merge)
		if err != nil {
			return nil, err
		}
		w.largest = max(w.largest, n)
		if n > w.limits.Bytes {
			w.heavy++
		}
	}
	return w, nil
}

// bytesOf is how much a range of the source holds: as its server sends it where it
// is read, else as canonical texts, which are what is digested.
func bytesOf(ctx context.Context, pair *resolvedPair, bounds row.Range, read bool) (n int64, err error) {
	cursor, err := pair.source.Rows(ctx, &pair.Source, bounds)
	if err != nil {
		return 0, err
	}
	defer closeQuietly(cursor)
	next := func() ([][]byte, error) {
		values, err := cursor.Next()
		pieces := make([][]byte, len(values))
		for i, v := range values {
			pieces[i] = v
		}
		return pieces, err
	}
	if sent, ok := cursor.(row.Undecoded); ok && read {
		next = func() ([][]byte, error) {
			if err := sent.Advance(); err != nil {
				return nil, err
			}
			return sent.Wire(), nil
		}
	}
	for {
		pieces, err := next()
		if err == io.EOF { //nolint:errorlint // row.Cursor: only the bare value is the end
			return n, nil
		}
		if err != nil {
			return 0, err
		}
		for _, p := range pieces {
			n += int64(len(p))
		}
	}
}

// nobody takes the findings of tables that have none.
type nobody struct{}

// Publish implements validate.Publisher.
func (nobody) Publish(_ context.Context, findings []event.Finding) error {
	return fmt.Errorf("%d findings in identical tables", len(findings))
}
