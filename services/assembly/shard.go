package assembly

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/trueup/trueup/pkg/config"
	"github.com/trueup/trueup/pkg/schema"
)

// Shard is one of several source tables that share a target table.
type Shard struct {
	// Name names the shard's pair; "<the entry's name>@<source>" when empty.
	Name string `yaml:"name"`
	// Source is the table, "table" or "schema.table".
	Source string `yaml:"source"`
	// Constants are the shard's own, beside those of the entry.
	Constants map[string]*string `yaml:"constants"`
	// SourceWhere and TargetWhere restrict the rows further than the entry does.
	SourceWhere string `yaml:"source_where"`
	TargetWhere string `yaml:"target_where"`
}

// texts are constants that were checked.
func texts(constants map[string]*string) map[string]string {
	out := make(map[string]string, len(constants))
	for column, value := range constants {
		out[column] = *value
	}
	return out
}

// checkConstants refuses NULL, which is no value.
func checkConstants(constants map[string]*string) error {
	for _, column := range slices.Sorted(maps.Keys(constants)) {
		if constants[column] == nil {
			return config.At("constants", fmt.Errorf("column %s is given NULL, which is no value to compare with; write '' for an empty text, or leave the column out (`exclude`)", column))
		}
	}
	return nil
}

// expandShards puts a pair for each shard in the place of an entry with shards.
func (f *File) expandShards() error {
	var pairs []Pair
	for i := range f.Pairs {
		p := &f.Pairs[i]
		if p.place == "" {
			p.place = fmt.Sprintf("pairs[%d]", i)
		}
		expanded, err := p.expand()
		if err != nil {
			return config.At(p.place, err)
		}
		pairs = append(pairs, expanded...)
	}
	f.Pairs = pairs
	return nil
}

// expand is the pair itself when it has no shards.
func (p *Pair) expand() ([]Pair, error) {
	if p.Shards == nil {
		return []Pair{*p}, nil
	}
	switch {
	case len(p.Shards) == 0:
		return nil, config.At("shards", errors.New("it names none; give at least one, e.g. {source: shop_0.orders, constants: {shard: 0}}"))
	case p.Source != "":
		return nil, config.At("source", errors.New("each of the shards names its own source; leave this one out"))
	case p.Name == "" && p.Target == "":
		return nil, config.At("name", errors.New("a pair of shards needs at least a name or a target table"))
	}
	if p.Target == "" {
		p.Target = p.Name
	}
	if p.Name == "" {
		p.Name = p.Target
	}
	var pairs []Pair
	var among []schema.Shard
	for i, s := range p.Shards {
		at := fmt.Sprintf("shards[%d]", i)
		if s.Source == "" {
			return nil, config.At(at, config.At("source", errors.New("a shard names its source table, e.g. shop_0.orders")))
		}
		if err := checkConstants(s.Constants); err != nil {
			return nil, config.At(at, err)
		}
		pair := s.pair(*p)
		pair.position = i
		pairs = append(pairs, pair)
		among = append(among, schema.Shard{Name: pair.Name, Constants: texts(s.Constants), Where: s.TargetWhere})
	}
	for i := range pairs {
		pairs[i].among = among
	}
	return pairs, nil
}

// pair is the entry as it counts for the shard.
func (s Shard) pair(p Pair) Pair {
	if s.Name == "" {
		s.Name = p.Name + "@" + s.Source
	}
	p.Name, p.Entry, p.Source, p.Shards = s.Name, p.Name, s.Source, nil
	if p.SourceWhere == "" {
		p.SourceWhere = p.Where
	}
	p.SourceWhere = conjunction(p.SourceWhere, s.SourceWhere)
	return p
}

// conjunction is the AND of two conditions, either of which may be empty. The
// line feed ends a comment.
func conjunction(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	default:
		return "(" + a + "\n) AND (" + b + "\n)"
	}
}
