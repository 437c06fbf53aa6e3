package fix

import "slices"

// need says that a change takes a value of a unique key which the row of
// another change has and gives up.
type need struct {
	holder int // the other change
	unique int // the unique key
}

// move is one step towards all changes: rows that are written, or rows that are
// parked, which frees their value of a unique key. The rows of a move do not
// need each other's values.
type move struct {
	park   bool
	rows   []int
	unique []int // of parked rows, beside rows
}

// order finds moves after which every change is made, none of them before the
// values it takes are free: rows that wait for nobody go first, level by level.
// What is left then has a circle, which one parked row opens. canPark says
// whether a row can leave its value of a unique key for a while; the rows of a
// circle without such a row are stuck, and those that wait for them.
//
// The changes are the nodes of a graph and the needs its edges; this is Kahn's
// algorithm (A. B. Kahn, "Topological sorting of large networks", 1962), with a
// walk along the edges for each circle.
func order(needs [][]need, canPark func(n need) bool) (moves []move, stuck []int) {
	o := &ordering{needs: needs, state: make([]state, len(needs)), parked: map[need]bool{}}
	for {
		if ready := o.ready(); len(ready) > 0 {
			moves = append(moves, move{rows: ready})
			continue
		}
		circles := o.circles()
		if len(circles) == 0 {
			break
		}
		park := move{park: true}
		for _, circle := range circles {
			at := slices.IndexFunc(circle, canPark)
			if at < 0 {
				for _, n := range circle {
					o.state[n.holder] = isStuck
				}
				continue
			}
			o.parked[circle[at]] = true
			park.rows = append(park.rows, circle[at].holder)
			park.unique = append(park.unique, circle[at].unique)
		}
		if len(park.rows) > 0 {
			moves = append(moves, park)
		}
	}
	for i, state := range o.state {
		if state == isStuck {
			stuck = append(stuck, i)
		}
	}
	return moves, stuck
}

type state uint8

const (
	isOpen state = iota
	isDone
	isStuck
)

type ordering struct {
	needs  [][]need
	state  []state
	parked map[need]bool
}

// ready are the open changes whose values are free, and marks them done. Those
// that wait for a stuck one are stuck.
func (o *ordering) ready() []int {
	var ready []int
	for again := true; again; {
		again = false
		for i := range o.needs {
			if o.state[i] == isOpen && slices.ContainsFunc(o.needs[i], func(n need) bool { return !o.parked[n] && o.state[n.holder] == isStuck }) {
				o.state[i], again = isStuck, true
			}
		}
	}
	for i := range o.needs {
		if _, waits := o.waitsFor(i); o.state[i] == isOpen && !waits {
			ready = append(ready, i)
		}
	}
	for _, i := range ready {
		o.state[i] = isDone
	}
	return ready
}

// waitsFor is the first need of a change that is not met.
func (o *ordering) waitsFor(i int) (need, bool) {
	for _, n := range o.needs[i] {
		if o.state[n.holder] != isDone && !o.parked[n] {
			return n, true
		}
	}
	return need{}, false
}

// circles walks from every open change along the first thing it waits for, and
// returns the needs that make up each circle it comes to.
func (o *ordering) circles() [][]need {
	var circles [][]need
	walk := make([]int, len(o.needs)) // the walk that came here first, from 1
	for start := range o.needs {
		var path []need
		at := start
		for o.state[at] == isOpen && walk[at] == 0 {
			walk[at] = start + 1
			n, _ := o.waitsFor(at)
			path = append(path, n)
			at = n.holder
		}
		if o.state[at] != isOpen || walk[at] != start+1 || len(path) == 0 {
			continue // an earlier walk has been here
		}
		// The circle begins behind the need that leads to at for the first time.
		first := 0
		if at != start {
			first = slices.IndexFunc(path, func(n need) bool { return n.holder == at }) + 1
		}
		circles = append(circles, path[first:])
	}
	return circles
}
