package main

import (
	"errors"
	"slices"

	"github.com/trueup/trueup/pkg/database"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/schema"
	"github.com/trueup/trueup/services/assembly"
)

// grantedTable is a table and what is done with it.
type grantedTable struct {
	name schema.Name
	// written: it is a copy, and the role repairs it.
	written bool
	// cascades: the pair accepts what repairs do to other tables, so nobody needs
	// to see which they are.
	cascades bool
}

// tables are those of one side, each once.
func (o *grantsOptions) tables(file *assembly.File, side event.Side, place database.Place) ([]grantedTable, error) {
	var all []grantedTable
	for i := range file.Pairs {
		p := &file.Pairs[i]
		mapping := p.Mapping()
		name := mapping.Source
		if side == event.Target {
			name = mapping.Target
		}
		if name.Schema == "" {
			name.Schema = place.Schema
		}
		if name.Schema == "" {
			return nil, errors.New("the DSN names no database; add it, or write tables as database.table")
		}
		written := o.role != "validator" && o.copies(p, side)
		at := slices.IndexFunc(all, func(t grantedTable) bool { return t.name == name })
		if at < 0 {
			all = append(all, grantedTable{name: name, written: written, cascades: p.AllowCascades})
			continue
		}
		if written {
			all[at].cascades = p.AllowCascades && (all[at].cascades || !all[at].written)
			all[at].written = true
		}
	}
	return all, nil
}

// copies says whether a side is, or may become, the copy of a pair.
func (o *grantsOptions) copies(p *assembly.Pair, side event.Side) bool {
	switch o.authority {
	case "both":
		return true
	case "":
		return p.Side() != side
	default:
		return o.authority != side.String()
	}
}
