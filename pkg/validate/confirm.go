package validate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trueup/trueup/pkg/compare"
	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
)

// errRange says which part of a task could not be read when it was a row
// looked at again.
var errRange = errors.New("rows that differed could not be read again")

// confirm looks at suspects again until there are none left.
func (r *run) confirm() {
	for {
		batch := r.suspects.take(r.scan, r.sizer.RowsWithin(batchBytes, r.config.BatchRows))
		if len(batch) == 0 || !r.lookAgain(batch) {
			return
		}
	}
}

// lookAgain reads the rows of suspects once more and decides about each. It
// returns false when the run ended.
func (r *run) lookAgain(batch []suspect) bool {
	traces, end := r.traceLook(batch)
	rows, err := retry(r.scan, r, "suspected rows", func(ctx context.Context) (reread, error) {
		return r.reread(ctx, batch)
	})
	end(err)
	switch {
	case r.scan.Err() != nil:
		return false
	case err != nil && permanent(err):
		r.stop(err)
		return false
	case err != nil:
		r.giveUp(batch, err)
		return true
	}
	return r.decide(batch, rows, traces)
}

// reread is what both sides hold for a batch of keys.
type reread struct {
	authority, replica map[string]row.Row
}

// reread reads the copy first and the authority after it. If the authority's
// row is still the one seen when the difference was found, it was that one all
// the time the copy had to follow, up to and beyond the moment in which the
// copy was seen to differ. The other way round, the row could change between
// the two reads, and a copy that follows promptly would look wrong.
func (r *run) reread(ctx context.Context, batch []suspect) (rows reread, err error) {
	keys := make([]row.Key, len(batch))
	for i, s := range batch {
		keys[i] = s.key
	}
	return r.readBoth(ctx, keys)
}

func (r *run) readBoth(ctx context.Context, keys []row.Key) (rows reread, err error) {
	if rows.replica, err = r.find(ctx, r.replica, keys); err != nil {
		return rows, err
	}
	rows.authority, err = r.find(ctx, r.authority, keys)
	return rows, err
}

// judgement is what a second look says about a suspect.
type judgement uint8

const (
	cleared   judgement = iota // the sides agree
	confirmed                  // the authority stayed as it was and the copy still differs
	hot                        // the authority changed meanwhile
)

// judge decides about one suspect from what was read again. It is pure.
func judge(c *compare.Comparer, witness compare.Witness, authority, replica row.Row) (judgement, compare.Difference) {
	kind, columns := c.Rows(authority, replica)
	if kind == event.KindUnknown {
		return cleared, compare.Difference{}
	}
	now := compare.WitnessOf(authority)
	d := compare.Difference{Kind: kind, Columns: columns, Witness: now}
	if now != witness {
		return hot, d
	}
	return confirmed, d
}

// lastingDifference is a suspect that still differs.
type lastingDifference struct {
	suspect
	difference compare.Difference
}

// decide sorts a batch by what was read: findings are published, rows that
// changed wait once more, and so do those that differ for less long than others
// took to arrive; the rest is settled.
func (r *run) decide(batch []suspect, rows reread, traces map[*task]string) bool {
	now := time.Now()
	report := SuspectReport{Pair: r.spec.Pair.Name}
	var (
		findings []found
		lasting  []lastingDifference
		again    []suspect
		settled  []*task
		late     int
	)
	for _, s := range batch {
		id := s.key.ID()
		judgement, difference := judge(r.comparer, s.witness, rows.authority[id], rows.replica[id])
		switch judgement {
		case cleared:
			if compare.WitnessOf(rows.authority[id]) == s.witness {
				r.lag.caughtUp(s.due.Sub(s.seen))
			}
			report.Cleared++
			settled = append(settled, s.task)
		case confirmed:
			if s.overdue {
				late++
				r.ledger.trouble(s.task)
				settled = append(settled, s.task)
				continue
			}
			difference.Key = s.key
			lasting = append(lasting, lastingDifference{s, difference})
		case hot:
			if r.stream != nil { // the change that came between brings it again
				report.Hot++
				r.stream.again(s.key)
				settled = append(settled, s.task)
				continue
			}
			s.rounds++
			if s.rounds >= r.config.Rounds {
				report.Open++
				r.ledger.trouble(s.task)
				settled = append(settled, s.task)
				continue
			}
			report.Hot++
			// What is different now is a new version's difference.
			s.witness, s.seen, s.due = difference.Witness, now, now.Add(r.spec.Confirm)
			again = append(again, s)
		}
	}
	// Only now has the whole batch told how long rows take to arrive.
	enough := r.lag.lasting()
	for _, l := range lasting {
		if l.due.Sub(l.seen) >= enough {
			f := newFound(l.task, l.difference, l.seen)
			f.trace = traces[l.task]
			findings = append(findings, f)
			continue
		}
		l.due = l.seen.Add(enough)
		again = append(again, l.suspect)
	}
	report.Open += late
	r.lag.leftOpen(late)
	r.open.Add(int64(report.Open))
	r.suspects.again(again)
	r.observer.Suspects(report)
	published := r.report(findings)
	for _, t := range settled {
		r.settle(t, 1)
	}
	if !published {
		return false
	}
	// Only now is there room for others: while the publisher blocks, so does
	// whoever finds more.
	r.suspects.settle(len(settled) + len(findings))
	return true
}

// giveUp leaves suspects undecided that could not be read: their ranges count
// as unreadable.
func (r *run) giveUp(batch []suspect, err error) {
	for _, s := range batch {
		r.unreadable(s.task, s.task.work.Range, fmt.Errorf("%w: %w", errRange, err))
		r.settle(s.task, 1)
	}
	r.suspects.settle(len(batch))
}
