package assembly

import (
	"github.com/trueup/trueup/pkg/config"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/schema"
)

// Breaker is how much of a pair's copy may be rewritten before somebody has to
// look, as fix.ParseBound reads it. What is left out has the default of
// fix.DefaultLimits; "off" is no limit.
type Breaker struct {
	// Share of the table that may be changed or deleted within a day.
	Share *string `yaml:"share"`
	// Deletes within a day, as a number of rows or a share of the table.
	Deletes *string `yaml:"deletes"`
	// PerMinute is the number of repairs within a minute.
	PerMinute *string `yaml:"per_minute"`
}

// Limits are the pair's, with the defaults filled in. An error names the key.
func (b Breaker) Limits() (fix.Limits, error) {
	l := fix.DefaultLimits()
	for _, set := range []struct {
		key  string
		text *string
		to   *fix.Bound
	}{{"share", b.Share, &l.Share}, {"deletes", b.Deletes, &l.Deletes}, {"per_minute", b.PerMinute, &l.PerMinute}} {
		if set.text == nil {
			continue
		}
		var err error
		if *set.to, err = fix.ParseBound(*set.text); err != nil {
			return l, config.At(set.key, err)
		}
	}
	return l, l.Check()
}

// AboutRows is about how many rows a pair of tables has, by the estimates of both
// servers: the smaller one, since a table may hold the rows of several pairs, or
// the other one where a server has none. 0 when nobody knows, or there are none.
func AboutRows(source, target *schema.Table) int64 {
	if source.Rows == 0 || target.Rows == 0 {
		return max(source.Rows, target.Rows)
	}
	return min(source.Rows, target.Rows)
}
