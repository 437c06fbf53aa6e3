package database

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Changes returns at most n rows of the view, whose key begins with a time, in
// key order: those behind the key after (nil: all) with times from from on and
// before until.
func (db *DB) Changes(ctx context.Context, v *schema.View, after row.Key, from, until time.Time, n int) ([]row.Row, error) {
	rows, err := db.read(ctx, v.Columns, db.dialect.Changes(v, after, from, until, n))
	if err != nil {
		return nil, db.fail(ctx, subject{op: "read changed rows of", table: v.Table.Name.String(), detail: "since " + from.Format(time.DateTime)}, err)
	}
	return rows, nil
}

// openLayout is how a dialect's OpenTransactions writes times.
const openLayout = "2006-01-02 15:04:05.000000"

// lookout shares what is known of open transactions among those who ask at nearly
// the same time: MySQL's list is not made anew while it is read often.
type lookout struct {
	mu    sync.Mutex
	last  schema.OpenTransactions
	asked time.Time // zero when nothing is known
}

// How open transactions are asked for.
const (
	// shared is the age up to which an answer serves for others. It is below the
	// shortest time that changes settle, and above that for which MySQL keeps a list.
	shared = 150 * time.Millisecond
	// attempts are made to get a list that is not older than fresh, a pause apart that
	// is random, or several who ask would keep each other from it.
	attempts                 = 3
	fresh                    = time.Second
	leastPause, longestPause = 110 * time.Millisecond, 250 * time.Millisecond
)

// OpenTransactions tells of the transactions that may still write. A user who
// may not see them all gets the server's clock, and why in Hidden.
func (db *DB) OpenTransactions(ctx context.Context) (schema.OpenTransactions, error) {
	l := &db.lookout
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.asked) < shared {
		return l.last, nil
	}
	asked := time.Now()
	open, err := db.askOpenTransactions(ctx)
	if err == nil {
		l.last, l.asked = open, asked
	}
	return open, err
}

func (db *DB) askOpenTransactions(ctx context.Context) (open schema.OpenTransactions, err error) {
	what := subject{op: "ask " + db.redacted + " for its open transactions"}
	ask := db.listOpen
	if db.dialect.Engine() != "postgres" {
		ask = db.listOpenWithin
	}
	err = db.session(ctx, func(s session) error {
		open, err = ask(ctx, s)
		return err
	})
	if err != nil && db.dialect.Classify(err) == dialect.ClassDenied {
		now, clockErr := db.Now(ctx)
		return schema.OpenTransactions{Now: now, AsOf: now, Hidden: "grant the user PROCESS ON *.*"}, clockErr
	}
	if err != nil {
		return schema.OpenTransactions{}, db.fail(ctx, what, err)
	}
	return open, nil
}

func (db *DB) listOpen(ctx context.Context, s session) (schema.OpenTransactions, error) {
	line, err := lineOf(ctx, s, db.dialect.OpenTransactions(fmt.Sprintf("%016x", rand.Uint64())), 7)
	if err != nil {
		return schema.OpenTransactions{}, err
	}
	return openTransactions(line)
}

// listOpenWithin asks in a transaction that is open for that alone: whenever
// somebody has the list made, it shows that it was made after this one began.
func (db *DB) listOpenWithin(ctx context.Context, s session) (open schema.OpenTransactions, err error) {
	defer func() {
		if err != nil {
			s.discard() // and the transaction with it
		}
	}()
	if err := s.command(ctx, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"); err != nil {
		return open, err
	}
	for attempt := 1; ; attempt++ {
		if open, err = db.listOpen(ctx, s); err != nil {
			return open, err
		}
		if open.Now.Sub(open.AsOf) < fresh || attempt == attempts {
			return open, s.command(ctx, "COMMIT")
		}
		select {
		case <-time.After(leastPause + rand.N(longestPause-leastPause)):
		case <-ctx.Done():
			return open, context.Cause(ctx)
		}
	}
}

func openTransactions(line []*string) (open schema.OpenTransactions, err error) {
	if line[0] == nil || line[3] == nil || line[4] == nil {
		return open, fmt.Errorf("the server leaves out its clock")
	}
	if open.Now, err = time.Parse(openLayout, *line[0]); err != nil {
		return open, err
	}
	if line[1] != nil {
		if open.Oldest, err = time.Parse(openLayout, *line[1]); err != nil {
			return open, err
		}
	}
	if line[2] != nil {
		open.Connection = *line[2]
	}
	if open.Prepared, err = count(line[3]); err != nil {
		return open, err
	}
	if *line[4] != "1" {
		open.Hidden = "grant the user pg_read_all_stats"
	}
	if line[5] != nil {
		open.Zone = *line[5]
	}
	if line[6] != nil {
		open.AsOf, err = time.Parse(openLayout, *line[6])
	}
	return open, err
}
