package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// breakage damages a tenth of the rows, in SQL that both engines read: 6 %
// updated, 2 % deleted, 2 % that the source never had.
var breakage = []string{
	"UPDATE orders SET status = 'damaged' WHERE id % 50 IN (1, 11, 21)",
	"DELETE FROM orders WHERE id % 50 = 31",
	"INSERT INTO orders SELECT id + 1000000000, customer, status, qty, amount, weight, paid, attrs, created_at, updated_at FROM orders WHERE id % 50 = 41",
}

// halfBroken is a backlog of every other row.
var halfBroken = []string{"UPDATE orders SET status = 'damaged' WHERE id % 2 = 0"}

// way is one way to repair a damaged copy.
type way struct {
	name   string
	copy   copied
	repair func(context.Context) (sample, error)
}

// copied is the copy in one engine.
type copied struct {
	side
	suffix string // of the names of what repairs it
	// damage runs statements in it and lets the engine tidy up behind them.
	damage func(ctx context.Context, statements []string) error
}

// measureFixer repairs tables of which a tenth is damaged, in several ways,
// each on the same damage, one round after the other. The next damage is done to
// the table that the last repair left, once trueup finds it clean.
func measureFixer(ctx context.Context, o options, env services) error {
	a, b := o.prefix+"_fix_a", o.prefix+"_fix_b"
	defer func() {
		// What the context ended is still to be tidied up.
		if err := dropCopies(context.WithoutCancel(ctx), env, []string{a, b}, []string{b}); err != nil {
			progress("%v", err)
		}
	}()
	for _, name := range []string{a, b} {
		if err := copyMySQL(ctx, env, o.prefix+"_a", name); err != nil {
			return err
		}
	}
	if err := copyPostgres(ctx, env, o.prefix+"_b", b); err != nil {
		return err
	}
	source := env.mysqlSide(a, "orders")
	toMySQL := copied{env.mysqlSide(b, "orders"), "", func(ctx context.Context, statements []string) error {
		if err := env.execMySQL(ctx, b, append(statements, "ANALYZE TABLE orders")...); err != nil {
			return err
		}
		return awaitPurge(ctx, env)
	}}
	toPostgres := copied{env.postgresSide(b), toAPostgres, func(ctx context.Context, statements []string) error {
		return env.execPostgres(ctx, b, append(statements, "VACUUM ANALYZE orders", "CHECKPOINT")...)
	}}
	if err := measureRepairs(ctx, o, env, source, toMySQL, toPostgres); err != nil {
		return err
	}
	if err := measureBacklog(ctx, o, env, source, toMySQL, toPostgres); err != nil {
		return err
	}
	return measureForeground(ctx, o, env, source, toMySQL)
}

// The ways to repair, as the report names them.
const (
	oneFixer    = "one fixer, findings waiting in Kafka"
	twoFixers   = "two fixers, findings waiting in Kafka"
	bareWrites  = "the same rows written by multi-row statements, nothing read"
	trueupFix   = "trueup fix, comparison included"
	ptExecute   = "pt-table-sync --execute, comparison included"
	toAPostgres = ", to PostgreSQL"
)

// fixers are one and two of them over findings that wait in Kafka.
func fixers(o options, env services, source side, c copied, damaged int) []way {
	return []way{
		{oneFixer + c.suffix, c, fromKafka(o, env, source, c.side, damaged, 1)},
		{twoFixers + c.suffix, c, fromKafka(o, env, source, c.side, damaged, 2)},
	}
}

func waysToRepair(o options, env services, source side, toMySQL, toPostgres copied) []way {
	damaged := o.rows / 10
	var ways []way
	for _, c := range []copied{toMySQL, toPostgres} {
		ways = append(ways, fixers(o, env, source, c, damaged)...)
		ways = append(ways,
			way{bareWrites + c.suffix, c, func(ctx context.Context) (sample, error) { return writeBare(ctx, o, env, c.side) }},
			way{trueupFix + c.suffix, c, command{trueupFix, []string{
				filepath.Join(o.bin, "trueup"), "fix", "--json", "--confirm", "0", source.dsn, c.dsn, "orders",
			}, []int{0}}.run},
		)
	}
	if o.ptSync != "" {
		ways = append(ways, way{ptExecute, toMySQL, ptTableSync(o, ptExecute, "--execute", source, toMySQL.side).run})
	}
	return ways
}

func measureRepairs(ctx context.Context, o options, env services, source side, toMySQL, toPostgres copied) error {
	ways := waysToRepair(o, env, source, toMySQL, toPostgres)
	results, err := inTurn(ctx, o, source, ways, breakage)
	if err != nil {
		return err
	}
	printRepairs(o, results, ways)
	return nil
}

// inTurn has each way repair the same damage, one after the other, as often as asked.
func inTurn(ctx context.Context, o options, source side, ways []way, damage []string) (map[string][]sample, error) {
	results := map[string][]sample{}
	for range o.runs {
		for _, w := range ways {
			if err := w.copy.damage(ctx, damage); err != nil {
				return nil, err
			}
			s, err := w.repair(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", w.name, err)
			}
			progress("%s: %.2f s", w.name, s.wall.Seconds())
			if err := checkRepaired(ctx, o, source, w.copy.side); err != nil {
				return nil, fmt.Errorf("%s: %w", w.name, err)
			}
			results[w.name] = append(results[w.name], s)
		}
	}
	return results, nil
}

// checkRepaired compares the tables: a repair that left anything is no result.
func checkRepaired(ctx context.Context, o options, source, target side) error {
	s, err := trueupDiff(o, "trueup diff", source, target, "orders").run(ctx)
	if err != nil {
		return err
	}
	v, err := verdictOf(s.stdout)
	if err == nil && !v.Clean {
		err = fmt.Errorf("the repair left differences:\n%s", tail(s.stdout))
	}
	return err
}

func printRepairs(o options, results map[string][]sample, ways []way) {
	damaged := float64(o.rows / 10)
	rate := func(name string) float64 { return damaged / median(results[name]).wall.Seconds() }
	var rows [][]string
	for _, w := range ways {
		m, memory := median(results[w.name]), "–"
		if m.maxRSS > 0 {
			memory = mib(m.maxRSS)
		}
		bare := bareWrites
		if strings.HasSuffix(w.name, toAPostgres) {
			bare += toAPostgres
		}
		rows = append(rows, []string{
			w.name, spread(results[w.name]), fmt.Sprintf("%.0f", rate(w.name)), seconds(m.cpu), memory,
			fmt.Sprintf("%.2f", ratio(results, w.name, bare)),
		})
	}
	printTable(fmt.Sprintf("Repair of %.0f damaged rows of %d, from MariaDB", damaged, o.rows),
		[]string{"command", "wall s (median; min–max)", "rows a second", "client CPU s", "client peak MiB (largest)", "ratio to the bare writes"}, rows)
	fmt.Printf("Each counted run has the same damage: 6 %% updated, 2 %% deleted, 2 %% that the source never had; no warm-up. " +
		"After every one `trueup diff` was clean. A fixer's time runs from its start, joining the consumer group included, until every finding has its durable outcome. Two are started together, as a Deployment starts them, and divide the partitions before the first row is repaired, or start over when they meet while joining. " +
		"What MariaDB is written goes to its binary log in every case.\n\n")
	goals := []goal{
		{what: "one fixer to PostgreSQL: rows a second over those to MariaDB", figure: rate(oneFixer+toAPostgres) / rate(oneFixer), want: 0.8, least: true},
		{what: "two fixers: time over that of one, to MariaDB", figure: ratio(results, twoFixers, oneFixer), want: 1},
		{what: "two fixers: time over that of one, to PostgreSQL", figure: ratio(results, twoFixers+toAPostgres, oneFixer+toAPostgres), want: 1},
	}
	if len(results[ptExecute]) > 0 {
		goals = append(goals,
			goal{what: "one fixer: rows a second over those of pt-table-sync --execute", figure: rate(oneFixer) / rate(ptExecute), want: 8, least: true},
			goal{what: "trueup fix: time over that of pt-table-sync --execute", figure: ratio(results, trueupFix, ptExecute), want: 0.15})
	}
	printGoals(goals...)
}

// maxFixerKiB is the memory a fixer may take, whatever its backlog.
const maxFixerKiB = 64 << 10

// measureBacklog has one fixer, and then two, work off findings for every other
// row: long enough that their beginning counts for little. They take turns.
func measureBacklog(ctx context.Context, o options, env services, source side, toMySQL, toPostgres copied) error {
	ways := append(fixers(o, env, source, toMySQL, o.rows/2), fixers(o, env, source, toPostgres, o.rows/2)...)
	results, err := inTurn(ctx, o, source, ways, halfBroken)
	if err != nil {
		return err
	}
	var rows [][]string
	var largest int64
	for _, w := range ways {
		m := median(results[w.name])
		rows = append(rows, []string{w.name, spread(results[w.name]), fmt.Sprintf("%.0f", float64(o.rows/2)/m.wall.Seconds()), mib(m.maxRSS)})
		for _, s := range results[w.name] {
			largest = max(largest, s.maxRSS)
		}
	}
	printTable(fmt.Sprintf("A backlog of %d findings, from MariaDB", o.rows/2),
		[]string{"", "wall s (median; min–max)", "rows a second", "peak MiB (of the larger)"}, rows)
	printGoals(
		goal{what: "two fixers: time over that of one, with that backlog, to MariaDB", figure: ratio(results, twoFixers, oneFixer), want: 1},
		goal{what: "two fixers: time over that of one, with that backlog, to PostgreSQL", figure: ratio(results, twoFixers+toAPostgres, oneFixer+toAPostgres), want: 1},
		goal{what: "memory of a fixer, MiB", figure: float64(largest) / 1024, want: maxFixerKiB / 1024})
	return nil
}

// purged is how long InnoDB's list of old row versions may still be for the
// purge to count as done.
const purged = 100

// awaitPurge waits, half a minute at most, until InnoDB has done away with what
// the damage left behind: the purge would take part in the measurement.
func awaitPurge(ctx context.Context, env services) error {
	db, err := env.openMySQL("")
	if err != nil {
		return err
	}
	defer closeQuietly(db)
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		var name string
		var length int
		if err := db.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE 'Innodb_history_list_length'").Scan(&name, &length); err != nil {
			return fmt.Errorf("ask MariaDB how far its purge is: %w", err)
		}
		if length < purged {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			progress("the purge still has %d transactions before it; going on", length)
			return nil
		}
	}
}
