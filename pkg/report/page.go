// Package report is a comparison as one HTML page: self-contained, readable
// without a network, in a browser or printed. It knows nothing of databases;
// whoever compared fills in a Page and renders it.
//
// The page holds no script and no address of anything outside itself, and its
// content security policy forbids both. What is shown passes html/template:
// keys and errors may hold markup.
//
//	page.go      what a page says
//	track.go     where in the key index findings lie, in bounded memory
//	sample.go    some of many, chosen evenly
//	histogram.go values in equal steps, of numbers or of time
//	draw.go      plots as rectangles
//	render.go    the page; page.html and page.css
//	save.go      the file, replaced as a whole
package report

import "time"

// State is what a comparison concluded.
type State uint8

// The states, from the best to the gravest.
const (
	// Clean: everything was looked at and nothing differs.
	Clean State = iota
	// CountsAgree: the numbers of rows agree, which proves nothing.
	CountsAgree
	// Unsettled: nothing is known to differ, but rows kept changing.
	Unsettled
	// Different: everything was looked at and something differs.
	Different
	// Incomplete: not everything could be looked at.
	Incomplete
	// Pending: not compared yet, or never.
	Pending
)

// String is the state in a word or two.
func (s State) String() string {
	switch s {
	case Clean:
		return "Clean"
	case CountsAgree:
		return "Counts agree"
	case Unsettled:
		return "Not settled"
	case Different:
		return "Different"
	case Incomplete:
		return "Not complete"
	default:
		return "Not compared"
	}
}

// Page is a whole report.
type Page struct {
	// Version is the version of the program that compared.
	Version string
	// Begun is when the comparison began, Written when the page was made.
	Begun, Written time.Time
	// Running: the comparison goes on, or was killed before it could say so.
	Running bool
	Source  Server
	Target  Server
	// Authority is the word for the side that is right: "source" or "target",
	// or how they are mixed.
	Authority string
	Pairs     []Pair
	// LeftOut are tables that should have been compared and were not.
	LeftOut []string
	// Notes are worth knowing and change no verdict.
	Notes []string
	// Repair are the commands that repair every pair that differs; none when
	// no command of its own is needed for all.
	Repair []Command
}

// Server is one of the two databases.
type Server struct {
	Engine, Version string
	// Address is the URL without password.
	Address string
}

// Pair is one comparison of two tables.
type Pair struct {
	Name  string
	State State
	// Reason says why the state is not better; empty when findings say it all.
	Reason         string
	Source, Target Table
	// Authority and Copy are "source" and "target", in either order.
	Authority, Copy   string
	Mode, Method, Why string
	Key               []string
	// Confirm is how long a difference had to last before it counted.
	Confirm time.Duration
	Resumed bool
	Begun   time.Time
	Took    time.Duration
	// Found counts the findings, Open the rows that kept changing.
	Found      Kinds
	Open       int64
	Unreadable int64
	// Ranges are the first of the ranges that could not be read.
	Ranges   []Unreadable
	Warnings []string
	Columns  []Column
	// Space holds a track for each walk over a key index.
	Space []Track
	// ByKey and ByTime say where findings lie by a value; nil when that is not
	// known, NoTime then says why.
	ByKey, ByTime *Histogram
	NoTime        string
	Samples       []Samples
	Next          []Command
}

// Table is one side of a pair.
type Table struct {
	Name string
	// Rows is the number of rows read, Estimated the engine's own guess.
	Rows, Estimated int64
	// Where is the filter; empty for all rows.
	Where string
}

// Unreadable is a range of which something could not be read.
type Unreadable struct {
	Range, Reason string
}

// Column is how a column is compared, and what that could hide.
type Column struct {
	Source, Target         string
	SourceType, TargetType string
	As, Rule, Hides        string
	Key                    bool
}

// Samples are some keys of one kind.
type Samples struct {
	Kind Kind
	// Total is the number of findings of the kind; there may be more than Keys.
	Total int64
	Keys  []Key
}

// Key is a key as it is shown, and the columns that differ under it.
type Key struct {
	Values  []Value
	Columns []string
}

// Value is one column of a key.
type Value struct {
	Column, Type, Text string
}

// Command is a command line and what it is for.
type Command struct {
	For, Line string
}

// Kind is a kind of finding.
type Kind uint8

// The kinds, in the order of their counts in Kinds.
const (
	Missing   Kind = iota // the copy lacks the row
	NotEqual              // both have it and it differs
	Extra                 // only the copy has it
	kindCount = 3
)

// Kinds counts findings by kind.
type Kinds [kindCount]int64

// Total is the number of all of them.
func (k Kinds) Total() int64 { return k[Missing] + k[NotEqual] + k[Extra] }

func (k *Kinds) add(other Kinds) {
	for i := range k {
		k[i] += other[i]
	}
}

// State is the gravest of the pairs' states.
func (p Page) State() State {
	worst := Clean
	for _, pair := range p.Pairs {
		worst = max(worst, pair.State)
	}
	// A page says of itself that it is not complete; that a pair was not
	// compared is one reason for it.
	if worst == Pending || p.Running || len(p.LeftOut) > 0 || len(p.Pairs) == 0 {
		return Incomplete
	}
	return worst
}

// Found counts the findings of all pairs.
func (p Page) Found() Kinds {
	var all Kinds
	for _, pair := range p.Pairs {
		all.add(pair.Found)
	}
	return all
}
