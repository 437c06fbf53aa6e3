package schema

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
)

// defaultKey takes the source's primary key when the user named no key.
func (r *resolution) defaultKey() error {
	if len(r.key) > 0 {
		return r.checkKeyNames()
	}
	for _, k := range r.source.Keys {
		if k.Primary {
			r.key = slices.Clone(k.Columns)
			return nil
		}
	}
	return fmt.Errorf("%s has no primary key; %s", r.source.Name, r.otherKeys())
}

func (r *resolution) checkKeyNames() error {
	for i, column := range r.key {
		if slices.Contains(r.key[:i], column) {
			return fmt.Errorf("key: column %s is named twice", column)
		}
	}
	return nil
}

// otherKeys says which keys the user can name instead.
func (r *resolution) otherKeys() string {
	var usable []string
	for _, k := range r.source.Keys {
		if nullable(r.source, k.Columns) == "" {
			usable = append(usable, "`key: ["+strings.Join(k.Columns, ", ")+"]`")
		}
	}
	if len(usable) == 0 {
		return "give both tables a unique index over columns that are NOT NULL and name its columns as key"
	}
	return "choose a unique key of columns that are NOT NULL, such as " + strings.Join(usable, " or ")
}

// nullable returns the first of the columns that allows NULL, or nothing.
func nullable(t *Table, columns []string) string {
	for _, name := range columns {
		if c, ok := t.Column(name); !ok || c.Nullable {
			return name
		}
	}
	return ""
}

// resolveKey returns the positions of the key columns, in the order of an
// index that serves both sides if there is one, else of the source's.
func (r *resolution) resolveKey(p *Pair) ([]int, error) {
	positions := make([]int, len(r.key))
	for i, name := range r.key {
		positions[i] = slices.Index(p.Names, name)
		if err := r.checkKeyColumn(p, positions[i]); err != nil {
			return nil, fmt.Errorf("key column %s: %w", name, err)
		}
	}
	ofSource, err := uniqueOrders(&p.Source, positions)
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, r.otherKeys())
	}
	r.fix(p, positions)
	ofTarget, err := uniqueOrders(&p.Target, positions)
	if err != nil {
		return nil, fmt.Errorf("%w; create that unique index there, or choose a key that is unique on both sides (`key: [...]`)", err)
	}
	for _, order := range ofSource {
		if slices.ContainsFunc(ofTarget, func(o []int) bool { return slices.Equal(o, order) }) {
			return order, nil
		}
	}
	return ofSource[0], nil
}

// checkKeyColumn refuses what cannot identify a row.
func (r *resolution) checkKeyColumn(p *Pair, position int) error {
	source, target := p.Source.Columns[position], p.Target.Columns[position]
	for _, side := range [...]struct {
		table  *Table
		column Column
	}{{r.source, source.Column}, {r.target, target.Column}} {
		if side.column.Nullable {
			return fmt.Errorf("%s of %s allows NULL, which identifies nothing; make it NOT NULL or %s", side.column.Name, side.table.Name, r.otherKeys())
		}
		if reason := unusable(side.table, side.column); reason != "" {
			return fmt.Errorf("%s of %s is %s and cannot be a key: %s; choose another key (`key: [...]`)", side.column.Name, side.table.Name, side.column.Native, reason)
		}
	}
	rule := p.Rules[position]
	if rule.Zone != "" && (source.Translation != nil || target.Translation != nil) {
		return fmt.Errorf("a key is compared exactly, and two instants of zone %s can have the same time on its clocks; choose another key (`key: [...]`)", rule.Zone)
	}
	rule.Zone = "" // says how to read a value, and relaxes nothing
	if !rule.IsZero() {
		return errors.New("a key is compared exactly; take its rule out")
	}
	return nil
}

// unusable says why a column cannot be part of a key; empty when it can.
func unusable(t *Table, c Column) string {
	switch c.Type.Kind {
	case canonical.Float32, canonical.Float64:
		return "binary floating-point numbers have no exact text to look up by"
	case canonical.JSON:
		return "equal documents have different texts"
	case canonical.Interval:
		return "equal intervals have different texts"
	default:
		if isEnumeration(t, c) {
			return "it sorts by the order of its declaration, not by its text"
		}
		return ""
	}
}

// isEnumeration recognizes MySQL's enum and set, and PostgreSQL's enums, which
// are the texts without a collation.
func isEnumeration(t *Table, c Column) bool {
	return c.Base == "enum" || c.Base == "set" ||
		t.Engine == "postgres" && c.Type.Kind == canonical.Text && c.Collation == ""
}

// uniqueOrders returns, for each unique key over exactly the columns at the
// given positions, those positions in the index's order; the primary key first.
// Columns that are the same in all rows of the view do not count.
func uniqueOrders(v *View, positions []int) ([][]int, error) {
	var orders [][]int
	for _, k := range v.Table.Keys {
		if order, ok := v.order(k, positions); ok {
			orders = append(orders, order)
		}
	}
	if len(orders) == 0 {
		names := make([]string, len(positions))
		for i, p := range positions {
			names[i] = v.Columns[p].Name
		}
		return nil, fmt.Errorf("key (%s) is not a unique key of %s", strings.Join(names, ", "), v.Table.Name)
	}
	return orders, nil
}

func (v *View) order(k UniqueKey, positions []int) ([]int, bool) {
	columns := v.unfixed(k)
	if len(columns) != len(positions) {
		return nil, false
	}
	order := make([]int, len(positions))
	for i, name := range columns {
		at := slices.IndexFunc(positions, func(p int) bool { return v.Columns[p].Name == name })
		if at < 0 {
			return nil, false
		}
		order[i] = positions[at]
	}
	return order, true
}
