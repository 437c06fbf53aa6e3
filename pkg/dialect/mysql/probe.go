package mysql

import "github.com/trueup/trueup/pkg/dialect"

// Probes implements dialect.Dialect. Status variables take no privilege (the
// servers' manuals, "Server Status Variables" and "INNODB_METRICS").
func (d Dialect) Probes() []dialect.Probe {
	history := dialect.Probe{
		Figure: dialect.ProbeHistory, Grant: "PROCESS ON *.*",
		Query: dialect.Query{SQL: "SELECT `COUNT` FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'"},
	}
	if d.mariadb {
		history = dialect.Probe{Figure: dialect.ProbeHistory, Query: d.status("INNODB_HISTORY_LIST_LENGTH", "")}
	}
	return []dialect.Probe{
		// The session that asks is one of its own, and not beside anybody.
		{
			Figure: dialect.ProbeThreads, Beside: true,
			Query: dialect.Query{SQL: "SELECT " + only("THREADS_RUNNING") + " - MAX(not_at_work), MAX(own) - 1, " + only("QUESTIONS") +
				" FROM " + d.statuses() + ", (" + sessions + ") AS sessions WHERE VARIABLE_NAME IN ('THREADS_RUNNING', 'QUESTIONS')"},
		},
		{Figure: dialect.ProbeLockWaits, Query: d.status("INNODB_ROW_LOCK_CURRENT_WAITS", "")},
		history,
		{Figure: dialect.ProbeConnections, Query: d.status("THREADS_CONNECTED", " * 100.0 / @@global.max_connections")},
		{
			Figure: dialect.ProbeLatency, Growing: true, Grant: "SELECT ON performance_schema.*",
			// Picoseconds; a server without performance_schema sums nothing to NULL.
			Query: dialect.Query{SQL: "SELECT SUM(SUM_TIMER_WAIT) / 1e9, SUM(COUNT_STAR)" +
				" FROM performance_schema.events_statements_summary_by_user_by_event_name" +
				" WHERE USER <> SUBSTRING_INDEX(USER(), '@', 1) AND EVENT_NAME LIKE 'statement/sql/%'"},
		},
	}
}

const (
	// sessions counts what this program runs, in any of its processes: all its statements
	// begin with a comment that names it, the one that asks too. Without PROCESS an account
	// sees its own sessions, which is where they are. Not at work are these and those that
	// wait for their client to read or to send, as MariaDB and MySQL 8 call that: they keep
	// no core busy. Both come of one look at the list, which stops at each session.
	sessions = "SELECT SUM(IF(" + isOwn + ", 1, 0)) AS own, SUM(IF(" + isOwn +
		" OR STATE IN ('Writing to net', 'Sending to client', 'Reading from net', 'Receiving from client'), 1, 0)) AS not_at_work" +
		" FROM information_schema.PROCESSLIST"

	// The driver says how a new session is to be, and in its own words.
	isOwn = "(INFO LIKE '/* trueup%' OR INFO LIKE 'SET %' AND USER = SUBSTRING_INDEX(USER(), '@', 1))"
)

// status asks for a status variable and does something with it.
func (d Dialect) status(variable, then string) dialect.Query {
	return dialect.Query{SQL: "SELECT (SELECT VARIABLE_VALUE FROM " + d.statuses() + " WHERE VARIABLE_NAME = '" + variable + "')" + then}
}

// statuses is the table of the status variables. A server fills it for each time that a
// statement names it.
func (d Dialect) statuses() string {
	if d.mariadb {
		return "information_schema.GLOBAL_STATUS"
	}
	return "performance_schema.global_status"
}

// only is one of several status variables that were selected.
func only(variable string) string {
	return "SUM(IF(VARIABLE_NAME = '" + variable + "', VARIABLE_VALUE, 0))"
}

// Cores implements dialect.Dialect: MariaDB makes as many thread groups as there
// are cores unless told otherwise (its manual, thread_pool_size), MySQL lists
// them for its default resource group ("0-7"; its manual, "Resource Groups").
func (d Dialect) Cores() (dialect.Query, bool) {
	if d.mariadb {
		return dialect.Query{SQL: "SELECT @@global.thread_pool_size"}, true
	}
	return dialect.Query{SQL: "SELECT 1 + CAST(SUBSTRING_INDEX(VCPU_IDS, '-', -1) AS UNSIGNED)" +
		" FROM information_schema.RESOURCE_GROUPS WHERE RESOURCE_GROUP_NAME = 'USR_default'"}, true
}
