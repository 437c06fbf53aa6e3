package main

import (
	"context"
	"strings"
	"time"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/report"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/pkg/validate"
	"github.com/trueup/trueup/services/assembly"
)

// timePatience bounds the look-up of rows for the plot over time: it must not
// hold up the verdict.
const timePatience = 15 * time.Second

// times looks up when the rows of some findings last changed, or were made. It
// returns why there is nothing to draw where there is not.
func (r *record) times(ctx context.Context, dbs *assembly.Databases, pacer validate.Pacer) (h *report.Histogram, why string) {
	if r.drawn.Seen() == 0 {
		return nil, ""
	}
	column, why := r.timeColumn()
	if why != "" {
		return nil, why
	}
	if ctx.Err() != nil {
		return nil, "the comparison was interrupted before the rows' times were looked up"
	}
	ctx, cancel := context.WithTimeout(ctx, timePatience)
	defer cancel()
	var points []report.Point
	for _, side := range []event.Side{r.asked.Side(), r.asked.Side().Other()} {
		found, err := r.timesAt(ctx, dbs, pacer, side, column)
		if err != nil {
			return nil, "the rows' times could not be looked up: " + err.Error()
		}
		points = append(points, found...)
	}
	if h = report.Times(points); h == nil {
		return nil, "none of the rows has a time in " + column
	}
	h.Of, h.Sampled, h.Total = column, int64(len(points)), r.drawn.Seen()
	h.Note = "In UTC, as the " + r.asked.Side().String() + " has it; rows it lacks as the " + r.asked.Side().Other().String() + " has them."
	if c, _ := r.pair.Source.Table.Column(column); c.Type.Kind != canonical.Instant {
		h.Note = strings.Replace(h.Note, "In UTC, as", "As", 1) // it names no zone
	}
	return h, ""
}

// timeColumn is the source's column that tells when a row last changed, or
// failing that when it was made.
func (r *record) timeColumn() (name, why string) {
	if asked := r.asked.UpdatedAt; asked != "" {
		if r.hasTime(asked) {
			return asked, ""
		}
		return "", "updated_at names " + asked + ", which is no date or time on both sides"
	}
	for _, name := range []string{"updated_at", "created_at"} {
		if r.hasTime(name) {
			return name, ""
		}
	}
	return "", "the tables have no column updated_at or created_at, and the pair names none as updated_at"
}

func (r *record) hasTime(name string) bool {
	source, ok := r.timeView(event.Source, name)
	if !ok || !isTime(source.Columns[len(source.Columns)-1].As) {
		return false
	}
	target, ok := r.timeView(event.Target, name)
	return ok && isTime(target.Columns[len(target.Columns)-1].As)
}

// timeView is one side's key and, behind it, the column.
func (r *record) timeView(side event.Side, name string) (*schema.View, bool) {
	view := &r.pair.Source
	if side == event.Target {
		view = &r.pair.Target
		if renamed, ok := r.asked.Map[name]; ok {
			name = renamed
		}
	}
	column, ok := view.Table.Column(name)
	if !ok {
		return nil, false
	}
	out := view.OfKey()
	out.Columns = append(out.Columns, schema.ViewColumn{Column: column, As: column.Type})
	return out, true
}

// timesAt looks up the findings whose rows the side has: the authority all but
// those that only the copy has.
func (r *record) timesAt(ctx context.Context, dbs *assembly.Databases, pacer validate.Pacer, side event.Side, column string) ([]report.Point, error) {
	view, _ := r.timeView(side, column)
	kinds := map[string]report.Kind{}
	var keys []row.Key
	for _, f := range r.drawn.Items() {
		if (f.Kind == event.BaseMissing) == (side == r.asked.Side()) {
			continue
		}
		key := f.Key.Values()
		kinds[key.ID()] = kindOf(f.Kind)
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	release, err := pacer.Acquire(ctx, side)
	if err != nil {
		return nil, err
	}
	rows, err := dbs.Of(side).Lookup(ctx, view, keys)
	release()
	if err != nil {
		return nil, err
	}
	var points []report.Point
	last := len(view.Columns) - 1
	for _, found := range rows {
		if at, ok := position(view.Columns[last].As, found[last]); ok {
			points = append(points, report.Point{Kind: kinds[found.Key(view.Key).ID()], At: at})
		}
	}
	return points, nil
}
