package main

import (
	"fmt"
	"strings"

	"github.com/trueup/trueup/internal/debezium"
)

// followed is a table of the continuous soak. The authority's has a column more
// than it says, which tells when a row changed.
type followed struct {
	*table
	// incremental and events are the ways in which its changes are followed. The
	// first sees only what changes at the authority: there the copy is damaged
	// by changes that the replicator loses, and by nothing else.
	incremental, events bool
}

var followedTables = []followed{
	{&table{name: "orders", keys: 1, columns: []column{{"id", integer, false}, {"version", integer, false}, {"state", text, true}}}, true, true},
	{&table{name: "parcels", keys: 2, columns: []column{{"order_id", integer, false}, {"lang", word, false}, {"version", integer, false}, {"state", text, true}}}, false, true},
	{&table{name: "notes", keys: 1, columns: []column{{"id", word, false}, {"version", integer, false}, {"state", text, true}}}, true, false},
}

// key is the n-th key of a writer.
func (t followed) key(writer, n int) []any {
	switch t.name {
	case "orders":
		return []any{int64(n*maxWriters + writer + 1)}
	case "parcels": // keys that differ in one column alone
		return []any{int64(n/3*maxWriters + writer + 1), []string{"de", "en", "EN"}[n%3]}
	default:
		return []any{fmt.Sprintf("note %d of %d", n, writer)}
	}
}

// empty is a row that is not there.
func (t followed) empty(key []any) change {
	row := make([]any, len(t.columns))
	copy(row, key)
	row[t.keys] = int64(0)
	return change{table: t.table, row: row, gone: true}
}

// idOf names the row of a change.
func idOf(c change) rowID { return rowID{c.table.name, keyText(c.key())} }

func keyText(key []any) string {
	texts := make([]string, len(key))
	for i, v := range key {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, "/")
}

// createAuthority are the statements that make the table where it is written.
func (t followed) createAuthority(e engine) []string {
	create := strings.TrimSuffix(t.create(e), ")")
	if e == mariadb {
		return []string{create + ", updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), KEY (updated_at))"}
	}
	return []string{
		create + ", updated_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp())",
		"CREATE INDEX ON " + t.name + " (updated_at)",
		"CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at := clock_timestamp(); RETURN NEW; END'",
		"CREATE TRIGGER touch BEFORE UPDATE ON " + t.name + " FOR EACH ROW EXECUTE FUNCTION touch()",
	}
}

// pair is the table's entry in the configuration.
func (t followed) pair(source, target feed) string {
	settings := []string{"name: " + t.name, "exclude: [updated_at]", "breaker: {share: off, deletes: off, per_minute: off}"}
	if t.incremental {
		settings = append(settings, "updated_at: updated_at", "schedule: {incremental: '@every 1s'}")
	}
	if t.events {
		settings = append(settings, fmt.Sprintf("changes: {source: %q, target: %q}", source.topic(t), target.topic(t)))
	}
	return "  - {" + strings.Join(settings, ", ") + "}\n"
}

// feed is the change events of a database; the names of its topics begin with the
// prefix.
type feed struct {
	*database
	prefix string
}

// table is the name that the connector gives a table.
func (f feed) table(t followed) string {
	if f.engine == mariadb {
		return f.name() + "." + t.name
	}
	return "public." + t.name
}

func (f feed) topic(t followed) string { return f.prefix + "." + f.table(t) }

// connector are the settings of the database's connector.
func (f feed) connector(dir string) (map[string]string, error) {
	var tables []string
	for _, t := range followedTables {
		if t.events {
			tables = append(tables, f.table(t))
		}
	}
	return debezium.Settings(f.url, f.prefix, dir, f.engine == mariadb, map[string]string{ // with and without schemas
		"table.include.list":          strings.Join(tables, ","),
		"publication.autocreate.mode": "filtered",
		// Others use the same MariaDB, and the tables stay as they are.
		"snapshot.locking.mode": "none",
	})
}
