package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// guard is what the validator's configuration says of both governors. That source
// and target are one server it finds out. PostgreSQL does not tell how many cores it
// has; where it is told, nothing changes.
type guard string

var (
	guarded   = guard(fmt.Sprintf("cores: %d", runtime.NumCPU()))
	unguarded = guarded + ", adapt: false"
)

// governorBench is what its scenarios share.
type governorBench struct {
	o              options
	env            services
	source, target side
	foreground     *foreground
	most           float64 // of the foreground's statements a second, as gauged last
	gauged         []float64
	serverCPU      func(serverCPU) time.Duration
}

// configure writes a validator's configuration and makes its topics. The
// servers digest: the validator's own work would be another machine's, and here
// it would take the server's cores.
func (b *governorBench) configure(ctx context.Context, g guard, listen string, pairs ...string) (*backlog, error) {
	dir, err := os.MkdirTemp("", "trueup-bench-")
	if err != nil {
		return nil, err
	}
	load := &backlog{dir: dir, config: filepath.Join(dir, "trueup.yaml"), broker: b.env.kafka, prefix: fmt.Sprintf("bench-%d", time.Now().UnixNano())}
	var text strings.Builder
	fmt.Fprintf(&text, `source: {dsn: %q}
target: {dsn: %q}
kafka: {brokers: [%q], prefix: %s, partitions: 1, replication: 1}
http: {listen: %q}
governor: {source: {%s}, target: {%s}}
validator: {confirm: 0s}
pairs:
`, b.source.dsn, b.target.dsn, load.broker, load.prefix, listen, g, g)
	for i, settings := range pairs {
		fmt.Fprintf(&text, "  - {name: orders%d, source: orders, target: orders, method: checksum%s}\n", i, settings)
	}
	err = os.WriteFile(load.config, []byte(text.String()), 0o600)
	if err == nil {
		_, err = command{"trueup topics create", []string{filepath.Join(b.o.bin, "trueup"), "topics", "create", "--config", load.config}, []int{0}}.run(ctx)
	}
	if err != nil {
		load.remove()
		return nil, err
	}
	return load, nil
}

// tool is something that looks at the tables beside the foreground, until the
// function that it returns is called.
type tool func(ctx context.Context, start time.Time) (stop func(context.Context) (effort, error), err error)

// neighbour is a tool and its name in the report.
type neighbour struct {
	name string
	tool tool
}

// effort is what a tool did.
type effort struct {
	rows float64 // examined
	watchedRun
}

// nothing is the foreground alone.
func nothing(context.Context, time.Time) (func(context.Context) (effort, error), error) {
	return func(context.Context) (effort, error) { return effort{}, nil }, nil
}

// always has a pair validated again as soon as it was, and a second one has the
// second between its runs filled by the other's.
const always = `, schedule: {full: "@every 1s"}`

// validator is trueup's validator, which compares the tables again and again.
func (b *governorBench) validator(g guard, lookedAt time.Duration) tool {
	return func(ctx context.Context, start time.Time) (func(context.Context) (effort, error), error) {
		address, err := freeAddress(ctx)
		if err != nil {
			return nil, err
		}
		load, err := b.configure(ctx, g, address, always, always)
		if err != nil {
			return nil, err
		}
		v, err := startValidating(ctx, b.o, load, address, start, lookedAt)
		if err != nil {
			load.remove()
			return nil, err
		}
		return func(ctx context.Context) (effort, error) {
			seen, err := v.stop(ctx)
			e := effort{watchedRun: seen}
			if n := len(seen.looks); n > 0 {
				e.rows = seen.looks[n-1].rows
			}
			return e, err
		}, nil
	}
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// checksumming is pt-table-checksum.
func (b *governorBench) checksumming(ctx context.Context, _ time.Time) (func(context.Context) (effort, error), error) {
	p, err := startChecksumming(ctx, b.o, b.env, b.source)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (effort, error) {
		rows, err := p.stop(ctx)
		return effort{rows: rows, watchedRun: watchedRun{cpu: p.cpu}}, err
	}, nil
}

// trial is one run of the foreground beside a tool.
type trial struct {
	name   string
	served []served
	effort
	lasts time.Duration // the span whose waits are measured; it begins at settling
	// Processor time since the tool was started: the server's and the
	// generator's; the tool's is its effort's.
	server, generator time.Duration
}

const (
	// settling is how long the foreground has been at it when measuring begins,
	// and started when the tool was started: that a program starts takes cores
	// that are the server's here only, and a governor has to learn what is usual.
	settling = 20 * time.Second
	started  = 3 * time.Second
)

// try runs the foreground through the phases, the first lengthened by settling.
func (b *governorBench) try(ctx context.Context, with neighbour, phases ...phase) (trial, error) {
	t := trial{name: with.name}
	phases = append([]phase{}, phases...)
	for _, p := range phases {
		t.lasts += p.lasts
	}
	phases[0].lasts += settling
	list := arrivals(b.o.rows, phases...)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	start := time.Now()
	type outcome struct {
		served []served
		err    error
	}
	answered := make(chan outcome, 1)
	go func() {
		done, err := b.foreground.run(ctx, start, list, sessions)
		answered <- outcome{done, err}
	}()
	stop, before, err := b.begin(ctx, with.tool, start)
	if err != nil {
		cancel()
		<-answered
		return t, fmt.Errorf("beside %s: %w", t.name, err)
	}
	own := ownCPU()
	all := <-answered
	after, err := b.env.cpu.read()
	t.generator = ownCPU() - own
	t.served = all.served
	t.server = b.serverCPU(after.minus(before))
	did, stopErr := stop(context.WithoutCancel(ctx))
	t.effort = did
	if err := errors.Join(all.err, err, stopErr, ctx.Err()); err != nil {
		return t, fmt.Errorf("beside %s: %w", t.name, err)
	}
	return t, nil
}

// begin starts the tool when it is time to.
func (b *governorBench) begin(ctx context.Context, with tool, start time.Time) (func(context.Context) (effort, error), serverCPU, error) {
	if !sleepUntil(ctx, start.Add(started)) {
		return nil, serverCPU{}, ctx.Err()
	}
	before, err := b.env.cpu.read()
	if err != nil {
		return nil, before, err
	}
	stop, err := with(ctx, start)
	return stop, before, err
}

// in are the waits of a span that is given from the beginning of measuring.
func (t *trial) in(from, to time.Duration) []time.Duration {
	return times(t.served, settling+from, settling+to)
}

// works is how long the tool did.
func (t *trial) works() time.Duration { return settling - started + t.lasts }

// rate is the rows examined a second.
func (t *trial) rate() float64 { return t.rows / t.works().Seconds() }

// cores is how many processors a time kept busy while the tool worked.
func (t *trial) cores(used time.Duration) float64 { return used.Seconds() / t.works().Seconds() }
