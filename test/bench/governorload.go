package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// The foreground of the governor's benchmark: statements that arrive at their
// own rate, whether or not earlier ones have been answered. The time of each
// counts from when it was due, so that a server that stands still for a second
// is charged for everybody who came in that second. (A client that waits for
// its answer before it asks again would leave those out.)

const (
	// arrivalSeed is any fixed one: what is compared meets the same arrivals.
	arrivalSeed = 20261122
	// readRows are the rows of a read, on average: a few milliseconds of a core,
	// as the page of a list or a small report takes.
	readRows = 5000
	// writeShare is the part of the statements that write one row.
	writeShare = 0.2
	// sessions is the number of connections. Whoever finds none free waits, as
	// for a place in an application's pool, and the wait counts.
	sessions = 64
)

// phase is a time of arrivals at one rate, a second.
type phase struct {
	lasts time.Duration
	rate  float64
}

// arrival is one statement of the foreground.
type arrival struct {
	due  time.Duration // since the start
	id   int
	rows int // to read from id on; 0 writes the row id
}

// arrivals draws a Poisson process through the phases, over tables of so many
// rows. It is the same for the same arguments.
func arrivals(rows int, phases ...phase) []arrival {
	random := rand.New(rand.NewPCG(arrivalSeed, 1))
	var list []arrival
	begins := time.Duration(0)
	for _, p := range phases {
		ends := begins + p.lasts
		// The process has no memory, so each phase may begin anew.
		for at := begins; ; {
			at += time.Duration(random.ExpFloat64() / p.rate * float64(time.Second))
			if at >= ends {
				break
			}
			a := arrival{due: at, id: 1 + random.IntN(rows)}
			if random.Float64() >= writeShare {
				a.rows = readRows/2 + random.IntN(readRows)
			}
			list = append(list, a)
		}
		begins = ends
	}
	return list
}

// served is an arrival that was answered.
type served struct{ due, took time.Duration }

// foreground is the application whose users wait. Its writes go to a table of
// its own: what is validated beside it stays alike on both sides.
type foreground struct {
	db *sql.DB
}

const (
	foregroundRead  = "SELECT SUM(qty), MAX(updated_at) FROM orders WHERE id >= %d AND id < %d"
	foregroundWrite = "UPDATE visits SET hits = hits + 1 WHERE id = %d"
)

// visits are the statements that make the table that is written to; numbers is
// what an engine has to select the column seq from.
func visits(numbers string) []string {
	return []string{
		"DROP TABLE IF EXISTS visits",
		"CREATE TABLE visits (id BIGINT NOT NULL PRIMARY KEY, hits BIGINT NOT NULL)",
		"INSERT INTO visits SELECT seq, 0 FROM " + numbers,
	}
}

func openForegroundMySQL(ctx context.Context, o options, env services, database string) (*foreground, error) {
	if err := env.execMySQL(ctx, database, visits(fmt.Sprintf("seq_1_to_%d", o.rows))...); err != nil {
		return nil, err
	}
	db, err := env.openMySQL(database)
	if err != nil {
		return nil, err
	}
	db.SetMaxIdleConns(sessions)
	return &foreground{db}, nil
}

func openForegroundPostgres(ctx context.Context, o options, env services, database string) (*foreground, error) {
	statements := append(visits(fmt.Sprintf("generate_series(1::bigint, %d) AS seq", o.rows)), "VACUUM ANALYZE visits", "CHECKPOINT")
	if err := env.execPostgres(ctx, database, statements...); err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfig(env.postgresDSN(database))
	if err != nil {
		return nil, err
	}
	// No two statements have the same text, so there is nothing to prepare.
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	db := stdlib.OpenDB(*config)
	db.SetMaxIdleConns(sessions)
	return &foreground{db}, nil
}

func (f *foreground) close(ctx context.Context) {
	if _, err := f.db.ExecContext(ctx, "DROP TABLE IF EXISTS visits"); err != nil {
		progress("tidy up: %v", err)
	}
	closeQuietly(f.db)
}

// run sends the arrivals over so many connections, from a start on, until all
// are answered or ctx ends. What was not answered by then is left out.
func (f *foreground) run(ctx context.Context, start time.Time, list []arrival, connections int) ([]served, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	answers, next := make([]served, len(list)), atomic.Int64{}
	var all sync.WaitGroup
	var failed error
	var once sync.Once
	for range connections {
		all.Go(func() {
			if err := f.serve(ctx, start, list, &next, answers); err != nil {
				once.Do(func() { failed = err })
				stop()
			}
		})
	}
	all.Wait()
	if failed != nil {
		return nil, failed
	}
	return slices.DeleteFunc(answers, func(s served) bool { return s.took == 0 }), nil
}

// serve is one connection: it takes the arrival that is next in line, waits
// until it is due, and sends it.
func (f *foreground) serve(ctx context.Context, start time.Time, list []arrival, next *atomic.Int64, answers []served) error {
	whole := context.WithoutCancel(ctx) // what was sent is waited for
	conn, err := f.db.Conn(whole)
	if err != nil {
		return fmt.Errorf("connect the foreground: %w", err)
	}
	defer closeQuietly(conn)
	for {
		i := next.Add(1) - 1
		if i >= int64(len(list)) || !sleepUntil(ctx, start.Add(list[i].due)) {
			return nil
		}
		if err := send(whole, conn, list[i]); err != nil {
			return err
		}
		answers[i] = served{list[i].due, time.Since(start) - list[i].due}
	}
}

func send(ctx context.Context, conn *sql.Conn, a arrival) error {
	if a.rows == 0 {
		if _, err := conn.ExecContext(ctx, fmt.Sprintf(foregroundWrite, a.id)); err != nil {
			return fmt.Errorf("write row %d in the foreground: %w", a.id, err)
		}
		return nil
	}
	var sum, last any
	if err := conn.QueryRowContext(ctx, fmt.Sprintf(foregroundRead, a.id, a.id+a.rows)).Scan(&sum, &last); err != nil {
		return fmt.Errorf("read from row %d on in the foreground: %w", a.id, err)
	}
	return nil
}

// sleepUntil says whether the moment came before ctx ended.
func sleepUntil(ctx context.Context, moment time.Time) bool {
	if ctx.Err() != nil {
		return false
	}
	wait := time.Until(moment)
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// times are the waits of those that were due in a span, in order.
func times(all []served, from, to time.Duration) []time.Duration {
	var out []time.Duration
	for _, s := range all {
		if s.due >= from && s.due < to {
			out = append(out, s.took)
		}
	}
	slices.Sort(out)
	return out
}

const (
	// saturating is the number of clients that keep the server busy without
	// queueing for long, and saturated how long they do.
	saturating = 8
	saturated  = 5 * time.Second
)

// capacity is how many statements of the foreground the server answers in a
// second when the next always waits: clients that ask again at once, over what
// is beyond any server, until the time is up.
func (f *foreground) capacity(ctx context.Context, rows int) (float64, error) {
	const beyond = 50_000
	list := arrivals(rows, phase{saturated, beyond})
	for i := range list {
		list[i].due = 0
	}
	ctx, cancel := context.WithTimeout(ctx, saturated)
	defer cancel()
	start := time.Now()
	done, err := f.run(ctx, start, list, saturating)
	return float64(len(done)) / time.Since(start).Seconds(), err
}
