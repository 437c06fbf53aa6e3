package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// The foreground: clients that write single rows to the source and then to the
// copy, as an application that writes both would, while fixers repair the copy.
// Each has keys of its own, so that both sides get a row's versions in order.
// Their writes are due at fixed moments, from which their times count: one that
// is late because the last one was is charged for that too.
const (
	clients = 4
	// each client's writes a second: far from what the server can take, so
	// that a wait is due to the fixer.
	clientRate = 50
	// alone is how long they write without a fixer, for comparison.
	alone = 15 * time.Second
)

// The loads that an operator who cares for the foreground would set.
var (
	adapting = load{adapt: true}
	gentle   = load{concurrency: 1, lockBudget: 5 * time.Millisecond}
)

// measureForeground says what a client waits for its write to both sides.
func measureForeground(ctx context.Context, o options, env services, source side, to copied) error {
	var rows [][]string
	for _, c := range []struct {
		name  string
		fixes bool
		load  load
	}{
		{"no fixer", false, load{}},
		{"one fixer at full speed", true, load{}},
		{"one fixer, governed", true, adapting},
		{fmt.Sprintf("one fixer bound: %d statement at a time, rows held for %s", gentle.concurrency, gentle.lockBudget), true, gentle},
	} {
		took, repairs, err := beside(ctx, o, env, source, to, c.fixes, c.load)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		progress("foreground, %s: p99 %s", c.name, milliseconds(percentile(took, 99)))
		rate := "–"
		if c.fixes {
			rate = fmt.Sprintf("%.0f", repairs)
		}
		rows = append(rows, []string{
			c.name, rate, fmt.Sprint(len(took)), milliseconds(percentile(took, 50)), milliseconds(percentile(took, 99)), milliseconds(percentile(took, 100)),
		})
	}
	printTable(fmt.Sprintf("A foreground writer: %d clients, %d single-row updates a second each, MariaDB, one run", clients, clientRate),
		[]string{"beside it", "repairs a second", "writes", "median ms", "p99 ms", "longest ms"}, rows)
	fmt.Printf("Each update goes to the source first, then to the copy; its time is that of both, from when it was due. Afterwards `trueup diff` was clean.\n\n")
	return nil
}

// beside lets the clients write beside a fixer with a backlog of a tenth of
// the rows, or for a while alone. It returns their times in order, and the
// repairs a second.
func beside(ctx context.Context, o options, env services, source side, to copied, fixes bool, l load) ([]time.Duration, float64, error) {
	work := func(ctx context.Context) (float64, error) {
		select {
		case <-time.After(alone):
			return 0, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	if fixes {
		if err := to.damage(ctx, breakage); err != nil {
			return nil, 0, err
		}
		b, err := publishFindings(ctx, o, env, source, to.side, o.rows/10, l)
		if err != nil {
			return nil, 0, err
		}
		defer b.remove()
		work = func(ctx context.Context) (float64, error) {
			s, err := b.repair(ctx, o, 1)
			return float64(b.count) / s.wall.Seconds(), err
		}
	}
	db, err := env.openMySQL("")
	if err != nil {
		return nil, 0, err
	}
	defer closeQuietly(db)
	db.SetMaxIdleConns(clients)

	writing, stop := context.WithCancel(ctx)
	defer stop()
	took, failures := make([][]time.Duration, clients), make([]error, clients)
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			took[i], failures[i] = write(writing, db, databaseOf(source.dsn), databaseOf(to.dsn), o.rows, i)
		})
	}
	rate, err := work(ctx)
	stop()
	all.Wait()
	if err := errors.Join(append(failures, err)...); err != nil {
		return nil, 0, err
	}
	if err := checkRepaired(ctx, o, source, to.side); err != nil {
		return nil, 0, err
	}
	times := slices.Concat(took...)
	slices.Sort(times)
	return times, rate, nil
}

// write is one client: it updates a row of its own, source and copy, whenever
// that is due until the context ends. A write that was begun is finished.
func write(ctx context.Context, db *sql.DB, source, target string, rows, number int) ([]time.Duration, error) {
	statement := "UPDATE %s.orders SET qty = ? WHERE id = ?"
	random := rand.New(rand.NewPCG(uint64(number), 1)) // any fixed seed
	const interval = time.Second / clientRate
	due := time.Now().Add(interval * time.Duration(number) / clients) // not all at once
	whole := context.WithoutCancel(ctx)
	var took []time.Duration
	for n := 1; sleepUntil(ctx, due); n++ {
		id := 1 + number + clients*random.IntN(rows/clients)
		if _, err := db.ExecContext(whole, fmt.Sprintf(statement, source), n, id); err != nil {
			return nil, fmt.Errorf("write row %d of the source: %w", id, err)
		}
		if _, err := db.ExecContext(whole, fmt.Sprintf(statement, target), n, id); err != nil {
			return nil, fmt.Errorf("write row %d of the copy: %w", id, err)
		}
		took = append(took, time.Since(due))
		due = due.Add(interval)
	}
	return took, nil
}

// percentile is the smallest of the sorted times that p in a hundred do not
// exceed; 0 when there are none.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*p+99)/100-1]
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond))
}
