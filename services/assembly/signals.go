package assembly

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/schema"
)

// Signals that no server is asked for by name.
const (
	signalCanary = "canary"
	signalPerRow = "per_row"
	signalHTTP   = "http"
)

// errBlind is met where a governor has nothing to go by.
var errBlind = errors.New("nothing of the database's load can be measured")

// httpTimeout is far above what a health check takes; no answer is an error, and
// three of them pause.
const httpTimeout = 2 * time.Second

// slowly is how often figures are asked for that change over minutes, or that
// the server adds up over all of its sessions.
const slowly = 5 * time.Second

// watch gathers the signals of one database.
type watch struct {
	side    event.Side
	budget  *Budget
	db      *database.DB
	log     zerolog.Logger
	watcher *governor.Watcher
	count   int
}

// signals adds every signal that is wanted and can be measured, and says which
// cannot. None at all is an error: a load that follows nothing is a fixed one,
// and that is for the user to say.
func (w *watch) signals(ctx context.Context, view *schema.View) error {
	cores, err := w.cores(ctx)
	if err != nil {
		return err
	}
	signals := w.budget.Limits.signals(cores)
	gauges, missing, err := w.db.Gauges(ctx, func(figure string) bool { return signals[figure].Limit > 0 })
	if err != nil {
		return err
	}
	if cores == 0 && w.budget.Limits.Threads == nil {
		missing = append(missing, database.Unmeasured{
			Figure: dialect.ProbeThreads,
			Why:    "the number of the server's cores is not known; set governor." + w.side.String() + ".cores",
		})
	}
	for _, m := range missing {
		w.log.Warn().Stringer("side", w.side).Str("signal", m.Figure).Bool("replaced", m.Replaced).Str("why", m.Why).
			Msg("a signal of the database's load is not available")
	}
	for _, g := range gauges {
		s := signals[g.Figure]
		if g.Itself {
			s.For = governor.Reads | governor.Writes
		}
		if err := w.gauge(s, g, cores); err != nil {
			return err
		}
	}
	if err := w.others(ctx, view); err != nil {
		return err
	}
	if w.count == 0 {
		return fmt.Errorf("%w; switch the canary on, grant what the log names, or set governor.%s.adapt: false for a fixed number of statements", errBlind, w.side)
	}
	return nil
}

func (w *watch) cores(ctx context.Context) (float64, error) {
	if w.budget.Cores > 0 {
		return w.budget.Cores, nil
	}
	return w.db.Cores(ctx)
}

// recountEvery is soon after another host has taken over, and rare beside the
// other questions.
const recountEvery = 15 * time.Second

// gauge adds a figure of the engine.
func (w *watch) gauge(s governor.Signal, g database.Gauge, cores float64) error {
	if g.Count == nil {
		return w.add(s, g.Measure)
	}
	count := func(ctx context.Context) (governor.Sessions, error) {
		n, err := g.Count(ctx)
		return governor.Sessions(n), err
	}
	if w.budget.Cores == 0 && cores > 0 {
		count = w.recount(cores, count)
	}
	w.count++
	return w.watcher.AddCount(s, count)
}

// recount is a measurement that makes sure of the server's cores now and then.
func (w *watch) recount(cores float64, count governor.Count) governor.Count {
	asked := time.Now()
	return func(ctx context.Context) (governor.Sessions, error) {
		if time.Since(asked) >= recountEvery {
			asked = time.Now()
			// If it cannot be asked the measurement says so.
			if now, err := w.db.Cores(ctx); err == nil && now > 0 && now != cores {
				w.log.Warn().Stringer("side", w.side).Float64("before", cores).Float64("cores", now).Msg("the server has another number of cores")
				cores = now
				w.watcher.Change(dialect.ProbeThreads, w.budget.Limits.signals(cores)[dialect.ProbeThreads].Limit, cores)
			}
		}
		return count(ctx)
	}
}

func (w *watch) add(s governor.Signal, probe governor.Probe) error {
	if !s.Passive {
		w.count++
	}
	return w.watcher.Add(s, probe)
}

// others adds the signals that are not the engine's figures.
func (w *watch) others(ctx context.Context, view *schema.View) error {
	limits := w.budget.Limits
	if limits.Canary == nil || *limits.Canary > 0 {
		if err := w.canary(ctx, view); err != nil {
			return err
		}
	}
	if limit := or(limits.PerRow, 0); limit > 0 {
		if err := w.add(governor.Signal{Name: signalPerRow, Unit: "µs", Limit: microseconds(limit), Passive: true, For: governor.Reads}, nil); err != nil {
			return err
		}
	}
	for _, c := range w.budget.Checks {
		use, err := parseUse(c.For)
		if err == nil {
			err = w.add(governor.Signal{Name: c.Name, Limit: c.Limit, For: use, Hard: c.Hard}, func(ctx context.Context) (float64, error) {
				return w.db.Number(ctx, c.Name, c.SQL)
			})
		}
		if err != nil {
			return err
		}
	}
	if w.budget.HTTP.URL == "" {
		return nil
	}
	return w.add(governor.Signal{Name: signalHTTP, Limit: 1, Hard: true}, governor.HTTP(&http.Client{Timeout: httpTimeout}, w.budget.HTTP.URL))
}

// canary adds the point read. The default limit is for the server alone, so the
// way there and back is taken off what is measured.
func (w *watch) canary(ctx context.Context, view *schema.View) error {
	probe, err := w.db.Canary(ctx, view)
	if err != nil {
		return err
	}
	if w.budget.Limits.Canary == nil {
		distance, err := w.db.RoundTrip(ctx)
		if err != nil {
			return err
		}
		probe = beyond(distance, probe)
	}
	limit := or(w.budget.Limits.Canary, DefaultCanary)
	return w.add(governor.Signal{Name: signalCanary, Unit: "ms", Limit: milliseconds(limit), Latency: true}, probe)
}

// farthest is the longest way there and back that is believed: between continents
// it takes 300 ms. What took longer was waiting.
const farthest = 300 * time.Millisecond

// beyond is a canary without the way there and back. Measured at a busy moment that
// may seem far too long, so the quickest read so far corrects it; it is never
// corrected upwards, or a database that slowly gets worse would seem far away.
func beyond(distance time.Duration, probe governor.Probe) governor.Probe {
	least := milliseconds(min(distance, farthest))
	return func(ctx context.Context) (float64, error) {
		took, err := probe(ctx)
		if err != nil {
			return 0, err
		}
		least = min(least, took)
		return took - least, nil
	}
}

// signals are the engines' figures by name, with limit 0 where they are off.
func (l Limits) signals(cores float64) map[string]governor.Signal {
	threads := 0.0
	if cores > 0 {
		threads = 2*cores + 6
	}
	all := map[string]governor.Signal{
		// A burst is no overload, and on few cores one of six is nothing unusual.
		dialect.ProbeThreads:     {Limit: or(l.Threads, threads), Cores: cores},
		dialect.ProbeLockWaits:   {Limit: or(l.LockWaits, DefaultLockWaits)},
		dialect.ProbeHistory:     {Limit: or(l.History, DefaultHistory), Every: slowly},
		dialect.ProbeSnapshotAge: {Limit: or(l.SnapshotAge, 0).Seconds(), Unit: "s", Every: slowly},
		// Reading a primary does not delay its replicas.
		dialect.ProbeReplicaLag:  {Limit: or(l.ReplicaLag, DefaultReplicaLag).Seconds(), Unit: "s", Hard: true, For: governor.Writes},
		dialect.ProbeConnections: {Limit: or(l.Connections, DefaultConnections), Unit: "%", Every: slowly, Hard: true},
		dialect.ProbeLatency:     {Limit: milliseconds(or(l.Latency, 0)), Unit: "ms"},
	}
	for name, s := range all {
		s.Name = name
		all[name] = s
	}
	return all
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
