package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	_ "github.com/go-sql-driver/mysql" // the driver of the demo's own connection

	"github.com/trueup/trueup/pkg/kafka"
)

const fixers = 3

// story is the demo from the shop's first row to the proof.
func story(ctx context.Context, show *show, w *workshop) error {
	source, target, err := w.open()
	if err != nil {
		return err
	}
	defer func() { _, _ = source.Close(), target.Close() }() // the servers go away with them

	show.stage(fmt.Sprintf("Fill a shop of %d tables with %d rows, and its copy", len(shop), len(shop)*rowsPerTable))
	if err := fill(ctx, show, source, target); err != nil {
		return err
	}
	show.stage("Damage the copy")
	harm, err := damage(ctx, target)
	if err != nil {
		return err
	}
	show.say("%d rows deleted, %d changed, %d that the source never had", harm.missing, harm.changed, harm.extra)

	show.stage(fmt.Sprintf("%d fixers join a consumer group and wait for findings", fixers))
	if err := w.createTopics(ctx); err != nil {
		return err
	}
	crew, err := w.recruit(ctx, show)
	if err != nil {
		return err
	}

	show.stage("The validator compares, confirms after a second, and publishes keys to Kafka")
	found, err := w.validate(ctx, show)
	if err != nil {
		return err
	}
	if err := found.mustEqual(harm); err != nil {
		return err
	}

	show.stage("The fixers share the findings and repair each row from a fresh read of the source")
	if err := w.fix(ctx, show, crew, found); err != nil {
		return err
	}

	show.stage("A repair is no proof: the validator compares everything once more")
	left, err := w.validate(ctx, show)
	if err != nil {
		return err
	}
	if left.total() > 0 {
		return fmt.Errorf("%d rows are still different", left.total())
	}
	show.say("CLEAN: %d rows on each side, no difference.", len(shop)*rowsPerTable)
	show.say("")
	show.say("Next: trueup diff 'mysql://user:${PASSWORD}@host/db' 'postgres://user:${PASSWORD}@host/db' TABLE")
	show.say("      compares your own two databases; it only reads. README.md has the five-minute path,")
	show.say("      docker-compose.yml the services, `go run . -keep` this shop to play with.")
	return nil
}

// mustEqual says whether exactly the damage was found.
func (h harm) mustEqual(done harm) error {
	if h != done {
		return fmt.Errorf("the damage was %+v, but the validator found %+v", done, h)
	}
	return nil
}

func (w *workshop) createTopics(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, w.program("trueup"), "topics", "create", "--config", w.config).CombinedOutput()
	if err != nil {
		return fmt.Errorf("create the topics: %w\n%s", err, out)
	}
	return nil
}

// validate runs every pair once and returns what was found.
func (w *workshop) validate(ctx context.Context, show *show) (harm, error) {
	var found harm
	validator, err := w.start(ctx, "validator", "--once")
	if err != nil {
		return found, err
	}
	bar := show.progress("rows compared", int64(len(shop)*rowsPerTable))
	for ended := false; !ended; {
		select {
		case <-validator.done:
			ended = true
		case <-time.After(100 * time.Millisecond):
			// The program may end between the two; then there is nothing to show.
			if rows, err := validator.metric(ctx, "trueup_rows_scanned_total"); err == nil {
				bar.at(int64(rows))
			}
		}
	}
	bar.at(bar.total)
	bar.close()

	verdicts := validator.log.verdicts()
	for _, v := range verdicts {
		if !v.Complete {
			return found, fmt.Errorf("the comparison of %s is not complete:\n%s", v.Pair, validator.log.tail())
		}
		show.say("%-12s %5d rows  %3d missing  %3d different  %3d extra  in %.1f s", v.Pair, v.Rows.Source,
			v.Findings.Missing, v.Findings.Changed, v.Findings.Extra, v.Seconds)
		found.missing += v.Findings.Missing
		found.changed += v.Findings.Changed
		found.extra += v.Findings.Extra
	}
	if len(verdicts) != len(shop) {
		return found, fmt.Errorf("the validator gave %d verdicts for %d pairs:\n%s", len(verdicts), len(shop), validator.log.tail())
	}
	return found, checkStatus(validator, found)
}

// checkStatus holds the exit status against what was found: 0 clean, 1 different.
func checkStatus(validator *service, found harm) error {
	status := 0
	var exit *exec.ExitError
	if errors.As(validator.err, &exit) {
		status = exit.ExitCode()
	} else if validator.err != nil {
		return validator.err
	}
	want := 0
	if found.total() > 0 {
		want = 1
	}
	if status != want {
		return fmt.Errorf("the validator ended with status %d instead of %d:\n%s", status, want, validator.log.tail())
	}
	return nil
}

// open connects to both databases, to fill and to damage them.
func (w *workshop) open() (source, target *sql.DB, err error) {
	if source, err = sql.Open("mysql", "root@tcp("+w.source+")/shop"); err != nil {
		return nil, nil, err
	}
	target, err = sql.Open("mysql", "root@tcp("+w.target+")/shop")
	return source, target, err
}

// recruit starts the fixers and waits until each has its share of the partitions.
func (w *workshop) recruit(ctx context.Context, show *show) ([]*service, error) {
	var crew []*service
	for range fixers {
		fixer, err := w.start(ctx, "fixer")
		if err != nil {
			return nil, err
		}
		crew = append(crew, fixer)
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		var shares []string
		for i, fixer := range crew {
			claims, err := fixer.metric(ctx, "trueup_kafka_claims")
			if err != nil {
				return nil, fmt.Errorf("ask a fixer for its metrics: %w\n%s", err, fixer.log.tail())
			}
			if claims == partitions/fixers {
				shares = append(shares, fmt.Sprintf("fixer %d has %.0f partitions", i+1, claims))
			}
		}
		if len(shares) == fixers {
			show.say("%s", strings.Join(shares, ", "))
			return crew, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// fix waits until the fixers have settled every finding and the group's lag is
// zero, and stops them.
func (w *workshop) fix(ctx context.Context, show *show, crew []*service, found harm) error {
	bar := show.progress("findings settled", found.total())
	shares, err := w.awaitRepair(ctx, crew, bar, found.total())
	bar.close()
	if err != nil {
		return err
	}
	if err := w.awaitNoLag(ctx); err != nil {
		return err
	}
	var parts []string
	repaired := 0.0
	for i, fixer := range crew {
		n, err := fixer.metric(ctx, "trueup_fixer_outcomes_total", `result="repaired"`)
		if err != nil {
			return err
		}
		repaired += n
		parts = append(parts, fmt.Sprintf("fixer %d settled %d", i+1, shares[i]))
		if err := fixer.stop(); err != nil {
			return err
		}
	}
	show.say("%.0f rows repaired, consumer lag 0; %s", repaired, strings.Join(parts, ", "))
	return nil
}

// awaitRepair returns how many findings each fixer settled.
func (w *workshop) awaitRepair(ctx context.Context, crew []*service, bar *progress, total int64) ([]int64, error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	shares := make([]int64, len(crew))
	for {
		sum := int64(0)
		for i, fixer := range crew {
			n, err := fixer.metric(ctx, "trueup_fixer_outcomes_total")
			if err != nil {
				return nil, fmt.Errorf("ask a fixer for its metrics: %w\n%s", err, fixer.log.tail())
			}
			shares[i] = int64(n)
			sum += shares[i]
		}
		bar.at(sum)
		if sum >= total {
			return shares, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (w *workshop) awaitNoLag(ctx context.Context) error {
	config := kafka.Config{Brokers: w.brokers, Partitions: partitions}.WithDefaults()
	admin, err := kafka.NewAdmin(config)
	if err != nil {
		return err
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		lag, err := admin.GroupLag(ctx, config.Prefix+".fixer", config.Prefix+".findings")
		if err != nil {
			return err
		}
		waiting := int64(0)
		for _, n := range lag {
			waiting += n
		}
		if waiting == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
