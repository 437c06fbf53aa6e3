package mysql

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/schema"
)

// The results of Inspect, in this order.
const (
	resultTable = iota
	resultColumns
	resultIndexes
	resultTriggers
	resultReferences
	resultActions
	resultGrants
	resultChecks
	resultCount
)

// Inspect implements dialect.Dialect.
func (d Dialect) Inspect(name schema.Name) []dialect.Query {
	hidden := "IF(IS_VISIBLE = 'YES', 'NO', 'YES')"
	if d.mariadb {
		hidden = "IGNORED"
	}
	queries := []dialect.Query{
		inspect(name, "TABLE_SCHEMA, TABLE_NAME, TABLE_ROWS, AVG_ROW_LENGTH, CREATE_TIME, AUTO_INCREMENT", "TABLES", "TABLE_SCHEMA", "TABLE_NAME", ""),
		inspect(name, "COLUMN_NAME, COLUMN_TYPE, DATA_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, CHARACTER_MAXIMUM_LENGTH,"+
			" NUMERIC_SCALE, DATETIME_PRECISION, CHARACTER_SET_NAME, COLLATION_NAME", "COLUMNS", "TABLE_SCHEMA", "TABLE_NAME", "ORDINAL_POSITION"),
		inspect(name, "INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART, COLLATION, INDEX_TYPE, "+hidden,
			"STATISTICS", "TABLE_SCHEMA", "TABLE_NAME", "INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX"),
		inspect(name, "TRIGGER_NAME", "TRIGGERS", "EVENT_OBJECT_SCHEMA", "EVENT_OBJECT_TABLE", "TRIGGER_NAME"),
	}
	queries = append(queries, inspectReferences(name)...)
	return append(queries, d.inspectChecks(name))
}

func inspect(name schema.Name, columns, view, schemaColumn, tableColumn, order string) dialect.Query {
	q := dialect.Query{SQL: "SELECT " + columns + " FROM information_schema." + view + " WHERE " + schemaColumn + " = "}
	if name.Schema == "" {
		q.SQL += "DATABASE()"
	} else {
		q.SQL += "?"
		q.Args = append(q.Args, name.Schema)
	}
	q.SQL += " AND " + tableColumn + " = ?"
	q.Args = append(q.Args, name.Table)
	if order != "" {
		q.SQL += " ORDER BY " + order
	}
	return q
}

// Describe implements dialect.Dialect.
func (d Dialect) Describe(name schema.Name, results [][][]*string) (*schema.Table, error) {
	if len(results) < resultCount {
		return nil, fmt.Errorf("describe table %s: %d results where Inspect asked for %d", name, len(results), resultCount)
	}
	if len(results[resultTable]) == 0 {
		return nil, fmt.Errorf("table %s does not exist, or this user may not see it: check the name and the database, and that the user has SELECT on it", name)
	}
	head := results[resultTable][0]
	t := &schema.Table{
		Name:     schema.Name{Schema: text(head[0]), Table: text(head[1])},
		Engine:   d.Engine(),
		Rows:     number(head[2]),
		RowBytes: number(head[3]),
		Identity: text(head[4]),
	}
	var json map[string]bool
	t.Checks, json = d.checks(results[resultColumns], results[resultChecks])
	for _, r := range results[resultColumns] {
		c := d.column(r, json)
		if c.Identity {
			c.Next = text(head[5])
		}
		t.Columns = append(t.Columns, c)
	}
	t.Keys, t.Indexes = indexes(results[resultIndexes])
	for _, r := range results[resultTriggers] {
		t.Triggers = append(t.Triggers, text(r[0]))
	}
	references(t, results[resultReferences], results[resultActions], results[resultGrants])
	return t, nil
}

func (d Dialect) column(r []*string, json map[string]bool) schema.Column {
	extra := strings.ToLower(text(r[5]))
	c := schema.Column{
		Name:      text(r[0]),
		Native:    text(r[1]),
		Base:      strings.ToLower(text(r[2])),
		Nullable:  strings.EqualFold(text(r[3]), "YES"),
		Generated: strings.Contains(extra, "virtual generated") || strings.Contains(extra, "stored generated") || strings.Contains(extra, "persistent"),
		Identity:  strings.Contains(extra, "auto_increment"),
		OnUpdate:  strings.Contains(extra, "on update"),
		Length:    number(r[6]),
		Charset:   text(r[9]),
		Collation: text(r[10]),
	}
	c.Default = d.defaultOf(r[4], c.Base, extra)
	c.HasDefault = c.Default != ""
	if c.Base == "enum" || c.Base == "set" {
		c.Words = members(c.Native)
	}
	c.Unsigned = strings.Contains(strings.ToLower(c.Native), "unsigned")
	switch {
	case c.Base == "decimal":
		c.Precision = int(number(r[7]))
	case r[8] != nil:
		c.Precision = int(number(r[8]))
	}
	if c.Base == "bit" {
		c.Length = declaredLength(c.Native)
	}
	if json[c.Name] { // a name for LONGTEXT with a check
		c.Base = "json"
	}
	classifyType(&c)
	if c.Type.Kind != canonical.Text && c.Type.Kind != canonical.JSON {
		c.Charset, c.Collation = "", ""
	}
	return c
}

// index is one index while its columns are being gathered.
type index struct {
	name    string
	unique  bool
	usable  bool // as a key: whole columns, one direction, visible
	whole   bool // no expression or prefix so far
	columns []string
	order   string
}

// indexes returns the unique keys and every index's leading columns from the
// rows of STATISTICS, which come in order.
func indexes(rows [][]*string) (keys []schema.UniqueKey, leading [][]string) {
	var all []*index
	for _, r := range rows {
		name := text(r[0])
		if len(all) == 0 || all[len(all)-1].name != name {
			all = append(all, &index{name: name, unique: text(r[1]) == "0", usable: true, whole: true, order: text(r[4])})
		}
		all[len(all)-1].add(r)
	}
	for _, x := range all {
		if len(x.columns) > 0 {
			leading = append(leading, x.columns)
		}
		if x.unique && x.usable && x.whole {
			keys = append(keys, schema.UniqueKey{Name: x.name, Columns: x.columns, Primary: x.name == "PRIMARY"})
		}
	}
	return keys, leading
}

func (x *index) add(r []*string) {
	if r[2] == nil || r[3] != nil { // an expression, or a prefix
		x.whole = false
	}
	// A hash (MariaDB's unique keys over long columns) has no order; a mixed
	// direction cannot be walked in key order; a hidden index cannot be named.
	if kind := strings.ToUpper(text(r[5])); kind != "BTREE" && kind != "" {
		x.usable = false
	}
	if text(r[4]) != x.order || strings.EqualFold(text(r[6]), "YES") {
		x.usable = false
	}
	if x.whole {
		x.columns = append(x.columns, text(r[2]))
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// number reads an estimate or a length; what is no number counts as unknown.
func number(s *string) int64 {
	n, err := strconv.ParseUint(text(s), 10, 63)
	if err != nil {
		return 0
	}
	return int64(n)
}
