package assembly

import (
	"context"
	"fmt"
	"time"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schema"
)

// Databases are the two sides, open.
type Databases struct {
	Source, Target *database.DB
}

// Access says how the two sides are opened.
type Access struct {
	// Writable is the side that may be written, SideUnknown for none. The
	// sessions of the other refuse writes by themselves.
	Writable event.Side
	// Conns bounds the connections to each side.
	Conns int
	// Application names the program to the servers.
	Application string
}

// Open opens both databases. The error names the side.
func Open(ctx context.Context, source, target Database, access Access) (*Databases, error) {
	dbs := &Databases{}
	var err error
	if dbs.Source, err = OpenSide(ctx, event.Source, source, access); err != nil {
		return nil, err
	}
	if dbs.Target, err = OpenSide(ctx, event.Target, target, access); err != nil {
		dbs.Close()
		return nil, err
	}
	return dbs, nil
}

// OpenSide opens one side. The error names it.
func OpenSide(ctx context.Context, side event.Side, d Database, access Access) (*database.DB, error) {
	db, err := database.Open(ctx, database.Config{
		DSN:              d.DSN,
		PasswordFile:     d.PasswordFile,
		TLS:              d.TLS,
		ReadOnly:         access.Writable != side,
		MaxConns:         access.Conns,
		Application:      access.Application,
		ConnectTimeout:   d.ConnectTimeout,
		StatementTimeout: d.StatementTimeout,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", side, err)
	}
	return db, nil
}

// Close closes both sides.
func (d *Databases) Close() {
	if d == nil {
		return
	}
	for _, db := range []*database.DB{d.Source, d.Target} {
		if db != nil {
			_ = db.Close() // nothing was left to be written
		}
	}
}

// Of is the database of one side.
func (d *Databases) Of(side event.Side) *database.DB {
	if side == event.Target {
		return d.Target
	}
	return d.Source
}

// Resolve inspects the tables of a mapping and resolves it.
func (d *Databases) Resolve(ctx context.Context, m schema.Mapping, method schema.Method) (*schema.Pair, error) {
	source, err := d.Source.Table(ctx, m.Source)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	target, err := d.Target.Table(ctx, m.Target)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	pair, err := schema.Resolve(m, source, target, method, schema.DigestTexts{
		Source: d.Source.Dialect().DigestText,
		Target: d.Target.Dialect().DigestText,
	})
	if err != nil || method != schema.Auto {
		return pair, err
	}
	distance, err := d.distance(ctx)
	if err != nil {
		return nil, err
	}
	pair.Near(distance)
	return pair, nil
}

// distance is the longer of the two sides' round trips.
func (d *Databases) distance(ctx context.Context) (time.Duration, error) {
	source, err := d.Source.RoundTrip(ctx)
	if err != nil {
		return 0, fmt.Errorf("source: %w", err)
	}
	target, err := d.Target.RoundTrip(ctx)
	if err != nil {
		return 0, fmt.Errorf("target: %w", err)
	}
	return max(source, target), nil
}

// Skew is how far each database's clock is ahead of this machine's (negative:
// behind). Half of the time the question took is what the answer may be off by,
// so the measure is taken at its middle.
func (d *Databases) Skew(ctx context.Context) (source, target time.Duration, err error) {
	if source, err = skew(ctx, d.Source); err != nil {
		return 0, 0, err
	}
	if target, err = skew(ctx, d.Target); err != nil {
		return 0, 0, err
	}
	return source, target, nil
}

func skew(ctx context.Context, db *database.DB) (time.Duration, error) {
	asked := time.Now()
	theirs, err := db.Now(ctx)
	if err != nil {
		return 0, err
	}
	return theirs.Sub(asked.Add(time.Since(asked) / 2)), nil
}
