package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// compared are the columns of the race: those that reladiff, too, compares
// between both engines (it leaves JSON out).
const compared = "customer,qty,amount,weight,created_at,updated_at"

// measureDiff compares identical tables: MariaDB to MariaDB and MariaDB to
// PostgreSQL, over the same seven columns as reladiff and over all ten.
func measureDiff(ctx context.Context, o options, env services) error {
	if err := loadDiffTables(ctx, o, env); err != nil {
		return err
	}
	for _, target := range []struct{ name, dsn, uri string }{
		{"MariaDB to MariaDB", env.mysqlDSN("trueup_bench_b"), env.mysqlDSN("trueup_bench_b")},
		{"MariaDB to PostgreSQL", env.postgresDSN("trueup_bench_b"), strings.Replace(env.postgresDSN("trueup_bench_b"), "postgres://", "postgresql://", 1)},
	} {
		source := env.mysqlDSN("trueup_bench_a")
		trueup := filepath.Join(o.bin, "trueup")
		ours := command{"trueup diff, 7 columns", []string{trueup, "diff", "--json", "--columns", "id," + compared, source, target.dsn, "orders"}, nil, []int{0}}
		all := command{"trueup diff, all 10 columns", []string{trueup, "diff", "--json", source, target.dsn, "orders"}, nil, []int{0}}
		contenders := []command{ours, all}
		if o.reladiff != "" {
			argv := []string{o.reladiff, source, "orders", target.uri, "orders", "-k", "id", "--threads", "4"}
			for column := range strings.SplitSeq(compared, ",") {
				argv = append(argv, "-c", column)
			}
			contenders = append([]command{{"reladiff, 7 columns", argv, nil, []int{0}}}, contenders...)
		}
		results, err := race(ctx, o.runs, contenders...)
		if err != nil {
			return err
		}
		table(fmt.Sprintf("Identical tables of %d rows, %s", o.rows, target.name), results, contenders...)
	}
	return nil
}

func loadDiffTables(ctx context.Context, o options, env services) error {
	if o.keep {
		return nil
	}
	for _, name := range []string{"trueup_bench_a", "trueup_bench_b"} {
		db, err := openMySQL(ctx, env, name, false)
		if err != nil {
			return err
		}
		err = loadMySQL(ctx, db, o.rows)
		closeQuietly(db)
		if err != nil {
			return err
		}
	}
	return loadPostgres(ctx, env, "trueup_bench_b", o.rows)
}

// measureMemory runs the comparison over five times the rows, once, for the
// client's peak memory.
func measureMemory(ctx context.Context, o options, env services) error {
	rows := 5 * o.rows
	for _, name := range []string{"trueup_bench_large_a", "trueup_bench_large_b"} {
		db, err := openMySQL(ctx, env, name, o.keep)
		if err != nil {
			return err
		}
		if !o.keep {
			err = loadMySQL(ctx, db, rows)
		}
		closeQuietly(db)
		if err != nil {
			return err
		}
	}
	fmt.Printf("## Client memory of trueup diff, MariaDB to MariaDB, all columns\n\n| rows | method | wall s | client peak MiB |\n|---|---|---|---|\n")
	for _, m := range []struct {
		rows   int
		prefix string
	}{{o.rows, "trueup_bench_"}, {rows, "trueup_bench_large_"}} {
		for _, method := range []string{"checksum", "merge"} {
			s, err := command{"trueup diff", []string{
				filepath.Join(o.bin, "trueup"), "diff", "--json", "--method", method,
				env.mysqlDSN(m.prefix + "a"), env.mysqlDSN(m.prefix + "b"), "orders",
			}, nil, []int{0}}.run(ctx)
			if err != nil {
				return err
			}
			fmt.Printf("| %d | %s | %.1f | %.1f |\n", m.rows, method, s.wall.Seconds(), float64(s.maxRSS)/1024)
		}
	}
	fmt.Println()
	return nil
}
