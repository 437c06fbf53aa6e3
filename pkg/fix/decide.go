package fix

import (
	"fmt"
	"strings"

	"github.com/trueup/trueup/pkg/canonical"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
	"github.com/trueup/trueup/pkg/schema"
)

// decide is the one strategy for every kind of finding: the authority lacks
// the row → delete; it has it → insert, or update what differs. right and copied
// are the row on each side, nil where it is absent. When nothing is to be
// written, the change's action is NoAction and the result says why.
func (r *Repairer) decide(key row.Key, right, copied row.Row) (Change, result) {
	switch {
	case right == nil && copied == nil:
		return Change{}, result{result: event.Vanished}
	case right == nil:
		return Change{Action: event.Delete, Key: key}, result{}
	case copied == nil:
		return Change{Action: event.Insert, Key: key, Row: right}, result{}
	}
	differ := differing(r.cfg.Pair, right, copied)
	if len(differ) == 0 {
		return Change{}, result{result: event.AlreadyEqual}
	}
	write := r.writable(differ)
	if len(write) == 0 {
		return Change{}, result{result: event.Dead, class: ClassNotWritable, reason: fmt.Sprintf(
			"only what the copy computes itself differs (%s); exclude it, or correct its expression", strings.Join(r.names(differ), ", "))}
	}
	return Change{Action: event.Update, Key: key, Row: right, Columns: write}, result{}
}

// differing are the positions of the columns that are unequal under the
// pair's rules.
func differing(p *schema.Pair, right, copied row.Row) []int {
	var out []int
	for i := range right {
		if !canonical.Equal(p.Target.Columns[i].As, p.Rules[i], right[i], copied[i]) {
			out = append(out, i)
		}
	}
	return out
}

// writable leaves out the key, which identifies the row, and what the copy
// computes itself.
func (r *Repairer) writable(positions []int) []int {
	var out []int
	for _, p := range positions {
		if !r.to.IsKey(p) && r.to.Writable(p) {
			out = append(out, p)
		}
	}
	return out
}

// names are the columns' names at the source, as findings and outcomes use them.
func (r *Repairer) names(positions []int) []string {
	if len(positions) == 0 {
		return nil
	}
	out := make([]string, len(positions))
	for i, p := range positions {
		out[i] = r.cfg.Pair.Names[p]
	}
	return out
}

// sameRow says whether two reads of one row of one side saw the same: byte by
// byte, since what a rule forgives is a change all the same.
func sameRow(a, b row.Row) bool {
	if (a == nil) != (b == nil) || len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].IsNull() != b[i].IsNull() || string(a[i]) != string(b[i]) {
			return false
		}
	}
	return true
}

// index finds rows by the ID of their key. A row that was not asked for, or
// two of one key, mean that the server and the pair understand the key
// differently; then no absence can be trusted either, and nothing is written.
func index(view *schema.View, jobs []*job, rows []row.Row) (map[string]row.Row, error) {
	asked := make(map[string]*job, len(jobs))
	for _, j := range jobs {
		asked[j.id] = j
	}
	found := make(map[string]row.Row, len(rows))
	var id []byte // never made a text of: every row comes here several times
	for _, values := range rows {
		if len(values) != len(view.Columns) {
			return nil, fmt.Errorf("%s answered with %d columns instead of %d", view.Table.Name, len(values), len(view.Columns))
		}
		id = values.AppendID(id[:0], view.Key)
		j := asked[string(id)]
		if j == nil {
			return nil, fmt.Errorf("%s answered with key %s, which was not asked for; compare the key columns' types on both sides", view.Table.Name, values.Key(view.Key))
		}
		if _, twice := found[j.id]; twice {
			return nil, fmt.Errorf("%s has several rows with key %s; choose a key that is unique on both sides", view.Table.Name, j.key)
		}
		found[j.id] = values
	}
	return found, nil
}
