package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/dialect/mysql"
	"github.com/trueup/trueup/pkg/dialect/postgres"
	"github.com/trueup/trueup/services/assembly"
)

// needs are what the privileges at one side depend on.
type needs struct {
	place       database.Place
	tables      []grantedTable
	budget      assembly.Budget
	incremental bool
	// follows: the copy's delay is measured by what the servers say; asks: there are
	// statements of the user's own.
	follows, asks bool
	role          string
	user, host    string
}

// adapts says whether the governor measures this side.
func (n *needs) adapts() bool { return n.budget.Adapt == nil || *n.budget.Adapt }

// Purposes of privileges.
const (
	forReading   = "to compare"
	forRepairing = "to lock, compare and repair rows"
	forChecks    = "with the tables that the governor's checks or the heartbeat read"
)

// schemas are those of the tables, of the written ones alone or of all.
func (n *needs) schemas(which func(grantedTable) bool) []string {
	var names []string
	for _, t := range n.tables {
		if which(t) && !slices.Contains(names, t.name.Schema) {
			names = append(names, t.name.Schema)
		}
	}
	return names
}

// mysql is for MySQL and MariaDB (their manuals, "Privileges" and "GRANT").
func (n *needs) mysql() (account string, list []grant) {
	d := mysql.Dialect{}
	account = mysqlText(n.user) + "@" + mysqlText(n.host)
	add := func(optional bool, purpose, what string) {
		list = append(list, grant{statement: "GRANT " + what + " TO " + account + ";", purpose: purpose, optional: optional})
	}
	for _, t := range n.tables {
		if t.written {
			add(false, forRepairing, "SELECT, INSERT, UPDATE, DELETE ON "+d.TableName(t.name))
		} else {
			add(false, forReading, "SELECT ON "+d.TableName(t.name))
		}
		add(true, "to name triggers that a repair would fire", "TRIGGER ON "+d.TableName(t.name))
	}
	for _, name := range n.schemas(func(t grantedTable) bool { return t.written && !t.cascades }) {
		add(false, "to see which tables refer to these by foreign keys, and with what action; it reads no row",
			"SHOW VIEW ON "+d.Quote(mysqlPattern(name))+".*")
	}
	if n.incremental && n.role != "fixer" {
		add(true, "to see open transactions, without which changes are looked at validator.continuous.margin later", "PROCESS ON *.*")
	}
	if n.adapts() {
		if !n.incremental || n.role == "fixer" {
			add(true, "MySQL (not MariaDB): for the governor's signal history", "PROCESS ON *.*")
		}
		if n.budget.Limits.Latency != nil && *n.budget.Limits.Latency > 0 {
			add(true, "for the governor's signal latency", "SELECT ON performance_schema.*")
		}
	}
	if n.adapts() || n.follows {
		add(true, "MySQL, on a replica: to measure how far it is behind", "REPLICATION CLIENT ON *.*")
		add(true, "MariaDB, on a replica: to measure how far it is behind", "REPLICA MONITOR ON *.*")
	}
	if n.asks {
		add(true, forChecks, "SELECT ON "+d.Quote("database")+"."+d.Quote("table"))
	}
	return account, list
}

// mysqlText is a string literal.
func mysqlText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", "''").Replace(s) + "'"
}

// mysqlPattern is a database's name where GRANT reads a pattern.
func mysqlPattern(name string) string {
	return strings.NewReplacer("_", `\_`, "%", `\%`).Replace(name)
}

// postgres is for PostgreSQL (its manual, "Privileges").
func (n *needs) postgres() (account string, list []grant) {
	d := postgres.Dialect{}
	account = d.Quote(n.user)
	add := func(optional bool, purpose, what string) {
		list = append(list, grant{statement: "GRANT " + what + " TO " + account + ";", purpose: purpose, optional: optional})
	}
	add(false, "to connect, where PUBLIC may not", "CONNECT ON DATABASE "+d.Quote(n.place.Database))
	for _, name := range n.schemas(func(grantedTable) bool { return true }) {
		add(false, "to reach the tables, where PUBLIC may not", "USAGE ON SCHEMA "+d.Quote(name))
	}
	for _, t := range n.tables {
		if !t.written {
			add(false, forReading, "SELECT ON TABLE "+d.TableName(t.name))
			continue
		}
		add(false, forRepairing, "SELECT, INSERT, UPDATE, DELETE ON TABLE "+d.TableName(t.name))
		list = append(list, grant{
			purpose:   "to bring the sequences of the table up to inserted rows",
			statement: fmt.Sprintf(grantSequences, postgresText(d.TableName(t.name)), postgresText(account)),
		})
	}
	if n.incremental && n.role != "fixer" || n.adapts() {
		// pg_monitor includes it, and more.
		add(true, "for the governor's signals of others' sessions and replicas, and to see open transactions", "pg_read_all_stats")
	}
	if n.adapts() && n.budget.Limits.Latency != nil && *n.budget.Limits.Latency > 0 {
		add(true, "for the governor's signal latency, where PUBLIC may not", "SELECT ON pg_stat_statements")
	}
	if n.asks {
		add(true, forChecks, "SELECT ON TABLE "+d.Quote("schema")+"."+d.Quote("table"))
	}
	return account, list
}

// grantSequences finds the sequences of a table's identity columns and of defaults
// with nextval, as package postgres does when it advances them.
const grantSequences = `DO $grant$
DECLARE sequence regclass;
BEGIN
  FOR sequence IN
    SELECT d.objid FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = %[1]s::regclass AND d.deptype = 'i'
      AND d.objid IN (SELECT oid FROM pg_catalog.pg_class WHERE relkind = 'S')
    UNION
    SELECT d.refobjid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attrdef f ON f.oid = d.objid
    WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND f.adrelid = %[1]s::regclass
      AND d.refobjid IN (SELECT oid FROM pg_catalog.pg_class WHERE relkind = 'S')
  LOOP
    EXECUTE format('GRANT USAGE, UPDATE ON SEQUENCE %%s TO %%s', sequence, %[2]s);
  END LOOP;
END $grant$;`

// postgresText is a string literal.
func postgresText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
