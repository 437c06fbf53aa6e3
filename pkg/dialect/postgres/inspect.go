package postgres

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
	resultChecks
	resultSequences
	resultCount
)

// inspectTable estimates the rows of a table that was never analyzed by its size,
// as the planner does: 32 bytes for a value of no fixed length, 28 for a row's
// header (get_rel_data_width and table_block_relation_estimate_size).
const inspectTable = `
SELECT n.nspname, c.relname, CASE WHEN c.reltuples > 0 THEN c.reltuples WHEN c.relkind = 'r' THEN
         pg_relation_size(c.oid) / (28 + (SELECT sum(CASE WHEN a.attlen > 0 THEN a.attlen ELSE 32 END)
           FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
       ELSE 0 END::bigint,
       CASE WHEN c.reltuples > 0 AND c.relkind = 'r' THEN (pg_relation_size(c.oid) / c.reltuples)::bigint END,
       pg_encoding_to_char(d.encoding), c.oid::bigint
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_database d ON d.datname = current_database()
WHERE c.oid = to_regclass($1::text) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`

// inspectColumns follows a domain down to its base type. A collation carries
// the version its library reports, since another version may sort otherwise;
// the database's default is that of the entry in pg_collation with its name.
const inspectColumns = `
WITH RECURSIVE base AS (
  SELECT a.attnum, a.atttypid AS type, a.atttypmod AS modifier, a.attnotnull AS required
  FROM pg_attribute a
  WHERE a.attrelid = to_regclass($1::text) AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT base.attnum, t.typbasetype, t.typtypmod, base.required OR t.typnotnull
  FROM base JOIN pg_type t ON t.oid = base.type WHERE t.typtype = 'd'
), standard AS (
  SELECT d.encoding, coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale', d.datcollate) AS name,
         coalesce(to_jsonb(d)->>'datcollversion',
                  (SELECT pg_collation_actual_version(l.oid) FROM pg_collation l
                   WHERE l.collcollate = d.datcollate AND l.collprovider = 'c' AND l.collencoding IN (-1, d.encoding) LIMIT 1)) AS version
  FROM pg_database d WHERE d.datname = current_database()
)
SELECT a.attname, format_type(base.type, base.modifier), t.typname, t.typtype, t.typcategory, base.modifier,
       NOT base.required, a.attgenerated <> '', a.attidentity,
       pg_get_expr(f.adbin, f.adrelid), l.collname, l.collisdeterministic,
       CASE WHEN l.collname = 'default' THEN standard.name ELSE l.collname END,
       CASE WHEN l.collname = 'default' THEN standard.version ELSE pg_collation_actual_version(l.oid) END,
       pg_encoding_to_char(standard.encoding), tn.nspname,
       (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)
FROM pg_attribute a
JOIN base ON base.attnum = a.attnum
JOIN pg_type t ON t.oid = base.type AND t.typtype <> 'd'
JOIN pg_namespace tn ON tn.oid = t.typnamespace
CROSS JOIN standard
LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE a.attrelid = to_regclass($1::text)
ORDER BY a.attnum`

// inspectIndexes lists indexes column by column. An index serves as a key when
// it is complete, immediate, and sorts as ORDER BY sorts: default operator
// classes, the columns' own collations, one direction.
const inspectIndexes = `
SELECT i.indexrelid::regclass::text, i.indisprimary,
       i.indisunique AND i.indisvalid AND i.indisready AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
         AND m.amname = 'btree'
         AND NOT EXISTS (
           SELECT FROM generate_series(0, i.indnkeyatts - 1) AS k(n)
           JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.n]
           JOIN pg_opclass o ON o.oid = i.indclass[k.n]
           WHERE NOT o.opcdefault OR i.indcollation[k.n] <> a.attcollation
              OR i.indoption[k.n] & 1 <> i.indoption[0] & 1),
       i.indisvalid AND i.indpred IS NULL, a.attname
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_am m ON m.oid = x.relam
CROSS JOIN generate_series(0, i.indnkeyatts - 1) AS k(n)
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.n] AND a.attnum > 0
WHERE i.indrelid = to_regclass($1::text)
ORDER BY NOT i.indisprimary, x.relname, k.n`

const inspectTriggers = `
SELECT tgname FROM pg_trigger
WHERE tgrelid = to_regclass($1::text) AND NOT tgisinternal AND tgenabled <> 'D'
ORDER BY tgname`

// Inspect implements dialect.Dialect.
func (d Dialect) Inspect(name schema.Name) []dialect.Query {
	arg := d.TableName(name)
	var out []dialect.Query
	for _, sql := range [resultCount]string{inspectTable, inspectColumns, inspectIndexes, inspectTriggers, inspectReferences, inspectChecks, inspectSequences} {
		out = append(out, dialect.Query{SQL: sql, Args: []any{arg}})
	}
	return out
}

// Describe implements dialect.Dialect.
func (d Dialect) Describe(name schema.Name, results [][][]*string) (*schema.Table, error) {
	if len(results) < resultCount {
		return nil, fmt.Errorf("describe table %s: %d results where Inspect asked for %d", name, len(results), resultCount)
	}
	if len(results[resultTable]) == 0 {
		return nil, fmt.Errorf("table %s does not exist, or is not on the search path: check the name, and write it with its schema (public.orders)", name)
	}
	head := results[resultTable][0]
	t := &schema.Table{
		Name:     schema.Name{Schema: text(head[0]), Table: text(head[1])},
		Engine:   d.Engine(),
		Rows:     number(head[2]),
		RowBytes: number(head[3]),
		Identity: text(head[5]),
	}
	for _, r := range results[resultColumns] {
		c := column(r)
		if c.Identity {
			c.Next = next(c.Name, results[resultSequences])
		}
		t.Columns = append(t.Columns, c)
	}
	t.Keys, t.Indexes = indexes(results[resultIndexes])
	for _, r := range results[resultTriggers] {
		t.Triggers = append(t.Triggers, text(r[0]))
	}
	for _, r := range results[resultChecks] {
		t.Checks = append(t.Checks, schema.Check{Name: text(r[0]), Clause: text(r[1])})
	}
	if err := references(t, results[resultReferences]); err != nil {
		return nil, fmt.Errorf("describe table %s: %w", name, err)
	}
	return t, nil
}

func column(r []*string) schema.Column {
	expression := text(r[9])
	c := schema.Column{
		Name:           text(r[0]),
		Native:         text(r[1]),
		Nullable:       yes(r[6]),
		Generated:      yes(r[7]),
		Identity:       text(r[8]) != "" || strings.HasPrefix(expression, "nextval("),
		AlwaysIdentity: text(r[8]) == "a",
	}
	if !c.Generated {
		c.Default = expression
	}
	c.HasDefault = c.Default != ""
	c.Words = list(r[16])
	classifyType(&c, text(r[15]), text(r[2]), text(r[3]), text(r[4]))
	modifier, err := strconv.Atoi(text(r[5]))
	if err != nil {
		modifier = -1
	}
	modify(&c, modifier)
	if c.Type.Kind == canonical.Text || c.Type.Kind == canonical.JSON {
		c.Charset = strings.ToLower(text(r[14]))
	}
	if c.Type.Kind == canonical.Text && r[10] != nil {
		c.Collation = collation(text(r[12]), text(r[13]), yes(r[11]))
	}
	return c
}

// nondeterministic ends the name of a collation that calls different texts equal.
const nondeterministic = " (nondeterministic)"

// collation names how a column sorts. C and POSIX are the same, by bytes.
func collation(name, version string, deterministic bool) string {
	if name == "C" || name == "POSIX" {
		return "C"
	}
	if version != "" {
		name += "@" + version
	}
	if !deterministic {
		name += nondeterministic
	}
	return name
}

// index is one index while its columns are being gathered.
type index struct {
	key    schema.UniqueKey
	usable bool // as a key
	valid  bool
	whole  bool // no expression so far
}

// indexes returns the unique keys and every index's leading columns.
func indexes(rows [][]*string) (keys []schema.UniqueKey, leading [][]string) {
	var all []*index
	for _, r := range rows {
		name := text(r[0])
		if len(all) == 0 || all[len(all)-1].key.Name != name {
			all = append(all, &index{
				key:    schema.UniqueKey{Name: name, Primary: yes(r[1])},
				usable: yes(r[2]), valid: yes(r[3]), whole: true,
			})
		}
		x := all[len(all)-1]
		x.whole = x.whole && r[4] != nil
		if x.whole {
			x.key.Columns = append(x.key.Columns, text(r[4]))
		}
	}
	for _, x := range all {
		if x.valid && len(x.key.Columns) > 0 {
			leading = append(leading, x.key.Columns)
		}
		if x.usable && x.whole {
			keys = append(keys, x.key)
		}
	}
	return keys, leading
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// yes reads a boolean, as either form in which PostgreSQL prints it.
func yes(s *string) bool { return text(s) == "t" || text(s) == "true" }

// number reads an estimate; what is no number counts as unknown.
func number(s *string) int64 {
	n, err := strconv.ParseInt(text(s), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
