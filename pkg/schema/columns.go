package schema

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
)

// resolution is the work of Resolve on the way from names to columns. Its
// names are those of the source table, as the table spells them.
type resolution struct {
	source, target *Table
	key            []string
	only           map[string]bool // empty: all that both sides have
	exclude        map[string]bool
	excludeTarget  map[string]bool // columns only the target has
	rename         map[string]string
	rules          map[string]canonical.Rule
	constants      map[string]string // target column: its value

	columns  []columnPair
	warnings []string
}

// columnPair is a source column and the target column it is held against.
type columnPair struct {
	source, target Column
}

// newResolution looks up every name of the mapping; one that does not exist is
// an error that lists what does.
func newResolution(m Mapping, source, target *Table) (*resolution, error) {
	r := &resolution{
		source: source, target: target,
		only: map[string]bool{}, exclude: map[string]bool{}, excludeTarget: map[string]bool{},
		rename: map[string]string{}, rules: map[string]canonical.Rule{}, constants: map[string]string{},
	}
	var problems []error
	find := func(setting, name string) string {
		c, ok := source.Column(name)
		if !ok {
			problems = append(problems, noColumn(setting, name, source))
		}
		return c.Name
	}
	for _, name := range m.Key {
		r.key = append(r.key, find("key", name))
	}
	for _, name := range m.Columns {
		r.only[find("columns", name)] = true
	}
	for _, name := range m.Exclude {
		if c, ok := target.Column(name); ok {
			r.excludeTarget[c.Name] = true
			if _, both := source.Column(name); !both {
				continue
			}
		}
		r.exclude[find("exclude", name)] = true
	}
	for _, name := range slices.Sorted(maps.Keys(m.Rename)) {
		if _, ok := target.Column(m.Rename[name]); !ok {
			problems = append(problems, noColumn("map", m.Rename[name], target))
		}
		r.rename[find("map", name)] = m.Rename[name]
	}
	for _, name := range slices.Sorted(maps.Keys(m.Rules)) {
		r.rules[find("rules", name)] = m.Rules[name]
	}
	problems = append(problems, r.findConstants(m.constants()))
	return r, cmp.Or(problems...)
}

func noColumn(setting, name string, t *Table) error {
	return fmt.Errorf("%s: %s has no column %s; it has %s", setting, t.Name, name, columnNames(t.Columns))
}

func columnNames(columns []Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// pick finds the columns to compare, in the source table's order.
func (r *resolution) pick() error {
	taken := map[string]string{} // target column: source column
	for _, c := range r.source.Columns {
		wanted, asked, err := r.wants(c.Name)
		if err != nil {
			return err
		}
		if !wanted {
			continue
		}
		t, found := r.counterpart(c.Name)
		if !found && asked {
			return fmt.Errorf("column %s: %s has no column of that name; map it (`map: {%s: its_name}`) or leave it out; it has %s",
				c.Name, r.target.Name, c.Name, columnNames(r.target.Columns))
		}
		if !found {
			r.warn("column %s is only in the source (%s) and is not compared; map it, or exclude it to say that this is meant", c.Name, r.source.Name)
			continue
		}
		if other, twice := taken[t.Name]; twice {
			return fmt.Errorf("columns %s and %s are both held against %s of %s; exclude one of them", other, c.Name, t.Name, r.target.Name)
		}
		taken[t.Name] = c.Name
		r.columns = append(r.columns, columnPair{c, t})
	}
	if len(r.columns) == 0 {
		return fmt.Errorf("%s and %s have no column in common; map the columns (`map: {source_column: target_column}`)", r.source.Name, r.target.Name)
	}
	r.warnOfTargetOnly(taken)
	return r.checkRulesUsed(taken)
}

// wants says whether a source column is to be compared, and whether the user
// asked for it by name, so that its absence on the other side is an error.
func (r *resolution) wants(column string) (wanted, asked bool, err error) {
	_, renamed := r.rename[column]
	isKey := slices.Contains(r.key, column)
	switch {
	case r.exclude[column] && isKey:
		return false, false, fmt.Errorf("column %s belongs to the key and cannot be excluded; choose another key or take it out of exclude", column)
	case r.exclude[column] && r.only[column]:
		return false, false, fmt.Errorf("column %s is both in columns and in exclude; take it out of one", column)
	case r.exclude[column]:
		return false, false, nil
	case len(r.only) > 0:
		return r.only[column] || isKey, true, nil
	default:
		return true, renamed || isKey, nil
	}
}

func (r *resolution) counterpart(column string) (Column, bool) {
	if name, ok := r.rename[column]; ok {
		return r.target.Column(name)
	}
	return r.target.Column(column)
}

func (r *resolution) warn(format string, args ...any) {
	r.warnings = append(r.warnings, fmt.Sprintf(format, args...))
}

// warnOfTargetOnly names the target's columns nothing is held against, unless
// the user listed what to compare.
func (r *resolution) warnOfTargetOnly(taken map[string]string) {
	if len(r.only) > 0 {
		return
	}
	for _, c := range r.target.Columns {
		if _, constant := r.constants[c.Name]; taken[c.Name] == "" && !r.excludeTarget[c.Name] && !constant {
			r.warn("column %s is only in the target (%s) and is not compared; map it, or exclude it to say that this is meant", c.Name, r.target.Name)
		}
	}
}

func (r *resolution) checkRulesUsed(taken map[string]string) error {
	compared := map[string]bool{}
	for _, column := range taken {
		compared[column] = true
	}
	for _, column := range slices.Sorted(maps.Keys(r.rules)) {
		if !compared[column] {
			return fmt.Errorf("rules: column %s has a rule and is not compared; take the rule out", column)
		}
	}
	return nil
}
