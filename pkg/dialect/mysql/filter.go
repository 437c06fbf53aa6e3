package mysql

import (
	"strings"

	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// filter are the conditions that the rows of the view meet.
func (d Dialect) filter(s *statement, v *schema.View) []string {
	conditions := d.own(s, v)
	var within []string
	for _, other := range v.Within {
		within = append(within, d.belongs(s, other))
	}
	if len(within) > 0 {
		conditions = append(conditions, "("+strings.Join(within, " OR ")+")")
	}
	for _, other := range v.Outside {
		if other.Where == "" { // columns that are not null, whose index may serve
			conditions = append(conditions, "NOT "+d.belongs(s, other))
		} else {
			conditions = append(conditions, d.belongs(s, other)+" IS NOT TRUE")
		}
	}
	return conditions
}

// own are the fixed columns and the user's condition. The line feed ends a
// comment in it.
func (d Dialect) own(s *statement, v *schema.View) []string {
	var conditions []string
	for _, f := range v.Fixed {
		conditions = append(conditions, d.oneColumn(s, &f.ViewColumn, []row.Key{{f.Value}})...)
	}
	if v.Where != "" {
		conditions = append(conditions, "("+v.Where+"\n)")
	}
	return conditions
}

func (d Dialect) belongs(s *statement, v *schema.View) string {
	if conditions := d.own(s, v); len(conditions) > 0 {
		return "(" + strings.Join(conditions, " AND ") + ")"
	}
	return "TRUE"
}

// name is what a statement reads for a column: its name or its constant.
func (d Dialect) name(c schema.ViewColumn) string {
	if c.Constant != nil {
		return d.Literal(c, c.Constant)
	}
	return d.Quote(c.Name)
}
