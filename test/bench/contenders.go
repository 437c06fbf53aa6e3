package main

import (
	"path/filepath"
	"strings"
)

// The tools that are compared, over the table orders of two databases. None of
// them knows a password from anywhere but its arguments, so the servers are to
// be test servers.

// side is a database that every tool can be pointed at.
type side struct {
	engine string
	dsn    string
	pt     string // in the form of percona-toolkit; "" when it cannot read it
}

func (s services) mysqlSide(database, table string) side {
	return side{"MariaDB", s.mysqlDSN(database), s.ptDSN(database, table)}
}

func (s services) postgresSide(database string) side {
	return side{"PostgreSQL", s.postgresDSN(database), ""}
}

// trueupDiff compares a table; differences that are there count as work done.
func trueupDiff(o options, name string, source, target side, table string, flags ...string) command {
	argv := append([]string{filepath.Join(o.bin, "trueup"), "diff", "--json"}, flags...)
	return command{name, append(argv, source.dsn, target.dsn, table), []int{0, 1}}
}

// reladiff compares a table by its key id and the columns given. It prints what
// it finds unsorted: sorting, it ends with a TypeError at the first changed row
// with a NULL on one side, and the rest of the damage is not looked for.
func reladiff(o options, name string, source, target side, table string, columns ...string) command {
	argv := []string{
		o.reladiff, source.reladiff(), table, target.reladiff(), table,
		"-k", "id", "--threads", "4", "--json", "--skip-sort-results",
	}
	for _, column := range columns {
		argv = append(argv, "-c", column)
	}
	return command{name, argv, []int{0}}
}

func (s side) reladiff() string { return strings.Replace(s.dsn, "postgres://", "postgresql://", 1) }

// ptTableSync compares (--print) or repairs (--execute) a table.
func ptTableSync(o options, name, mode string, source, target side) command {
	return command{name, []string{o.ptSync, mode, "--no-check-slave", "--charset=utf8mb4", source.pt, target.pt}, []int{0, 2}}
}
