package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/trueup/trueup/internal/debezium"
)

// The continuous soak has trueup follow changes, by a column and by the events of
// Debezium's connectors, and run nothing else: what is damaged is found by that
// or not at all. A journal of what was written and damaged says what had to be
// found, and what could not be.

// continuous is such a soak.
type continuous struct {
	options  options
	began    time.Time
	routes   []*route
	worker   *debezium.Worker
	broker   *broker
	mishap   tally
	moments  []time.Time // at which mishaps began
	trouble  violations
	settling time.Duration
}

// route is one pair of engines: authority, copy, and the product between them.
type route struct {
	name              string
	dir               string
	options           options
	authority, target *database
	topics            topics
	journal           *journal
	authors           []*author
	couriers          []*courier
	intruder          *intruder
	claims            *claims
	fixers            []*keeper
	validator         *keeper
	config            string

	writes, damage tally
	replicated     replicated
	wrong          func(string)

	// What the end shows.
	compared  int
	different []string
	judged    judgement
	results   map[string]int
}

// settleTime and confirmTime are the product's settings.
const (
	settleTime  = 2 * time.Second
	confirmTime = 500 * time.Millisecond
)

// newContinuous makes the databases, fills them, and starts the connectors.
func newContinuous(ctx context.Context, o options, b *broker, pairs [][2]engine) (*continuous, error) {
	if o.cutOver {
		return nil, errors.New("-continuous follows the changes of the source; leave out -cut-over")
	}
	c := &continuous{options: o, began: time.Now(), broker: b}
	var connectors []map[string]string
	for _, p := range pairs {
		progress("filling %s to %s", p[0], p[1])
		r, err := newRoute(ctx, o, b, p[0], p[1], &c.trouble)
		if err != nil {
			return nil, err
		}
		c.routes = append(c.routes, r)
		for _, f := range r.feeds() {
			settings, err := f.connector(r.dir)
			if err != nil {
				return nil, err
			}
			connectors = append(connectors, settings)
		}
	}
	dir := filepath.Join(o.dir, "connect")
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		c.worker, err = debezium.New(o.connect, dir, []string{b.clients}, connectors...)
	}
	return c, err
}

func newRoute(ctx context.Context, o options, b *broker, from, to engine, found *violations) (*route, error) {
	name := string(from) + " to " + string(to)
	r := &route{name: name, options: o, journal: newJournal(), wrong: found.add(name)}
	r.dir = filepath.Join(o.dir, string(from)+"-"+string(to))
	r.topics = topics{b.direct, o.prefix + "." + string(from) + "." + string(to)}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return nil, err
	}
	if err := r.openDatabases(ctx, from, to); err != nil {
		return nil, err
	}
	r.simulate()
	for _, a := range r.authors {
		if err := loadRows(ctx, a.rows(), r.authority, r.target); err != nil {
			return nil, err
		}
	}
	return r, r.prepare(ctx, b)
}

func (r *route) openDatabases(ctx context.Context, from, to engine) error {
	base := strings.ReplaceAll(r.options.prefix, "-", "_") + "_" + string(from) + "_" + string(to)
	for _, side := range []struct {
		engine engine
		suffix string
		db     **database
	}{{from, "_a", &r.authority}, {to, "_b", &r.target}} {
		if err := dropSlots(ctx, side.engine, r.options.servers[side.engine], base+side.suffix); err != nil {
			return err
		}
		dsn, err := createDatabase(ctx, side.engine, r.options.servers[side.engine], base+side.suffix)
		if err != nil {
			return err
		}
		if *side.db, err = open(side.engine, dsn, false); err != nil {
			return err
		}
	}
	for _, t := range followedTables {
		if err := create(ctx, r.authority, t.createAuthority(from)...); err != nil {
			return err
		}
		if err := create(ctx, r.target, t.create(to)); err != nil {
			return err
		}
	}
	return nil
}

func create(ctx context.Context, db *database, statements ...string) error {
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// simulate makes the application, the replicator and the intruder.
func (r *route) simulate() {
	o := r.options
	for n := range o.writers {
		a := newAuthor(n, o.rows, o.seed)
		stream := make(chan committed, 4096) // more than any stall of the replicator
		a.db, a.out, a.journal, a.counted = r.authority, stream, r.journal, r.writes.add
		a.every = time.Duration(float64(time.Second) * float64(o.writers) / o.rate)
		r.authors = append(r.authors, a)
		r.couriers = append(r.couriers, &courier{
			db: r.target, random: o.random(r.name, 100+n), in: stream, journal: r.journal, tally: &r.replicated, damaged: r.damage.add,
			loss: o.damage / 4 / (2 * o.rate), // a quarter of the damage, two rows a transaction
		})
	}
	r.intruder = &intruder{
		db: r.target, random: o.random(r.name, 200), every: time.Duration(float64(time.Second) / o.damage),
		writers: o.writers, rows: o.rows, journal: r.journal, damaged: r.damage.add,
	}
}

// prepare makes the configuration, the topics and the programs.
func (r *route) prepare(ctx context.Context, b *broker) error {
	r.config = filepath.Join(r.dir, "trueup.yaml")
	for path, brokers := range map[string]string{r.config: b.direct, r.programs(): b.clients} {
		if err := os.WriteFile(path, []byte(r.settings(brokers)), 0o600); err != nil {
			return err
		}
	}
	status, out, err := call(ctx, r.options.bin, "trueup", "topics", "create", "--config", r.config)
	if err != nil || status != 0 {
		return errors.Join(err, fmt.Errorf("trueup topics create: status %d: %s", status, out))
	}
	ports, err := freePorts(1)
	if err != nil {
		return err
	}
	r.validator = r.keeper("validator", 0, ports[0])
	r.claims = &claims{url: (&url.URL{Scheme: "http", Host: ports[0], Path: "/metrics"}).String(), said: map[string][]claim{}}
	for n := range r.options.fixers {
		r.fixers = append(r.fixers, r.keeper("fixer", n, "127.0.0.1:0"))
	}
	return nil
}

// programs is the configuration of the services, which reach Kafka as all its
// clients do.
func (r *route) programs() string { return filepath.Join(r.dir, "services.yaml") }

func (r *route) keeper(program string, number int, listen string) *keeper {
	return &keeper{
		name: fmt.Sprintf("%s %d", program, number), log: filepath.Join(r.dir, fmt.Sprintf("%s%d.log", program, number)),
		argv:  []string{filepath.Join(r.options.bin, program), "--config", r.programs(), "--listen", listen},
		kills: make(chan time.Duration), killed: func() {}, wrong: r.wrong,
	}
}

func (r *route) keepers() []*keeper { return append([]*keeper{r.validator}, r.fixers...) }

// feeds are the change events of the authority and of the copy.
func (r *route) feeds() [2]feed {
	return [2]feed{{r.authority, r.topics.prefix + ".a"}, {r.target, r.topics.prefix + ".b"}}
}

// settings is the configuration file. Breakers are off and the governors do not
// adapt, as in the other soak.
func (r *route) settings(brokers string) string {
	var pairs strings.Builder
	feeds := r.feeds()
	for _, t := range followedTables {
		pairs.WriteString(t.pair(feeds[0], feeds[1]))
	}
	return fmt.Sprintf(`source: {dsn: %q}
target: {dsn: %q}
kafka: {brokers: [%q], prefix: %s, partitions: 6, replication: 1}
pairs:
%svalidator: {confirm: %v, continuous: {settle: %v}}
fixer: {retry_delay: 1s}
governor: {source: {adapt: false}, target: {adapt: false}}
http: {listen: "off"}
`, r.authority.url, r.target.url, brokers, r.topics.prefix, pairs.String(), confirmTime, settleTime)
}
