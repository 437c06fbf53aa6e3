package postgres

import (
	"encoding/json"
	"fmt"

	"github.com/trueup/trueup/pkg/schema"
)

// inspectReferences asks for the table's foreign keys and for those that refer
// to it. Of a partitioned table every part repeats them; these are left out.
// The catalog shows them to everybody.
const inspectReferences = `
SELECT c.conname, n.nspname, t.relname,
       (SELECT json_agg(a.attname ORDER BY k.ord) FROM unnest(c.conkey) WITH ORDINALITY AS k (num, ord)
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num),
       pn.nspname, p.relname,
       (SELECT json_agg(a.attname ORDER BY k.ord) FROM unnest(c.confkey) WITH ORDINALITY AS k (num, ord)
        JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.num),
       c.confdeltype, c.confupdtype,
       c.conrelid = here.oid AND whole.conrelid IS DISTINCT FROM here.oid,
       c.confrelid = here.oid AND whole.confrelid IS DISTINCT FROM here.oid
FROM (SELECT to_regclass($1::text)::oid AS oid) AS here
JOIN pg_constraint c ON c.contype = 'f' AND here.oid IN (c.conrelid, c.confrelid)
LEFT JOIN pg_constraint whole ON whole.oid = c.conparentid
JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
JOIN pg_class p ON p.oid = c.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
ORDER BY n.nspname, t.relname, c.conname`

const inspectChecks = `
SELECT conname, pg_get_expr(conbin, conrelid)
FROM pg_constraint WHERE contype = 'c' AND conrelid = to_regclass($1::text)
ORDER BY conname`

// inspectSequences asks where the sequences stand that columns take their values
// from, as identity or by default. The view shows no position to a user without
// USAGE or SELECT on the sequence, and none of one that was never used.
const inspectSequences = `
SELECT a.attname, CASE WHEN has_sequence_privilege(c.oid, 'USAGE, SELECT') THEN coalesce(s.last_value + s.increment_by, s.start_value) END
FROM (
  SELECT d.refobjsubid AS attnum, d.objid AS sequence FROM pg_depend d
  WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = to_regclass($1::text) AND d.deptype = 'i'
  UNION
  SELECT f.adnum, d.refobjid FROM pg_attrdef f
  JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass
  WHERE f.adrelid = to_regclass($1::text)
) AS used
JOIN pg_attribute a ON a.attrelid = to_regclass($1::text) AND a.attnum = used.attnum
JOIN pg_class c ON c.oid = used.sequence AND c.relkind = 'S'
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_sequences s ON s.schemaname = n.nspname AND s.sequencename = c.relname
ORDER BY a.attnum`

// actions are the letters of pg_constraint (PostgreSQL manual, "pg_constraint").
var actions = map[string]schema.Action{
	"a": schema.NoAction, "r": schema.Restrict, "c": schema.Cascade, "n": schema.SetNull, "d": schema.SetDefault,
}

// references sets a table's foreign keys and those that refer to it.
func references(t *schema.Table, rows [][]*string) error {
	for _, r := range rows {
		key := schema.ForeignKey{
			Name:  text(r[0]),
			Child: schema.Name{Schema: text(r[1]), Table: text(r[2])}, Columns: list(r[3]),
			Parent: schema.Name{Schema: text(r[4]), Table: text(r[5])}, ParentColumns: list(r[6]),
			OnDelete: actions[text(r[7])], OnUpdate: actions[text(r[8])],
		}
		if len(key.Columns) == 0 || len(key.Columns) != len(key.ParentColumns) {
			return fmt.Errorf("foreign key %s: the columns %v refer to %v", key.Name, key.Columns, key.ParentColumns)
		}
		if yes(r[9]) {
			t.References = append(t.References, key)
		}
		if yes(r[10]) {
			t.ReferencedBy = append(t.ReferencedBy, key)
		}
	}
	t.AllReferences = true
	return nil
}

// list reads a JSON array of names, NULL as none.
func list(s *string) []string {
	var out []string
	if s == nil || json.Unmarshal([]byte(*s), &out) != nil {
		return nil
	}
	return out
}

// next is the next value of a column's sequence, empty when it cannot be seen.
func next(column string, sequences [][]*string) string {
	for _, r := range sequences {
		if text(r[0]) == column {
			return text(r[1])
		}
	}
	return ""
}
