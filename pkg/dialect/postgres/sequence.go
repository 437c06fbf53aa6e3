package postgres

import (
	"strconv"

	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// advance brings the sequence behind a column (of an identity, a serial, or a
// default with nextval) past values, in its own direction and steps: where several
// servers give out numbers, those in between are another one's. Values that it
// never gives out, beyond its bounds, are of no account.
//
// Only nextval is safe beside others that use the sequence: between a look at it
// and setval they may have gone further. So the look is a nextval itself, and up
// to 10,000 numbers are taken one by one; further away, setval can only go back if
// others take as many meanwhile. What is taken stays taken after a rollback, which
// leaves a gap and no harm.
const advance = `
SELECT CASE WHEN steps <= 0 THEN 0
            WHEN steps < 10000 THEN (SELECT max(nextval(sequence) + 0 * g) FROM generate_series(1, steps::bigint) AS g)
            ELSE setval(sequence, (p + steps * step)::bigint) END
FROM (
  SELECT sequence, p, step, least(ceil((want - p) / step), trunc((last - p) / step)) AS steps
  FROM (
    SELECT q.seqrelid::regclass AS sequence, q.seqincrement::numeric AS step, given.want,
           CASE WHEN q.seqincrement > 0 THEN q.seqmax ELSE q.seqmin END::numeric AS last, nextval(q.seqrelid::regclass)::numeric AS p
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
    CROSS JOIN LATERAL (
      SELECT CASE WHEN q.seqincrement > 0 THEN max(k) ELSE min(k) END AS want
      FROM unnest($3::numeric[]) AS k WHERE k BETWEEN q.seqmin AND q.seqmax
    ) AS given
    CROSS JOIN LATERAL (SELECT pg_sequence_last_value(q.seqrelid)::numeric AS value) AS taken
    WHERE a.attrelid = to_regclass($1::text) AND a.attname = $2::text
      AND coalesce((given.want - taken.value) / q.seqincrement > 0, given.want IS NOT NULL)
      AND coalesce(taken.value + q.seqincrement BETWEEN q.seqmin AND q.seqmax, true)
    OFFSET 0
  ) AS found
) AS ahead`

// Advance implements dialect.Dialect.
func (d Dialect) Advance(v *schema.View, rows []row.Row) (dialect.Query, bool) {
	for p, c := range v.Columns {
		if !c.Identity || c.Generated {
			continue
		}
		var given []row.Value
		for _, r := range rows {
			if _, err := strconv.ParseInt(string(r[p]), 10, 64); err == nil {
				given = append(given, r[p])
			}
		}
		// A table has one such column, but for rare ones with several serials.
		return dialect.Query{SQL: advance, Args: []any{d.TableName(v.Table.Name), c.Name, array(given)}}, len(given) > 0
	}
	return dialect.Query{}, false
}
