package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// idleEvery is the interval at which changes are looked for that do not come.
const idleEvery = 10 * time.Second

// idleUser is who looks: the server counts by user what it is asked.
const idleUser = "trueup_bench_idle"

// counts are what a server counted of a user.
type counts struct {
	selects, others int64
	rows            int64 // read, of all tables
	table           int64 // read, of the table orders of the source, by anybody
}

func (c counts) minus(earlier counts) counts {
	return counts{c.selects - earlier.selects, c.others - earlier.others, c.rows - earlier.rows, c.table - earlier.table}
}

// measureIdle has a validator follow a table that does not change, and asks the
// server what that cost it.
func measureIdle(ctx context.Context, o options, env services, a, b string) (err error) {
	progress("following changes that do not come")
	db, err := env.openMySQL("")
	if err != nil {
		return err
	}
	defer closeQuietly(db)
	done, err := countByUser(ctx, db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if err := createIdleUser(ctx, db, a); err != nil {
		return err
	}
	defer func() {
		_, dropErr := db.ExecContext(context.WithoutCancel(ctx), "DROP USER IF EXISTS "+idleUser)
		err = errors.Join(err, dropErr)
	}()
	f, err := newFollowing(ctx, env, asUser(env.mysqlDSN(a)), env.mysqlDSN(b),
		fmt.Sprintf("updated_at: updated_at, updated_at_zone: UTC, schedule: {incremental: '@every %v'}", idleEvery), a)
	if err != nil {
		return err
	}
	defer f.remove()
	if err := f.createTopics(ctx, o); err != nil {
		return err
	}
	if err := f.start(o); err != nil {
		return err
	}
	cost, share, err := f.idle(ctx, o, db, a)
	if err := errors.Join(err, f.stop()); err != nil {
		return err
	}
	printIdle(o, cost, share)
	return nil
}

func printIdle(o options, cost counts, share float64) {
	intervals := float64(o.idle) / float64(idleEvery)
	per := func(n int64) string { return fmt.Sprintf("%.2f", float64(n)/intervals) }
	minute := func(n int64) string { return fmt.Sprintf("%.1f", float64(n)/o.idle.Minutes()) }
	printTable(fmt.Sprintf("A table of %d rows that does not change, looked at every %v for %v", o.rows, idleEvery, o.idle),
		[]string{"", "a minute", "an interval"}, [][]string{
			{"queries of the source", minute(cost.selects), per(cost.selects)},
			{"other commands there", minute(cost.others), per(cost.others)},
			{"rows it read for them, of all tables", minute(cost.rows), per(cost.rows)},
			{"rows it read of the table", minute(cost.table), per(cost.table)},
			{"of a processor, the validator", fmt.Sprintf("%.2f %%", 100*share), ""},
		})
	fmt.Printf("As the server counts them (userstat). Of the queries one asks for the open transactions and the clock, the other for changes, by the index.\n\n")
	printGoals(
		goal{what: "idle: queries an interval besides the one for the open transactions", figure: float64(cost.selects)/intervals - 1, want: 1.1},
		goal{what: "idle: rows of the table read an interval", figure: float64(cost.table) / intervals, want: 1})
}

// idle waits until the validator has settled down, and measures for a while.
func (f *following) idle(ctx context.Context, o options, db *sql.DB, database string) (cost counts, share float64, err error) {
	starting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err = await(starting, usually, func() (bool, error) {
		return strings.Contains(f.metrics(ctx), `trueup_verified_until_timestamp_seconds{mode="incremental"`), nil
	})
	if err != nil {
		return cost, 0, err
	}
	var meter shareMeter
	before, err := askCounts(ctx, db, database)
	if err == nil {
		err = meter.look(f.Process.Pid)
	}
	if err != nil {
		return cost, 0, err
	}
	select {
	case <-time.After(o.idle):
	case <-f.ended:
		return cost, 0, errors.New("the validator has ended")
	case <-ctx.Done():
		return cost, 0, ctx.Err()
	}
	after, err := askCounts(ctx, db, database)
	if err == nil {
		err = meter.look(f.Process.Pid)
	}
	return after.minus(before), meter.share(), err
}

func askCounts(ctx context.Context, db *sql.DB, database string) (c counts, err error) {
	err = db.QueryRowContext(ctx, "SELECT SELECT_COMMANDS, OTHER_COMMANDS, ROWS_READ FROM information_schema.USER_STATISTICS WHERE USER = ?", idleUser).
		Scan(&c.selects, &c.others, &c.rows)
	if err != nil {
		return c, fmt.Errorf("ask MariaDB what it counted of a user: %w", err)
	}
	err = db.QueryRowContext(ctx, "SELECT COALESCE(SUM(ROWS_READ), 0) FROM information_schema.TABLE_STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = 'orders'", database).Scan(&c.table)
	if err != nil {
		return c, fmt.Errorf("ask MariaDB what it counted of a table: %w", err)
	}
	return c, nil
}

// countByUser has the server count by user, and returns how to let it be as it was.
func countByUser(ctx context.Context, db *sql.DB) (done func() error, err error) {
	var before int
	if err := db.QueryRowContext(ctx, "SELECT @@GLOBAL.userstat").Scan(&before); err != nil {
		return nil, fmt.Errorf("ask MariaDB whether it counts by user: %w", err)
	}
	if _, err := db.ExecContext(ctx, "SET GLOBAL userstat = 1"); err != nil {
		return nil, err
	}
	return func() error {
		_, err := db.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf("SET GLOBAL userstat = %d", before))
		return err
	}, nil
}

// createIdleUser makes a user with what a validator needs of a source.
func createIdleUser(ctx context.Context, db *sql.DB, source string) error {
	for _, statement := range []string{
		fmt.Sprintf("CREATE OR REPLACE USER %s IDENTIFIED BY '%s'", idleUser, idleUser),
		fmt.Sprintf("GRANT SELECT, SHOW VIEW, TRIGGER ON %s.* TO %s", source, idleUser),
		fmt.Sprintf("GRANT PROCESS ON *.* TO %s", idleUser),
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("make a user to count by: %w", err)
		}
	}
	return nil
}

func asUser(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		panic("the MariaDB address of the test servers is not a URL")
	}
	u.User = url.UserPassword(idleUser, idleUser)
	return u.String()
}
