package mysql

import (
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/dialect"
)

// statement gathers SQL text and the arguments of its placeholders, in the
// order of the text.
type statement struct {
	sql  strings.Builder
	args []any
}

func (s *statement) write(parts ...string) {
	for _, p := range parts {
		s.sql.WriteString(p)
	}
}

// arg adds an argument for a placeholder in expr, which it returns.
func (s *statement) arg(expr string, value any) string {
	s.args = append(s.args, value)
	return expr
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

func itoa(n int) string { return strconv.Itoa(n) }
