package schema

// Action is what a foreign key does to the rows that refer to one that is
// deleted, or whose referenced columns change. Empty: this user may not see it.
type Action string

// The actions, as SQL spells them.
const (
	NoAction   Action = "NO ACTION"
	Restrict   Action = "RESTRICT"
	Cascade    Action = "CASCADE"
	SetNull    Action = "SET NULL"
	SetDefault Action = "SET DEFAULT"
)

// Refuses says whether the action is sure to leave the rows that refer alone:
// the server refuses the statement instead.
func (a Action) Refuses() bool { return a == NoAction || a == Restrict }

// ForeignKey is a reference of one table's columns to those of a parent.
type ForeignKey struct {
	Name          string
	Child         Name
	Columns       []string
	Parent        Name
	ParentColumns []string
	OnDelete      Action
	OnUpdate      Action
}

// Check is a condition that every row of a table meets.
type Check struct {
	Name string
	// Clause is the condition in the server's own SQL.
	Clause string
}
