package schema

import (
	"regexp"
	"slices"
	"strings"
)

// counterparts are the copy's names of columns of the authority; false when one
// is not compared.
func (d *drift) counterparts(names []string) ([]string, bool) {
	return d.translate(d.from, d.to, names)
}

// origins is the other way round.
func (d *drift) origins(names []string) ([]string, bool) { return d.translate(d.to, d.from, names) }

// translate leaves out columns that have one value in all rows of the pair:
// they make no row unique that was not.
func (d *drift) translate(a, b *View, names []string) ([]string, bool) {
	var out []string
	for _, name := range names {
		at := slices.IndexFunc(a.Columns, func(c ViewColumn) bool { return c.Name == name && c.Constant == nil })
		if at < 0 {
			return nil, false
		}
		if b.Columns[at].Constant == nil {
			out = append(out, b.Columns[at].Name)
		}
	}
	return out, true
}

// sameColumns compares two lists as sets.
func sameColumns(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

func listed(columns []string) string { return "(" + strings.Join(columns, ", ") + ")" }

// uniqueKeys compares what each side holds to be unique, on the target perhaps
// with constants of the pair beside it.
func (d *drift) uniqueKeys() {
	has := func(t *Table, columns []string, translate func([]string) ([]string, bool), own []string) bool {
		return slices.ContainsFunc(t.Keys, func(k UniqueKey) bool {
			there, mapped := translate(k.Columns)
			return sameColumns(k.Columns, columns) || mapped && sameColumns(there, own)
		})
	}
	for _, k := range d.to.Table.Keys {
		origin, mapped := d.origins(k.Columns)
		if !mapped || !has(d.from.Table, origin, d.counterparts, k.Columns) {
			d.add(Danger, "", "not unique", "unique "+k.Name+" "+listed(k.Columns),
				"rows that the "+d.fromSide+" holds can collide at the "+d.toSide+", which then refuses them; make both unique, or neither")
			continue
		}
		d.collisions(k)
	}
	for _, k := range d.from.Table.Keys {
		if there, mapped := d.counterparts(k.Columns); mapped && !has(d.to.Table, there, d.origins, k.Columns) {
			d.add(Warning, "", "unique "+k.Name+" "+listed(k.Columns), "not unique", "duplicates can arise at the "+d.toSide+" after a cut-over; add the unique key there")
		}
	}
}

// collisions tells of texts in a unique key that the copy takes for equal and
// the authority does not.
func (d *drift) collisions(k UniqueKey) {
	for i, to := range d.to.Columns {
		from := d.from.Columns[i]
		if slices.Contains(k.Columns, to.Name) && to.Words == nil && coarse(d.to.Table.Engine, to) && !coarse(d.from.Table.Engine, from) && from.Words == nil && from.Constant == nil {
			d.add(Danger, d.p.Names[i], collationWords(from), "unique "+k.Name+", "+collationWords(to),
				"texts that differ in case or accents only are one at the "+d.toSide+", which refuses the second; give the column a collation that tells them apart")
		}
	}
}

// indexes tells of searches that the copy has no index for.
func (d *drift) indexes() {
	for _, columns := range d.from.Table.Indexes {
		there, mapped := d.counterparts(columns)
		unique := func(k UniqueKey) bool { return slices.Equal(k.Columns, columns) }
		if !mapped || slices.ContainsFunc(d.from.Table.Keys, unique) { // uniqueKeys tells of those
			continue
		}
		starts := func(x []string) bool { return len(x) >= len(there) && slices.Equal(x[:len(there)], there) }
		if !slices.ContainsFunc(d.to.Table.Indexes, starts) {
			d.add(Warning, "", "index "+listed(columns), "no index", "queries that use it scan the table at the "+d.toSide+" after a cut-over; create it there")
		}
	}
}

// references compares the foreign keys that the two tables have.
func (d *drift) references() {
	find := func(keys []ForeignKey, columns []string) (ForeignKey, bool) {
		i := slices.IndexFunc(keys, func(k ForeignKey) bool { return sameColumns(k.Columns, columns) })
		if i < 0 {
			return ForeignKey{}, false
		}
		return keys[i], true
	}
	for _, k := range d.from.Table.References {
		there, mapped := d.counterparts(k.Columns)
		if !mapped {
			continue
		}
		other, found := find(d.to.Table.References, there)
		switch {
		case !found:
			d.add(Warning, "", k.words(), "no foreign key", "rows without a parent can arise at the "+d.toSide+" after a cut-over; add the foreign key there")
		case differ(k.OnDelete, other.OnDelete) || differ(k.OnUpdate, other.OnUpdate):
			d.add(Warning, "", k.words(), other.words(), "a change of the parent does something else at the "+d.toSide+" after a cut-over")
		}
	}
	for _, k := range d.to.Table.References {
		origin, mapped := d.origins(k.Columns)
		if _, found := find(d.from.Table.References, origin); !mapped || !found {
			d.add(Danger, "", "no foreign key", k.words(), "the "+d.toSide+" refuses rows whose parent it has not; compare the parent's table too, and repair it first")
		}
	}
}

// differ compares actions that both users could see.
func differ(a, b Action) bool {
	return a != "" && b != "" && a != b && a.Refuses() != b.Refuses() || a != b && !a.Refuses() && !b.Refuses() && a != "" && b != ""
}

// words is a foreign key as messages name it.
func (k ForeignKey) words() string {
	out := "foreign key " + k.Name + " " + listed(k.Columns) + " to " + k.Parent.Table
	for _, rule := range []struct {
		on     string
		action Action
	}{{"delete", k.OnDelete}, {"update", k.OnUpdate}} {
		if rule.action != "" && !rule.action.Refuses() {
			out += " on " + rule.on + " " + strings.ToLower(string(rule.action))
		}
	}
	return out
}

// cascades tells what a repair of the copy would do to rows that refer to it.
func (d *drift) cascades() {
	if err := d.p.CheckCascades(d.to); err != nil {
		d.add(Warning, "", "", "", strings.TrimPrefix(err.Error(), "pair "+d.p.Name+": "))
	}
}

// checks compares conditions by their words, since none can be judged by more.
func (d *drift) checks() {
	for _, c := range d.to.Table.Checks {
		if !hasCheck(d.from.Table.Checks, c) {
			d.add(Warning, "", "no such check", "check "+c.Name+": "+c.Clause, "the "+d.toSide+" refuses rows that do not meet it; see whether the "+d.fromSide+" holds the same in other words")
		}
	}
	for _, c := range d.from.Table.Checks {
		if !hasCheck(d.to.Table.Checks, c) {
			d.add(Note, "", "check "+c.Name+": "+c.Clause, "no such check", "rows that do not meet it can arise at the "+d.toSide+" after a cut-over, unless it holds the same in other words")
		}
	}
}

var cast = regexp.MustCompile(`::"?[a-z_]+( (varying|precision|with(out)? time zone))?"?`)

func hasCheck(checks []Check, c Check) bool {
	return slices.ContainsFunc(checks, func(other Check) bool { return bare(other.Clause) == bare(c.Clause) })
}

// bare is a condition without what engines add to it: quotes of names,
// parentheses, casts and blanks.
func bare(clause string) string {
	clause = cast.ReplaceAllString(clause, "")
	return strings.ToLower(strings.NewReplacer("`", "", `"`, "", "(", "", ")", "", " ", "").Replace(clause))
}
