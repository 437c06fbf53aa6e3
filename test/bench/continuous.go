package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/trueup/trueup/internal/debezium"
)

// Following changes: how long after its commit a change is verified while the
// source takes a thousand a second, and what it costs to look where nothing
// changes.
const (
	// followSettle is validator.continuous.settle, and followEvery the interval of
	// the incremental run.
	followSettle = 2 * time.Second
	followEvery  = time.Second
	// followGoal is what may come on top of settling.
	followGoal = 2 * time.Second
	// counted are the changes from followWarm after the first write until
	// followRest before the last.
	followWarm = 20 * time.Second
	followRest = 15 * time.Second
)

// loadFollowed makes the table that measureContinuous copies.
func loadFollowed(ctx context.Context, o options, env services) error {
	return loadMySQL(ctx, o, env, o.prefix+"_a")
}

// following is a validator that follows the changes of the table orders.
type following struct {
	backlog // its configuration and topics
	*process
	address string // of its metrics
}

// measureContinuous follows a MariaDB's changes into another, by their time and
// by change events, and then does so with nothing to follow.
func measureContinuous(ctx context.Context, o options, env services) error {
	a, b := o.prefix+"_follow_a", o.prefix+"_follow_b"
	defer func() {
		// What the context ended is still to be tidied up.
		if err := dropCopies(context.WithoutCancel(ctx), env, []string{a, b}, nil); err != nil {
			progress("%v", err)
		}
	}()
	if err := copyMySQL(ctx, env, o.prefix+"_a", a, "ALTER TABLE orders ADD KEY (updated_at)"); err != nil {
		return err
	}
	if err := copyMySQL(ctx, env, o.prefix+"_a", b); err != nil {
		return err
	}
	var rows [][]string
	var goals []goal
	for _, way := range followWays(o) {
		progress("following changes %s", way.name)
		lag, err := follow(ctx, o, env, a, b, way)
		if err != nil {
			return fmt.Errorf("follow changes %s: %w", way.name, err)
		}
		rows = append(rows, lag.row(way.name))
		goals = append(goals,
			goal{what: "changes " + way.name + ": p99 from commit to verified, seconds", figure: percentile(lag.times, 99).Seconds(), want: (followSettle + followGoal).Seconds()},
			goal{what: "changes " + way.name + ": written a second", figure: lag.rate, want: 0.99 * float64(o.changes), least: true})
	}
	printTable(fmt.Sprintf("Following %d changes a second of %d rows, MariaDB to MariaDB, one run of %v", o.changes, o.rows, o.follow),
		[]string{"followed", "changes a second", "p50 s", "p99 s", "longest s", "of a processor, the validator", "its peak MiB"}, rows)
	fmt.Printf("From a change's commit until the validator says that everything up to that moment is verified, its settling of %v included. "+
		"Writers do not wait for one another: a change has its time, and is written late when the server is. The copy gets each %v after its commit. "+
		"Change events have whole seconds, as MariaDB's log does, which counts against them.\n\n", followSettle, replicaDelay)
	printGoals(goals...)
	return measureIdle(ctx, o, env, a, b)
}

// followWay is one way to follow changes.
type followWay struct {
	name, mode string
	settings   string // of the pair; %s is where the topic's name goes
}

func followWays(o options) []followWay {
	ways := []followWay{{"by their time", "incremental", fmt.Sprintf("updated_at: updated_at, updated_at_zone: UTC, schedule: {incremental: '@every %v'}", followEvery)}}
	if o.connect == "" {
		progress("no Kafka Connect is known (-connect): change events are left out")
		return ways
	}
	return append(ways, followWay{"by change events", "triggered", "changes: {source: '%s'}"})
}

// follow has writers at the source and a validator behind them.
func follow(ctx context.Context, o options, env services, a, b string, way followWay) (lag followLag, err error) {
	f, err := newFollowing(ctx, env, env.mysqlDSN(a), env.mysqlDSN(b), way.settings, a)
	if err != nil {
		return lag, err
	}
	defer f.remove()
	if way.mode == "triggered" {
		worker, err := startConnector(ctx, o, env, a, f.eventsPrefix(), f.dir)
		if err != nil {
			return lag, err
		}
		defer worker.Kill()
	}
	if err := f.createTopics(ctx, o); err != nil {
		return lag, err
	}
	// The topic of events comes with the first change.
	l, err := startLoad(ctx, o, env, a, b)
	if err != nil {
		return lag, err
	}
	defer l.stop()
	if err := f.start(o); err != nil {
		return lag, err
	}
	list, share, err := f.listen(ctx, o, way.mode, l)
	if err := errors.Join(err, f.stop()); err != nil {
		return lag, err
	}
	return followLag{times: lags(l.counted(o), list), rate: l.rate(o), cpu: share, peak: f.peak}, nil
}

// newFollowing writes the configuration of a validator that runs nothing but
// what the settings say.
func newFollowing(ctx context.Context, env services, source, target, settings, database string) (*following, error) {
	dir, err := os.MkdirTemp("", "trueup-bench-")
	if err != nil {
		return nil, err
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	f := &following{backlog: backlog{
		dir: dir, config: filepath.Join(dir, "trueup.yaml"), broker: env.kafka, prefix: fmt.Sprintf("bench-%d", time.Now().UnixNano()),
	}, address: address}
	if strings.Contains(settings, "%s") {
		settings = fmt.Sprintf(settings, f.eventsPrefix()+"."+database+".orders")
	}
	text := fmt.Sprintf(`source: {dsn: %q}
target: {dsn: %q}
kafka: {brokers: [%q], prefix: %s, partitions: 12, replication: 1}
pairs:
  - {name: orders, exclude: [updated_at], %s}
validator: {confirm: 500ms, continuous: {settle: %v}}
http: {listen: %q}
%s`, source, target, env.kafka, f.prefix, settings, followSettle, address, load{}.yaml())
	return f, os.WriteFile(f.config, []byte(text), 0o600)
}

func (f *following) eventsPrefix() string { return f.prefix + ".events" }

func (f *following) createTopics(ctx context.Context, o options) error {
	_, err := command{"trueup topics create", []string{filepath.Join(o.bin, "trueup"), "topics", "create", "--config", f.config}, []int{0}}.run(ctx)
	return err
}

func (f *following) start(o options) error {
	log, err := os.Create(f.log())
	if err != nil {
		return err
	}
	defer closeQuietly(log) // the process has its own
	// Not of a context: it is stopped in order.
	cmd := exec.Command(filepath.Join(o.bin, "validator"), "--config", f.config) //nolint:noctx // see above
	cmd.Stdout, cmd.Stderr = log, log
	f.process, err = startProcess(cmd)
	return err
}

func (f *following) log() string { return filepath.Join(f.dir, "validator.log") }

func (f *following) stop() error {
	if err := f.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	err := f.wait()
	if err == nil {
		return nil
	}
	log, readErr := os.ReadFile(f.log())
	return errors.Join(fmt.Errorf("the validator ended with %w; its log:\n%s", err, tail(string(log))), readErr)
}

// startConnector starts Debezium on a database, from now on and without what is
// in its tables already.
func startConnector(ctx context.Context, o options, env services, database, prefix, dir string) (*debezium.Worker, error) {
	settings, err := debezium.Settings(env.mysqlDSN(database), prefix, dir, false, map[string]string{"snapshot.mode": "no_data", "snapshot.locking.mode": "none"})
	if err != nil {
		return nil, err
	}
	worker, err := debezium.New(o.connect, dir, []string{env.kafka}, settings)
	if err != nil {
		return nil, err
	}
	if err := worker.Start(ctx); err != nil {
		worker.Kill()
		return nil, fmt.Errorf("%w\n%s", err, worker.Log(2000))
	}
	return worker, nil
}

// followLag is how long changes took until they were verified, in order, and
// what that cost.
type followLag struct {
	times []time.Duration
	rate  float64 // changes a second, as they were written
	cpu   float64 // of one processor
	peak  int64   // KiB
}

func (l followLag) row(name string) []string {
	return []string{
		name, fmt.Sprintf("%.0f", l.rate), seconds(percentile(l.times, 50)), seconds(percentile(l.times, 99)), seconds(percentile(l.times, 100)),
		fmt.Sprintf("%.0f %%", 100*l.cpu), mib(l.peak),
	}
}

// lags holds the times of commits against what was said, in order: a change is
// verified once a time that is not before its commit is. Those of which nothing
// was said count as verified when the listening ended, so that they show.
func lags(commits []time.Time, list []said) []time.Duration {
	var out []time.Duration
	for _, c := range commits {
		i, _ := slices.BinarySearchFunc(list, c, func(s said, c time.Time) int { return s.until.Compare(c) })
		out = append(out, list[min(i, len(list)-1)].at.Sub(c))
	}
	slices.Sort(out)
	return out
}
