package schema

import (
	"fmt"
	"slices"
	"strings"
)

// Cascades are the foreign keys by which a repair of the copy, which is
// &p.Source or &p.Target, may change or delete rows that nobody asked about: a
// deleted row takes those that refer to it along or cuts them off, and so may a
// change of a referenced column that is not the key. An action that cannot be
// seen counts.
func (p *Pair) Cascades(side *View) []ForeignKey {
	var out []ForeignKey
	for _, k := range side.Table.ReferencedBy {
		if !k.OnDelete.Refuses() || !k.OnUpdate.Refuses() && side.updates(k.ParentColumns) {
			out = append(out, k)
		}
	}
	return out
}

// updates says whether a repair may write one of the columns of a row that is there.
func (v *View) updates(names []string) bool {
	for i, c := range v.Columns {
		if !c.Generated && !v.IsKey(i) && slices.Contains(names, c.Name) {
			return true
		}
	}
	return false
}

// CheckCascades says why a repair of the copy may reach rows of other tables,
// or of its own, that nobody asked about; nil when it is sure not to.
func (p *Pair) CheckCascades(side *View) error {
	var names []string
	for _, k := range p.Cascades(side) {
		names = append(names, k.effect(side))
	}
	switch {
	case len(names) > 0:
		return fmt.Errorf("pair %s: a repair of %s reaches other rows through %s; give these keys another action (NO ACTION), or accept it with `allow_cascades: true` (--allow-cascades)",
			p.Name, side.Table.Name, strings.Join(names, " and "))
	case !side.Table.AllReferences:
		return fmt.Errorf("pair %s: this user may not see which tables refer to %s, and whether a repair would delete their rows; grant it SHOW VIEW on the whole database, or accept what may come with `allow_cascades: true` (--allow-cascades)",
			p.Name, side.Table.Name)
	default:
		return nil
	}
}

// effect says what a key does with the rows that refer to the view's.
func (k ForeignKey) effect(side *View) string {
	var rules []string
	for _, rule := range []struct {
		on     string
		action Action
		counts bool
	}{{"DELETE", k.OnDelete, true}, {"UPDATE", k.OnUpdate, side.updates(k.ParentColumns)}} {
		switch {
		case !rule.counts || rule.action.Refuses():
		case rule.action == "":
			rules = append(rules, "ON "+rule.on+" not to be seen by this user, who needs more than SELECT on it")
		default:
			rules = append(rules, "ON "+rule.on+" "+string(rule.action))
		}
	}
	return fmt.Sprintf("foreign key %s of %s (%s)", k.Name, k.Child, strings.Join(rules, ", "))
}

// ParentsFirst orders tables of one database, by their positions, so that each
// comes after those its foreign keys refer to; a table that refers to itself
// alone has its place. Tables that refer to each other in a circle have no such
// order: they come together, before those that refer to them, and each circle's
// positions are returned as well. Tarjan's algorithm for strongly connected
// components (SIAM Journal on Computing 1, 1972) gives both.
func ParentsFirst(tables []*Table) (order []int, circles [][]int) {
	w := &walk{parents: parentsOf(tables), index: make([]int, len(tables)), low: make([]int, len(tables)), open: make([]bool, len(tables))}
	for i := range tables {
		if w.index[i] == 0 {
			w.visit(i)
		}
	}
	for _, group := range w.groups {
		slices.Sort(group)
		order = append(order, group...)
		if len(group) > 1 && !oneTable(tables, group) {
			circles = append(circles, group)
		}
	}
	return order, circles
}

// parentsOf are, for each table, the positions of those it refers to.
func parentsOf(tables []*Table) [][]int {
	at := map[Name][]int{}
	for i, t := range tables {
		at[t.Name] = append(at[t.Name], i)
	}
	out := make([][]int, len(tables))
	for i, t := range tables {
		for _, k := range t.References {
			out[i] = append(out[i], at[k.Parent]...)
		}
	}
	return out
}

// oneTable says whether positions are all of one table, which several pairs share.
func oneTable(tables []*Table, group []int) bool {
	return !slices.ContainsFunc(group, func(i int) bool { return tables[i].Name != tables[group[0]].Name })
}

// walk is the state of Tarjan's algorithm; an index of 0 is one not visited.
type walk struct {
	parents    [][]int
	index, low []int
	open       []bool
	stack      []int
	next       int
	groups     [][]int
}

func (w *walk) visit(i int) {
	w.next++
	w.index[i], w.low[i], w.open[i] = w.next, w.next, true
	w.stack = append(w.stack, i)
	for _, parent := range w.parents[i] {
		switch {
		case w.index[parent] == 0:
			w.visit(parent)
			w.low[i] = min(w.low[i], w.low[parent])
		case w.open[parent]:
			w.low[i] = min(w.low[i], w.index[parent])
		}
	}
	if w.low[i] != w.index[i] {
		return
	}
	at := slices.Index(w.stack, i)
	group := slices.Clone(w.stack[at:])
	w.stack = w.stack[:at]
	for _, member := range group {
		w.open[member] = false
	}
	w.groups = append(w.groups, group)
}
