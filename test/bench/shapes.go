package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/trueup/trueup/pkg/chunk"
)

// shape is a table unlike others, by the SQL that makes and fills it.
type shape struct {
	name     string
	rows     int
	columns  string // of reladiff: a pattern, "" for the key alone
	mysql    []string
	postgres []string
}

// wideColumns is the width of the wide table, with its key.
const wideColumns = 120

func shapes(o options) []shape {
	narrow, wide, long := o.rows*5/2, o.rows/20, o.rows/5000
	mysqlColumns, mysqlValues, postgresColumns, postgresValues := wideSQL()
	// md5 as text 32768 times is 1 MiB; EXTERNAL keeps PostgreSQL from
	// compressing what repeats itself so well.
	return []shape{
		{
			name: "wide", rows: wide, columns: "%",
			mysql: []string{
				"CREATE TABLE loading (id BIGINT NOT NULL PRIMARY KEY, " + mysqlColumns + ")",
				fmt.Sprintf("INSERT INTO loading SELECT seq, %s FROM seq_1_to_%d", mysqlValues, wide),
			},
			postgres: []string{
				"CREATE TABLE loading (id bigint NOT NULL PRIMARY KEY, " + postgresColumns + ")",
				fmt.Sprintf("INSERT INTO loading SELECT seq, %s FROM generate_series(1::bigint, %d) AS seq", postgresValues, wide),
			},
		},
		{
			name: "blobs", rows: long, columns: "%",
			mysql: []string{
				"CREATE TABLE loading (id BIGINT NOT NULL PRIMARY KEY, body LONGBLOB NOT NULL)",
				fmt.Sprintf("INSERT INTO loading SELECT seq, REPEAT(MD5(seq), 32768) FROM seq_1_to_%d", long),
			},
			postgres: []string{
				"CREATE TABLE loading (id bigint NOT NULL PRIMARY KEY, body bytea NOT NULL)",
				"ALTER TABLE loading ALTER COLUMN body SET STORAGE EXTERNAL",
				fmt.Sprintf("INSERT INTO loading SELECT i, convert_to(repeat(md5(i::text), 32768), 'UTF8') FROM generate_series(1, %d) AS i", long),
			},
		},
		{
			name: "narrow", rows: narrow,
			mysql: []string{
				"CREATE TABLE loading (id INT NOT NULL PRIMARY KEY)",
				fmt.Sprintf("INSERT INTO loading SELECT seq FROM seq_1_to_%d", narrow),
			},
			postgres: []string{
				"CREATE TABLE loading (id integer NOT NULL PRIMARY KEY)",
				fmt.Sprintf("INSERT INTO loading SELECT i FROM generate_series(1, %d) AS i", narrow),
			},
		},
	}
}

// wideSQL is the wide table's columns and their values of row seq, in the SQL
// of both engines: whole numbers, texts, decimals and date-times in turn.
func wideSQL() (mysqlColumns, mysqlValues, postgresColumns, postgresValues string) {
	var columns, values [2][]string
	for k := 1; k < wideColumns; k++ {
		kinds := [...]struct{ mysqlType, mysqlValue, postgresType, postgresValue string }{
			{"BIGINT", "seq * %d %% 1000003", "bigint", "seq * %d %% 1000003"},
			{"VARCHAR(40)", "CONCAT('text ', seq * %d %% 9973)", "varchar(40)", "'text ' || seq * %d %% 9973"},
			{"DECIMAL(12,2)", "(seq * %d %% 100000) * 0.01", "numeric(12,2)", "(seq * %d %% 100000) * 0.01"},
			{"DATETIME", "TIMESTAMP'2026-01-01 00:00:00' + INTERVAL (seq * %d %% 86400) SECOND", "timestamp(0)", "timestamp '2026-01-01 00:00:00' + seq * %d %% 86400 * interval '1 second'"},
		}
		is := kinds[k%len(kinds)]
		columns[0] = append(columns[0], fmt.Sprintf("c%d %s NOT NULL", k, is.mysqlType))
		columns[1] = append(columns[1], fmt.Sprintf("c%d %s NOT NULL", k, is.postgresType))
		values[0] = append(values[0], fmt.Sprintf(is.mysqlValue, k))
		values[1] = append(values[1], fmt.Sprintf(is.postgresValue, k))
	}
	return strings.Join(columns[0], ", "), strings.Join(values[0], ", "), strings.Join(columns[1], ", "), strings.Join(values[1], ", ")
}

// loadShapes makes the tables in <prefix>_shapes_a and <prefix>_shapes_b of
// MariaDB and in <prefix>_shapes_b of PostgreSQL.
func loadShapes(ctx context.Context, o options, env services) error {
	for _, s := range shapes(o) {
		for _, database := range []string{o.prefix + "_shapes_a", o.prefix + "_shapes_b"} {
			if err := makeMySQL(ctx, o, env, database, s.name, s.rows, func() error { return env.execMySQL(ctx, database, s.mysql...) }); err != nil {
				return err
			}
		}
		err := makePostgres(ctx, o, env, o.prefix+"_shapes_b", s.name, s.rows, func(conn *pgx.Conn) error {
			for _, statement := range s.postgres {
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

// measureShapes compares tables of unusual rows, and looks at every range.
func measureShapes(ctx context.Context, o options, env services) error {
	limits := chunk.SizerConfig{}.WithDefaults() // trueup diff runs with the defaults
	var rows [][]string
	var goals []goal
	for _, s := range shapes(o) {
		source := env.mysqlSide(o.prefix+"_shapes_a", s.name)
		for _, m := range []match{
			{title: "MariaDB to MariaDB", source: source, target: env.mysqlSide(o.prefix+"_shapes_b", s.name)},
			{title: "MariaDB to PostgreSQL", source: source, target: env.postgresSide(o.prefix + "_shapes_b")},
		} {
			line, seen, err := measureShape(ctx, o, env, s, m)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", s.name, m.title, err)
			}
			rows = append(rows, line)
			name := s.name + ", " + m.title + ": "
			goals = append(goals,
				goal{what: name + "largest range, bytes", figure: float64(seen.largest), want: float64(limits.Bytes)},
				goal{what: name + "longest range, seconds", figure: seen.longest.Seconds(), want: (slowest * limits.Target).Seconds()})
		}
	}
	printTable("Tables of unusual rows", []string{
		"table", "rows", "sides", "method", "trueup wall s (median; min–max)", "client peak MiB", "faster other tool", "ratio to it",
		"ranges; above the ceiling; above twice the target", "largest range MiB (ceiling " + mib(limits.Bytes/1024) + ")", "longest range s (target " + seconds(limits.Target) + ")",
	}, rows)
	printGoals(goals...)
	return nil
}

func measureShape(ctx context.Context, o options, env services, s shape, m match) (line []string, seen *watcher, err error) {
	ours := trueupDiff(o, "trueup diff", m.source, m.target, s.name).contender()
	quick, slow := tryRivals(ctx, s, m, shapeRivals(o, s, m))
	results, err := race(ctx, o, env, append(quick, ours)...)
	if err != nil {
		return nil, nil, err
	}
	maps.Copy(results, slow)
	typical := median(results[ours.name])
	v, err := verdictOf(typical.stdout)
	if err != nil {
		return nil, nil, err
	}
	if !v.Clean {
		return nil, nil, errors.New("trueup does not find the identical tables clean")
	}
	seen, err = watchRanges(ctx, m, s.name, v.Method)
	if err != nil {
		return nil, nil, err
	}
	rival, compared := fastest(results, append(names(quick), slices.Collect(maps.Keys(slow))...)...), "–"
	if rival == "" {
		rival = "none took part"
	} else {
		compared = fmt.Sprintf("%.2f", ratio(results, ours.name, rival))
		rival += " " + spread(results[rival])
	}
	return []string{
		s.name, fmt.Sprint(s.rows), m.title, v.Method, spread(results[ours.name]), mib(typical.maxRSS), rival, compared,
		fmt.Sprintf("%d; %d; %d", len(seen.ranges), seen.heavy, seen.slow), mib(seen.largest / 1024), seconds(seen.longest),
	}, seen, nil
}

const (
	// rivalLimit is the time after which another tool is given up.
	rivalLimit = 2 * time.Minute
	// rivalSlow is the time above which one run of it is enough.
	rivalSlow = 20 * time.Second
)

// tryRivals runs the other tools once. Those that cannot read the table, or not
// in time, take no part; those that are slow do with this one run.
func tryRivals(ctx context.Context, s shape, m match, rivals []contender) (quick []contender, slow map[string][]sample) {
	slow = map[string][]sample{}
	for _, rival := range rivals {
		limited, cancel := context.WithTimeout(ctx, rivalLimit)
		took, err := rival.run(limited)
		cancel()
		switch {
		case err != nil:
			progress("%s, %s: %s takes no part: %v", s.name, m.title, rival.name, err)
		case took.wall > rivalSlow:
			slow[rival.name] = []sample{took}
		default:
			quick = append(quick, rival)
		}
	}
	return quick, slow
}

func shapeRivals(o options, s shape, m match) []contender {
	var out []contender
	if o.reladiff != "" {
		var columns []string
		if s.columns != "" {
			columns = []string{s.columns}
		}
		out = append(out, reladiff(o, "reladiff", m.source, m.target, s.name, columns...).contender())
	}
	if o.ptSync != "" && m.target.pt != "" {
		out = append(out, ptTableSync(o, ptPrint, "--print", m.source, m.target).contender())
	}
	return out
}
