// Package statuspage shows how a validator's pairs stand as one HTML page that
// keeps itself up to date. It knows nothing of databases and Kafka; whoever knows
// fills in a Page.
//
// The page needs no network beyond the service. Its style and its script are part
// of it, and its content security policy allows those two by their digests and
// nothing else. Without script it is reloaded by the browser. What is shown passes
// html/template: names, reasons and keys come from databases and may hold markup.
//
//	page.go    what the page says
//	story.go   what the page about one row says
//	state.go   how grave it is
//	draw.go    the last minutes as lines and bars
//	words.go   numbers, times and commands for people
//	render.go  the pages; page.html, page.css and page.js
package statuspage

import "time"

// Page is the status of a validator at a moment.
type Page struct {
	Version string
	Now     time.Time
	// Unmet are the conditions of readiness that are not met, and Noted those that
	// are and have something to say.
	Unmet, Noted []Condition
	// Pairs are empty until the databases and Kafka were reached; Names are known
	// before.
	Pairs     []Pair
	Names     []string
	Governors []Governor
	// Window is how far back the governors' tracks reach.
	Window   time.Duration
	Groups   []Group
	Outcomes []Outcome
}

// Condition is something a service has to have to be ready.
type Condition struct{ Name, Detail string }

// Pair is how a pair stands.
type Pair struct {
	Name string
	// Phase is idle, pending, running, paused, stopped, complete or interrupted.
	Phase string
	// Authority is the side that is right, "source" or "target", by the decision
	// with the number Epoch.
	Authority string
	Epoch     uint64
	// Order is who paused or stopped the pair; nil when nobody did.
	Order *Order
	// WaitsFor is why a run that could go on does not; empty for no reason.
	WaitsFor string
	// Pending are the modes of runs that wait for their turn.
	Pending   []string
	NextStart time.Time // zero for never
	// Run is the one under way; nil for none.
	Run *Run
	// Verdicts are the last of each mode, the newest first.
	Verdicts []Verdict
	Standing Standing
}

// Order is what somebody asked for.
type Order struct {
	Who, Why  string
	At, Until time.Time // Until is zero for never
}

// Run is a run under way.
type Run struct {
	Mode  string
	Began time.Time
	// Done and Total are rows; Total is an estimate, 0 when there is none.
	Done, Total int64
	Remaining   time.Duration // 0 when nothing can be said
	Resumed     bool
}

// Verdict is what a run came to.
type Verdict struct {
	Mode            string
	Complete, Clean bool
	// Found are rows that differ.
	Found int64
	// Reason is why it is not better; empty when Found says it all.
	Reason string
	Ended  time.Time
}

// Standing is what is known to be open of a pair, and up to when the rest is
// verified.
type Standing struct {
	// Line says all of it in a sentence.
	Line string
	// Known is false until the topics were read to their end once; then AsOf is the
	// moment up to which they were.
	Known bool
	AsOf  time.Time
	// Open are rows that are known to differ; there are more when AtLeast is set.
	Open    int
	AtLeast bool
	Oldest  time.Time // zero when none is open
	Kinds   []Kind
	// HeldUp counts the open rows by what holds them up: "held", "dead".
	HeldUp []Count
	// Until is the moment up to which changes are verified, by a run of the mode By;
	// zero for none. Behind is how far that is behind now, and Held what keeps it back.
	Until   time.Time
	By      string
	Behind  time.Duration
	Held    string
	Stalled bool
}

// Kind is the open rows of one kind of finding, by their age.
type Kind struct {
	Name string // target_missing, neq or base_missing
	Open int
	// Ages are those open for less than a minute, an hour, a day, and longer.
	Ages [4]int
}

// Count is a number of something.
type Count struct {
	Name string
	N    int
}

// Governor is how much load a database is asked for, and why.
type Governor struct {
	Name string // "source reads"
	// State is starting, running or paused, Reason why it is paused, and Since when
	// it became so.
	State, Reason string
	Since         time.Time
	// Workers statements may run at once now, of Most, for a Share of the time.
	Workers, Most int
	Share         float64
	// Running statements, and those that wait for a place.
	Running, Waiting int
	Track            []Band
	Signals          []Signal
}

// Band is how a governor stood at a moment: its state, and the part from 0 to 1 of
// what it may ask for.
type Band struct {
	At    time.Time
	State string
	Part  float64
}

// Signal is a figure of a server's load.
type Signal struct {
	Name string
	// Value and Limit are with their units.
	Value, Limit string
	// Utilisation is the value divided by the limit.
	Utilisation float64
	// Stale says that the value is too old to go by, and Why it cannot be measured.
	Stale bool
	Why   string
	Track []Point
}

// Point is a signal's utilisation at a moment.
type Point struct {
	At    time.Time
	Value float64
}

// Group is what a consumer group of the fixers has left to do.
type Group struct {
	Name string
	// Retries says that it takes up what was put off.
	Retries bool
	// At is when it was measured; zero before it was once. Err is why the last
	// attempt failed; what stands there is of At then.
	At  time.Time
	Err string
	// Lag is the number of messages left, by partition.
	Lag []Partition
}

// Partition is a partition's lag.
type Partition struct {
	Number int32
	Lag    int64
}

// Outcome is what a fixer did about a finding.
type Outcome struct {
	// ID is unique among those shown.
	ID   string
	At   time.Time
	Pair string
	// Key is the row's key as people read it.
	Key    string
	Kind   string
	Result string
	Action string
	DryRun bool
	// Class is why it was held or is dead, in a word, and Reason in a sentence, which
	// may quote what the server said of a row; empty where rows are not to be shown.
	Class, Reason string
	// Took is the time since the row was found; 0 when that is not known.
	Took time.Duration
}

// Form is the search for a row with nothing filled in.
func (p Page) Form() Search { return Search{Names: p.Names} }
