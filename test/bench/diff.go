package main

import (
	"context"
	"fmt"
)

// compared are the columns that reladiff compares between MariaDB and
// PostgreSQL; it leaves JSON out.
var compared = []string{"customer", "qty", "amount", "weight", "created_at", "updated_at"}

// allColumns of the table orders but the key. Between two MariaDBs reladiff
// takes all of them.
var allColumns = []string{"customer", "status", "qty", "amount", "weight", "paid", "attrs", "created_at", "updated_at"}

// match is a pair of databases, the tools that can compare them, and the goal.
type match struct {
	title          string
	source, target side
	rivals         []contender
	// identical is the goal: trueup's time over that of the faster rival.
	identical float64
}

// The names under which a match knows trueup's ways and its rivals.
const (
	auto           = "trueup diff, all 10 columns"
	byChecksum     = auto + ", --method checksum"
	mostByChecksum = "trueup diff, 8 columns (without the double and the JSON), --method checksum"
	byMerge        = auto + ", --method merge"
	reladiffAll    = "reladiff, all 10 columns"
	reladiff7      = "reladiff, 7 columns"
	ptPrint        = "pt-table-sync --print"
)

// matches are the two that count: MariaDB to MariaDB and to PostgreSQL.
func matches(o options, env services, sourceName, targetName string) []match {
	source := env.mysqlSide(sourceName, "orders")
	toMySQL := match{title: "MariaDB to MariaDB", source: source, target: env.mysqlSide(targetName, "orders"), identical: 0.4}
	toPostgres := match{title: "MariaDB to PostgreSQL", source: source, target: env.postgresSide(targetName), identical: 0.45}
	if o.reladiff != "" {
		toMySQL.rivals = append(toMySQL.rivals, reladiff(o, reladiffAll, source, toMySQL.target, "orders", allColumns...).contender())
		toPostgres.rivals = append(toPostgres.rivals, reladiff(o, reladiff7, source, toPostgres.target, "orders", compared...).contender())
	}
	if o.ptSync != "" {
		toMySQL.rivals = append(toMySQL.rivals, ptTableSync(o, ptPrint, "--print", source, toMySQL.target).contender())
	}
	return []match{toMySQL, toPostgres}
}

// measureDiff compares identical tables.
func measureDiff(ctx context.Context, o options, env services) error {
	for _, m := range matches(o, env, o.prefix+"_a", o.prefix+"_b") {
		limits, err := limitsOf(ctx, env, m, o.rows)
		if err != nil {
			return err
		}
		ours := []contender{
			trueupDiff(o, auto, m.source, m.target, "orders").contender(),
			trueupDiff(o, byMerge, m.source, m.target, "orders", "--method", "merge").contender(),
			checksumDiff(o, m).contender(),
		}
		all := append(append(append([]contender{}, m.rivals...), ours...), limits...)
		results, err := race(ctx, o, env, all...)
		if err != nil {
			return err
		}
		best := fastest(results, names(m.rivals)...)
		base := best
		if base == "" {
			base = auto
		}
		printRace(fmt.Sprintf("Identical tables of %d rows, %s", o.rows, m.title), env, m, results, base, all...)
		if err := printIdentical(results, m, best, fastest(results, names(limits)...)); err != nil {
			return err
		}
	}
	return nil
}

// checksumDiff has the servers digest. Two engines spell a double and a JSON
// document differently, so those stay out between them.
func checksumDiff(o options, m match) command {
	if m.source.engine == m.target.engine {
		return trueupDiff(o, byChecksum, m.source, m.target, "orders", "--method", "checksum")
	}
	return trueupDiff(o, mostByChecksum, m.source, m.target, "orders", "--method", "checksum", "--exclude", "weight", "--exclude", "attrs")
}

// printIdentical prints what the race of a match comes to.
func printIdentical(results map[string][]sample, m match, rival, limit string) error {
	v, err := verdictOf(median(results[auto]).stdout)
	if err != nil {
		return err
	}
	if !v.Clean {
		return fmt.Errorf("%s: trueup does not find the identical tables clean", m.title)
	}
	fmt.Printf("trueup chose the method %s. It takes %.2f times the bare limit (%s).\n\n", v.Method, ratio(results, auto, limit), limit)
	if rival != "" {
		printGoals(goal{what: "identical, " + m.title + ", all columns: time over that of " + rival, figure: ratio(results, auto, rival), want: m.identical})
	}
	return nil
}

func names(contenders []contender) []string {
	var out []string
	for _, c := range contenders {
		out = append(out, c.name)
	}
	return out
}
