package schema

import "github.com/trueup/trueup/pkg/canonical"

// Mapping is what a user says about a pair; every field may be left out.
type Mapping struct {
	// Name names the pair in findings, metrics and output.
	Name string
	// Source and Target name the tables.
	Source Name
	Target Name
	// Key names the key columns (source names); empty means the primary key.
	Key []string
	// Columns names the columns to compare (source names); empty means all
	// that both sides have. The key columns are always compared.
	Columns []string
	// Exclude names columns not to compare.
	Exclude []string
	// Rename gives the target's name of a source column where they differ.
	Rename map[string]string
	// Rules relax the comparison of single columns (source names).
	Rules map[string]canonical.Rule
	// Constants are columns that only the target has, and the one value, as a
	// text, that each holds in every row of this pair.
	Constants map[string]string
	// SourceWhere and TargetWhere filter rows, each in its engine's SQL.
	SourceWhere string
	TargetWhere string
	// Shards are all the pairs that share the target table with this one, which
	// is the one at position Shard; none when the pair has the table to itself.
	Shards []Shard
	Shard  int
}

// Method is how the ranges of a pair are compared.
type Method uint8

// The methods; see the design of the comparison in ARCHITECTURE.md.
const (
	// Auto lets Resolve choose.
	Auto Method = iota
	// Checksum lets both servers digest a range and reads only unequal ones.
	Checksum
	// Merge reads both sides of every range and compares in the client.
	Merge
	// Lookup scans one side and looks its keys up on the other.
	Lookup
)

// String is the method's name in configuration and output.
func (m Method) String() string {
	switch m {
	case Checksum:
		return "checksum"
	case Merge:
		return "merge"
	case Lookup:
		return "lookup"
	default:
		return "auto"
	}
}

// Pair is a mapping resolved against both tables.
type Pair struct {
	Name   string
	Source View
	Target View
	// Names are the columns' names in findings and output: those of the source.
	Names []string
	// Rules stand beside Names; the zero Rule compares exactly.
	Rules []canonical.Rule
	// Method is the method Resolve chose, never Auto.
	Method Method
	// Insisted says that Checksum was asked for by name, so that a server that
	// cannot digest is an error and not read instead.
	Insisted bool
	// Why explains Method in a sentence.
	Why string
	// Outside is the target's rows that belong to no shard, and Overlap those of
	// this pair that may belong to another one as well; nil where there is
	// nothing to look for. Outside is set for one pair of all that share a table.
	Outside, Overlap *View
	// Warnings are what could surprise the user: columns one side lacks,
	// texts the comparison cannot tell apart, missing indexes.
	Warnings []string
}

// KeyNames returns the source names of the key columns in key order.
func (p *Pair) KeyNames() []string {
	out := make([]string, len(p.Source.Key))
	for i, k := range p.Source.Key {
		out[i] = p.Names[k]
	}
	return out
}
