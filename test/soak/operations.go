package main

import "slices"

// operations are what a writer does, and how often of a hundred times.
var operations = []struct {
	name  string
	share int
	do    func(*writer) []change
}{
	{"update", 35, (*writer).update},
	{"insert", 16, (*writer).insert},
	{"delete", 13, (*writer).remove},
	{"swap", 12, (*writer).swap},
	{"handover", 8, (*writer).handOver},
	{"family", 10, (*writer).family},
	{"bulk", 6, (*writer).bulk},
}

// next chooses an operation; it has no changes when no row fits.
func (w *writer) next() (string, []change) {
	n := w.random.IntN(100)
	for _, o := range operations {
		if n < o.share {
			return o.name, o.do(w)
		}
		n -= o.share
	}
	panic("the shares do not add up to a hundred")
}

func (w *writer) anyTable() *table { return tables[w.random.IntN(len(tables))] }

// pick returns up to n different slots of a table in random order.
func (w *writer) pick(t *table, n int, fits func(*slot) bool) []*slot {
	var out []*slot
	for _, i := range w.random.Perm(len(w.slots[t])) {
		if s := w.slots[t][i]; len(out) < n && fits(s) {
			out = append(out, s)
		}
	}
	return out
}

// next version of a row, with the same values.
func (s *slot) next() change {
	c := s.change
	c.row = slices.Clone(c.row)
	c.row[c.table.keys] = c.version() + 1
	return c
}

func (s *slot) dead() change {
	c := s.next()
	c.gone = true
	return c
}

// changed gives new values to a row, but for those that are unique or refer.
func (w *writer) changed(s *slot) change {
	c := s.next()
	fill(w.random, c.table, c.row, w.plain(c.table))
	return c
}

// plain is the first column that may have any value.
func (w *writer) plain(t *table) int {
	switch t.name {
	case "items":
		return t.column("amount")
	case "children":
		return t.column("parent_id") + 1
	default:
		return t.keys + 1
	}
}

// born makes a row; with unique values that a deleted row may have had.
func (w *writer) born(s *slot) change {
	c := w.changed(s)
	c.gone = false
	switch c.table.name {
	case "items":
		c = at(c, w.free[w.random.IntN(len(w.free))])
	case "children":
		parents := w.pick(tableOf("parents"), 1, (*slot).live)
		if len(parents) == 0 {
			return s.dead()
		}
		c.row[c.table.column("parent_id")] = parents[0].row[0]
	}
	return c
}

func (w *writer) update() []change {
	var out []change
	for _, s := range w.pick(w.anyTable(), 1, (*slot).live) {
		out = append(out, w.changed(s))
	}
	return out
}

func (w *writer) insert() []change {
	for _, s := range w.pick(w.anyTable(), 1, func(s *slot) bool { return s.gone }) {
		if c := w.born(s); !c.gone {
			return []change{c}
		}
	}
	return nil
}

// remove deletes a row; a parent with its children.
func (w *writer) remove() []change {
	var out []change
	for _, s := range w.pick(w.anyTable(), 1, (*slot).live) {
		out = append(out, s.dead())
		for _, child := range w.childrenOf(s) {
			out = append(out, child.dead())
		}
	}
	return out
}

func (w *writer) childrenOf(s *slot) []*slot {
	if s.table.name != "parents" {
		return nil
	}
	children := tableOf("children")
	return w.pick(children, len(w.slots[children]), func(c *slot) bool { return c.live() && c.row[children.column("parent_id")] == s.row[0] })
}

// swap has two to five items change places in a circle.
func (w *writer) swap() []change {
	circle := w.pick(tableOf("items"), 2+w.random.IntN(4), (*slot).live)
	if len(circle) < 2 {
		return nil
	}
	var out []change
	for i, s := range circle {
		out = append(out, at(s.next(), placeOf(circle[(i+1)%len(circle)].change)))
	}
	return out
}

// handOver deletes an item and gives its place to another, whose own becomes free.
func (w *writer) handOver() []change {
	pair := w.pick(tableOf("items"), 2, (*slot).live)
	if len(pair) < 2 {
		return nil
	}
	return []change{pair[0].dead(), at(w.changed(pair[1]), placeOf(pair[0].change))}
}

// family makes a parent with children at once, or has a child change its parent.
func (w *writer) family() []change {
	children := tableOf("children")
	gone := func(s *slot) bool { return s.gone }
	if w.random.IntN(2) == 0 {
		var out []change
		parents := w.pick(tableOf("parents"), 1, (*slot).live)
		for _, s := range w.pick(children, 1, (*slot).live) {
			if len(parents) > 0 {
				out = append(out, w.adopted(s.next(), parents[0].row[0]))
			}
		}
		return out
	}
	parents := w.pick(tableOf("parents"), 1, gone)
	if len(parents) == 0 {
		return nil
	}
	out := []change{w.born(parents[0])}
	for _, s := range w.pick(children, 1+w.random.IntN(3), gone) {
		c := w.changed(s)
		c.gone = false
		out = append(out, w.adopted(c, out[0].row[0]))
	}
	return out
}

func (w *writer) adopted(c change, parent any) change {
	c.row[c.table.column("parent_id")] = parent
	return c
}

// bulk changes many rows of many tables at once.
func (w *writer) bulk() []change {
	var out []change
	for _, t := range tables {
		for _, s := range w.pick(t, w.random.IntN(8), (*slot).live) {
			out = append(out, w.changed(s))
		}
	}
	return out
}
