package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// direction is one pair of engines: two databases, an application, a replicator
// and a vandal, and the product between them.
type direction struct {
	name, base        string // base is what the names of its databases begin with
	dir               string
	options           options
	authority, target *database // as the checks see them
	replicating       *database // as the replicator and the vandal write to the copy
	topics            topics
	writers           []*writer
	lanes             []*lane
	vandal            *vandal
	watch             *watch
	fixers            []*keeper
	validator         *keeper
	config            string // the soak's own, past the proxies but for Kafka

	operations, rows, damage, mishap tally
	replicated                       replicated
	wrong                            func(string)
	giveUp                           func() // ends the whole soak

	// What the end shows.
	compared  int
	different []string
	lost      int
	toClean   time.Duration
	findings  int
	retries   int
	dead      int
	results   map[string]int
}

// newDirection makes the databases, fills them, and prepares everybody.
func newDirection(ctx context.Context, o options, b *broker, dir string, from, to engine, found *violations) (*direction, error) {
	name := string(from) + " to " + string(to)
	d := &direction{name: name, dir: dir, options: o, wrong: found.add(name)}
	d.topics = topics{b.direct, o.prefix + "." + string(from) + "." + string(to)}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := d.openDatabases(ctx, from, to); err != nil {
		return nil, err
	}
	d.simulate()
	for _, w := range d.writers {
		if err := load(ctx, d.authority, d.replicating, w.changes()); err != nil {
			return nil, err
		}
	}
	if err := d.prepare(ctx, b); err != nil {
		return nil, err
	}
	d.watch = &watch{db: d.target, verdicts: verdicts{log: d.validator.log}, wrong: d.wrong}
	return d, nil
}

func (d *direction) openDatabases(ctx context.Context, from, to engine) error {
	var err error
	d.base = strings.ReplaceAll(d.options.prefix, "-", "_") + "_" + string(from) + "_" + string(to)
	source, err := createDatabase(ctx, from, d.options.servers[from], d.base+"_a")
	if err != nil {
		return err
	}
	target, err := createDatabase(ctx, to, d.options.servers[to], d.base+"_b")
	if err != nil {
		return err
	}
	if d.authority, err = open(from, source, false); err != nil {
		return err
	}
	if d.target, err = open(to, target, false); err != nil {
		return err
	}
	if d.replicating, err = open(to, target, true); err != nil {
		return err
	}
	for _, t := range tables {
		if _, err := d.authority.ExecContext(ctx, t.create(from)); err != nil {
			return fmt.Errorf("create %s: %w", t.name, err)
		}
		for _, statement := range []string{t.create(to), t.createLedger(to)} {
			if _, err := d.target.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("create %s: %w", t.name, err)
			}
		}
	}
	return nil
}

// simulate makes the application, the replicator and the vandal.
func (d *direction) simulate() {
	o := d.options
	counted := func(operation string, rows int) {
		d.operations.add(operation, 1)
		d.rows.add(operation, int64(rows))
	}
	for n := range o.writers {
		w := newWriter(n, o.rows, o.seed)
		stream := make(chan transaction, 4096) // more than any stall of the replicator
		w.db, w.out, w.counted = d.authority, stream, counted
		w.every = time.Duration(float64(time.Second) * float64(o.writers) / o.rate)
		d.writers = append(d.writers, w)
		d.lanes = append(d.lanes, &lane{db: d.replicating, random: o.random(d.name, 100+n), in: stream, tally: &d.replicated})
	}
	d.vandal = &vandal{
		db: d.replicating, random: o.random(d.name, 200), rows: o.rows, every: time.Duration(float64(time.Second) / o.damage),
		counted: func(kind string, rows int64) { d.damage.add(kind, rows) },
	}
}

// prepare makes the topics, and configurations with ways of their own for each
// program.
func (d *direction) prepare(ctx context.Context, b *broker) error {
	d.config = filepath.Join(d.dir, "trueup.yaml")
	if err := d.configure(d.config, d.authority.url, d.target.url, b.direct); err != nil {
		return err
	}
	status, out, err := call(ctx, d.options.bin, "trueup", "topics", "create", "--config", d.config)
	if err != nil || status != 0 {
		return errors.Join(err, fmt.Errorf("trueup topics create: status %d: %s", status, out))
	}
	if d.validator, err = d.keeper(ctx, "validator", 0, b); err != nil {
		return err
	}
	for n := range d.options.fixers {
		fixer, err := d.keeper(ctx, "fixer", n, b)
		if err != nil {
			return err
		}
		d.fixers = append(d.fixers, fixer)
	}
	return nil
}

func (d *direction) keeper(ctx context.Context, program string, number int, b *broker) (*keeper, error) {
	base := filepath.Join(d.dir, fmt.Sprintf("%s%d", program, number))
	k := &keeper{
		name: fmt.Sprintf("%s %d", program, number), log: base + ".log", kills: make(chan time.Duration),
		argv:   []string{filepath.Join(d.options.bin, program), "--config", base + ".yaml"},
		killed: d.mishap.one(program + " killed (-9)"), wrong: d.wrong,
	}
	var urls []string
	for _, db := range []*database{d.authority, d.target} {
		u, err := url.Parse(db.url)
		if err != nil {
			return nil, errors.New("the address of a test server is not a URL")
		}
		way, err := newProxy(ctx, u.Host)
		if err != nil {
			return nil, err
		}
		u.Host = way.address()
		k.ways, urls = append(k.ways, way), append(urls, u.String())
	}
	return k, d.configure(base+".yaml", urls[0], urls[1], b.clients)
}

// configure writes a configuration file, after which its process is named in
// consumer groups: one that was killed is started again under its name. After a
// cut-over the authority is the product's target, and repairs go the other way.
// Breakers are off, as so much damage in tables so small is what they are there to
// stop at, and the governors do not adapt: a machine with all of this on it looks
// busy at all times.
func (d *direction) configure(path, authority, target, kafka string) error {
	var pairs strings.Builder
	decision, source := "authority: source", authority
	if d.options.cutOver {
		decision, source, target = "authority: target, epoch: 2", target, authority
	}
	for _, t := range tables {
		fmt.Fprintf(&pairs, "  - {name: %s, %s, %s, breaker: {share: off, deletes: off, per_minute: off}, schedule: {full: '@every 2s', reverse: '@every 5s'}}\n", t.name, decision, t.settings)
	}
	text := fmt.Sprintf(`source: {dsn: %q}
target: {dsn: %q}
kafka: {brokers: [%q], prefix: %s, partitions: 6, replication: 1, instance: %s}
pairs:
%svalidator: {confirm: 500ms}
fixer: {retry_delay: 1s}
governor: {source: {adapt: false}, target: {adapt: false}}
http: {listen: "off"}
`, source, target, kafka, d.topics.prefix, strings.TrimSuffix(filepath.Base(path), ".yaml"), pairs.String())
	return os.WriteFile(path, []byte(text), 0o600)
}

func (d *direction) keepers() []*keeper { return append([]*keeper{d.validator}, d.fixers...) }

// anyWay is one of the ways from the programs to the databases.
func (d *direction) anyWay(random *rand.Rand) *proxy {
	all := d.keepers()
	return all[random.IntN(len(all))].ways[random.IntN(2)]
}

// run has everybody work until busy ends, then lets the copy settle and looks.
func (d *direction) run(ctx, busy context.Context) error {
	services, stopServices := context.WithCancel(ctx)
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	defer stopServices()
	kept, watched := crew{giveUp: d.giveUp}, crew{giveUp: d.giveUp}
	for _, k := range d.keepers() {
		kept.do(func() error { return k.run(services) })
	}
	watched.do(func() error { return d.watch.run(watching, 100*time.Millisecond) })
	err := d.work(ctx, busy)
	if err == nil {
		err = d.settle(ctx)
	}
	stopWatching()
	stopServices()
	err = errors.Join(err, watched.wait(), kept.wait())
	if err == nil {
		err = d.inspect(ctx)
	}
	return err
}

// work has the writers, the replicator, the vandal and mishaps at it until busy
// ends, and returns when the replicator has brought everything.
func (d *direction) work(ctx, busy context.Context) error {
	everybody := crew{giveUp: d.giveUp}
	for i, w := range d.writers {
		everybody.do(func() error { return w.run(busy) })
		everybody.do(func() error { return d.lanes[i].run(ctx) })
	}
	everybody.do(func() error { d.vandal.run(busy); return nil })
	everybody.do(func() error { d.mishaps(busy, d.options.random(d.name, 300), d.options.mishaps); return nil })
	return everybody.wait()
}

// crew is people at work side by side. When one of them fails nothing can be said
// any more, and giveUp is called.
type crew struct {
	giveUp func()
	group  sync.WaitGroup
	mu     sync.Mutex
	err    error
}

func (c *crew) do(work func() error) {
	c.group.Go(func() {
		if err := work(); err != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.err = errors.Join(c.err, err)
			c.giveUp()
		}
	})
}

func (c *crew) wait() error {
	c.group.Wait()
	return c.err
}
