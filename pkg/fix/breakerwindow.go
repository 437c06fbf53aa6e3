package fix

import (
	"hash/maphash"
	"strings"
	"time"

	"github.com/trueup/trueup/pkg/event"
)

// tally counts repairs.
type tally struct{ all, changes, deletes int64 }

func (t *tally) add(o tally) {
	t.all += o.all
	t.changes += o.changes
	t.deletes += o.deletes
}

func (t *tally) subtract(o tally) { t.add(tally{-o.all, -o.changes, -o.deletes}) }

// one is the count of one repair.
func one(a event.Action) tally {
	t := tally{all: 1}
	if a != event.Insert {
		t.changes = 1
	}
	if a == event.Delete {
		t.deletes = 1
	}
	return t
}

// window counts the repairs of the last while, in slots: a count is off by at
// most one slot's. It takes the same memory however many there were.
type window struct {
	width time.Duration // of a slot
	slots []tally
	// last is the number of the newest slot, counted from the beginning of time.
	last  int64
	total tally
}

func newWindow(span time.Duration, slots int) *window {
	return &window{width: span / time.Duration(slots), slots: make([]tally, slots)}
}

func (w *window) number(at time.Time) int64 { return at.UnixNano() / int64(w.width) }

func (w *window) slot(number int64) *tally { return &w.slots[number%int64(len(w.slots))] }

// sum is the count up to now.
func (w *window) sum(now time.Time) tally {
	number := w.number(now)
	from := max(w.last+1, number-int64(len(w.slots))+1)
	for n := from; n <= number; n++ {
		w.total.subtract(*w.slot(n))
		*w.slot(n) = tally{}
	}
	w.last = max(w.last, number)
	return w.total
}

// add counts what was done at a time. A clock that is ahead does not take
// anything out of the count.
func (w *window) add(at, now time.Time, t tally) {
	w.sum(now)
	number := min(w.number(at), w.last)
	if number <= w.last-int64(len(w.slots)) {
		return
	}
	w.slot(number).add(t)
	w.total.add(t)
}

func (w *window) clear() {
	clear(w.slots)
	w.total = tally{}
}

// recall remembers the last writes that outcomes told of. Each finding of a row has an
// outcome, and the outcomes of one repair follow each other closely.
type recall struct {
	last [256]struct {
		write uint64
		began time.Time // the repair
	}
	next int
}

// onceAgain is far above what the outcomes of one repair are apart as to when it began,
// and below the time in which a row is damaged, found and repaired alike once more.
const onceAgain = time.Second

var recallSeed = maphash.MakeSeed()

// again says whether the write of an outcome was told of just now.
func (r *recall) again(o event.Outcome) bool {
	if len(o.Writes) == 0 {
		return false
	}
	w := o.Writes[len(o.Writes)-1]
	sum := maphash.String(recallSeed, strings.Join([]string{w.Action.String(), w.Before, w.After, o.Key.Values().ID()}, "/"))
	began := o.At.Add(-o.Took)
	for _, l := range r.last {
		if l.write == sum && l.began.Sub(began).Abs() < onceAgain {
			return true
		}
	}
	r.last[r.next].write, r.last[r.next].began = sum, began
	r.next = (r.next + 1) % len(r.last)
	return false
}
