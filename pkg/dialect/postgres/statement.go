package postgres

import (
	"strings"

	"github.com/trueup/trueup/pkg/dialect"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// statement gathers SQL text and numbered arguments.
type statement struct {
	sql  strings.Builder
	args []any
}

func (s *statement) write(parts ...string) {
	for _, p := range parts {
		s.sql.WriteString(p)
	}
}

// arg adds an argument and returns its placeholder, cast to the type.
func (s *statement) arg(value any, as string) string {
	s.args = append(s.args, value)
	return "$" + itoa(len(s.args)) + "::" + as
}

// where writes the conditions, if any.
func (s *statement) where(conditions []string) {
	for i, c := range conditions {
		if i == 0 {
			s.write(" WHERE ")
		} else {
			s.write(" AND ")
		}
		s.write(c)
	}
}

func (s *statement) query() dialect.Query {
	return dialect.Query{SQL: s.sql.String(), Args: s.args}
}

// rows is the query of a statement that returns the view's columns.
func (s *statement) rows(v *schema.View) dialect.Query {
	q := s.query()
	q.Binary = formats(v.Columns)
	return q
}

// array is the text of an array: however many values there are, they are one
// argument, and the statement stays the same. Every value is quoted, so that a
// text NULL is not taken for NULL.
func array(values []row.Value) string {
	size := 2
	for _, v := range values {
		size += len(v) + 3
	}
	out := append(make([]byte, 0, size), '{')
	for i, v := range values {
		if i > 0 {
			out = append(out, ',')
		}
		if v.IsNull() {
			out = append(out, "NULL"...)
			continue
		}
		out = append(out, '"')
		for _, c := range v {
			if c == '"' || c == '\\' {
				out = append(out, '\\')
			}
			out = append(out, c)
		}
		out = append(out, '"')
	}
	return string(append(out, '}'))
}
