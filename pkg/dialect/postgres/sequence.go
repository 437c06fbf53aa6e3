package postgres

import (
	"strconv"

	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// advance brings the sequence behind a column (of an identity, a serial, or a
// default with nextval) to a value. Only nextval is safe beside others that use
// the sequence: between a look at it and setval they may have gone further. So
// the look is a nextval itself, and up to 10,000 numbers are taken one by one;
// further away, setval can only go back if others take as many meanwhile. What
// is taken stays taken after a rollback, which leaves a gap and no harm.
const advance = `
SELECT CASE WHEN p >= want THEN p
            WHEN (want - p) / step < 10000 THEN (SELECT max(nextval(sequence) + 0 * g) FROM generate_series(1, (want - p + step - 1) / step) AS g)
            ELSE setval(sequence, want) END
FROM (
  SELECT q.seqrelid::regclass AS sequence, q.seqincrement AS step, least($3::numeric, q.seqmax)::bigint AS want, nextval(q.seqrelid::regclass) AS p
  FROM pg_attribute a
  CROSS JOIN LATERAL (
    SELECT d.objid AS oid FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid
      AND d.refobjsubid = a.attnum AND d.deptype = 'i'
    UNION
    SELECT d.refobjid FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid
    WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND f.adrelid = a.attrelid AND f.adnum = a.attnum
  ) AS behind
  JOIN pg_sequence q ON q.seqrelid = behind.oid
  WHERE a.attrelid = to_regclass($1::text) AND a.attname = $2::text AND q.seqincrement > 0
    AND coalesce(pg_sequence_last_value(q.seqrelid) < least($3::numeric, q.seqmax), true)
  OFFSET 0
) AS found`

// Advance implements dialect.Dialect.
func (d Dialect) Advance(v *schema.View, rows []row.Row) (dialect.Query, bool) {
	for p, c := range v.Columns {
		if !c.Identity || c.Generated {
			continue
		}
		var last int64
		for _, r := range rows {
			if n, err := strconv.ParseInt(string(r[p]), 10, 64); err == nil {
				last = max(last, n)
			}
		}
		// A table has one such column, but for rare ones with several serials.
		return dialect.Query{SQL: advance, Args: []any{d.TableName(v.Table.Name), c.Name, strconv.FormatInt(last, 10)}}, last > 0
	}
	return dialect.Query{}, false
}
