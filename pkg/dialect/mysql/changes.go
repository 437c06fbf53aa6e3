package mysql

import (
	"time"

	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Changes implements dialect.Dialect.
func (d Dialect) Changes(v *schema.View, after row.Key, from, until time.Time, n int) dialect.Query {
	var s statement
	name := d.Quote(v.Columns[v.Key[0]].Name)
	s.write("SELECT ", d.selectList(v), " FROM ", d.TableName(v.Table.Name))
	conditions := []string{name + " >= " + micros(from), name + " < " + micros(until)}
	s.where(append(conditions, d.rangeConditions(&s, v, row.Range{After: after})...))
	s.write(" ORDER BY ", d.keyList(v), " LIMIT ", itoa(n))
	return s.query()
}

func micros(t time.Time) string {
	return "CAST('" + t.UTC().Format("2006-01-02 15:04:05.000000") + "' AS DATETIME(6))"
}

// OpenTransactions implements dialect.Dialect. INNODB_TRX tells seconds of the
// operating system's zone, which CONVERT_TZ calls SYSTEM. Transactions that
// said they only read, this project's among them, write no times. One without a
// connection was prepared, and after a restart of the server its start is that of
// the restart: it is counted among those whose start nobody knows.
//
// The server makes the list anew only when nobody has read it for 100 ms
// (CACHE_MIN_IDLE_TIME in trx0i_s.cc), so that it is of any age while many read it.
// It was made for this question when the asking transaction is in it with its
// present statement; else not before the youngest of those in it began.
func (d Dialect) OpenTransactions(question string) dialect.Query {
	const (
		text   = "'%Y-%m-%d %H:%i:%s.%f'"
		writes = "trx_is_read_only = 0 AND trx_autocommit_non_locking = 0"
	)
	asked := "/* " + question + " */"
	return dialect.Query{SQL: "SELECT " + asked + " DATE_FORMAT(UTC_TIMESTAMP(6), " + text + "), " +
		"DATE_FORMAT(" + earliest("MIN(IF("+writes+", trx_started, NULL))") + ", " + text + "), " +
		"SUBSTRING_INDEX(GROUP_CONCAT(IF(" + writes + ", trx_mysql_thread_id, NULL) ORDER BY trx_started), ',', 1), " +
		"COALESCE(SUM(" + writes + " AND trx_mysql_thread_id = 0), 0), '1', " +
		"IF(@@global.time_zone = 'SYSTEM', @@global.system_time_zone, @@global.time_zone), " +
		"DATE_FORMAT(IF(MAX(trx_query LIKE '%" + asked + "%') = 1, UTC_TIMESTAMP(6), " + earliest("MAX(trx_started)") + "), " + text + ") " +
		"FROM information_schema.innodb_trx"}
}

// earliest is the first moment, in UTC, at which the operating system's clock
// showed a time. In the hour that comes twice in autumn CONVERT_TZ takes either.
func earliest(local string) string {
	const hour = " - INTERVAL 1 HOUR"
	utc := "CONVERT_TZ(" + local + ", 'SYSTEM', '+00:00')"
	return "IF(CONVERT_TZ(" + utc + hour + ", '+00:00', 'SYSTEM') = " + local + ", " + utc + hour + ", " + utc + ")"
}
