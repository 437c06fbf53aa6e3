package statuspage

import "time"

// Search is the page about one row: what was asked for, and what was found.
type Search struct {
	Version string
	Now     time.Time
	// Names are the pairs to choose from.
	Names []string
	// Pair, Key and Since are what was asked for; Since is one of SinceChoices.
	Pair, Key, Since string
	// Problem is why nothing can be shown; empty when Story is all there is.
	Problem string
	// Asked says that a search was made.
	Asked bool
	Story []Entry
	// More says that there are older entries than these.
	More bool
	// Rows says that contents of rows may be shown.
	Rows bool
}

// Entry is one thing that happened to the row.
type Entry struct {
	At   time.Time
	Pair string
	// Event is "found", or the result of an outcome.
	Event string
	Kind  string
	// Action is what was written, Columns what differed or changed.
	Action  string
	Columns []string
	DryRun  bool
	// Class and Reason are as those of Outcome.
	Class, Reason string
	Took          time.Duration
	Attempts      int
	Run           string
	Epoch         uint64
	// Values are what columns held; empty unless rows may be shown.
	Values []Value
}

// Value is a column before and after.
type Value struct{ Column, Before, After string }

// SinceChoices are how far back a search may reach; the first is the default.
var SinceChoices = []Choice{{"7d", "the last 7 days", 7 * 24 * time.Hour}, {"24h", "the last 24 hours", 24 * time.Hour}, {"all", "all there is", 0}}

// Choice is an entry of a list to choose from.
type Choice struct {
	Value, Word string
	// Length is 0 for without end.
	Length time.Duration
}

// Reach is how far back a search reaches, 0 for without end, by the value of a
// choice; false for what is none.
func Reach(value string) (time.Duration, bool) {
	for _, c := range SinceChoices {
		if c.Value == value {
			return c.Length, true
		}
	}
	return 0, false
}
