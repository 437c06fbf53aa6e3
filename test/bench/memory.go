package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Tables of these multiples of -rows, divided by two: 1, 2, 10 and 20 million
// rows by default. Their rows are short, so that they load in minutes.
var memorySizes = []int{1, 2, 10, 20}

func memoryTable(size int) string { return fmt.Sprintf("rows%d", size) }

func loadMemory(ctx context.Context, o options, env services) error {
	database := o.prefix + "_memory"
	for _, size := range memorySizes {
		rows := o.rows / 2 * size
		err := makeMySQL(ctx, o, env, database, memoryTable(size), rows, func() error {
			return env.execMySQL(ctx, database, append([]string{
				"CREATE TABLE " + loading + " (id BIGINT NOT NULL PRIMARY KEY, qty INT NOT NULL, note VARCHAR(20) NOT NULL)",
			}, memoryInserts(rows)...)...)
		})
		if err != nil {
			return err
		}
		err = makePostgres(ctx, o, env, database, memoryTable(size), rows, func(conn *pgx.Conn) error {
			// One statement each: the primary key is cheaper after the rows.
			for _, statement := range []string{
				"CREATE TABLE " + loading + " (id bigint NOT NULL, qty integer NOT NULL, note varchar(20) NOT NULL)",
				fmt.Sprintf("INSERT INTO %s SELECT i, i * 7919 %% 1000003, 'note ' || i %% 9973 FROM generate_series(1::bigint, %d) AS i", loading, rows),
				"ALTER TABLE " + loading + " ADD PRIMARY KEY (id)",
			} {
				if _, err := conn.Exec(ctx, statement); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// memoryInserts fill the table a million rows at a time: one transaction of
// them all would be long to undo.
func memoryInserts(rows int) []string {
	const most = 1_000_000
	var out []string
	for first := 1; first <= rows; first += most {
		out = append(out, fmt.Sprintf("INSERT INTO %s SELECT seq, seq * 7919 %% 1000003, CONCAT('note ', seq %% 9973) FROM seq_%d_to_%d",
			loading, first, min(first+most-1, rows)))
	}
	return out
}

// flat is how much more memory the largest table may take than the smallest
// and still count as the same: what a collector that runs now or a moment later
// makes of equal work.
const flat = 1.25

// measureMemory compares tables of growing size, for the client's peak memory.
// Peaks matter here and not times, so the worst of the runs counts.
func measureMemory(ctx context.Context, o options, env services) error {
	database := o.prefix + "_memory"
	source, target := env.mysqlSide(database, ""), env.postgresSide(database)
	var rows [][]string
	var goals []goal
	for _, method := range []string{"checksum", "merge"} {
		var peaks []int64
		for _, size := range memorySizes {
			peak, wall := int64(0), time.Duration(0)
			for range o.runs {
				s, err := trueupDiff(o, "trueup diff", source, target, memoryTable(size), "--method", method).run(ctx)
				if err != nil {
					return err
				}
				if v, err := verdictOf(s.stdout); err != nil || !v.Clean {
					return fmt.Errorf("compare %s: the identical tables are not clean (%w)", memoryTable(size), err)
				}
				peak, wall = max(peak, s.maxRSS), max(wall, s.wall)
			}
			peaks = append(peaks, peak)
			rows = append(rows, []string{fmt.Sprint(o.rows / 2 * size), method, seconds(wall), mib(peak)})
			progress("%d rows, %s: %s MiB", o.rows/2*size, method, mib(peak))
		}
		goals = append(goals, goal{
			what:   fmt.Sprintf("memory, %s: peak with %d times the rows over the smallest", method, memorySizes[len(memorySizes)-1]),
			figure: float64(peaks[len(peaks)-1]) / float64(peaks[0]), want: flat,
		})
	}
	printTable("Client memory of trueup diff, MariaDB to PostgreSQL, 3 columns", []string{"rows", "method", "slowest wall s", "largest client peak MiB"}, rows)
	printGoals(goals...)
	return nil
}
