package assembly

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/governor"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/telemetry"
	"github.com/trueup/trueup/pkg/validate"
)

// Governors are the governors of both databases, and what they go by. They
// admit nothing until Start.
type Governors struct {
	// LeavesProcessors is set before Share where this process is to use no more than its
	// part of the machine's processors: that of one among those that set it as well.
	LeavesProcessors bool

	file     File
	log      zerolog.Logger
	list     map[governed]*governor.Governor
	watchers map[event.Side]*governor.Watcher
	opened   []*database.DB
	orders   orders
	// oneServer says that both databases are on one, as Start found out.
	oneServer atomic.Bool
}

// governed is what a governor admits.
type governed struct {
	side event.Side
	use  governor.Use
}

// NewGovernors returns governors of the given uses of both sides, and shows
// them as metrics.
func NewGovernors(file File, log zerolog.Logger, metrics *telemetry.Metrics, uses ...governor.Use) (*Governors, error) {
	g := &Governors{file: file, log: log, list: map[governed]*governor.Governor{}}
	var shown []telemetry.Governed
	for _, side := range []event.Side{event.Source, event.Target} {
		budget := g.budget(side)
		windows := make([]governor.Window, len(budget.Pauses))
		for i, p := range budget.Pauses {
			var err error
			if windows[i], err = p.window(); err != nil {
				return nil, err
			}
		}
		for _, use := range uses {
			one, err := governor.New(governor.Config{
				Name: side.String() + " " + use.String(), Use: use, Most: budget.Concurrency, Processes: budget.Processes,
				Fixed: !budget.adapts(), Windows: windows, Observer: governorLog{log},
			})
			if err != nil {
				return nil, err
			}
			g.list[governed{side, use}] = one
			shown = append(shown, telemetry.Governed{Side: side.String(), Use: use.String(), Ask: one.Status})
		}
	}
	if metrics != nil {
		telemetry.WatchGovernors(metrics, shown)
	}
	return g, nil
}

func (g *Governors) budget(side event.Side) *Budget {
	if side == event.Target {
		return &g.file.Governor.Target
	}
	return &g.file.Governor.Source
}

func (g *Governors) settings(side event.Side) Database {
	if side == event.Target {
		return g.file.Target
	}
	return g.file.Source
}

// Of is the governor of a use of one side; nil where there is none.
func (g *Governors) Of(side event.Side, use governor.Use) *governor.Governor {
	return g.list[governed{side, use}]
}

// Status is how all of them stand, the source's first.
func (g *Governors) Status() []governor.Status {
	var all []governor.Status
	for _, side := range []event.Side{event.Source, event.Target} {
		for _, use := range []governor.Use{governor.Reads, governor.Writes} {
			if one := g.Of(side, use); one != nil {
				all = append(all, one.Status())
			}
		}
	}
	return all
}

// Pacer has comparisons ask the governors of reads.
func (g *Governors) Pacer() validate.Pacer { return pacer{g} }

type pacer struct{ governors *Governors }

// Acquire implements validate.Pacer.
func (p pacer) Acquire(ctx context.Context, side event.Side) (func(), error) {
	return p.governors.Of(side, governor.Reads).Acquire(ctx)
}

// Size is the smaller of the two sides'.
func (p pacer) Size() float64 {
	return min(p.governors.Of(event.Source, governor.Reads).Size(), p.governors.Of(event.Target, governor.Reads).Size())
}

// InTurn keeps two statements of a range from being on one server at once that has no
// room for two.
func (p pacer) InTurn() bool { return p.governors.oneServer.Load() && p.Size() < 1 }

// monitorConns is one connection for the canary, which must not wait, and one
// for the rest.
const monitorConns = 2

// Start opens connections of its own to both databases, finds out whether they are on
// one server and what can be measured there, measures it once and lets the governors
// begin. The pair's tables are what the canaries read. After an error nothing is open
// and it can be called again.
func (g *Governors) Start(ctx context.Context, pair *schema.Pair) (err error) {
	defer func() {
		if err != nil {
			g.Close()
		}
	}()
	g.watchers = map[event.Side]*governor.Watcher{}
	dbs, err := Open(ctx, g.settings(event.Source), g.settings(event.Target), Access{Conns: monitorConns, Application: "trueup-governor"})
	if err != nil {
		return err
	}
	g.opened = []*database.DB{dbs.Source, dbs.Target}
	if err := g.identify(ctx, dbs); err != nil {
		return err
	}
	for side, view := range map[event.Side]*schema.View{event.Source: &pair.Source, event.Target: &pair.Target} {
		if !g.budget(side).adapts() {
			continue
		}
		watch := watch{side: side, budget: g.budget(side), db: dbs.Of(side), log: g.log, watcher: governor.NewWatcher(side.String(), governorLog{g.log})}
		watch.watcher.Phase = phases[side]
		if err := watch.signals(ctx, view); err != nil {
			return fmt.Errorf("%s: %w", side, err)
		}
		g.watchers[side] = watch.watcher
	}
	var measured sync.WaitGroup
	for _, w := range g.watchers {
		measured.Go(func() { w.Measure(ctx) })
	}
	measured.Wait()
	return g.begin()
}

// phases are different since both sides may be on one server.
var phases = map[event.Side]float64{event.Source: 1.0 / 3, event.Target: 2.0 / 3}

// begin lets the governors admit.
func (g *Governors) begin() error {
	if path := g.file.Governor.PauseFile; path != "" {
		g.orderByFile(readPause(path)) // before anything is admitted
	}
	var errs []error
	for which, one := range g.list {
		errs = append(errs, one.Start(g.watchers[which.side]))
	}
	return errors.Join(errs...)
}

// identify has databases on one server divide one budget: the same cores serve both.
func (g *Governors) identify(ctx context.Context, dbs *Databases) error {
	same, err := database.SameServer(ctx, dbs.Source, dbs.Target)
	switch class := database.ClassOf(err); {
	case err == nil:
	case ctx.Err() != nil, class == dialect.ClassTransient, class == dialect.ClassContention:
		return err
	default: // that the servers do not tell will not change
		g.log.Warn().Err(err).Msg("it is not known whether source and target are on one server; if they are, halve governor.*.concurrency")
	}
	g.oneServer.Store(same)
	if !same {
		return nil
	}
	for _, one := range g.list {
		one.Halve(g.ofOneServer())
	}
	return nil
}

// ofOneServer is the budget of a server that has both databases.
func (g *Governors) ofOneServer() int {
	return min(g.budget(event.Source).Concurrency, g.budget(event.Target).Concurrency)
}

// LogPlace has the log say that both databases are on one server, once Start has found
// out: for services and whoever looks at governors, since other commands have few words.
func (g *Governors) LogPlace() {
	if g.oneServer.Load() {
		g.log.Info().Int("concurrency", g.ofOneServer()).Msg("source and target are on one server, and have half of its budget each")
	}
}

// Observe notes what reading a row of a range took, as far as it is known.
func (g *Governors) Observe(rows int64, took time.Duration) {
	if rows <= 0 || took <= 0 {
		return
	}
	for _, w := range g.watchers {
		w.Observe(signalPerRow, microseconds(took)/float64(rows))
	}
}

// Run measures and decides until ctx ends, and closes what Start opened.
func (g *Governors) Run(ctx context.Context) {
	defer g.Close()
	var all sync.WaitGroup
	for _, w := range g.watchers {
		all.Go(func() { w.Run(ctx) })
	}
	for _, one := range g.list {
		all.Go(func() { one.Run(ctx) })
	}
	if g.file.Governor.PauseFile != "" {
		all.Go(func() { g.followFile(ctx) })
	}
	all.Wait()
}

// Background runs a part until the function it returns is called, which waits
// for its end.
func Background(ctx context.Context, run func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

// Close closes what Start opened, where Run does not.
func (g *Governors) Close() {
	for _, db := range g.opened {
		_ = db.Close() // it only reads
	}
	g.opened = nil
}

// governorLog logs changes.
type governorLog struct{ log zerolog.Logger }

func (l governorLog) Paused(name, reason string) {
	l.log.Warn().Str("governor", name).Str("reason", reason).Msg("paused: no new work is begun, what runs goes on")
}

func (l governorLog) Resumed(name string, after time.Duration) {
	l.log.Info().Str("governor", name).Dur("paused_ms", after).Msg("resumed, with one worker")
}

func (l governorLog) Lost(database string, s governor.Signal, err error) {
	l.log.Warn().Err(err).Str("database", database).Str("signal", s.Name).Bool("hard", s.Hard).Msg("a signal cannot be measured; the load is not raised")
}

func (l governorLog) Found(database string, s governor.Signal) {
	l.log.Info().Str("database", database).Str("signal", s.Name).Msg("a signal can be measured again")
}
