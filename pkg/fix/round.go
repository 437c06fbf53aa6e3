package fix

import (
	"context"
	"fmt"
	"slices"

	"github.com/trueup/trueup/pkg/event"
	"github.com/trueup/trueup/pkg/row"
)

// The order of a round, and why it never makes the copy older than it was, nor
// leaves it older than the authority once the replicator has caught up.
//
// A replicator (or the application, writing to both) brings the authority's
// versions of a row to the copy, each after it was committed at the authority,
// in order. A round reads version r of the authority after it has locked the
// copy's row.
//
//   - The row was there. Between the lock and our commit nobody else writes
//     it. What reached the copy before the lock had been committed at the
//     authority before r was read, so it is r or older: we do not go back.
//     What is newer than r arrives after our commit and is applied over r.
//     That holds for updates, deletes, and rows found equal; no second read
//     is needed for it.
//   - The row was absent. There is nothing to lock: the replicator may insert
//     it and delete it again between our look and our insert, and r would come
//     back from the dead. If the authority, read again after the commit, still
//     has r, then every version newer than r is committed after our insert and
//     is applied after it. If not, the round starts over, and now finds the row
//     there to lock.
//
// The second read covers all written rows, not only inserted ones: it costs
// one read a batch, and carries the newer version over even when nobody else does.
//
// Rounds are bounded. A row that was there may end as repaired although the
// authority changed again, for the first reason. For an insert the last round
// reads the authority again before it commits: the uncommitted insert is a
// lock, so the first reason holds for that row as well.

// attempt is one round over a batch of jobs. Jobs it does not settle want
// another one.
func (s *session) attempt(ctx context.Context, jobs []*job) error {
	for _, j := range jobs {
		j.attempts++
		j.restart = false
	}
	batch, err := s.r.cfg.Sink.Begin(ctx, keysOf(jobs))
	if err != nil {
		return fmt.Errorf("lock the copy's rows: %w", err)
	}
	defer batch.Rollback()
	held, err := index(s.r.to, jobs, batch.Rows())
	if err != nil {
		return fmt.Errorf("lock the copy's rows: %w", err)
	}
	jobs = without(jobs, batch.Busy())
	right, err := s.readAuthority(ctx, jobs)
	if err != nil {
		return err
	}
	s.r.size.observe(len(jobs), sizeOf(held)+sizeOf(right))
	writes := s.plan(jobs, right, held)
	if len(writes) == 0 {
		return nil
	}
	if err := s.execute(ctx, batch, writes, right); err != nil {
		return err
	}
	return s.confirm(ctx, writes, right)
}

// write is one job and what it is about to change.
type write struct {
	job    *job
	change Change
}

// plan settles the jobs that need no write and returns the others' changes,
// deletes before updates before inserts: a row that goes away frees the unique
// values that another one needs.
func (s *session) plan(jobs []*job, right, held map[string]row.Row) []write {
	var writes []write
	for _, j := range jobs {
		change, res := s.r.decide(j.key, right[j.id], held[j.id])
		if change.Action == event.NoAction {
			s.settle(j, s.credit(j, res))
			continue
		}
		if reason := s.r.hold(change); reason != "" {
			s.settle(j, result{result: event.Held, class: ClassGate, reason: reason})
			continue
		}
		writes = append(writes, write{j, change})
	}
	slices.SortStableFunc(writes, func(a, b write) int { return rank(a.change) - rank(b.change) })
	return writes
}

func rank(c Change) int {
	switch c.Action {
	case event.Delete:
		return 0
	case event.Update:
		return 1
	default:
		return 2
	}
}

// credit turns "nothing to do" into "repaired" when it was this job that did
// it, in an earlier round or in a commit whose answer was lost.
func (s *session) credit(j *job, res result) result {
	wrote := j.wrote.Action
	written := res.result == event.AlreadyEqual && (wrote == event.Insert || wrote == event.Update)
	deleted := res.result == event.Vanished && wrote == event.Delete
	if !written && !deleted {
		return res
	}
	res = s.r.repaired(j.wrote)
	if j.unsure {
		res.reason = "the answer to the commit was lost; the next look found both sides equal"
	}
	return res
}

func (r *Repairer) repaired(c Change) result {
	return result{result: event.Repaired, change: c, columns: r.names(c.Columns)}
}

func (r *Repairer) hold(c Change) string {
	if r.cfg.Gate == nil {
		return ""
	}
	return r.cfg.Gate.Hold(r.cfg.Pair.Name, c)
}

// execute applies and commits. right is brought up to date with what the last
// round of an insert reads.
func (s *session) execute(ctx context.Context, batch Batch, writes []write, right map[string]row.Row) error {
	changes := make([]Change, len(writes))
	for i, w := range writes {
		changes[i] = w.change
	}
	if err := batch.Apply(ctx, changes); err != nil {
		return fmt.Errorf("write to the copy: %w", err)
	}
	if err := s.pin(ctx, batch, writes, right); err != nil {
		return err
	}
	if err := s.stored(ctx, batch, writes, right); err != nil {
		return err
	}
	// From here on the changes may be durable, whatever Commit says.
	err := batch.Commit(ctx)
	for _, w := range writes {
		w.job.note(w.change, err)
	}
	if err != nil {
		return fmt.Errorf("commit to the copy: %w", err)
	}
	return nil
}

// pin, for inserts in their last round, reads the authority while the
// uncommitted insert holds the key, and corrects the row before it is seen.
func (s *session) pin(ctx context.Context, batch Batch, writes []write, right map[string]row.Row) error {
	var last []*job
	for _, w := range writes {
		if w.change.Action == event.Insert && w.job.moved+1 >= s.r.cfg.MaxRounds {
			last = append(last, w.job)
		}
	}
	if len(last) == 0 {
		return nil
	}
	now, err := s.readAuthority(ctx, last)
	if err != nil {
		return err
	}
	var corrections []Change
	for _, j := range last {
		if !sameRow(right[j.id], now[j.id]) {
			if c, _ := s.r.decide(j.key, now[j.id], right[j.id]); c.Action != event.NoAction {
				corrections = append(corrections, c)
			}
			right[j.id] = now[j.id]
		}
	}
	if len(corrections) == 0 {
		return nil
	}
	if err := batch.Apply(ctx, corrections); err != nil {
		return fmt.Errorf("write to the copy: %w", err)
	}
	return nil
}

// confirm reads the authority again and settles the rows that stayed as they
// were written. When the read fails nothing is settled: the next round looks
// at both sides afresh.
func (s *session) confirm(ctx context.Context, writes []write, right map[string]row.Row) error {
	jobs := make([]*job, len(writes))
	for i, w := range writes {
		jobs[i] = w.job
	}
	now, err := s.readAuthority(ctx, jobs)
	if err != nil {
		return err
	}
	for _, w := range writes {
		j := w.job
		res := s.r.repaired(w.change)
		if right[j.id] == nil && w.change.Action == event.Insert {
			res = result{result: event.Vanished} // pin took the insert back
		}
		if sameRow(right[j.id], now[j.id]) {
			s.settle(j, res)
			continue
		}
		j.restart = true
		if j.moved++; j.moved >= s.r.cfg.MaxRounds {
			res.class = ClassStillChanging
			res.reason = fmt.Sprintf("the authority's row changed during each of %d rounds; the copy holds a version read while its row was locked, and later ones reach it as they always do", j.moved)
			s.settle(j, res)
		}
	}
	return nil
}

func (s *session) readAuthority(ctx context.Context, jobs []*job) (map[string]row.Row, error) {
	if len(jobs) == 0 {
		return nil, nil
	}
	rows, err := s.r.cfg.Authority.Lookup(ctx, s.r.from, keysOf(jobs))
	if err != nil {
		return nil, fmt.Errorf("read the authority's rows: %w", err)
	}
	found, err := index(s.r.from, jobs, rows)
	if err != nil {
		return nil, fmt.Errorf("read the authority's rows: %w", err)
	}
	return found, nil
}

// without leaves out the jobs whose rows someone else holds. They exist, so
// they are never taken for absent.
func without(jobs []*job, busy []row.Key) []*job {
	if len(busy) == 0 {
		return jobs
	}
	skip := make(map[string]bool, len(busy))
	for _, key := range busy {
		skip[key.ID()] = true
	}
	var free []*job
	for _, j := range jobs {
		if !skip[j.id] {
			free = append(free, j)
		}
	}
	return free
}
