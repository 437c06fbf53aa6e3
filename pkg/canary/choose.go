package canary

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/fix"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// attempt is a change that could be planted.
type attempt struct {
	fix.Change
	// column is the source's name of the column that is changed; empty when the
	// row as a whole is.
	column string
	// authority is the authority's row, which an update is to differ from.
	authority row.Row
}

// preference is the order in which columns are taken, by their kind: what is
// likely to be read by a person first, what is counted or timed later.
var preference = []canonical.Kind{
	canonical.Text, canonical.Bytes, canonical.Int, canonical.Decimal, canonical.Float64, canonical.Float32, canonical.Bool,
	canonical.Date, canonical.Timestamp, canonical.Instant, canonical.Time, canonical.JSON, canonical.UUID, canonical.Bits,
}

// updates are changes of one column of the reserved row that the comparison sees
// under every rule, the best first. An error says of each column why it is left.
func (c *Canary) updates(authority, is row.Row) ([]attempt, error) {
	view := c.view(c.Authority.Other())
	type column struct {
		at, rank int
	}
	var usable []column
	var reasons []string
	for i, name := range c.Pair.Names {
		if why := c.unsuited(i); why != "" {
			if c.Column == "" || c.Column == name {
				reasons = append(reasons, name+" "+why)
			}
			continue
		}
		rank := slices.Index(preference, view.Columns[i].As.Kind)
		if rank < 0 {
			rank = len(preference)
		}
		usable = append(usable, column{i, rank})
	}
	slices.SortStableFunc(usable, func(a, b column) int { return a.rank - b.rank })
	var out []attempt
	for _, col := range usable {
		found := c.seen(authority, is, col.at)
		if len(found) == 0 {
			reasons = append(reasons, c.Pair.Names[col.at]+" has no other value that its rule would not take for equal")
		}
		out = append(out, found...)
	}
	if len(out) == 0 {
		return nil, refused("no column of pair %s can be changed for a canary: %s; name another with canary.column, use --kind base_missing, or give the canary tables of its own (canary.shadow)",
			c.Pair.Name, strings.Join(reasons, ", "))
	}
	return out, nil
}

// seen are the changes of a column that the comparison sees.
func (c *Canary) seen(authority, is row.Row, at int) []attempt {
	view := c.view(c.Authority.Other())
	var out []attempt
	for _, value := range others(view.Columns[at], c.Pair.Rules[at], is[at]) {
		planted := slices.Clone(is)
		planted[at] = value
		if kind, columns := c.comparer().Rows(authority, planted); kind == event.NotEqual && slices.Equal(columns, []int{at}) {
			change := fix.Change{Action: event.Update, Key: is.Key(view.Key), Row: planted, Columns: []int{at}}
			out = append(out, attempt{change, c.Pair.Names[at], authority})
		}
	}
	return out
}

// unsuited says why a column is not changed; empty when it may be.
func (c *Canary) unsuited(at int) string {
	view, name := c.view(c.Authority.Other()), c.Pair.Names[at]
	col := view.Columns[at]
	other := c.view(c.Authority).Columns[at]
	holds := func(columns []string) bool { return slices.Contains(columns, col.Name) }
	switch {
	case view.IsKey(at):
		return "belongs to the key"
	case c.Column != "":
		if name != c.Column {
			return "is not the column of canary.column"
		}
		if col.Generated {
			return "is computed by the server"
		}
		return ""
	case col.Generated:
		return "is computed by the server"
	case other.Constant != nil || slices.ContainsFunc(view.Fixed, func(f schema.Fixed) bool { return f.Name == col.Name }):
		return "is a constant"
	case col.Translation != nil || other.Translation != nil:
		return "is translated"
	case col.OnUpdate || slices.Contains(c.Avoid, name):
		return "tells when the row changed"
	case slices.ContainsFunc(view.Table.Keys, func(k schema.UniqueKey) bool { return holds(k.Columns) }):
		return "is unique"
	case slices.ContainsFunc(view.Table.References, func(k schema.ForeignKey) bool { return holds(k.Columns) }):
		return "refers to another table"
	default:
		return ""
	}
}

// removal deletes the reserved row.
func (c *Canary) removal(is row.Row) ([]attempt, error) {
	view := c.view(c.Authority.Other())
	if err := c.Pair.CheckCascades(view); err != nil {
		return nil, refused("the reserved row is not deleted: %w; use --kind neq", err)
	}
	if lost := fix.NotKept(view); len(lost) > 0 {
		return nil, refused("the reserved row is not deleted, since it could not be given back whole: %s are of types that are not read; use --kind neq", strings.Join(lost, ", "))
	}
	return []attempt{{Change: fix.Change{Action: event.Delete, Key: is.Key(view.Key)}}}, nil
}

// addition inserts the reserved row once more, under the extra key, with other
// values where its own are unique.
func (c *Canary) addition(is row.Row) ([]attempt, error) {
	view := c.view(c.Authority.Other())
	if err := c.Pair.CheckRepair(view); err != nil {
		return nil, &RefusedError{err}
	}
	added := slices.Clone(is)
	for i, at := range view.Key {
		added[at] = c.Extra[i]
	}
	for _, key := range view.Table.Keys {
		if at := slices.IndexFunc(view.Columns, func(col schema.ViewColumn) bool { return slices.Contains(key.Columns, col.Name) }); at >= 0 && !c.touchesKey(key) {
			if values := others(view.Columns[at], c.Pair.Rules[at], is[at]); len(values) > 0 {
				added[at] = values[len(values)-1] // NULL where that may be
			}
		}
	}
	return []attempt{{Change: fix.Change{Action: event.Insert, Key: c.Extra, Row: added}}}, nil
}

// touchesKey says whether a unique key has a column of the pair's key that the
// extra key changes, so that the row is unique by that.
func (c *Canary) touchesKey(key schema.UniqueKey) bool {
	for i, col := range c.view(c.Authority.Other()).KeyColumns() {
		if slices.Contains(key.Columns, col.Name) && string(c.Extra[i]) != string(c.Key[i]) {
			return true
		}
	}
	return false
}

// RefusedError says why nothing was planted, and what to do.
type RefusedError struct{ err error }

func (e *RefusedError) Error() string { return e.err.Error() }
func (e *RefusedError) Unwrap() error { return e.err }

func refused(format string, args ...any) error { return &RefusedError{fmt.Errorf(format, args...)} }
