package main

import (
	"fmt"
	"slices"
	"strings"
)

// column is one column of a table of the soak. Its kind says how its text is
// asked for when both sides are compared.
type column struct {
	name string
	kind kind
	null bool
}

type kind int

const (
	integer kind = iota
	number
	double
	truth
	moment
	binary
	word // a short text with a binary collation
	text
)

var types = map[engine]map[kind]string{
	mariadb: {
		integer: "BIGINT", number: "DECIMAL(20,6)", double: "DOUBLE", truth: "BOOLEAN", moment: "DATETIME(6)", binary: "VARBINARY(60)",
		word: "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin", text: "TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
	},
	postgres: {
		integer: "BIGINT", number: "NUMERIC(20,6)", double: "DOUBLE PRECISION", truth: "BOOLEAN", moment: "TIMESTAMP(6)", binary: "BYTEA",
		word: "VARCHAR(40)", text: "TEXT",
	},
}

// table is a table of the soak. The key columns come first, then the version:
// the writers raise it with every change of a key, its deletion included.
type table struct {
	name    string
	keys    int
	columns []column
	uniques [][]string
	// parent is the table that parent_id refers to.
	parent string
	// settings are the pair's in the configuration file, so that each way to
	// compare and each strategy of repair has its turn.
	settings string
}

// tables stand with parents before their children.
var tables = []*table{
	{
		name: "items", keys: 1, settings: "method: auto",
		columns: []column{
			{"id", integer, false},
			{"version", integer, false},
			{"code", word, true},
			{"shelf", integer, false},
			{"place", integer, false},
			{"amount", number, true},
			{"weight", double, true},
			{"at", moment, true},
			{"paid", truth, false},
			{"raw", binary, true},
			{"note", text, true},
		},
		// One that takes NULL and one that does not: rows that change places in a
		// circle are opened in different ways.
		uniques: [][]string{{"code"}, {"shelf", "place"}},
	},
	{
		name: "entries", keys: 3, settings: "method: checksum, strategy: merged",
		columns: []column{
			{"order_id", integer, false},
			{"line", integer, false},
			{"lang", word, false},
			{"version", integer, false},
			{"note", text, true},
			{"amount", number, true},
			{"at", moment, true},
		},
	},
	{
		name: "parents", keys: 1, settings: "method: lookup",
		columns: []column{{"id", integer, false}, {"version", integer, false}, {"note", text, true}},
	},
	{
		name: "children", keys: 1, parent: "parents", settings: "method: merge, strategy: per_kind",
		columns: []column{{"id", integer, false}, {"version", integer, false}, {"parent_id", integer, false}, {"amount", number, true}, {"note", text, true}},
	},
}

func tableOf(name string) *table {
	return tables[slices.IndexFunc(tables, func(t *table) bool { return t.name == name })]
}

func (t *table) column(name string) int {
	return slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })
}

func (t *table) names(columns []column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}

// isKey is the condition that finds one row.
func (t *table) isKey() string {
	return strings.Join(t.names(t.columns[:t.keys]), " = ? AND ") + " = ?"
}

// ledger is the name of the table on the copy in which the replicator notes what
// it has brought.
func (t *table) ledger() string { return "ledger_" + t.name }

// create is the statement that makes the table.
func (t *table) create(e engine) string {
	lines := t.definitions(e, t.columns)
	for _, u := range t.uniques {
		lines = append(lines, "UNIQUE ("+strings.Join(u, ", ")+")")
	}
	if t.parent != "" {
		lines = append(lines, "FOREIGN KEY (parent_id) REFERENCES "+t.parent+" (id)")
	}
	return fmt.Sprintf("CREATE TABLE %s (%s)", t.name, strings.Join(lines, ", "))
}

func (t *table) createLedger(e engine) string {
	lines := t.definitions(e, slices.Concat(t.columns[:t.keys], []column{{"version", integer, false}, {"gone", truth, false}}))
	return fmt.Sprintf("CREATE TABLE %s (%s)", t.ledger(), strings.Join(lines, ", "))
}

func (t *table) definitions(e engine, columns []column) []string {
	var lines []string
	for _, c := range columns {
		line := c.name + " " + types[e][c.kind]
		if !c.null {
			line += " NOT NULL"
		}
		lines = append(lines, line)
	}
	return append(lines, "PRIMARY KEY ("+strings.Join(t.names(t.columns[:t.keys]), ", ")+")")
}
