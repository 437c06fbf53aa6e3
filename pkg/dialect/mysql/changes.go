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
// said they only read, this project's among them, write no times.
func (d Dialect) OpenTransactions() dialect.Query {
	const text = "'%Y-%m-%d %H:%i:%s.%f'"
	return dialect.Query{SQL: "SELECT DATE_FORMAT(UTC_TIMESTAMP(6), " + text + "), " +
		"DATE_FORMAT(CONVERT_TZ(MIN(trx_started), 'SYSTEM', '+00:00'), " + text + "), " +
		"SUBSTRING_INDEX(GROUP_CONCAT(trx_mysql_thread_id ORDER BY trx_started), ',', 1), '0', '1', " +
		"IF(@@global.time_zone = 'SYSTEM', @@global.system_time_zone, @@global.time_zone) " +
		"FROM information_schema.innodb_trx WHERE trx_is_read_only = 0 AND trx_autocommit_non_locking = 0"}
}
