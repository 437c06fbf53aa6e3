package postgres

import "github.com/trueup/trueup/pkg/dialect"

// Probes implements dialect.Dialect. What pg_stat_get_activity and
// pg_stat_replication say of others' sessions is NULL without pg_read_all_stats,
// which pg_monitor includes (PostgreSQL manual, "The Cumulative Statistics System").
func (Dialect) Probes() []dialect.Probe {
	// The view of them takes as long to plan as to read.
	const activity = "FROM pg_catalog.pg_stat_get_activity(NULL) WHERE backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid()"
	monitor := func(figure, sql string) dialect.Probe {
		return dialect.Probe{Figure: figure, Query: dialect.Query{SQL: sql}, May: seesAll, Grant: "pg_monitor"}
	}
	latency := monitor(dialect.ProbeLatency, "SELECT sum(total_exec_time), sum(calls) FROM pg_stat_statements"+
		" WHERE userid <> (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)")
	latency.Growing = true
	// Who waits for a client to read or to send keeps no core busy.
	const isOwn = "(application_name LIKE 'trueup%' OR application_name = current_setting('application_name'))"
	// No server counts statements without an extension; of several in a transaction one
	// counts.
	const transactions = "(SELECT sum(pg_catalog.pg_stat_get_db_xact_commit(oid) + pg_catalog.pg_stat_get_db_xact_rollback(oid)) FROM pg_catalog.pg_database)"
	threads := monitor(dialect.ProbeThreads, "SELECT count(*) FILTER (WHERE NOT "+isOwn+"), count(*) FILTER (WHERE "+isOwn+"), "+transactions+" "+
		activity+" AND state = 'active' AND wait_event_type IS DISTINCT FROM 'Client'")
	threads.Beside = true
	return []dialect.Probe{
		threads,
		monitor(dialect.ProbeLockWaits, "SELECT count(*) "+activity+" AND wait_event_type = 'Lock'"),
		// Everybody sees pg_locks, which costs the lock manager more.
		{Figure: dialect.ProbeLockWaits, Query: dialect.Query{SQL: "SELECT count(DISTINCT pid) FROM pg_catalog.pg_locks WHERE NOT granted"}},
		monitor(dialect.ProbeSnapshotAge, "SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0) "+activity+" AND backend_xmin IS NOT NULL"),
		monitor(dialect.ProbeReplicaLag, "SELECT CASE WHEN NOT pg_is_in_recovery() THEN"+
			" (SELECT coalesce(extract(epoch FROM max(replay_lag)), 0) FROM pg_catalog.pg_stat_replication)"+
			" WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0"+
			" ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END"),
		{Figure: dialect.ProbeConnections, Query: dialect.Query{SQL: "SELECT 100.0 * sum(numbackends) /" +
			" (current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int) FROM pg_catalog.pg_stat_database"}},
		latency,
	}
}

var seesAll = dialect.Query{SQL: "SELECT pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')::text"}

// Cores implements dialect.Dialect: the server does not tell.
func (Dialect) Cores() (dialect.Query, bool) { return dialect.Query{}, false }
