package postgres

import (
	"time"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Changes implements dialect.Dialect.
func (d Dialect) Changes(v *schema.View, after row.Key, from, until time.Time, n int) dialect.Query {
	var s statement
	column := v.Columns[v.Key[0]].Column
	name := d.Quote(column.Name)
	s.write("SELECT ", d.selectList(v), " FROM ", d.TableName(v.Table.Name))
	conditions := []string{name + " >= " + micros(column, from), name + " < " + micros(column, until)}
	s.where(append(conditions, d.rangeConditions(&s, v, row.Range{After: after})...))
	s.write(" ORDER BY ", d.keyList(v), " LIMIT ", itoa(n))
	return s.rows(v)
}

func micros(c schema.Column, t time.Time) string {
	text := t.UTC().Format("2006-01-02 15:04:05.000000")
	if c.Type.Kind == canonical.Instant {
		return "'" + text + "+00'::timestamptz"
	}
	return "'" + text + "'::timestamp"
}

// OpenTransactions implements dialect.Dialect. The times of other users'
// sessions are NULL to whoever may not see them, so the privilege is asked for.
// A prepared transaction has no session, and no start, any more.
func (d Dialect) OpenTransactions(string) dialect.Query {
	const text = "'YYYY-MM-DD HH24:MI:SS.US'"
	return dialect.Query{SQL: "SELECT to_char(now() AT TIME ZONE 'UTC', " + text + "), " +
		"to_char(min(xact_start) AT TIME ZONE 'UTC', " + text + "), " +
		"(array_agg(pid ORDER BY xact_start))[1]::text, " +
		"(SELECT count(*) FROM pg_catalog.pg_prepared_xacts WHERE database = current_database())::text, " +
		"pg_has_role('pg_read_all_stats', 'USAGE')::int::text, " +
		"(SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'TimeZone'), to_char(now() AT TIME ZONE 'UTC', " + text + ") " +
		"FROM pg_catalog.pg_stat_activity WHERE xact_start IS NOT NULL AND datname = current_database() AND pid <> pg_backend_pid() " +
		"AND backend_type NOT IN ('walsender', 'autovacuum worker') " +
		"AND NOT (usename = current_user AND application_name = current_setting('application_name'))"}
}
