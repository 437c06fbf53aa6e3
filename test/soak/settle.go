package main

import (
	"context"
	"fmt"
	"time"
)

// settle waits until trueup says clean: every finding has its outcome, and after
// that a full and a reverse run of each table found nothing.
func (d *direction) settle(ctx context.Context) error {
	quiet := time.Now()
	since := quiet
	log, list := verdicts{log: d.validator.log}, []verdict(nil)
	for deadline := quiet.Add(d.options.settle); ; pause(ctx, time.Second) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		more, err := log.next()
		if err != nil {
			return err
		}
		list = append(list, more...)
		if allClean(list, since) {
			open, err := d.topics.unanswered(ctx)
			if err != nil {
				return err
			}
			if len(open) == 0 {
				d.toClean = time.Since(quiet)
				return nil
			}
			since = time.Now()
		}
		if time.Now().After(deadline) {
			d.wrong(fmt.Sprintf("not clean: trueup does not say clean within %v after the last write; see %s", d.options.settle, d.validator.log))
			return nil
		}
	}
}

// inspect is the check at the end, without the product's code: all services have
// stopped, and nobody writes.
func (d *direction) inspect(ctx context.Context) error {
	var err error
	if d.compared, d.different, err = differences(ctx, d.authority, d.target); err != nil {
		return err
	}
	for _, line := range d.different {
		d.wrong("different: " + line)
	}
	strange, err := untouched(ctx, d.authority, d.writers)
	if err != nil {
		return err
	}
	for _, line := range strange {
		d.wrong("authority written: " + line)
	}
	if n := d.replicated.deadlocks.snapshot()[string(product)]; n > 0 {
		d.wrong(fmt.Sprintf("deadlock: the replicator had to give in to a fixer, %d times", n))
	}
	for _, k := range d.keepers() {
		if sign := k.panicked(); sign != "" {
			d.wrong(sign)
		}
	}
	// What trueup says, once more, about tables that are at rest.
	status, out, err := call(ctx, d.options.bin, "trueup", "diff", "--config", d.config, "--confirm", "0")
	if err != nil {
		return err
	}
	if status != 0 {
		d.wrong(fmt.Sprintf("not clean: trueup diff ends with status %d: %s", status, out))
	}
	return d.readTopics(ctx)
}

func (d *direction) readTopics(ctx context.Context) error {
	open, err := d.topics.unanswered(ctx)
	if err != nil {
		return err
	}
	if d.lost = len(open); d.lost > 0 {
		d.wrong(fmt.Sprintf("lost: %d findings have no outcome", d.lost))
	}
	for suffix, count := range map[string]*int{"findings": &d.findings, "findings.retry": &d.retries, "findings.dead": &d.dead} {
		if *count, err = d.topics.count(ctx, suffix); err != nil {
			return err
		}
	}
	d.results, err = d.topics.results(ctx)
	return err
}

// remove drops the databases.
func (d *direction) remove(ctx context.Context) error {
	_ = d.authority.Close()
	_ = d.target.Close()
	_ = d.replicating.Close()
	for _, side := range []struct {
		db   *database
		name string
	}{{d.authority, "_a"}, {d.target, "_b"}} {
		if err := dropDatabase(ctx, side.db.engine, d.options.servers[side.db.engine], d.base+side.name); err != nil {
			return err
		}
	}
	return nil
}
