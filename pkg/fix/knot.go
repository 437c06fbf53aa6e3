package fix

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// knot is a set of held rows and who of them takes whose unique values.
type knot struct {
	t      *tangle
	writes []write
	// at finds a write by the ID of its row.
	at map[string]int
	// keeps are the unique keys whose value a write leaves as it is.
	keeps map[need]bool
	needs [][]need
	// barred says why a write cannot be made in this round.
	barred map[int]result
}

func newKnot(t *tangle, writes []write, met []meeting) *knot {
	k := &knot{t: t, writes: writes, at: map[string]int{}, keeps: map[need]bool{}, needs: make([][]need, len(writes)), barred: map[int]result{}}
	for i, w := range writes {
		k.at[w.job.id] = i
	}
	for _, m := range met {
		if i, own := k.at[m.id]; own && i == m.taker {
			k.keeps[need{i, m.unique}] = true
		}
	}
	for _, m := range met {
		k.add(m)
	}
	return k
}

// add takes a meeting in, as a need that another write meets or as a bar.
func (k *knot) add(m meeting) {
	taker := k.writes[m.taker]
	holder, writes := k.at[m.id]
	n := need{holder, m.unique}
	switch {
	case m.outside:
		k.bar(m.taker, k.duplicate(m.unique, m.holder, "%s has the same value in %s, is none of the pair's (its row filter, or another pair of the table), and is not touched; correct it, or free the value"))
	case writes && holder == m.taker:
		if taker.change.Action == event.Insert { // the row came meanwhile: there is one to lock now
			k.bar(m.taker, result{})
			taker.job.restart = true
		}
	case !writes:
		k.bar(m.taker, k.left(m.unique, k.t.all[m.id]))
	case k.keeps[n] || !k.givesUp(holder, m.unique):
		k.bar(m.taker, k.duplicate(m.unique, m.holder, "the authority also has %s, whose value is the same in %s; drop that key, give it the authority's collation, or correct one of the rows"))
	default:
		k.needs[m.taker] = append(k.needs[m.taker], n)
	}
}

// givesUp says whether a write leaves a value of a unique key behind.
func (k *knot) givesUp(i, unique int) bool {
	c := k.writes[i].change
	return c.Action == event.Delete || takes(k.t.s.r.uniques[unique], c, k.t.s.r.to.Writable) || k.becomesNull(c, unique)
}

// becomesNull: a value that becomes NULL is given up, and none is taken.
func (k *knot) becomesNull(c Change, unique int) bool {
	return slices.ContainsFunc(k.t.s.r.uniques[unique].positions, func(p int) bool {
		return c.Row != nil && c.Row[p].IsNull() && slices.Contains(c.Columns, p)
	})
}

// left is why a write waits for a row that is left as it is.
func (k *knot) left(unique int, j *job) result {
	switch {
	case j.held:
		return result{} // somebody else's for the moment
	case j.stays.class == ClassBreaker:
		return result{result: event.Held, class: ClassBreaker, reason: "a row that has the same unique value is held back: " + j.stays.reason}
	case j.stays.reason != "":
		return k.duplicate(unique, j.key, "%s has the same value in %s and is to be changed as well, which the strategy leaves to a finding about that row")
	default:
		return k.duplicate(unique, j.key, "%s has the same value in %s, and is as the authority has it; drop that key, give it the authority's collation, or correct one of the rows")
	}
}

// duplicate is the result of a row that cannot have its value of a unique key
// since another one has it. The names of that row and of the key fill in the format.
func (k *knot) duplicate(unique int, holder row.Key, format string) result {
	r := k.t.s.r
	key := fmt.Sprintf("unique key %s of %s", r.uniques[unique].name, r.to.Table.Name)
	return result{result: event.Dead, class: ClassDuplicate, reason: fmt.Sprintf(format, nameOf(r.to, holder), key)}
}

// longestName bounds how much of a value names its row, in bytes.
const longestName = 60

// nameOf names a row by its key, which findings carry as well: no other value of a
// row stands in a reason.
func nameOf(v *schema.View, key row.Key) string {
	parts := make([]string, len(key))
	for i, c := range v.KeyColumns() {
		text := string(key[i])
		if len(text) > longestName {
			text = text[:longestName] + "…"
		}
		if c.Type.Kind != canonical.Int && c.Type.Kind != canonical.Decimal {
			text = strconv.Quote(text)
		}
		parts[i] = c.Name + "=" + text
	}
	return "the row " + strings.Join(parts, ", ")
}

func (k *knot) bar(i int, why result) {
	if _, barred := k.barred[i]; !barred {
		k.barred[i] = why
	}
}

// untie returns the writes that can be made and their changes in order; the
// others are settled or left for another round.
func (k *knot) untie() ([]write, [][]Change) {
	k.spread()
	made := k.leaveOut()
	needs := make([][]need, len(made))
	place := map[int]int{}
	for i, old := range made {
		place[old] = i
	}
	for i, old := range made {
		for _, n := range k.needs[old] {
			needs[i] = append(needs[i], need{place[n.holder], n.unique})
		}
	}
	moves, stuck := order(needs, func(n need) bool {
		return k.t.s.r.uniques[n.unique].park >= 0 && k.writes[made[n.holder]].change.Action == event.Update
	})
	for _, i := range stuck {
		k.refuse(made[i], k.circle(k.needs[made[i]]))
	}
	return k.spell(made, moves)
}

// circle is the result of a row of a circle that nothing opens.
func (k *knot) circle(needs []need) result {
	at := slices.IndexFunc(needs, func(n need) bool { return k.t.s.r.uniques[n.unique].park < 0 })
	if at < 0 { // it waits for such a row
		return k.duplicate(needs[0].unique, k.holder(needs[0]), "%s and others have changed places in %s in a circle, and are waited for; free one of the values by hand")
	}
	why := strings.ReplaceAll(k.t.s.r.uniques[needs[at].unique].why, "%", "%%")
	return k.duplicate(needs[at].unique, k.holder(needs[at]), "%s and others have changed places in %s in a circle, and "+why+"; free one of the values by hand")
}

func (k *knot) holder(n need) row.Key { return k.writes[n.holder].job.key }

// spread bars the writes that need what a barred one has.
func (k *knot) spread() {
	for again := true; again; {
		again = false
		for i, needs := range k.needs {
			if _, barred := k.barred[i]; barred {
				continue
			}
			for _, n := range needs {
				if why, barred := k.barred[n.holder]; barred {
					k.barred[i], again = k.after(n, why), true
					k.writes[i].job.held = k.writes[i].job.held || k.writes[n.holder].job.held
				}
			}
		}
	}
}

// after is the result of a row that needs a value which a barred one keeps, for
// the reason why that one is barred, or the one before it that it waits for.
func (k *knot) after(n need, why result) result {
	if why.result != event.Dead {
		return why
	}
	_, first, waits := strings.Cut(why.reason, notGivenUp)
	if !waits {
		first = why.reason
	}
	return k.duplicate(n.unique, k.holder(n), "%s has the same value in %s"+notGivenUp+strings.ReplaceAll(first, "%", "%%"))
}

// notGivenUp stands between a row in the way and the reason why it stays there.
const notGivenUp = " and cannot give it up: "

// leaveOut deals with the barred writes and returns the others.
func (k *knot) leaveOut() []int {
	var made []int
	for i, w := range k.writes {
		why, barred := k.barred[i]
		switch {
		case !barred:
			made = append(made, i)
		case why.result == event.Dead:
			k.refuse(i, why)
		case why.result == event.Held:
			k.t.s.settle(w.job, why)
		case !w.job.restart:
			w.job.busy++
		}
	}
	return made
}

func (k *knot) refuse(i int, why result) {
	j := k.writes[i].job
	j.alone = true
	if j.refused++; j.refused >= k.t.s.r.cfg.MaxRefusals {
		k.t.s.settle(j, why)
	}
}

// spell turns moves into changes. A row that was parked in a column has that
// column written again with the rest.
func (k *knot) spell(made []int, moves []move) ([]write, [][]Change) {
	var writes []write
	var groups [][]Change
	parked := map[int][]int{}
	for _, m := range moves {
		var group []Change
		for at, i := range m.rows {
			w := k.writes[made[i]]
			if m.park {
				p := k.t.s.r.uniques[m.unique[at]].park
				parked[i] = append(parked[i], p)
				group = append(group, k.parkedChange(w.change, p))
				continue
			}
			writes = append(writes, w)
			group = append(group, also(w.change, parked[i]))
		}
		slices.SortStableFunc(group, func(a, b Change) int { return rank(a) - rank(b) })
		groups = append(groups, group)
	}
	return writes, groups
}

func (k *knot) parkedChange(c Change, position int) Change {
	values := slices.Clone(c.Row)
	values[position] = nil
	if to := k.t.s.r.to; !nullable(to, position) {
		values[position], _ = passing(to.Columns[position])
	}
	return Change{Action: event.Update, Key: c.Key, Row: values, Columns: []int{position}}
}

// also adds columns to those an update writes.
func also(c Change, columns []int) Change {
	if len(columns) == 0 {
		return c
	}
	c.Columns = slices.Concat(c.Columns, columns)
	slices.Sort(c.Columns)
	c.Columns = slices.Compact(c.Columns)
	return c
}
