package postgres

import (
	"strings"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/schema"
)

// moment is a time of the type that the column's index compares with.
func moment(c schema.Column, t time.Time) string {
	if c.Type.Kind == canonical.Instant {
		return "'" + t.UTC().Format(time.DateTime) + "+00'::timestamptz"
	}
	return "'" + t.UTC().Format(time.DateTime) + "'::timestamp"
}

// Span implements dialect.Dialect. Each end is one step in an index that begins
// with the column.
func (d Dialect) Span(v *schema.View, c schema.Column) dialect.Query {
	var s statement
	name := d.Quote(c.Name)
	s.write("SELECT ")
	for i, order := range []string{"", " DESC"} {
		if i > 0 {
			s.write(", ")
		}
		s.write("(SELECT to_char(", name, ", 'YYYY-MM-DD HH24:MI:SS') FROM ", d.TableName(v.Table.Name))
		s.where(append([]string{d.During(c, schema.FirstTime, schema.LastTime)}, d.filter(&s, v)...))
		s.write(" ORDER BY ", name, order, " LIMIT 1)")
	}
	return s.query()
}

// Windows implements dialect.Dialect.
func (d Dialect) Windows(v *schema.View, w schema.Windows) dialect.Query {
	var s statement
	name, from, until := d.Quote(w.Column.Name), moment(w.Column, w.From), moment(w.Column, w.Until())
	s.write("SELECT CASE WHEN ", name, " < ", from, " THEN ", itoa(schema.BeforeWindows), " WHEN ", name, " >= ", until, " THEN ", itoa(schema.AfterWindows),
		" WHEN ", name, " IS NULL THEN ", itoa(schema.NoTime),
		" ELSE floor(extract(epoch FROM ", name, " - ", from, ") / ", itoa(int(w.Width/time.Second)), ")::bigint END, count(*) FROM ", d.TableName(v.Table.Name))
	var conditions []string
	switch {
	case !w.Outside:
		conditions = []string{d.During(w.Column, w.From, w.Until())}
	case !w.Inside:
		conditions = []string{"(" + name + " < " + from + " OR " + name + " >= " + until + " OR " + name + " IS NULL)"}
	}
	s.where(append(conditions, d.filter(&s, v)...))
	s.write(" GROUP BY 1")
	return s.query()
}

// During implements dialect.Dialect.
func (d Dialect) During(c schema.Column, from, until time.Time) string {
	name := d.Quote(c.Name)
	var conditions []string
	if !from.IsZero() {
		conditions = append(conditions, name+" >= "+moment(c, from))
	}
	if !until.IsZero() {
		conditions = append(conditions, name+" < "+moment(c, until))
	}
	if len(conditions) == 0 {
		return name + " IS NULL"
	}
	return strings.Join(conditions, " AND ")
}
