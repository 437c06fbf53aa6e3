package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// watch looks at the copy while all others work on it. The ledger says which
// version of each key the replicator has brought, in the same transaction as it
// did; so in one snapshot of the copy
//
//   - a row with a smaller version was written by a repair that went back;
//   - a row whose key was deleted with a greater version came back from the dead.
//     That may happen for a moment (see pkg/fix/round.go), and the vandal does it.
//     While it is there, no run that began later may call the table clean.
type watch struct {
	db       *database
	verdicts verdicts
	// risen is since when rows that were deleted are there again, by table and key.
	risen   map[string]map[string]time.Time
	looks   int64
	cleans  int64         // clean verdicts seen
	longest time.Duration // that a deleted row was seen
	wrong   func(string)
}

func (w *watch) run(ctx context.Context, every time.Duration) error {
	for ctx.Err() == nil {
		if err := w.look(context.WithoutCancel(ctx), time.Now); err != nil {
			return fmt.Errorf("watch the copy: %w", err)
		}
		pause(ctx, every)
	}
	return nil
}

// look takes one look at every table. A row counts as there from when it was seen,
// not from when it was looked for: on a busy machine a run fits in between.
func (w *watch) look(ctx context.Context, now func() time.Time) error {
	w.looks++
	said, err := w.verdicts.next() // before the rows: what is there now was there then
	if err != nil {
		return err
	}
	for _, t := range tables {
		older, err := w.behind(ctx, t, "NOT")
		if err != nil {
			return err
		}
		for _, key := range older {
			w.wrong(fmt.Sprintf("older: %s %s: a repair wrote an older version than the replicator had brought", t.name, key))
		}
		risen, err := w.behind(ctx, t, "")
		if err != nil {
			return err
		}
		w.track(t, risen, now())
	}
	for _, v := range said {
		w.doubt(v)
	}
	return nil
}

// track notes since when deleted rows have been there without a break.
func (w *watch) track(t *table, risen []string, now time.Time) {
	since := map[string]time.Time{}
	for _, key := range risen {
		first, known := w.risen[t.name][key]
		if !known {
			first = now
		}
		since[key] = first
		w.longest = max(w.longest, now.Sub(first))
	}
	if w.risen == nil {
		w.risen = map[string]map[string]time.Time{}
	}
	w.risen[t.name] = since
}

// doubt holds a clean verdict against the deleted rows that were there before
// its run began, and still are.
func (w *watch) doubt(v verdict) {
	if !v.Complete || !v.Clean {
		return
	}
	w.cleans++
	for key, since := range w.risen[v.Pair] {
		if since.Before(v.began()) {
			w.wrong(fmt.Sprintf("risen: %s %s: the authority deleted it; it was on the copy from %s on, and a %s run that began at %s says clean",
				v.Pair, key, since.UTC().Format(time.TimeOnly), v.Mode, v.began().UTC().Format(time.TimeOnly)))
		}
	}
}

// behind are the rows of the copy that are older than what the ledger says, of
// keys that are there ("NOT" gone) or that were deleted (""); in one statement,
// which sees one snapshot.
func (w *watch) behind(ctx context.Context, t *table, not string) ([]string, error) {
	keys := t.names(t.columns[:t.keys])
	same := make([]string, len(keys))
	for i, k := range keys {
		same[i] = "l." + k + " = c." + k
	}
	rows, err := w.db.QueryContext(ctx, fmt.Sprintf("SELECT c.%s, c.version FROM %s c JOIN %s l ON %s WHERE c.version < l.version AND %s l.gone",
		strings.Join(keys, ", c."), t.name, t.ledger(), strings.Join(same, " AND "), not))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		key, version, err := scanKey(rows, t)
		if err != nil {
			return nil, err
		}
		out = append(out, fmt.Sprintf("%s at version %d", key, version))
	}
	return out, rows.Err()
}
