package main

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// ours stands before every statement of the soak's own for InnoDB's reports, as the
// product's own mark does before its statements.
const ours = "/* soak */ "

// opponent is who else was part of a deadlock: the product, others of the soak, or
// unknown where the server has forgotten it already.
type opponent string

const (
	product opponent = "fixer"
	others  opponent = "others of the soak"
	unknown opponent = "unknown"
)

// opponentOf asks the server with whom the victim of a deadlock had it.
func (d *database) opponentOf(ctx context.Context, err error) opponent {
	if d.engine == postgres {
		return d.opponentInPostgres(ctx, err)
	}
	var kind, name, status sql.NullString
	if err := d.QueryRowContext(ctx, "SHOW ENGINE INNODB STATUS").Scan(&kind, &name, &status); err != nil {
		return unknown
	}
	u, err := url.Parse(d.url)
	if err != nil {
		return unknown
	}
	return opponentIn(status.String, strings.TrimPrefix(u.Path, "/"))
}

// opponentIn reads InnoDB's report of its latest deadlock, which must be of that
// database: the statements of its transactions are marked when they are ours.
func opponentIn(status, schema string) opponent {
	_, report, found := strings.Cut(status, "LATEST DETECTED DEADLOCK")
	report, _, _ = strings.Cut(report, "\nTRANSACTIONS\n")
	if !found || !strings.Contains(report, "`"+schema+"`") {
		return unknown
	}
	for _, transaction := range strings.Split(report, ") TRANSACTION:")[1:] {
		statement, _, _ := strings.Cut(transaction, "*** ")
		if !strings.Contains(statement, strings.TrimSpace(ours)) {
			return product
		}
	}
	return others
}

var blockers = regexp.MustCompile(`blocked by process (\d+)`)

// opponentInPostgres looks up the sessions that the error names. Those of the
// product say who they are; one that is gone may have been any.
func (d *database) opponentInPostgres(ctx context.Context, err error) opponent {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return unknown
	}
	who := others
	for _, match := range blockers.FindAllStringSubmatch(e.Detail, -1) {
		pid, err := strconv.Atoi(match[1])
		if err != nil {
			return unknown
		}
		var application string
		if err := d.QueryRowContext(ctx, "SELECT application_name FROM pg_stat_activity WHERE pid = $1", pid).Scan(&application); err != nil {
			return unknown
		}
		if strings.HasPrefix(application, "trueup") {
			who = product
		}
	}
	return who
}
