package schema

import (
	"fmt"
	"maps"
	"slices"
)

// Shard is one of several pairs with one target table.
type Shard struct {
	// Name is the pair's name.
	Name string
	// Constants are its own, besides those of the mapping.
	Constants map[string]string
	// Where restricts the target's rows to its own, besides the mapping's filter.
	Where string
}

// constants are those of the mapping and of its shard, whose count.
func (m Mapping) constants() map[string]string {
	all := map[string]string{}
	maps.Copy(all, m.Constants)
	if len(m.Shards) > 0 {
		maps.Copy(all, m.Shards[m.Shard].Constants)
	}
	return all
}

// targetWhere is the filter of the mapping and of its shard.
func (m Mapping) targetWhere() string {
	if len(m.Shards) == 0 || m.Shards[m.Shard].Where == "" {
		return m.TargetWhere
	}
	if m.TargetWhere == "" {
		return m.Shards[m.Shard].Where
	}
	// The line feed ends a comment.
	return "(" + m.TargetWhere + "\n) AND (" + m.Shards[m.Shard].Where + "\n)"
}

// share makes sure that no shard takes another's rows for its own, and sets the
// views of the rows that would show that the shards are not what they are said
// to be. Constants in the unique key prove shards disjoint; of filters, which
// are the user's text, only the data can tell.
func (m Mapping) share(p *Pair) error {
	if len(m.Shards) == 0 {
		return nil
	}
	own := m.Shards[m.Shard]
	shards := make([]*View, len(m.Shards))
	for i, s := range m.Shards {
		var err error
		if shards[i], err = s.view(m, p); err != nil {
			return fmt.Errorf("shard %s: %w", s.Name, err)
		}
	}
	var doubtful []*View
	for i, s := range m.Shards {
		switch {
		case i == m.Shard || distinct(shards[i], shards[m.Shard]):
		case s.Where == "" || own.Where == "":
			return fmt.Errorf("shard %s and this one cannot be told apart in %s, and would take each other's rows for extra ones; "+
				"give both a constant of its own that belongs to the primary key there (`constants: {column: value}`), or a `target_where` that only its own rows meet",
				s.Name, p.Target.Table.Name)
		default:
			doubtful = append(doubtful, shards[i])
		}
	}
	all := wholeKey(p)
	if len(doubtful) > 0 {
		overlap := *all
		overlap.Where, overlap.Fixed, overlap.Within = p.Target.Where, p.Target.Fixed, doubtful
		p.Overlap = &overlap
	}
	if m.Shard == 0 {
		outside := *all
		outside.Where, outside.Fixed, outside.Outside = m.TargetWhere, inAll(shards), shards
		p.Outside = &outside
	}
	return nil
}

// view is the target's rows of a shard, apart from the mapping's own filter.
func (s Shard) view(m Mapping, p *Pair) (*View, error) {
	constants := maps.Clone(m.Constants)
	if constants == nil {
		constants = map[string]string{}
	}
	maps.Copy(constants, s.Constants)
	v := &View{Table: p.Target.Table, Where: s.Where}
	for _, f := range p.Target.Fixed {
		text, found := lookUp(constants, p.Target.Table, f.Name)
		if !found {
			return nil, fmt.Errorf("constants: it has none for column %s, which belongs to the unique key of %s; give each shard its own", f.Name, p.Target.Table.Name)
		}
		value, err := constantText(f.Column, text)
		if err != nil {
			return nil, fmt.Errorf("constants: column %s (%s): %w", f.Name, f.Native, err)
		}
		v.Fixed = append(v.Fixed, Fixed{ViewColumn: f.ViewColumn, Value: value})
	}
	return v, nil
}

func lookUp(constants map[string]string, t *Table, column string) (string, bool) {
	for name, text := range constants {
		if c, ok := t.Column(name); ok && c.Name == column {
			return text, true
		}
	}
	return "", false
}

// distinct says whether a constant keeps two shards apart.
func distinct(a, b *View) bool {
	for i := range a.Fixed {
		if string(a.Fixed[i].Value) != string(b.Fixed[i].Value) {
			return true
		}
	}
	return false
}

// inAll are the fixed columns with the same value in every shard: rows with
// another value are none of theirs.
func inAll(shards []*View) []Fixed {
	var same []Fixed
	for i, f := range shards[0].Fixed {
		if !slices.ContainsFunc(shards, func(v *View) bool { return string(v.Fixed[i].Value) != string(f.Value) }) {
			same = append(same, f)
		}
	}
	return same
}

// wholeKey is the target's table with the columns that tell all its rows apart,
// in the order of their index.
func wholeKey(p *Pair) *View {
	v := &View{Table: p.Target.Table}
	columns := p.Target.KeyColumns()
	for _, f := range p.Target.Fixed {
		columns = append(columns, f.ViewColumn)
	}
	if k, found := p.Target.KeyIndex(); found {
		slices.SortFunc(columns, func(a, b ViewColumn) int {
			return slices.Index(k.Columns, a.Name) - slices.Index(k.Columns, b.Name)
		})
	}
	for i, c := range columns {
		v.Columns, v.Key = append(v.Columns, c), append(v.Key, i)
	}
	return v
}
