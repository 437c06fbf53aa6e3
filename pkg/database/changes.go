package database

import (
	"context"
	"fmt"
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

// OpenTransactions tells of the transactions that may still write. A user who
// may not see them all gets the server's clock, and why in Hidden.
func (db *DB) OpenTransactions(ctx context.Context) (schema.OpenTransactions, error) {
	what := subject{op: "ask " + db.redacted + " for its open transactions"}
	line, err := db.readLine(ctx, db.dialect.OpenTransactions(), 6)
	if err != nil && db.dialect.Classify(err) == dialect.ClassDenied {
		now, clockErr := db.Now(ctx)
		return schema.OpenTransactions{Now: now, Hidden: "grant the user PROCESS ON *.*"}, clockErr
	}
	if err != nil {
		return schema.OpenTransactions{}, db.fail(ctx, what, err)
	}
	open, err := openTransactions(line)
	if err != nil {
		return open, db.fail(ctx, what, err)
	}
	return open, nil
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
	return open, nil
}
