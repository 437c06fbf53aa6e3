package database

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Gauge measures one figure about a server's load. It is safe for concurrent use.
type Gauge struct {
	// Figure is one of the names in package dialect.
	Figure  string
	Measure func(context.Context) (float64, error)
	// Count, where it is not nil, is Measure of a figure that counts sessions.
	Count func(context.Context) (Sessions, error)
	// Itself says of a replica's lag that it is the server's own.
	Itself bool
}

// Sessions are those at work on a server at a moment.
type Sessions struct {
	// Others are those of other programs, Own those of this one.
	Others, Own float64
	// Statements is how many the server was asked for since its start, by anybody; on
	// PostgreSQL it is transactions.
	Statements float64
	// Reached is the time that the least statement took just before.
	Reached time.Duration
}

// Unmeasured is a figure that cannot be measured as it should, and why.
type Unmeasured struct {
	Figure string
	// Why says what is missing and the way out.
	Why string
	// Replaced says that it is measured in another way, at a higher cost.
	Replaced bool
}

// Gauges are the wanted figures as far as the server and the user's privileges
// give them, each tried once. An error means that the server could not be asked.
func (db *DB) Gauges(ctx context.Context, wanted func(figure string) bool) ([]Gauge, []Unmeasured, error) {
	probes := map[string][]dialect.Probe{}
	var order []string
	for _, p := range db.dialect.Probes() {
		if !wanted(p.Figure) {
			continue
		}
		if probes[p.Figure] == nil {
			order = append(order, p.Figure)
		}
		probes[p.Figure] = append(probes[p.Figure], p)
	}
	var gauges []Gauge
	var missing []Unmeasured
	for _, figure := range order {
		gauge, why, err := db.firstGauge(ctx, probes[figure])
		if err != nil {
			return nil, nil, err
		}
		if gauge != nil {
			gauges = append(gauges, *gauge)
		}
		if why != "" {
			missing = append(missing, Unmeasured{Figure: figure, Why: why, Replaced: gauge != nil})
		}
	}
	if !wanted(dialect.ProbeReplicaLag) {
		return gauges, missing, nil
	}
	if db.Engine() == "postgres" {
		return gauges, missing, db.markOwnLag(ctx, gauges)
	}
	gauge, why, err := db.ownLag(ctx)
	if gauge != nil {
		gauges = append(gauges, *gauge)
	}
	if why != "" {
		missing = append(missing, Unmeasured{Figure: dialect.ProbeReplicaLag, Why: why})
	}
	return gauges, missing, err
}

// markOwnLag says of the lag of a standby that it is its own.
func (db *DB) markOwnLag(ctx context.Context, gauges []Gauge) error {
	standby, err := db.readLine(ctx, dialect.Query{SQL: "SELECT pg_is_in_recovery()::text"}, 1)
	if err != nil {
		return db.fail(ctx, subject{op: "ask " + db.redacted + " whether it is a replica"}, err)
	}
	for i := range gauges {
		gauges[i].Itself = gauges[i].Figure == dialect.ProbeReplicaLag && *standby[0] == "true"
	}
	return nil
}

// firstGauge is the first probe that works, and why those before it do not.
func (db *DB) firstGauge(ctx context.Context, probes []dialect.Probe) (*Gauge, string, error) {
	reason := ""
	for _, p := range probes {
		why, err := db.whyNot(ctx, p)
		if err != nil {
			return nil, "", err
		}
		if why == "" {
			return db.gaugeOf(p), reason, nil
		}
		if reason == "" {
			reason = why
		}
	}
	return nil, reason, nil
}

// whyNot tries a probe and says why it cannot be used; empty when it can.
func (db *DB) whyNot(ctx context.Context, p dialect.Probe) (string, error) {
	grant := ""
	if p.Grant != "" {
		grant = "; grant the user " + p.Grant
	}
	if p.May.SQL != "" {
		may, err := db.readLine(ctx, p.May, 1)
		if err != nil {
			return "", db.fail(ctx, subject{op: "ask " + db.redacted + " what the user sees"}, err)
		}
		if may[0] == nil || *may[0] != "true" {
			return "the user does not see what others do" + grant, nil
		}
	}
	values, err := db.numbers(ctx, p)
	switch class := ClassOf(err); {
	case err == nil && values == nil:
		return "the server does not know it", nil
	case err == nil:
		return "", nil
	case class == dialect.ClassDenied:
		return "the user may not ask" + grant, nil
	case class == dialect.ClassSchema:
		return "the server does not have it", nil
	case serverCode(err) != "" && class != dialect.ClassTransient && class != dialect.ClassContention:
		return "the server refuses: " + err.Error(), nil
	default:
		return "", err
	}
}

// numbers asks once; nil stands for NULL.
func (db *DB) numbers(ctx context.Context, p dialect.Probe) ([]float64, error) {
	what := subject{op: "measure " + p.Figure + " of " + db.redacted}
	width := 1
	switch {
	case p.Growing:
		width = 2
	case p.Beside:
		width = 3
	}
	line, err := db.readLine(ctx, p.Query, width)
	if err != nil {
		return nil, db.fail(ctx, what, err)
	}
	values := make([]float64, width)
	for i, text := range line {
		if text == nil {
			return nil, nil
		}
		if values[i], err = strconv.ParseFloat(*text, 64); err != nil {
			return nil, db.fail(ctx, what, fmt.Errorf("the server gives %q, which is no number", *text))
		}
	}
	return values, nil
}

var errUnknown = errors.New("the server gives NULL")

func (db *DB) gaugeOf(p dialect.Probe) *Gauge {
	ask := func(ctx context.Context) ([]float64, error) {
		values, err := db.numbers(ctx, p)
		if err == nil && values == nil {
			err = db.fail(ctx, subject{op: "measure " + p.Figure + " of " + db.redacted}, errUnknown)
		}
		return values, err
	}
	if p.Growing {
		return &Gauge{Figure: p.Figure, Measure: (&growth{ask: ask}).mean}
	}
	gauge := &Gauge{Figure: p.Figure, Measure: func(ctx context.Context) (float64, error) {
		values, err := ask(ctx)
		if err != nil {
			return 0, err
		}
		return values[0], nil
	}}
	if p.Beside {
		gauge.Count = func(ctx context.Context) (Sessions, error) {
			reached, err := db.reach(ctx)
			if err != nil {
				return Sessions{}, err
			}
			values, err := ask(ctx)
			if err != nil {
				return Sessions{}, err
			}
			return Sessions{Others: values[0], Own: values[1], Statements: values[2], Reached: reached}, nil
		}
	}
	return gauge
}

// reach is the time of a statement that does nothing, so that what it takes longer at one
// moment than at another it waits. (Counting sessions takes long by itself, and longer when
// many are at work.)
func (db *DB) reach(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	_, err := db.readLine(ctx, dialect.Query{SQL: "SELECT 1"}, 1)
	if err != nil {
		return 0, db.fail(ctx, subject{op: "reach " + db.redacted}, err)
	}
	return time.Since(began), nil
}

// growth turns two growing sums into the mean between two samples.
type growth struct {
	ask func(context.Context) ([]float64, error)

	mu    sync.Mutex
	last  []float64
	known float64
}

// mean is the time of a statement since the last sample, and the last one known
// where none ended. Sums that went back belong to a server that was restarted,
// or were reset.
func (g *growth) mean(ctx context.Context) (float64, error) {
	values, err := g.ask(ctx)
	if err != nil {
		return 0, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	last := g.last
	g.last = values
	if last == nil || values[1] < last[1] || values[0] < last[0] {
		return g.known, nil
	}
	if ended := values[1] - last[1]; ended > 0 {
		g.known = (values[0] - last[0]) / ended
	}
	return g.known, nil
}

// ownLag measures how far a MySQL or MariaDB replica is behind; nil for a
// server that is none, whose replicas it does not know.
func (db *DB) ownLag(ctx context.Context) (*Gauge, string, error) {
	lag := func(ctx context.Context) (float64, error) {
		channels, err := db.replicaStatus(ctx)
		var behind time.Duration
		if err == nil {
			behind, err = behindOf(channels)
		}
		if err != nil {
			return 0, db.fail(ctx, subject{op: "ask " + db.redacted + " how far it is behind"}, err)
		}
		return max(0, (behind - statusResolution).Seconds()), nil
	}
	channels, err := db.replicaStatus(ctx)
	switch {
	case err != nil && db.dialect.Classify(err) == dialect.ClassDenied && db.neverReplicated(ctx):
		return nil, "", nil
	case err != nil && db.dialect.Classify(err) == dialect.ClassDenied:
		return nil, "the user may not ask whether it is a replica; grant the user " + replicaPrivilege(db.Engine()), nil
	case err != nil:
		return nil, "", db.fail(ctx, subject{op: "ask " + db.redacted + " whether it is a replica"}, err)
	case len(channels) == 0:
		return nil, "", nil
	}
	return &Gauge{Figure: dialect.ProbeReplicaLag, Measure: lag, Itself: true}, "", nil
}

// Number runs a statement of the user's that gives one number.
func (db *DB) Number(ctx context.Context, name, sql string) (float64, error) {
	values, err := db.numbers(ctx, dialect.Probe{Figure: name, Query: dialect.Query{SQL: sql}})
	if err == nil && values == nil {
		err = db.fail(ctx, subject{op: "measure " + name + " of " + db.redacted}, errUnknown)
	}
	if err != nil {
		return 0, err
	}
	return values[0], nil
}

// Cores is the number of the server's cores; 0 when it does not tell.
func (db *DB) Cores(ctx context.Context) (float64, error) {
	q, tells := db.dialect.Cores()
	if !tells {
		return 0, nil
	}
	p := dialect.Probe{Figure: "cores", Query: q}
	if why, err := db.whyNot(ctx, p); err != nil || why != "" {
		return 0, err
	}
	values, err := db.numbers(ctx, p)
	if err != nil || values == nil {
		return 0, err
	}
	return values[0], nil
}

// Canary returns a read of one row of the view by its key, as an application
// reads it, in milliseconds. A table without rows is read as well.
func (db *DB) Canary(ctx context.Context, v *schema.View) (func(context.Context) (float64, error), error) {
	keys := v.OfKey()
	key, err := db.Boundary(ctx, keys, nil, 1)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (float64, error) {
		began := time.Now()
		var err error
		if key == nil {
			_, err = db.Boundary(ctx, keys, nil, 1)
		} else {
			_, err = db.Lookup(ctx, keys, []row.Key{key})
		}
		return float64(time.Since(began)) / float64(time.Millisecond), err
	}, nil
}
