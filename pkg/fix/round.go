package fix

import (
	"context"
	"fmt"
	"slices"
	"time"

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
// That holds for any number of rows in one transaction. So a row that is in the
// way of another, having its unique value, is taken into the same transaction
// and is a row like the others there; see tangle.go.
//
// Rounds are bounded. A row that was there may end as repaired although the
// authority changed again, for the first reason. An insert never ends the rounds
// that way. That it is not committed yet holds nobody up: a delete in PostgreSQL
// sees no row, and passes. The next round finds the row there, or taken away
// again by a replicator that is past it. docs/model checks all of this.

// attempt is one round over a batch of jobs. Jobs it does not settle want
// another one.
func (s *session) attempt(ctx context.Context, jobs []*job) error {
	err := s.round(ctx, jobs, nil)
	if FaultOf(err) == Duplicate && len(s.r.uniques) > 0 {
		return s.untangle(ctx, jobs, err)
	}
	return err
}

// arrange puts writes into the order in which they are applied, in groups whose
// order within is of no account. A tangle may leave some out; nil stands for
// rows that are not in each other's way.
func (t *tangle) arrange(ctx context.Context, batch Batch, writes []write) ([]write, [][]Change, error) {
	finder, ok := batch.(Finder)
	if t == nil || !ok {
		return writes, [][]Change{changesOf(writes)}, nil
	}
	return t.untie(ctx, finder, writes)
}

func changesOf(writes []write) []Change {
	changes := make([]Change, len(writes))
	for i, w := range writes {
		changes[i] = w.change
	}
	return changes
}

// round locks, reads, writes what t arranges, and looks again.
func (s *session) round(ctx context.Context, jobs []*job, t *tangle) error {
	if err := s.awaitAuthority(ctx, jobs); err != nil {
		return err
	}
	for _, j := range jobs {
		j.attempts++
		j.restart, j.held, j.stays = false, false, result{}
	}
	start := time.Now()
	locked := s.step(ctx, StepLock, jobs)
	batch, err := s.r.cfg.Sink.Begin(ctx, keysOf(jobs))
	locked(err)
	if err != nil {
		return fmt.Errorf("lock the copy's rows: %w", err)
	}
	defer batch.Rollback()
	if b, ok := batch.(Timed); ok {
		start = b.Began()
	}
	held, err := index(s.r.to, jobs, batch.Rows())
	if err != nil {
		return fmt.Errorf("lock the copy's rows: %w", err)
	}
	jobs = without(jobs, batch.Busy())
	right, err := s.readHolding(ctx, jobs)
	if err != nil {
		return err
	}
	s.r.size.observe(len(jobs), sizeOf(held)+sizeOf(right))
	if t == nil && s.tooLong(jobs, time.Since(start)) {
		return nil
	}
	writes := s.plan(jobs, right, held)
	if len(writes) == 0 {
		return nil
	}
	writes, groups, err := t.arrange(ctx, batch, writes)
	if err != nil || len(writes) == 0 {
		return err
	}
	if err := s.execute(ctx, batch, writes, groups, right, held); err != nil {
		return err
	}
	s.r.size.observeTime(len(jobs), time.Since(start))
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
		if j.stays = s.withhold(j, change); j.stays.reason != "" {
			s.settle(j, j.stays)
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

// execute applies and commits.
func (s *session) execute(ctx context.Context, batch Batch, writes []write, groups [][]Change, right, held map[string]row.Row) error {
	trail, changes := &trail{portrait: s.r.portrait, batch: batch}, changesOf(writes)
	if err := trail.take(ctx, changes, false); err != nil {
		return err
	}
	applied := s.writing(ctx, StepWrite, writes)
	for _, group := range groups {
		if err := batch.Apply(ctx, group); err != nil {
			applied(err)
			return fmt.Errorf("write to the copy: %w", err)
		}
	}
	applied(nil)
	stored, err := s.stored(ctx, batch, writes, right)
	if err != nil {
		return err
	}
	if err := trail.take(ctx, changes, true); err != nil {
		return err
	}
	if s.r.cfg.Keep.Images != NoImages {
		s.r.size.observeWhole(len(writes), sizeOf(trail.before)+sizeOf(trail.after))
	}
	// The last moment at which another side may turn out to be right now.
	if err := s.r.authorised(); err != nil {
		return err
	}
	// From here on the changes may be durable, whatever Commit says.
	committed := s.writing(ctx, StepCommit, writes)
	err = batch.Commit(ctx)
	committed(err)
	for _, w := range writes {
		id := w.job.id
		w.job.note(w.change, trail.told(id, w.change.Action, held[id], written(s.r.to, w.change, held[id], stored[id])), err)
	}
	if err != nil {
		return fmt.Errorf("commit to the copy: %w", err)
	}
	return nil
}

// confirm reads the authority again and settles the rows that stayed as they
// were written. When the read fails nothing is settled: the next round looks
// at both sides afresh.
func (s *session) confirm(ctx context.Context, writes []write, right map[string]row.Row) error {
	jobs := jobsOf(writes)
	done := s.step(ctx, StepReread, jobs)
	now, err := s.readAuthority(ctx, jobs)
	done(err)
	if err != nil {
		return err
	}
	for _, w := range writes {
		j := w.job
		res := s.r.repaired(w.change)
		if sameRow(right[j.id], now[j.id]) {
			s.settle(j, res)
			continue
		}
		j.moved++
		j.restart = j.moved < s.r.cfg.MaxRounds
		if !j.restart && w.change.Action != event.Insert {
			res.class = ClassStillChanging
			res.reason = fmt.Sprintf("the authority's row changed during each of %d rounds; the copy holds a version read while its row was locked, and later ones reach it as they always do", j.moved)
			s.settle(j, res)
		}
	}
	return nil
}

// Bounds of how long the authority may take while rows of the copy are held: a
// second is more than any look-up by key needs that does not wait; where it
// proves too short, twice what one takes while nothing is held.
const (
	firstPatience   = time.Second
	longestPatience = 30 * time.Second
)

// readHolding is readAuthority while rows of the copy are held. An authority that
// does not answer must not have the copy's writers wait.
func (s *session) readHolding(ctx context.Context, jobs []*job) (map[string]row.Row, error) {
	bounded, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	done := s.step(ctx, StepRead, jobs)
	right, err := s.readAuthority(bounded, jobs)
	done(err)
	if err == nil || ctx.Err() != nil || bounded.Err() == nil {
		return right, err
	}
	s.slow = true
	return nil, &Error{Fault: Transient, Err: fmt.Errorf("the authority did not answer within %v, and rows of the copy are not held for longer: %w", s.patience, err)}
}

// awaitAuthority returns at once, unless the authority took too long the last time
// it was asked: then once it has answered, be it minutes later because somebody
// alters the table. Nothing is held meanwhile.
func (s *session) awaitAuthority(ctx context.Context, jobs []*job) error {
	if !s.slow {
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, longestPatience)
	defer cancel()
	start := time.Now()
	if _, err := s.readAuthority(bounded, jobs); err != nil {
		if ctx.Err() == nil && bounded.Err() != nil {
			err = &Error{Fault: Transient, Err: fmt.Errorf("the authority did not answer within %v: %w", longestPatience, err)}
		}
		return err
	}
	s.slow = false
	s.patience = min(max(firstPatience, 2*time.Since(start)), longestPatience)
	return nil
}

// tooLong gives back the rows of a batch whose reads alone took longer than rows
// are to be held; smaller ones follow. A single row has no smaller batch.
func (s *session) tooLong(jobs []*job, took time.Duration) bool {
	if len(jobs) < 2 || took <= s.r.size.allows() {
		return false
	}
	s.r.size.observeTime(len(jobs), took)
	for _, j := range jobs {
		j.restart = true
	}
	return true
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

// without leaves out the jobs whose rows someone else holds, and marks them.
// They exist, so they are never taken for absent.
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
			continue
		}
		j.held = true
		j.busy++
	}
	return free
}
