package validate

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/trueup/trueup/pkg/chunk"
	"github.com/trueup/trueup/pkg/row"
)

func upTo(id int) chunk.Work {
	key := func(id int) row.Key { return row.Key{row.Value(strconv.Itoa(id))} }
	return chunk.Work{Range: row.Range{After: key(id - 1), Through: key(id)}}
}

func enter(t *testing.T, l *ledger, w chunk.Work) *task {
	t.Helper()
	task, ok := l.add(t.Context(), w)
	if !ok {
		t.Fatal("the ledger is full")
	}
	return task
}

// at is a position as a text: pass, last key, ranges to do again.
func at(p chunk.Position) string {
	s := fmt.Sprint(p.Pass, " ", p.After)
	for _, w := range p.Again {
		s += " again " + w.Range.Through.String()
	}
	return s
}

func TestThePositionMovesOverSettledRangesInOrder(t *testing.T) {
	l := newLedger(chunk.Position{}, 10)
	var tasks []*task
	for id := 1; id <= 4; id++ {
		tasks = append(tasks, enter(t, l, upTo(id)))
	}
	expect := func(moved bool, wantMoved bool, want string) {
		t.Helper()
		if got := at(l.settledUpTo()); moved != wantMoved || got != want {
			t.Errorf("moved %t to %s, want %t to %s", moved, got, wantMoved, want)
		}
	}
	expect(l.release(tasks[1], 1), false, "0 ")
	l.hold(tasks[0], 2) // two suspects
	expect(l.release(tasks[0], 1), false, "0 ")
	expect(l.release(tasks[0], 1), false, "0 ")
	expect(l.release(tasks[0], 1), true, "0 2")
	l.trouble(tasks[2])
	expect(l.release(tasks[2], 1), true, "0 3 again 3")
	expect(l.release(tasks[3], 1), true, "0 4 again 3")
	last := enter(t, l, chunk.Work{Range: row.Range{After: upTo(4).Range.Through}})
	expect(l.release(last, 1), true, "1  again 3")
	if !l.settled() {
		t.Error("everything was released")
	}
}

func TestRangesLeftByAnEarlierProcessStayInThePositionUntilSettled(t *testing.T) {
	p := chunk.Position{After: upTo(9).Range.Through, Again: []chunk.Work{upTo(3), upTo(5), upTo(7)}}
	l := newLedger(p, 10)
	again := l.again()
	next := enter(t, l, upTo(10))
	if l.release(next, 1) {
		t.Errorf("the position moved to %s over ranges that are not settled", at(l.settledUpTo()))
	}
	for i, want := range []string{"0 9 again 5 again 7", "0 9 again 5 again 7", "0 10 again 5"} {
		if i == 1 {
			l.trouble(again[i])
		}
		l.release(again[i], 1)
		if got := at(l.settledUpTo()); got != want {
			t.Errorf("position %s, want %s", got, want)
		}
	}
}

func TestAPositionCarriesABoundedNumberOfRangesAndThenStays(t *testing.T) {
	l := newLedger(chunk.Position{}, 10)
	for id := 1; id <= maxAgain+50; id++ {
		troubled := enter(t, l, upTo(id))
		l.trouble(troubled)
		l.release(troubled, 1)
	}
	if l.release(enter(t, l, upTo(maxAgain+51)), 1) {
		t.Error("the position moved on over a range it does not remember")
	}
	p := l.settledUpTo()
	if len(p.Again) != maxAgain || p.After.String() != strconv.Itoa(maxAgain) {
		t.Errorf("%d ranges remembered, position %s", len(p.Again), p.After)
	}
	if !l.settled() {
		t.Error("a position that stays must not keep the run from ending")
	}
}

func TestTheTallyOfATroubledRangeIsLeftToWhoDoesItAgain(t *testing.T) {
	l := newLedger(chunk.Position{Tally: chunk.Tally{AuthorityRows: 100}}, 10)
	good, bad := enter(t, l, upTo(1)), enter(t, l, upTo(2))
	l.count(good, chunk.Tally{AuthorityRows: 10, NotEqual: 1})
	l.count(bad, chunk.Tally{AuthorityRows: 7, NotEqual: 2})
	l.trouble(bad)
	l.release(good, 1)
	l.release(bad, 1)
	if got := l.settledUpTo().Tally; got != (chunk.Tally{AuthorityRows: 110, NotEqual: 1}) {
		t.Errorf("the position counts %+v", got)
	}
	if got := l.total(); got != (chunk.Tally{AuthorityRows: 117, NotEqual: 3}) {
		t.Errorf("the run counts %+v", got)
	}
}
