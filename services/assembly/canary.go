package assembly

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/trueup/trueup/pkg/config"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// Canary reserves a row of a pair, in which `trueup canary` makes a difference to
// see it found and repaired. A validator takes requests to look at single rows of
// such a pair.
type Canary struct {
	// Key is the key of a row that exists for this purpose alone, by the source's
	// names of the key columns; Extra is one that no row ever has.
	Key   map[string]*string `yaml:"key"`
	Extra map[string]*string `yaml:"extra"`
	// Column is the column that is changed (source name); one is chosen when empty.
	Column string `yaml:"column"`
	// Shadow are tables of the same definition to use instead of the pair's.
	Shadow *Shadow `yaml:"shadow"`
}

// Shadow are tables that stand for those of a pair, which trueup itself may
// write to while nobody else does. They are a pair of their own, compared and
// repaired as the one they stand for.
type Shadow struct {
	// Source and Target are tables, "table" or "schema.table"; Target has the same
	// name as Source when empty.
	Source string `yaml:"source"`
	Target string `yaml:"target"`
}

// shadowSuffix is what the name of a pair's shadow ends in.
const shadowSuffix = ".canary"

// Row is the key of the reserved row, and Extra the extra one (nil for none), in
// the order of the pair's key.
func (c *Canary) Row(pair *schema.Pair) (key, extra row.Key, err error) {
	if key, err = keyOf(pair, "key", c.Key); err == nil && c.Extra != nil {
		extra, err = keyOf(pair, "extra", c.Extra)
	}
	return key, extra, err
}

func keyOf(pair *schema.Pair, field string, values map[string]*string) (row.Key, error) {
	names := pair.KeyNames()
	var key row.Key
	for _, name := range names {
		if values[name] != nil {
			key = append(key, append(row.Value{}, *values[name]...))
		}
	}
	if len(key) != len(names) || len(values) != len(names) {
		return nil, fmt.Errorf("pair %s: canary.%s has %s; give a value to each column of the key: %s",
			pair.Name, field, strings.Join(slices.Sorted(maps.Keys(values)), ", "), strings.Join(names, ", "))
	}
	return key, nil
}

func (p *Pair) validateCanary() error {
	c := p.Canary
	if c == nil {
		return nil
	}
	switch {
	case len(c.Key) == 0:
		return config.At("canary.key", errors.New("a canary needs a row that exists for it alone; give its key, such as {id: 999999999}"))
	case c.Shadow != nil && c.Shadow.Source == "":
		return config.At("canary.shadow.source", errors.New("name the table that stands for the pair's; see README.md for how to create it"))
	case c.Shadow != nil && p.Entry != "":
		return config.At("canary.shadow", errors.New("a shadow stands for a table of its own, and shards share one; leave it out here, and give a pair without shards one"))
	case maps.EqualFunc(c.Key, c.Extra, func(a, b *string) bool { return a != nil && b != nil && *a == *b }):
		return config.At("canary.extra", errors.New("it is the reserved row's key; name one that no row has"))
	}
	for _, keys := range []map[string]*string{c.Key, c.Extra} {
		for _, column := range slices.Sorted(maps.Keys(keys)) {
			if keys[column] == nil {
				return config.At("canary", fmt.Errorf("column %s is given NULL, which no key has", column))
			}
		}
	}
	return nil
}

// addShadows puts a pair for each shadow behind the pair that it stands for.
func (f *File) addShadows() {
	var pairs []Pair
	for i := range f.Pairs {
		pairs = append(pairs, f.Pairs[i])
		if p := &f.Pairs[i]; p.Canary != nil && p.Canary.Shadow != nil && p.Entry == "" {
			pairs = append(pairs, p.shadow())
		}
	}
	f.Pairs = pairs
}

// shadow is the pair of a pair's shadow tables.
func (p *Pair) shadow() Pair {
	s, canary := *p, *p.Canary
	if s.Shadows = p.Name; p.Name == "" {
		s.Shadows = p.Source
	}
	s.Name = s.Shadows + shadowSuffix
	s.Source, s.Target = canary.Shadow.Source, canary.Shadow.Target
	s.Schedule, s.Changes, s.UpdatedAt, s.UpdatedAtZone = Schedule{}, Changes{}, "", ""
	canary.Shadow = nil
	s.Canary = &canary
	return s
}

// IsShadowOf says whether the pair is the shadow of the one with this name.
func (p *Pair) IsShadowOf(name string) bool { return p.Shadows != "" && p.Shadows == name }

// CanaryPair is the pair whose tables have the reserved row of the pair with this
// name: its own, or that of its shadow.
func (f *File) CanaryPair(name string) (*Pair, error) {
	var known, found []string
	var pair *Pair
	for i := range f.Pairs {
		p := &f.Pairs[i]
		if p.Canary == nil || p.Canary.Shadow != nil {
			continue
		}
		known = append(known, p.Name)
		if p.Is(name) || p.IsShadowOf(name) {
			pair, found = p, append(found, p.Name)
		}
	}
	switch {
	case len(found) == 1:
		return pair, nil
	case len(found) > 1:
		return nil, fmt.Errorf("%q stands for several pairs; name one of %s", name, strings.Join(found, ", "))
	case slices.ContainsFunc(f.Pairs, func(p Pair) bool { return p.Is(name) }):
		return nil, fmt.Errorf("pair %s has no canary; reserve a row for it and give its key, such as `canary: {key: {id: 999999999}}`", name)
	case len(known) == 0:
		return nil, fmt.Errorf("there is no pair named %q, and none has a canary", name)
	default:
		return nil, fmt.Errorf("there is no pair named %q; those with a canary are %s", name, strings.Join(known, ", "))
	}
}
