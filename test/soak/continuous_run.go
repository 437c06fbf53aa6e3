package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/IBM/sarama"
)

// soakContinuously brings a Kafka and follows changes over it.
func soakContinuously(ctx context.Context, o options, b *broker, pairs [][2]engine) (*continuous, error) {
	c, err := newContinuous(ctx, o, b, pairs)
	if err != nil {
		return nil, err
	}
	progress("starting the connectors")
	defer c.worker.Kill()
	if err := c.start(ctx); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, c.worker.Log(4000))
	}
	return c, c.run(ctx)
}

// startTime is how long connectors and services may take until they follow.
const startTime = 4 * time.Minute

// start starts the connectors and waits for their topics.
func (c *continuous) start(ctx context.Context) error {
	if err := c.worker.Start(ctx); err != nil {
		return err
	}
	client, err := sarama.NewClient([]string{c.broker.direct}, sarama.NewConfig())
	if err != nil {
		return err
	}
	defer client.Close()
	return within(ctx, startTime, "the connectors' topics", func() (bool, error) {
		if err := client.RefreshMetadata(); err != nil {
			return false, err
		}
		known, err := client.Topics()
		for _, r := range c.routes {
			for _, t := range followedTables {
				for _, f := range r.feeds() {
					if t.events && !slices.Contains(known, f.topic(t)) {
						return false, err
					}
				}
			}
		}
		return true, err
	})
}

// within asks until the answer is yes.
func within(ctx context.Context, most time.Duration, what string, ask func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for {
		if yes, err := ask(); yes || err != nil {
			return err
		}
		if pause(ctx, 200*time.Millisecond); ctx.Err() != nil {
			return fmt.Errorf("wait for %s: %w", what, ctx.Err())
		}
	}
}

// run has everybody work while the services follow, waits for trueup to say
// clean, stops the services, and judges.
func (c *continuous) run(ctx context.Context) error {
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	services, stopServices := context.WithCancel(ctx)
	defer stopServices()
	kept := crew{giveUp: giveUp}
	for _, r := range c.routes {
		for _, k := range r.keepers() {
			kept.do(func() error { return k.run(services) })
		}
		kept.do(func() error { r.claims.listen(services); return nil })
	}
	err := c.work(ctx, giveUp)
	if err == nil {
		err = c.settle(ctx)
	}
	stopServices()
	err = errors.Join(err, kept.wait())
	for _, r := range c.routes {
		if err == nil {
			err = r.inspect(ctx, c.moments)
		}
	}
	return err
}

// work has the writers, the replicators, the intruders and mishaps at it for the
// minutes, and returns when the replicators have brought everything.
func (c *continuous) work(ctx context.Context, giveUp func()) error {
	for _, r := range c.routes {
		if err := within(ctx, startTime, "the validator of "+r.name+" to follow changes", r.claims.begun); err != nil {
			return err
		}
	}
	progress("%.1f minutes of writers, damage and mishaps, seed %d, logs in %s", c.options.minutes, c.options.seed, c.options.dir)
	busy, rest := context.WithTimeout(ctx, time.Duration(c.options.minutes*float64(time.Minute)))
	defer rest()
	everybody := crew{giveUp: giveUp}
	for _, r := range c.routes {
		for i, a := range r.authors {
			everybody.do(func() error { return a.run(busy) })
			everybody.do(func() error { return r.couriers[i].run(ctx) })
		}
		everybody.do(func() error { r.intruder.run(busy); return nil })
	}
	everybody.do(func() error { return c.mishaps(ctx, busy) })
	return everybody.wait()
}

// blow is something that befalls all routes.
type blow struct {
	name string
	do   func(ctx context.Context) error
}

// mishaps befall everybody, the given time apart on average: each once, in any
// order, and then each once more.
func (c *continuous) mishaps(ctx, busy context.Context) error {
	random := c.options.random("mishaps", 0)
	harmless := func(do func()) func(context.Context) error {
		return func(context.Context) error { do(); return nil }
	}
	blows := []blow{
		{"validators killed (-9)", harmless(func() {
			for _, r := range c.routes {
				r.validator.kill(upTo(random, 3*time.Second))
			}
		})},
		{"a fixer of each killed (-9)", harmless(func() {
			for _, r := range c.routes {
				r.fixers[random.IntN(len(r.fixers))].kill(upTo(random, 3*time.Second))
			}
		})},
		{"Kafka Connect killed (-9)", func(ctx context.Context) error {
			c.worker.Kill()
			pause(ctx, upTo(random, 5*time.Second))
			return c.worker.Start(ctx)
		}},
	}
	if b := c.broker; b.proxied != nil {
		again := func(signal syscall.Signal) func(context.Context) error {
			return func(ctx context.Context) error { b.stop(signal); return b.start(ctx) }
		}
		blows = append(blows,
			blow{"broker restarted in order", again(syscall.SIGTERM)},
			blow{"broker killed (-9) and restarted", again(syscall.SIGKILL)},
			blow{"connections to Kafka cut", harmless(func() { cut(busy, b.proxied, upTo(random, 4*time.Second), true) })},
			blow{"Kafka silent", harmless(func() { silence(busy, b.proxied, upTo(random, 5*time.Second)) })})
	}
	for {
		for _, i := range random.Perm(len(blows)) {
			if pause(busy, about(random, c.options.mishaps)); busy.Err() != nil {
				return nil
			}
			c.moments = append(c.moments, time.Now())
			c.mishap.add(blows[i].name, 1)
			if err := blows[i].do(ctx); err != nil {
				return fmt.Errorf("%s: %w", blows[i].name, err)
			}
		}
	}
}

// settle waits until all findings have their outcomes and a comparison by trueup
// finds nothing.
func (c *continuous) settle(ctx context.Context) error {
	quiet := time.Now()
	for _, r := range c.routes {
		for {
			_, failed := c.worker.Running(ctx)
			clean, err := r.clean(ctx)
			if err := errors.Join(failed, err); err != nil {
				return err
			}
			if clean {
				break
			}
			if time.Since(quiet) > c.options.settle {
				r.wrong(fmt.Sprintf("not clean: differences or open findings are left %v after the last write", c.options.settle))
				break
			}
			pause(ctx, 2*time.Second)
		}
	}
	c.settling = time.Since(quiet)
	return ctx.Err()
}

func (r *route) clean(ctx context.Context) (bool, error) {
	open, err := r.topics.unanswered(ctx)
	if err != nil || len(open) > 0 {
		return false, err
	}
	status, out, err := call(ctx, r.options.bin, "trueup", "diff", "--config", r.config, "--confirm", "0")
	if err == nil && status > 1 {
		err = fmt.Errorf("trueup diff ends with status %d: %s", status, out)
	}
	return status == 0, err
}

// remove drops the databases.
func (c *continuous) remove(ctx context.Context) error {
	for _, r := range c.routes {
		for _, db := range []*database{r.authority, r.target} {
			server := r.options.servers[db.engine]
			if err := errors.Join(db.Close(), dropSlots(ctx, db.engine, server, db.name()), dropDatabase(ctx, db.engine, server, db.name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *continuous) violations() []string { return c.trouble.all() }

// dropSlots removes what a connector has left in a PostgreSQL: a slot keeps the
// server's log for ever, and its database from being dropped.
func dropSlots(ctx context.Context, e engine, admin, name string) error {
	if e != postgres {
		return nil
	}
	db, err := open(e, admin, false)
	if err != nil {
		return err
	}
	defer db.Close()
	return within(ctx, 30*time.Second, "the replication slot of "+name+" to be let go", func() (bool, error) {
		if _, err := db.ExecContext(ctx, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = $1 AND NOT active", name); err != nil {
			return false, err
		}
		var left int
		err := db.QueryRowContext(ctx, "SELECT count(*) FROM pg_replication_slots WHERE database = $1", name).Scan(&left)
		return left == 0, err
	})
}

// loadRows fills both sides as they are before the soak.
func loadRows(ctx context.Context, rows []change, sides ...*database) error {
	const batch = 500
	for _, db := range sides {
		for part := range slices.Chunk(rows, batch) {
			err := inTransaction(ctx, db, func(tx *sql.Tx) error {
				_, err := apply(ctx, tx, db.engine, part, false)
				return err
			})
			if err != nil {
				return fmt.Errorf("load the tables: %w", err)
			}
		}
	}
	return nil
}

func (d *database) name() string { return d.url[strings.LastIndexByte(d.url, '/')+1:] }
