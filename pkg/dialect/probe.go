package dialect

// The figures about a server's load that probes ask for.
const (
	// ProbeThreads counts the sessions of others that are at work.
	ProbeThreads = "threads"
	// ProbeLockWaits counts the transactions that wait for another's lock.
	ProbeLockWaits = "lock_waits"
	// ProbeHistory is the number of old row versions' undo pages that InnoDB has
	// not yet purged.
	ProbeHistory = "history"
	// ProbeSnapshotAge is the age of the oldest transaction that keeps dead rows
	// from being removed, in seconds.
	ProbeSnapshotAge = "snapshot_age"
	// ProbeReplicaLag is how far the slowest replica of the server is behind, in
	// seconds; of the server itself where it is one.
	ProbeReplicaLag = "replica_lag"
	// ProbeConnections is how much of the allowed connections is taken, in per cent.
	ProbeConnections = "connections"
	// ProbeLatency is the mean time of others' statements, in milliseconds.
	ProbeLatency = "latency"
)

// Probe asks a server for one figure about its load. It is short and takes no
// lock of the user's tables.
type Probe struct {
	// Figure is one of the names above.
	Figure string
	// Query gives one number, NULL where the server does not know it.
	Query Query
	// Growing marks a query that gives two numbers since the server's start,
	// milliseconds and statements; the figure is the mean between two samples.
	Growing bool
	// Beside marks a query that gives two more numbers: how many of this program's own
	// sessions are at work beside those that the first one counts, and how many statements
	// (or transactions) of anybody the server was asked for since its start.
	Beside bool
	// May, unless empty, asks whether the user sees all that is counted, "true"
	// or "false": some views leave out what others do, without an error.
	May Query
	// Grant is what to grant where the figure is refused; empty for nothing.
	Grant string
}
