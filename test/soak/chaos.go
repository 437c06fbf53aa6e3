package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"syscall"
	"time"
)

// mishap is something that befalls a direction.
type mishap struct {
	name  string // empty: what it does counts when it has hit
	share int
	do    func(ctx context.Context, d *direction, random *rand.Rand)
}

var mishaps = []mishap{
	{"", 16, func(_ context.Context, d *direction, random *rand.Rand) {
		d.fixers[random.IntN(len(d.fixers))].kill(upTo(random, 3*time.Second))
	}},
	{"", 10, func(_ context.Context, d *direction, random *rand.Rand) {
		d.validator.kill(upTo(random, 3*time.Second))
	}},
	{"", 14, func(ctx context.Context, d *direction, random *rand.Rand) {
		side := []*database{d.authority, d.target}[random.IntN(2)]
		if lockTable(ctx, side, tables[random.IntN(len(tables))].name, upTo(random, 4*time.Second)) == nil {
			d.mishap.add("a table locked as a whole", 1)
		}
	}},
	{"connections to a database cut", 24, func(ctx context.Context, d *direction, random *rand.Rand) {
		cut(ctx, d.anyWay(random), upTo(random, 3*time.Second), random.IntN(2) == 0)
	}},
	{"a database silent", 20, func(ctx context.Context, d *direction, random *rand.Rand) {
		silence(ctx, d.anyWay(random), upTo(random, 6*time.Second))
	}},
	{"a database slow", 16, func(ctx context.Context, d *direction, random *rand.Rand) {
		way := d.anyWay(random)
		way.slowDown(5*time.Millisecond + upTo(random, 40*time.Millisecond))
		pause(ctx, upTo(random, 10*time.Second))
		way.restore()
	}},
}

// mishaps befall the direction until ctx ends, the given time apart on average.
func (d *direction) mishaps(ctx context.Context, random *rand.Rand, every time.Duration) {
	for pause(ctx, about(random, every)); ctx.Err() == nil; pause(ctx, about(random, every)) {
		n := random.IntN(100)
		for _, m := range mishaps {
			if n -= m.share; n < 0 {
				if m.name != "" {
					d.mishap.add(m.name, 1)
				}
				m.do(ctx, d, random)
				break
			}
		}
	}
}

// mishaps befall the broker that all directions share.
func (b *broker) mishaps(ctx context.Context, random *rand.Rand, every time.Duration, t *tally) error {
	restarted := time.Now()
	for pause(ctx, about(random, every)); ctx.Err() == nil; pause(ctx, about(random, every)) {
		switch n := random.IntN(10); {
		case n < 4:
			t.add("connections to Kafka cut", 1)
			cut(ctx, b.proxied, upTo(random, 4*time.Second), random.IntN(2) == 0)
		case n < 7:
			t.add("Kafka silent", 1)
			silence(ctx, b.proxied, upTo(random, 5*time.Second))
		case time.Since(restarted) > 6*every:
			signal, name := syscall.SIGTERM, "broker restarted in order"
			if random.IntN(2) == 0 {
				signal, name = syscall.SIGKILL, "broker killed and restarted"
			}
			t.add(name, 1)
			b.stop(signal)
			if err := b.start(context.WithoutCancel(ctx)); err != nil {
				return err
			}
			restarted = time.Now()
		}
	}
	return nil
}

// cut closes all connections; with stay none is opened for as long as it lasts.
func cut(ctx context.Context, way *proxy, lasting time.Duration, stay bool) {
	way.sever(stay)
	if stay {
		pause(ctx, lasting)
	}
	way.restore()
}

func silence(ctx context.Context, way *proxy, lasting time.Duration) {
	way.silence()
	pause(ctx, lasting)
	way.restore()
}

// lockTable keeps everybody from a table for a while, as somebody does who alters it.
func lockTable(ctx context.Context, db *database, table string, lasting time.Duration) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	lock, free := "LOCK TABLES "+table+" WRITE", "UNLOCK TABLES"
	if db.engine == postgres {
		lock, free = "BEGIN; LOCK TABLE "+table+" IN ACCESS EXCLUSIVE MODE", "ROLLBACK"
	}
	if _, err = conn.ExecContext(ctx, lock); err == nil {
		pause(ctx, lasting)
	}
	_, freed := conn.ExecContext(context.WithoutCancel(ctx), free)
	return errors.Join(err, freed)
}

func upTo(random *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(most)))
}

func about(random *rand.Rand, mean time.Duration) time.Duration {
	return mean/2 + upTo(random, mean)
}
